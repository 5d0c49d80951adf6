"""The line of a pair's latest bar: by sums of the sample that move on, or over its last bars."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.frames import FloatArray
from analytics.hedge import HedgeFit, fit_hedge, line_on_sums, lines_of_windows
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair.latest_bars import log_closes
from analytics.pair.params import PairParams
from analytics.stationarity import LevelSums

Legs = tuple[Leg, Leg]
Arrays = tuple[FloatArray, FloatArray]
Lack = NotEnough | Degenerate


@dataclass(frozen=True, slots=True, eq=False)
class LatestLine:
    """The line at the latest bar, with what the next one moves on from.

    Attributes
    ----------
    beta, alpha, beta_stderr
        NaN where there is none.
    path
        Slopes and intercepts that the spread of the latest bars stands on: two numbers, or an array
        each.
    lack
        Why there is no fit at all; None where there is one.
    sums
        Of the sample that the line is fitted to; None where it is not.
    lined
        Number of the latest bar that had a line, counted in bars from the epoch; -1 for none.
    """

    beta: float
    alpha: float
    beta_stderr: float
    path: tuple[FloatArray | float, FloatArray | float]
    lack: Lack | None = None
    sums: LevelSums | None = None
    lined: int = -1


def latest_line(
    legs: Legs, first: int, cut: Arrays, params: PairParams, before: LatestLine | None
) -> LatestLine:
    """Fit the line of the latest bar, as `params.hedge` says: ``"ols"`` or ``"rolling_ols"``.

    `first` is the number of the range's first bar; `legs` are the closed bars, `cut` the latest of
    both as the hedge ratio relates them. `before` is what a reading left whose bars still hold.
    """
    stop = min(leg.end_us // leg.step_us + 1 for leg in legs)
    if params.hedge == "rolling_ols":
        return _rolling(legs, (first, stop), cut, params, before)
    start = first if params.sample is None else max(stop - params.sample, first)
    sums = _sums(legs, (start, stop), params, None if before is None else before.sums)
    line = None if sums is None else line_on_sums(sums)
    if line is not None:
        return LatestLine(*line, path=line[:2], sums=sums)
    return _by_itself(legs, (start, stop), params)


def _between(legs: Legs, span: tuple[int, int], params: PairParams) -> Arrays | None:
    """Bars of a span of numbers, as the hedge ratio relates them; None where some are not there."""
    closes = []
    for leg in legs:
        start = leg.start_us // leg.step_us
        if span[0] < start:
            return None
        rows = span[0] - start, span[1] - start
        closes.append(log_closes(leg, *rows) if params.on_logs else leg.close[slice(*rows)])
    return closes[0], closes[1]


def _sums(
    legs: Legs, span: tuple[int, int], params: PairParams, before: LevelSums | None
) -> LevelSums | None:
    if before is not None and before.first <= span[0] <= before.stop <= span[1]:
        left = _between(legs, (before.first, span[0]), params)
        came = _between(legs, (before.stop, span[1]), params)
        moved = None if left is None or came is None else before.moved(left, came)
        if moved is not None:
            return moved
    sample = _between(legs, span, params)
    return None if sample is None else LevelSums.of(span[0], *sample)


def _fit(legs: Legs, span: tuple[int, int], params: PairParams) -> HedgeFit | Lack:
    """Fit the bars of a span by themselves."""
    both = _between(legs, span, params) or (np.empty(0), np.empty(0))
    y, x = (
        pd.Series(values, name=name, copy=False)
        for values, name in zip(both, (params.y, params.x), strict=True)
    )
    options = params.hedge_options
    return attempt(lambda: fit_hedge(y, x, params.hedge, intercept=True, **options))


def _by_itself(legs: Legs, span: tuple[int, int], params: PairParams) -> LatestLine:
    fit = _fit(legs, span, params)
    if not isinstance(fit, HedgeFit):
        return LatestLine(math.nan, math.nan, math.nan, (math.nan, math.nan), fit)
    return LatestLine(fit.beta, fit.alpha, fit.beta_stderr, (fit.beta, fit.alpha))


def _rolling(
    legs: Legs,
    span: tuple[int, int],
    cut: Arrays,
    params: PairParams,
    before: LatestLine | None,
) -> LatestLine:
    window = params.hedge_options["window"]
    beta, alpha, stderr = lines_of_windows(*cut, window)
    rows = np.flatnonzero(~np.isnan(beta))
    lack, lined = None, -1 if before is None else before.lined
    if rows.size:
        lined = span[1] - beta.size + int(rows[-1])
    elif lined - window + 1 < span[0]:
        lack, lined = _latest_lined(legs, span, params)
    error = math.nan if math.isnan(beta[-1]) else float(stderr[-1])
    return LatestLine(float(beta[-1]), float(alpha[-1]), error, (beta, alpha), lack, None, lined)


def _latest_lined(legs: Legs, span: tuple[int, int], params: PairParams) -> tuple[Lack | None, int]:
    """Look for a line in all bars: why there is none, and the number of the latest that has one."""
    fit = _fit(legs, span, params)
    if not isinstance(fit, HedgeFit):
        return fit, -1
    return None, span[0] + int(np.flatnonzero(~np.isnan(fit.paths["beta"]))[-1])
