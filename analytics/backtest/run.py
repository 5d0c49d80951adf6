"""A rule on a pair, walked through the past: decided on closes, filled a bar later, all costs paid.

The one exception to the bar's delay is the end of the sample, where what is still held is valued
out at the last close and marked as such.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.backtest.accounting import Account, Fills, account
from analytics.backtest.ledger import ledger, notes_of
from analytics.backtest.market import Market, Signals, prepare, signals
from analytics.backtest.paying import in_entries
from analytics.backtest.performance import Performance, drawdown_path, measure
from analytics.backtest.rules import DEFAULT_RULES, BacktestRules
from analytics.backtest.sharpe import DRAWS
from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, IntArray, bar_times_us
from analytics.pair import PairParams

Span = tuple[int, int]
"""First bar and the one after the last, counted in the bars both legs span."""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """A run. Never changed after it is made; all paths share one index: bar open times, UTC.

    Attributes
    ----------
    y, x
        Closes, NaN where missing.
    zscore, beta
        What each close decided on.
    entry_level
        Entry that pays by the latest fit, in standard deviations, infinite where none does; None
        for a rule whose thresholds are of z itself.
    side
        Held after each bar: +1 long the spread (S1 bought), −1 short, 0 nothing.
    books
        Cash, quantities of both legs and equity after each bar, from the fills alone.
    gross_equity
        Capital and profit before any cost.
    returns
        Net profit of each bar over the capital.
    drawdown
        Share of the highest equity so far, at most 0.
    trades
        The ledger, a row a trade, oldest first; see `analytics.backtest.ledger.ledger`.
    performance
        The figures.
    cancelled, waited
        Entries cancelled because the next bar could not be traded; bars that exits had to wait.
    notes
        Plain sentences the reader should know.
    """

    params: PairParams
    rules: BacktestRules
    y: pd.Series
    x: pd.Series
    zscore: pd.Series
    beta: pd.Series
    side: pd.Series
    books: Account
    gross_equity: pd.Series
    returns: pd.Series
    drawdown: pd.Series
    trades: pd.DataFrame
    performance: Performance
    cancelled: int
    waited: int
    notes: tuple[str, ...]
    entry_level: pd.Series | None = None

    @property
    def equity(self) -> pd.Series:
        """Cash and what is held at its mark, quote currency."""
        return pd.Series(self.books.equity, index=self.y.index, name="equity")

    @property
    def compared(self) -> pd.Series:
        """What the rule's thresholds are compared with: z, or z in units of the entry that pays."""
        if self.entry_level is None:
            return self.zscore
        measured = in_entries(self.zscore.to_numpy(), self.entry_level.to_numpy())
        return pd.Series(measured, index=self.y.index, name="zscore")

    def to_frame(self) -> pd.DataFrame:
        """Lay out the paths, a row a bar, time as ISO 8601 UTC text.

        ``entry_level`` stands beside ``zscore`` where the rule has one.
        """
        times = np.datetime_as_string(
            bar_times_us(self.y.index).astype("datetime64[us]"), unit="s", timezone="UTC"
        )
        fitted = {} if self.entry_level is None else {"entry_level": self.entry_level.to_numpy()}
        return pd.DataFrame(
            {
                "time": pd.Series(times, dtype="str"),
                f"price_{self.params.y}": self.y.to_numpy(),
                f"price_{self.params.x}": self.x.to_numpy(),
                "zscore": self.zscore.to_numpy(),
                **fitted,
                "hedge_ratio": self.beta.to_numpy(),
                "side": self.side.to_numpy(),
                f"quantity_{self.params.y}": self.books.quantities[:, 0],
                f"quantity_{self.params.x}": self.books.quantities[:, 1],
                "cash": self.books.cash,
                "equity": self.books.equity,
                "equity_before_costs": self.gross_equity.to_numpy(),
                "drawdown": self.drawdown.to_numpy(),
            }
        )


def run_backtest(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules = DEFAULT_RULES,
    *,
    draws: int = DRAWS,
) -> BacktestResult:
    """Trade a pair by a rule over its closed bars, after costs and without knowing the future.

    Parameters
    ----------
    y_bars, x_bars : DataFrame
        Bars frames of S1 and S2 at ``params.interval``; the forming bar is left out. Fills at the
        VWAP need a column ``vwap``.
    params : PairParams
        Spread, hedge and window, and the lookback: only its bars are traded in, z and β start up on
        the ``params.warm_up`` bars before. Its thresholds and gates play no part.
    rules : BacktestRules
        Entries, exits, size and costs.
    draws : int
        Bootstrap samples for the Sharpe ratio's interval; 0 for none.

    Returns
    -------
    BacktestResult
        A close decides, the next bar fills. A bar in which a leg is missing or did not trade fills
        nothing: an entry is then cancelled, an exit waits; both are counted. Without a z nothing is
        decided but the time-stop. Too few bars for the window give no trades and raise nothing.

    Raises
    ------
    ParameterError
        A hedge ratio that is estimated over the whole sample (``"ols"`` and its like): its past
        values know the future. `CAUSAL_HEDGES` do not. Entries that pay fit their own.
    NotEnoughDataError
        Fewer than 3 bars.
    FrameError, NonPositivePriceError
        As `analytics.pair.analyse_pair`; a missing column of fill prices.
    """
    market = prepare(y_bars, x_bars, params, rules)
    bar_signals = signals(market, params, rules)
    return run_on(market, bar_signals, params, rules, market.range, draws=draws)


def split_backtest(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    rules: BacktestRules,
    share: float,
    *,
    draws: int = DRAWS,
) -> tuple[BacktestResult, BacktestResult]:
    """Run the first `share` of the bars and the rest apart, flat at the border.

    The second part's first z stands on bars of the first, as it would have at the time.

    Raises
    ------
    ParameterError
        A share not above 0 and below 1; and as `run_backtest`.
    """
    if not 0 < share < 1:
        raise ParameterError("share", share, "above 0 and below 1")
    market = prepare(y_bars, x_bars, params, rules)
    bar_signals = signals(market, params, rules)
    train = market.part(share)
    test = (train[1], market.size)
    return (
        run_on(market, bar_signals, params, rules, train, draws=draws),
        run_on(market, bar_signals, params, rules, test, draws=draws),
    )


def run_on(
    market: Market,
    bar_signals: Signals,
    params: PairParams,
    rules: BacktestRules,
    span: Span,
    *,
    draws: int,
) -> BacktestResult:
    """Run over some of the bars of a market that is prepared already."""
    from analytics.kernels.walk import TALLIES, TRADE_COLUMNS, walk  # noqa: PLC0415 - numba

    start, stop = span
    if stop - start < 3:
        raise NotEnoughDataError(f"backtest of {params.label}", 3, stop - start)
    raw = np.zeros(((stop - start) // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
    tally = np.zeros(TALLIES, dtype=np.int64)
    count = walk(bar_signals.compared, market.tradable, start, stop, rules.as_row(), raw, tally)
    return _result(market, bar_signals, params, rules, span, raw[:count], tally, draws)


def _result(
    market: Market,
    bar_signals: Signals,
    params: PairParams,
    rules: BacktestRules,
    span: Span,
    raw: IntArray,
    tally: IntArray,
    draws: int,
) -> BacktestResult:
    from analytics.kernels.settle import MONEY_COLUMNS, settle  # noqa: PLC0415 - numba, when needed

    inside, index = slice(*span), market.index[slice(*span)]
    money = np.zeros((len(raw), MONEY_COLUMNS))
    gross, net = np.zeros((2, market.size))
    settle(raw, len(raw), market.paths, bar_signals.units, market.costs, money, gross, net)
    trades = ledger(market, bar_signals, raw, money)
    returns = net[inside] / rules.capital
    books = _books(market, bar_signals, raw, rules.capital, span)
    side = side_held(raw, market.size)[inside]
    performance = measure(
        returns, trades, side.astype(np.float64), rules, params.bar.bars_per_year, draws=draws
    )

    def path(values: FloatArray | IntArray, name: str) -> pd.Series:
        return pd.Series(values, index=index, name=name)

    equity, level = rules.capital + np.cumsum(net[inside]), bar_signals.level
    return BacktestResult(
        params=params,
        rules=rules,
        y=market.y.iloc[inside],
        x=market.x.iloc[inside],
        zscore=path(bar_signals.zscore[inside], "zscore"),
        beta=path(bar_signals.beta[inside], "hedge_ratio"),
        side=path(side, "side"),
        books=books,
        gross_equity=path(rules.capital + np.cumsum(gross[inside]), "equity_before_costs"),
        returns=path(returns, "return"),
        drawdown=path(drawdown_path(equity, rules.capital), "drawdown"),
        trades=trades,
        performance=performance,
        cancelled=int(tally[0]),
        waited=int(tally[1]),
        notes=notes_of(
            market, bar_signals, params, rules, span, trades, (int(tally[0]), int(tally[1])), equity
        ),
        entry_level=None if level is None else path(level[inside], "entry_level"),
    )


def side_held(raw: IntArray, bars: int) -> IntArray:
    """Side held after each bar: from the fill of the entry up to the bar before that of the exit.

    A forced end leaves at the last close, so nothing is held after that bar either.
    """
    from analytics.kernels.walk import ENTERED, EXITED, SIDE  # noqa: PLC0415 - numba, when needed

    steps = np.zeros(bars + 1, dtype=np.int64)
    np.add.at(steps, raw[:, ENTERED], raw[:, SIDE])
    np.add.at(steps, raw[:, EXITED], -raw[:, SIDE])
    return np.cumsum(steps[:-1])


def _books(
    market: Market, bar_signals: Signals, raw: IntArray, capital: float, span: Span
) -> Account:
    """Book all fills apart from the compiled settlement, so that one checks the other.

    Quantities, prices and costs go in; cash and equity come out.
    """
    from analytics.kernels.settle import FILLS, FUNDINGS, MARKS  # noqa: PLC0415 - numba
    from analytics.kernels.walk import END  # noqa: PLC0415

    start, stop = span
    decided, entered, _, exited, side, reason = raw.T
    units = bar_signals.units[:, decided] * side
    prices_in = market.paths[FILLS, entered]
    prices_out = np.where(reason == END, market.paths[MARKS, exited], market.paths[FILLS, exited])
    bars = np.concatenate([entered, entered, exited, exited]) - start
    legs = np.repeat([0, 1, 0, 1], len(raw))
    quantity = np.concatenate([units[0], units[1], -units[0], -units[1]])
    price = np.concatenate([prices_in[0], prices_in[1], prices_out[0], prices_out[1]])
    cost = _fill_cost(
        market, np.abs(quantity), price, np.concatenate([entered, entered, exited, exited]), legs
    )
    changes = np.zeros((stop - start + 1, 2))
    np.add.at(changes, (bars, legs), quantity)
    carried = np.cumsum(changes, axis=0)[:-1] - changes[:-1]
    charges = (carried * market.paths[FUNDINGS, start:stop].T).sum(axis=1)
    fills = Fills(bars, legs, quantity, price, cost)
    return account(fills, market.paths[MARKS, start:stop].T, capital, charges)


def _fill_cost(
    market: Market, size: FloatArray, price: FloatArray, bars: IntArray, legs: IntArray
) -> FloatArray:
    fee, half_spread, power = market.costs
    from analytics.kernels.settle import IMPACTS  # noqa: PLC0415 - numba, when needed

    impact = market.paths[IMPACTS][legs, bars] * size**power
    cost: FloatArray = size * price * (fee + half_spread + impact)
    return cost


def buy_and_hold(result: BacktestResult) -> pd.DataFrame:
    """Equity of the capital put into one leg at the first known close and held, a column a leg."""
    legs = {}
    for name, closes in ((result.params.y, result.y), (result.params.x, result.x)):
        known = closes.dropna()
        first = float(known.iloc[0]) if len(known) else np.nan
        legs[name] = result.rules.capital * closes / first
    return pd.DataFrame(legs)
