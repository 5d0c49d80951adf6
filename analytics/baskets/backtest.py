"""A rule on a basket, walked through the past: weights of bars before, costs of every leg.

Decisions, fills and rules are the pair's; what differs is that the position has three to eight legs
and that its weights are fitted anew as time goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest import (
    DEFAULT_RULES,
    DRAWS,
    Account,
    BacktestRules,
    Performance,
    Signals,
    drawdown_path,
    measure,
    notes_of,
    side_held,
)
from analytics.baskets.market import BasketMarket, BasketSignals, basket_market, basket_signals
from analytics.baskets.params import BasketParams
from analytics.baskets.settlement import BasketTrades, basket_books, basket_ledger
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, IntArray, bar_times_us
from analytics.spread import check_window

# Fewest bars that weights are fitted on, and windows that they are fitted on by default.
LEAST_TRAIN = 60
_TRAIN_WINDOWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class BasketBacktest:
    """A run. Never changed after it is made; all paths share one index: bar open times, UTC.

    Attributes
    ----------
    closes
        A column a symbol, NaN where missing.
    zscore, weights
        What each close decided on; NaN before the first fit.
    side
        Held after each bar: +1 long the basket, -1 short, 0 nothing.
    books
        Cash, quantities of all legs and equity after each bar, from the fills alone.
    gross_equity, returns, drawdown, trades, performance, cancelled, waited, notes
        As in `analytics.backtest.BacktestResult`; the ledger as in `basket_ledger`.
    train_bars, refit_bars, fits
        Bars that each fit stands on, bars that it is traded for, and how many there were.
    """

    params: BasketParams
    rules: BacktestRules
    closes: pd.DataFrame
    zscore: pd.Series
    weights: pd.DataFrame
    side: pd.Series
    books: Account
    gross_equity: pd.Series
    returns: pd.Series
    drawdown: pd.Series
    trades: pd.DataFrame
    performance: Performance
    cancelled: int
    waited: int
    train_bars: int
    refit_bars: int
    fits: int
    notes: tuple[str, ...]

    @property
    def equity(self) -> pd.Series:
        """Cash and what is held at its mark, quote currency."""
        return pd.Series(self.books.equity, index=self.closes.index, name="equity")

    def to_frame(self) -> pd.DataFrame:
        """Lay out the paths, a row a bar, time as ISO 8601 UTC text."""
        times = np.datetime_as_string(
            bar_times_us(self.closes.index).astype("datetime64[us]"), unit="s", timezone="UTC"
        )
        names = self.params.symbols
        columns = {
            **{f"price_{name}": self.closes[name].to_numpy() for name in names},
            "zscore": self.zscore.to_numpy(),
            **{f"weight_{name}": self.weights[name].to_numpy() for name in names},
            "side": self.side.to_numpy(),
            **{f"quantity_{name}": self.books.quantities[:, k] for k, name in enumerate(names)},
            "cash": self.books.cash,
            "equity": self.books.equity,
            "equity_before_costs": self.gross_equity.to_numpy(),
            "drawdown": self.drawdown.to_numpy(),
        }
        return pd.DataFrame({"time": pd.Series(times, dtype="str"), **columns})


def backtest_basket(
    bars: Sequence[pd.DataFrame],
    params: BasketParams,
    rules: BacktestRules = DEFAULT_RULES,
    *,
    train_bars: int | None = None,
    refit_bars: int | None = None,
    draws: int = DRAWS,
) -> BasketBacktest:
    """Trade a basket by a rule over its closed bars, after costs and without knowing the future.

    Parameters
    ----------
    bars : sequence of DataFrame
        Bars frames at ``params.interval``, in the order of ``params.symbols``; the forming bar is
        left out.
    params : BasketParams
        Method and window, and the lookback: only its bars are traded in, those before are for the
        first fit. Its thresholds and gates play no part.
    rules : BacktestRules
        Entries, exits, size and costs, each of every leg. All legs together are worth capital ×
        leverage at the decision; funding of "x" is that of every leg but the first.
    train_bars : int, optional
        Bars that each fit stands on, all before those it is traded in; ten windows, 120 at least.
    refit_bars : int, optional
        Bars until the next fit: a window; counted from the epoch, so that a bar's weights do not
        depend on where the bars begin. A position that is held keeps its quantities.
    draws : int
        Bootstrap samples for the Sharpe ratio's interval; 0 for none.

    Returns
    -------
    BasketBacktest
        Walk-forward: nothing is traded in the first `train_bars` bars, nor where the weights have
        no answer. A bar in which a leg is missing or did not trade fills nothing.

    Raises
    ------
    ParameterError
        Sizing in equal money, which a basket has no meaning for; fewer than 60 bars to train on;
        not one frame for each symbol.
    NotEnoughDataError
        Fewer than three bars to trade: in the range, or after the first fit's.
    FrameError, NonPositivePriceError
        As `analytics.backtest.run_backtest`.
    """
    if rules.sizing != "beta":
        raise ParameterError("sizing", rules.sizing, "'beta': a basket is sized by its weights")
    if len(bars) != len(params.symbols):
        raise ParameterError(
            "bars", len(bars), f"a frame for each of {len(params.symbols)} symbols"
        )
    default = max(_TRAIN_WINDOWS * params.window, 2 * LEAST_TRAIN)
    train = check_window(train_bars or default, "train_bars", LEAST_TRAIN)
    refit = check_window(refit_bars or params.window, "refit_bars", 1)
    market = basket_market(bars, params, rules)
    span = max(market.pair.first, train), market.size
    if span[1] - span[0] < 3:
        raise _too_short(span, train, params)
    signals = basket_signals(market, params, train, refit)
    return _run(market, signals, params, rules, span, (train, refit), draws)


def _too_short(span: tuple[int, int], train: int, params: BasketParams) -> NotEnoughDataError:
    """Say whether the range is too short, or the bars there are."""
    what = f"backtest of {params.label}"
    if span[1] >= train + 3:
        return NotEnoughDataError(f"range of the {what}", 3, span[1] - span[0])
    return NotEnoughDataError(what, train + 3, span[1])


def _walk(
    market: BasketMarket, signals: BasketSignals, rules: BacktestRules, span: tuple[int, int]
) -> tuple[IntArray, IntArray]:
    from analytics.kernels.walk import TALLIES, TRADE_COLUMNS, walk  # noqa: PLC0415 - numba

    raw = np.zeros(((span[1] - span[0]) // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
    tally = np.zeros(TALLIES, dtype=np.int64)
    count = walk(signals.zscore, market.pair.tradable, *span, rules.as_row(), raw, tally)
    return raw[:count], tally


def _run(
    market: BasketMarket,
    signals: BasketSignals,
    params: BasketParams,
    rules: BacktestRules,
    span: tuple[int, int],
    fitted: tuple[int, int],
    draws: int,
) -> BasketBacktest:
    inside, names = slice(*span), list(params.symbols)
    index = market.closes.index[inside]
    raw, tally = _walk(market, signals, rules, span)
    trades = BasketTrades.of(raw, market, signals, rules.notional)
    ledger = basket_ledger(trades, market, signals)
    books = basket_books(trades, market, span, rules.capital, free=False)
    gross = basket_books(trades, market, span, rules.capital, free=True).equity
    returns = np.diff(books.equity, prepend=rules.capital) / rules.capital
    side = side_held(raw, market.size)[inside]
    counts = int(tally[0]), int(tally[1])
    as_pair = Signals(signals.zscore, signals.zscore, signals.weights.T)
    notes = notes_of(
        market.pair, as_pair, params.as_pair, rules, span, ledger, counts, books.equity
    )  # fmt: skip
    performance = measure(
        returns, ledger, side.astype(np.float64), rules, params.bar.bars_per_year, draws=draws
    )

    def path(values: FloatArray | IntArray, name: str) -> pd.Series:
        return pd.Series(values, index=index, name=name)

    return BasketBacktest(
        params=params,
        rules=rules,
        closes=market.closes.iloc[inside],
        zscore=path(signals.zscore[inside], "zscore"),
        weights=pd.DataFrame(signals.weights[inside], index=index, columns=names),
        side=path(side, "side"),
        books=books,
        gross_equity=path(gross, "equity_before_costs"),
        returns=path(returns, "return"),
        drawdown=path(drawdown_path(books.equity, rules.capital), "drawdown"),
        trades=ledger,
        performance=performance,
        cancelled=counts[0],
        waited=counts[1],
        train_bars=fitted[0],
        refit_bars=fitted[1],
        fits=signals.fits,
        notes=(_walk_forward_note(fitted, signals.fits, len(names)), *notes),
    )


def _walk_forward_note(fitted: tuple[int, int], fits: int, legs: int) -> str:
    return (
        f"Walk-forward: weights of the {fitted[0]:,} bars before, traded for {fitted[1]:,} bars, "
        f"then fitted anew ({fits:,} fits); costs are paid on all {legs} legs. A position that is "
        "open at a new fit keeps its quantities and is left by the z of the new weights."
    )
