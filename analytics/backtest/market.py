"""What a backtest trades in and on: prices, what a fill costs, z and the size of a position."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.paying import PayingEntries, fit_entries, in_entries, paying_path
from analytics.backtest.rules import BPS, BacktestRules, Costs
from analytics.errors import FrameError, ParameterError
from analytics.frames import (
    BoolArray,
    FloatArray,
    align_pair,
    bar_times_us,
    check_bars,
    closed_bars,
    parse_interval,
)
from analytics.hedge import CAUSAL_HEDGES
from analytics.pair import PairParams, make_spread
from analytics.series import as_floats
from analytics.spread import check_positive, log_returns

VOLATILITY_BARS: Final = 60
_FUNDING_US: Final = 8 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Both legs over the bars of a backtest.

    Attributes
    ----------
    y, x
        Closes, NaN where missing.
    tradable
        Whether both legs traded in the bar, so that an order could be filled in it.
    paths
        Shape (8, n), rows as `analytics.kernels.settle` names them: fill prices, marks (closes,
        carried over missing bars for valuing only), impact, funding of a long unit.
    costs
        Fee and half-spread as shares of the notional, and the exponent of the impact.
    first
        Row of the range's first bar: those before it are for z and β to start up on.
    """

    y: pd.Series
    x: pd.Series
    tradable: BoolArray
    paths: FloatArray
    costs: FloatArray
    first: int

    @property
    def index(self) -> pd.DatetimeIndex:
        """Open times of the bars."""
        return pd.DatetimeIndex(self.y.index)

    @property
    def size(self) -> int:
        """Number of bars, those before the range too."""
        return len(self.y)

    @property
    def range(self) -> tuple[int, int]:
        """Row of the first bar that is traded in, and the one after the last."""
        return self.first, self.size

    def part(self, share: float) -> tuple[int, int]:
        """Rows of the first share of the range."""
        return self.first, self.first + round(share * (self.size - self.first))


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """What each bar's close decides on.

    Attributes
    ----------
    zscore, beta
        Of the spread, standard deviations; the hedge ratio.
    units : ndarray, shape (2, n)
        Quantities of a long position decided then.
    level
        Entry that pays, in standard deviations, infinite where none does; None where the rule's
        thresholds are of z itself.
    entries
        The fits that it is from.
    """

    zscore: FloatArray
    beta: FloatArray
    units: FloatArray
    level: FloatArray | None = None
    entries: PayingEntries | None = None

    @property
    def compared(self) -> FloatArray:
        """What the rule's thresholds are compared with."""
        return self.zscore if self.level is None else in_entries(self.zscore, self.level)


def check_causal(params: PairParams) -> None:
    """Refuse a hedge ratio that knows the future.

    Raises
    ------
    ParameterError
        For a spread with β whose method looks at the whole lookback at once.
    """
    if params.uses_beta and params.hedge not in CAUSAL_HEDGES:
        allowed = (
            f"one of {', '.join(CAUSAL_HEDGES)} in a backtest: this one is estimated over the "
            "whole sample, so that its past values know the future"
        )
        raise ParameterError("hedge", params.hedge, allowed)


def with_vwap(bars: pd.DataFrame, ticks: pd.DataFrame, interval: str) -> pd.DataFrame:
    """Add the column ``vwap`` to one symbol's bars: its volume-weighted price in each bar.

    Parameters
    ----------
    bars : DataFrame
        A bars frame; it is not changed.
    ticks : DataFrame
        The ticks of the same symbol.
    interval : str
        Of the bars.

    Returns
    -------
    DataFrame
        NaN where nobody traded.
    """
    made = bars.copy()
    own = ticks.drop_duplicates("trade_id") if "trade_id" in ticks else ticks
    opens = pd.DatetimeIndex(own.index).floor(parse_interval(interval).timedelta)
    paid = (own["price"] * own["quantity"]).groupby(opens).sum()
    quantity = own["quantity"].groupby(opens).sum()
    made["vwap"] = (paid / quantity).reindex(bars.index).to_numpy()
    return made


def prepare(
    y_bars: pd.DataFrame, x_bars: pd.DataFrame, params: PairParams, rules: BacktestRules
) -> Market:
    """Align the closed bars of both legs and work out what a fill costs in each.

    Raises
    ------
    FrameError
        No bars frames, or of another interval; no column ``vwap`` where fills need it.
    ParameterError
        Slippage by volume on bars without volume.
    NonPositivePriceError
        Prices at or below zero.
    """
    if not rules.is_fitted:
        check_causal(params)
    legs = []
    for name, bars in ((params.y, y_bars), (params.x, x_bars)):
        check_bars(bars, f"the bars of {name}")
        _check_step(name, bars, params)
        if rules.fill not in bars.columns:
            raise FrameError(
                f"fills at the {rules.fill} need a column {rules.fill!r} in the bars of {name}: "
                "make it from ticks, or fill at the open"
            )
        closed = closed_bars(bars)
        if params.end_us is not None:
            closed = closed[bar_times_us(closed.index) < params.end_us]
        legs.append(closed)
    y, x = align_pair(*legs)
    if len(y):
        close_us = int(bar_times_us(y.index[-1:])[0]) + params.bar.us
        params = params.ending_with(close_us) or params
    reach = reach_of(params, rules)
    if reach is not None:
        y, x = y.iloc[-reach:], x.iloc[-reach:]
    return _market(y, x, params, rules)


def reach_of(params: PairParams, rules: BacktestRules) -> int | None:
    """Latest bars that a backtest is made of, those before the range too; None for all."""
    if not rules.is_fitted:
        return params.reach
    # A fit looks at the bars that a gate's test does.
    return replace(params, gates=replace(params.gates, pvalue=True)).reach


def _market(y: pd.DataFrame, x: pd.DataFrame, params: PairParams, rules: BacktestRules) -> Market:
    from analytics.kernels import settle as kernel  # noqa: PLC0415 - numba, when needed

    tradable = np.ones(len(y), dtype=np.bool_)
    paths = np.zeros((kernel.PATH_ROWS, len(y)))
    costs = rules.costs
    legs = ((params.y, y, costs.funding_y_bps), (params.x, x, costs.funding_x_bps))
    # The rows of S2 follow those of S1.
    for place, (name, bars, funding_bps) in enumerate(legs):
        check_positive(as_floats(bars["close"]), f"the backtest of {name}")
        fill, mark = as_floats(bars[rules.fill]), as_floats(bars["close"].ffill())
        tradable &= bars["coverage"].eq("traded").to_numpy() & (fill > 0)
        paths[kernel.FILL_Y + place] = fill
        paths[kernel.MARK_Y + place] = mark
        paths[kernel.FUNDING_Y + place] = _funding(bars, mark, funding_bps)
        paths[kernel.IMPACT_Y + place] = _impact(name, bars, costs)
    paths[kernel.IMPACTS] *= tradable
    return Market(
        y=y["close"].rename(params.y),
        x=x["close"].rename(params.x),
        tradable=tradable,
        paths=paths,
        costs=np.array([costs.fee_bps * BPS, costs.spread_bps * BPS, costs.power]),
        first=0 if params.lookback is None else max(len(y) - params.lookback, 0),
    )


def _check_step(name: str, bars: pd.DataFrame, params: PairParams) -> None:
    if len(bars) < 2:
        return
    step_us = int(np.diff(bar_times_us(bars.index[:2]))[0])
    if step_us != params.bar.us:
        raise FrameError(
            f"the bars of {name} are {step_us / 1e6:g} s apart, "
            f"the interval asked for is {params.interval}"
        )


def _funding(bars: pd.DataFrame, marks: FloatArray, funding_bps: float) -> FloatArray:
    """What a long unit pays at the open of each bar: the mark before it times the rate."""
    due = bar_times_us(bars.index) % _FUNDING_US == 0
    paid = np.zeros(len(bars))
    paid[1:] = np.where(due[1:], np.nan_to_num(marks[:-1]) * funding_bps * BPS, 0.0)
    return paid


def _impact(name: str, bars: pd.DataFrame, costs: Costs) -> FloatArray:
    """Slippage of one unit: factor · σ / V^p, to be multiplied by Q^p; 0 where nothing traded."""
    share = np.zeros(len(bars))
    if costs.impact == "none" or costs.impact_factor == 0:
        return share
    traded = bars["coverage"].eq("traded").to_numpy()
    volume = as_floats(bars["volume"])
    if not (volume[traded] > 0).all():
        allowed = f"'none': the bars of {name} hold no volumes to measure an order against"
        raise ParameterError("impact", costs.impact, allowed)
    returns = pd.Series(log_returns(as_floats(bars["close"])))
    # Of the bars before the fill's own; the first few of a sample have less than 60 of them.
    sigma = returns.rolling(VOLATILITY_BARS, min_periods=2).std().shift().ffill().fillna(0.0)
    np.divide(costs.impact_factor * sigma.to_numpy(), volume**costs.power, out=share, where=traded)
    return share


def signals(market: Market, params: PairParams, rules: BacktestRules) -> Signals:
    """Compute z and β, each bar's from bars up to its own, and the size of a long position.

    The quantities make both legs together worth `rules.notional` at the bar's close. They are NaN,
    and nothing is entered, where no β is known.
    """
    if rules.is_fitted:
        entries = fit_entries(market.y, market.x, params, rules.costs)
        path = paying_path(market.y, market.x, params, entries)
        beta, zscore, level = path.beta, path.zscore, path.level
    else:
        made, entries, level = make_spread(market.y, market.x, params), None, None
        beta = made.hedge_ratio.to_numpy()
        zscore = made.moments.zscore(made.rounding).to_numpy().copy()
    units = _units(market, beta, params, rules)
    zscore[np.isnan(units[0])] = np.nan
    return Signals(zscore, beta, units, level, entries)


def _units(
    market: Market, beta: FloatArray, params: PairParams, rules: BacktestRules
) -> FloatArray:
    y, x = market.y.to_numpy(), market.x.to_numpy()
    ratio = y / x if rules.sizing == "dollar" else _spread_ratio(y, x, beta, params)
    units = np.empty((2, y.size))
    units[0] = rules.notional / (y + np.abs(ratio) * x)
    units[1] = -ratio * units[0]
    return units


def _spread_ratio(y: FloatArray, x: FloatArray, beta: FloatArray, params: PairParams) -> FloatArray:
    """Units of x against one of y that make the position move as the spread does."""
    if params.spread == "hedged":
        return beta
    if params.spread == "log":
        return beta * y / x
    return y / x if params.spread == "ratio" else np.ones(y.size)
