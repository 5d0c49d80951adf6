"""Entries that pay as a rule: fitted again and again to the bars before, never to those ahead."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest.entries import levels_that_pay, round_trip, worth_of_legs
from analytics.backtest.rules import Costs
from analytics.frames import BoolArray, FloatArray, IntArray, bar_times_us
from analytics.outcome import attempt
from analytics.pair import PairParams, bars_of_test, fitted_legs
from analytics.series import as_floats
from analytics.spread import spread
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    adf_test,
    engle_granger_test,
    half_life,
)

# Where no entry pays only the sign of z counts, so that a mean that is passed still ends a trade.
_FAR: Final = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class PayingEntries:
    """Fits of the spread one after another, and the entry that pays by each.

    Attributes
    ----------
    ends : ndarray, shape (fits,)
        Row after the last bar of each; it is in force from that bar to the next fit.
    returns : ndarray of bool, shape (fits,)
        Whether its test shows a return at the level.
    level : ndarray, shape (fits,)
        Standard deviations of the residual from which a trade earns most after costs; infinity
        where none pays, or no return is shown; NaN where nothing could be fitted.
    beta, alpha, deviation : ndarray, shape (fits,)
        Line (for a spread without β its mean alone), and what z is counted in.
    bars
        Most bars that a fit looks at.
    """

    ends: IntArray
    returns: BoolArray
    level: FloatArray
    beta: FloatArray
    alpha: FloatArray
    deviation: FloatArray
    bars: int

    def inside(self, start: int, stop: int) -> BoolArray:
        """Which fits decide something in the bars ``start`` to ``stop`` (not included)."""
        until = np.r_[self.ends[1:] - 1, np.iinfo(np.int64).max]
        decides: BoolArray = (self.ends - 1 < stop) & (until > start)
        return decides


@dataclass(frozen=True, slots=True, eq=False)
class PayingPath:
    """What each bar's close decides on.

    Attributes
    ----------
    zscore
        Deviation from the latest fit's line, in its standard deviations.
    level
        Entry that pays by that fit; see `PayingEntries`.
    beta
        Of that fit; NaN for a spread without one.
    """

    zscore: FloatArray
    level: FloatArray
    beta: FloatArray


def fit_entries(y: pd.Series, x: pd.Series, params: PairParams, costs: Costs) -> PayingEntries:
    """Fit the spread once every window to the ten windows before, 100 bars or more.

    Counted from the epoch, as the gates' tests are: a bar's fit does not depend on where the bars
    begin. Each fits its own line by least squares, whatever the hedge.

    Parameters
    ----------
    y, x : Series, shape (n,)
        Closes, NaN where missing.
    params
        Spread, window and level of the test.
    costs
        Fee and half-spread; slippage by volume and funding are not known ahead, and left out.
    """
    legs, window = _legs(y, x, params), params.window
    ends = np.arange(first_fit(y.index, params), len(y) + 1, window, dtype=np.int64)
    starts = np.maximum(ends - bars_of_test(window), 0)
    spans = [slice(*edges) for edges in zip(starts.tolist(), ends.tolist(), strict=True)]
    rows = [_fit(legs[0][span], legs[1][span], params) for span in spans]
    found = np.array(rows, dtype=np.float64).reshape(len(spans), 5)
    beta, alpha, deviation, decay, returns = found.T
    paid = round_trip(_worth(y, x, ends, beta, params), costs.fee_bps + costs.spread_bps)
    level = levels_that_pay(decay, deviation, paid, (ends - starts).astype(np.float64))
    level[np.isnan(level) & ~np.isnan(deviation)] = np.inf
    return PayingEntries(ends, returns == 1.0, level, beta, alpha, deviation, bars_of_test(window))


def first_fit(index: pd.Index, params: PairParams) -> int:
    """Bars that the first fit comes after, one window to nearly two; `index` may end before it."""
    first_bar = int(bar_times_us(index[:1])[0]) // params.bar.us if len(index) else 0
    return params.window + -first_bar % params.window


def paying_path(
    y: pd.Series, x: pd.Series, params: PairParams, entries: PayingEntries
) -> PayingPath:
    """Measure each bar by the latest fit that its close completes, or one before it."""
    legs = _legs(y, x, params)
    latest = np.searchsorted(entries.ends, np.arange(1, len(y) + 1), side="right") - 1

    def of_latest_fit(values: FloatArray) -> FloatArray:
        """What the latest fit before each bar has; NaN before the first."""
        path = np.full(len(y), np.nan)
        path[latest >= 0] = values[latest[latest >= 0]]
        return path

    beta, alpha = of_latest_fit(entries.beta), of_latest_fit(entries.alpha)
    zscore = (legs[0] - (alpha + beta * legs[1])) / of_latest_fit(entries.deviation)
    return PayingPath(
        zscore, of_latest_fit(entries.level), beta if params.uses_beta else beta * np.nan
    )


def in_entries(zscore: FloatArray, level: FloatArray) -> FloatArray:
    """Measure z by the entry that pays; next to nothing of it where none does."""
    measured: FloatArray = zscore / np.minimum(level, _FAR)
    return measured


def _legs(y: pd.Series, x: pd.Series, params: PairParams) -> tuple[FloatArray, FloatArray]:
    """What a line is fitted to; a spread without β is its own leg, against nothing."""
    if params.uses_beta:
        fitted_y, fitted_x = fitted_legs(y, x, params)
        return as_floats(fitted_y), as_floats(fitted_x)
    return as_floats(spread(y, x, params.spread)), np.zeros(len(y))


def _fit(y: FloatArray, x: FloatArray, params: PairParams) -> tuple[float, ...]:
    """Slope, intercept, deviation of the rest, its half-life where a return is shown, and that."""
    nothing = (np.nan,) * 5
    if params.uses_beta:
        line = attempt(lambda: engle_granger_test(y, x))
        if not isinstance(line, EngleGrangerResult):
            return nothing
        beta, alpha, returns = line.beta, line.alpha, line.rejects(params.level)
    else:
        test = attempt(lambda: adf_test(y))
        if not isinstance(test, ADFResult):
            return nothing
        beta, alpha, returns = 0.0, float(np.nanmean(y)), test.rejects(params.level)
    rest = y - (alpha + beta * x)
    decay = _half_life(rest, is_on_line=params.uses_beta) if returns else np.nan
    return beta, alpha, float(np.nanstd(rest)), decay, float(returns)


def _half_life(rest: FloatArray, *, is_on_line: bool) -> float:
    found = attempt(lambda: half_life(rest, on_estimated_line=is_on_line))
    return found.median_unbiased if isinstance(found, HalfLife) else np.nan


def _worth(
    y: pd.Series, x: pd.Series, ends: IntArray, beta: FloatArray, params: PairParams
) -> FloatArray:
    """Value of both legs of a unit of the spread at the last close known to each fit."""
    last_y, last_x = (as_floats(leg.ffill())[ends - 1] for leg in (y, x))
    return worth_of_legs(params.spread, last_y, last_x, beta)
