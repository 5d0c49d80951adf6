"""Legs that do not trade together: how much that takes from a correlation, and who moves first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.bars import resample_bars
from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import (
    INTERVALS,
    FloatArray,
    IntArray,
    align_pair,
    bar_times_us,
    check_ticks,
    closed_bars,
    parse_interval,
)
from analytics.leg import PairCoverage, coverage_codes, pair_coverage
from analytics.spread import log_returns

LAGS_S = (-10.0, -5.0, -2.0, -1.0, -0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

_LEAST_RETURNS = 20
_LEAST_CHANGES = 50
_MAX_TICKS = 200_000
# Fewer bars than this with a trade on both legs: carried prices are the rule, not the exception.
_DOMINATES = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Asynchrony:
    """How far the legs' bars are made of trades of the same time.

    Attributes
    ----------
    coverage
        Of the bars at the base interval.
    by_interval
        A row an interval: ``bars``, ``share_both_traded``, ``correlation`` of log returns over the
        whole span, its 95 % ``low`` and ``high`` (Fisher), ``returns``. Intervals with fewer than
        20 returns are left out.
    """

    coverage: PairCoverage
    by_interval: pd.DataFrame
    reference: str = "Epps (1979), JASA 74, 291-298; Fisher (1921) for the interval"

    @property
    def carried_dominates(self) -> bool:
        """Whether in most known bars a leg's price is an older one, carried."""
        share = self.coverage.share_both_traded
        return not math.isnan(share) and share < _DOMINATES

    def warning(self) -> str | None:
        """Say what carried prices do here; None where both legs mostly trade."""
        if not self.carried_dominates:
            return None
        return (
            f"Both legs traded in only {self.coverage.share_both_traded * 100:.0f} % of "
            f"{self.coverage.bars:,} bars: carried prices dominate. Correlation reads too low, and "
            "a spread move may be one leg's stale price. Choose a longer interval."
        )


def asynchrony(y_bars: pd.DataFrame, x_bars: pd.DataFrame, interval: str) -> Asynchrony:
    """Compare the correlation of a pair over several intervals, and count carried prices.

    Parameters
    ----------
    y_bars, x_bars : DataFrame
        Bars frames of the two legs at `interval`; the bar still forming is left out.
    interval : str
        Their interval; it and all longer ones are compared.

    Returns
    -------
    Asynchrony
        Correlation is Pearson's of log returns; a return into or out of a missing bar is left out.

    Raises
    ------
    FrameError, ParameterError, NonPositivePriceError
        No bars frames or bars that do not fit together; unknown interval; prices at or below 0.
    """
    base = parse_interval(interval)
    y, x = align_pair(closed_bars(y_bars), closed_bars(x_bars))
    rows = {}
    for each in INTERVALS:
        if each.us < base.us or each.us % base.us or y.empty:
            continue
        left, right = (y, x) if each == base else _coarser(y, x, each.name)
        row = _correlation_row(left, right)
        if row["returns"] >= _LEAST_RETURNS:
            rows[each.name] = row
    columns = ["bars", "share_both_traded", "correlation", "low", "high", "returns"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("interval")
    return Asynchrony(
        pair_coverage(coverage_codes(y["coverage"]), coverage_codes(x["coverage"])), table
    )


def _coarser(y: pd.DataFrame, x: pd.DataFrame, interval: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars of a longer interval, without those at the ends that are only partly covered."""
    left, right = align_pair(resample_bars(y, interval), resample_bars(x, interval))
    return left.iloc[1:-1], right.iloc[1:-1]


def _correlation_row(y: pd.DataFrame, x: pd.DataFrame) -> dict[str, float]:
    returns = np.column_stack([log_returns(leg["close"].to_numpy(np.float64)) for leg in (y, x)])
    both = returns[~np.isnan(returns).any(axis=1)]
    coverage = pair_coverage(coverage_codes(y["coverage"]), coverage_codes(x["coverage"]))
    value = _pearson(both[:, 0], both[:, 1])
    half = 1.96 / math.sqrt(len(both) - 3) if len(both) > 3 else math.nan
    # A correlation of 1 would be at infinity on Fisher's scale.
    place = math.atanh(min(max(value, -1 + 1e-15), 1 - 1e-15)) if not math.isnan(value) else value
    return {
        "bars": float(len(y)),
        "share_both_traded": coverage.share_both_traded,
        "correlation": value,
        "low": math.tanh(place - half),
        "high": math.tanh(place + half),
        "returns": float(len(both)),
    }


def _pearson(y: FloatArray, x: FloatArray) -> float:
    if y.size < 2:
        return math.nan
    y, x = y - y.mean(), x - x.mean()
    y_size, x_size = math.sqrt(float(y @ y)), math.sqrt(float(x @ x))
    if y_size <= 1e-15 * math.sqrt(y.size) or x_size <= 1e-15 * math.sqrt(x.size):
        return math.nan
    return min(max(float(y @ x) / y_size / x_size, -1.0), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class LeadLag:
    """Cross-correlation of two legs' ticks at several lags, no bars in between.

    Attributes
    ----------
    table
        A row a lag, ``lag_s`` > 0 meaning that y follows x by that much: ``correlation``, and
        ``stderr`` under no relation at that lag. Trades jump between bid and ask, so the values
        read low at all lags; their shape tells who leads.
    y_changes, x_changes
        Price changes used, one a time stamp.
    lead_lag_ratio
        Sum of squared correlations at lags > 0 over that at lags < 0: above 1, x leads.
    """

    table: pd.DataFrame
    y_name: str
    x_name: str
    y_changes: int
    x_changes: int
    lead_lag_ratio: float
    null_hypothesis: str = "at each lag: the legs' price changes are unrelated"
    reference: str = (
        "Hayashi & Yoshida (2005), Bernoulli 11, 359-379; lagged: Hoffmann, Rosenbaum & Yoshida "
        "(2013), Bernoulli 19, 426-461; ratio: Huth & Abergel (2014), J. Emp. Finance 26, 41-58"
    )

    @property
    def best_lag_s(self) -> float:
        """Lag with the largest correlation in size, seconds; above 0 where x leads."""
        values = self.table["correlation"].abs().to_numpy()
        return float(self.table.index[int(np.argmax(values))])

    def verdict(self) -> str:
        """Say in plain words who moves first, where the largest correlation stands out."""
        lag = self.best_lag_s
        row = self.table.loc[lag]
        if not abs(row["correlation"]) > 3.0 * row["stderr"]:
            return "no lag stands out: neither leg leads"
        if lag == 0:
            return f"{self.y_name} and {self.x_name} move together: lag 0 has the largest weight"
        first, second = (self.x_name, self.y_name) if lag > 0 else (self.y_name, self.x_name)
        return f"{second} follows {first} by about {abs(lag):g} s"


def lead_lag(
    y_ticks: pd.DataFrame, x_ticks: pd.DataFrame, lags_s: Sequence[float] = LAGS_S
) -> LeadLag:
    """Correlate two legs tick by tick at several lags (Hayashi & Yoshida).

    Parameters
    ----------
    y_ticks, x_ticks : DataFrame
        Ticks frames, one symbol each; the latest 200,000 rows of each are used.
    lags_s : sequence of float
        Seconds; at lag > 0 a change of y is set against earlier changes of x.

    Returns
    -------
    LeadLag

    Raises
    ------
    NotEnoughDataError
        Fewer than 50 changes of time stamp on a leg while both were recorded.
    DegenerateSeriesError
        A leg whose price never changed.
    FrameError, ParameterError
        No ticks frames; lags that are not finite numbers.
    """
    if not len(lags_s) or not all(math.isfinite(lag) for lag in lags_s):
        raise ParameterError("lags_s", tuple(lags_s), "finite numbers of seconds")
    (y_time, y), (x_time, x) = _common_span(_path(y_ticks), _path(x_ticks))
    names = _name(y_ticks, "y"), _name(x_ticks, "x")
    for name, values in zip(names, (y, x), strict=True):
        if values.size < _LEAST_CHANGES + 1:
            raise NotEnoughDataError(
                f"lead-lag of {names[0]} and {names[1]}", _LEAST_CHANGES + 1, int(values.size),
                f"time stamps of {name}",
            )  # fmt: skip
        if float(np.ptp(values)) == 0:
            raise DegenerateSeriesError("lead-lag", f"the price of {name} never changed")
    rows = [_hayashi_yoshida(y_time, y, x_time + round(lag * 1e6), x) for lag in lags_s]
    table = pd.DataFrame(rows, columns=["correlation", "stderr"], dtype="float64")
    table.index = pd.Index([float(lag) for lag in lags_s], name="lag_s")
    squares = table["correlation"] ** 2
    behind, ahead = float(squares[table.index > 0].sum()), float(squares[table.index < 0].sum())
    return LeadLag(
        table=table,
        y_name=names[0],
        x_name=names[1],
        y_changes=int(y.size) - 1,
        x_changes=int(x.size) - 1,
        lead_lag_ratio=behind / ahead if ahead > 0 else math.nan,
    )


def _path(ticks: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    """Times (µs) and log prices, the last price of each time stamp."""
    check_ticks(ticks)
    if ticks.empty:
        return np.empty(0, dtype=np.int64), np.empty(0)
    times = bar_times_us(ticks.index)
    order = np.argsort(times, kind="stable")[-_MAX_TICKS:]
    times, prices = times[order], ticks["price"].to_numpy(np.float64)[order]
    last = np.r_[times[1:] != times[:-1], True]
    return times[last], np.log(prices[last])


def _common_span(
    y: tuple[IntArray, FloatArray], x: tuple[IntArray, FloatArray]
) -> tuple[tuple[IntArray, FloatArray], tuple[IntArray, FloatArray]]:
    """Cut both to the time in which both were recorded."""
    if not (y[0].size and x[0].size):
        return y, x
    start, end = max(y[0][0], x[0][0]), min(y[0][-1], x[0][-1])
    cut = [(times >= start) & (times <= end) for times, _ in (y, x)]
    return (y[0][cut[0]], y[1][cut[0]]), (x[0][cut[1]], x[1][cut[1]])


def _hayashi_yoshida(
    y_time: IntArray, y: FloatArray, x_time: IntArray, x: FloatArray
) -> tuple[float, float]:
    """Sum products of changes over intervals that overlap, over the root of both variances.

    All changes of x that overlap one of y add up to one difference of x, so that a search for its
    ends does it.
    """
    dy, dx = np.diff(y), np.diff(x)
    before = np.clip(np.searchsorted(x_time, y_time[:-1], "right") - 1, 0, x.size - 1)
    after = np.clip(np.searchsorted(x_time, y_time[1:], "left"), 0, x.size - 1)
    scale = math.sqrt(float(dy @ dy)) * math.sqrt(float(dx @ dx))
    covered = np.r_[0.0, np.cumsum(dx * dx)]
    variance = float((dy * dy) @ np.maximum(covered[after] - covered[before], 0.0))
    return float(dy @ (x[after] - x[before])) / scale, math.sqrt(variance) / scale


def _name(ticks: pd.DataFrame, fallback: str) -> str:
    return str(ticks["symbol"].iloc[0]) if len(ticks) else fallback
