"""Engle-Granger statistics of a pair whose changes keep their size and take a new sign.

The wild bootstrap: both legs of a bar take the same random sign, so each draw is a pair that
nothing ties, with the volatility of the pair at hand, bar by bar. A draw goes through the same
lanes as a scan's residuals (`analytics.kernels.scan`), so that it is tested as the pair was.
"""

import numpy as np
import numpy.typing as npt

from analytics.frames import FloatArray, IntArray
from analytics.kernels.adf import lagged_dots
from analytics.kernels.jit import compiled, compiled_sums
from analytics.kernels.scan import DONE, LANES, RESULTS, STAT, STATE, UNSAFE, test_lanes
from analytics.kernels.scan_gram import edges

Signs = npt.NDArray[np.int8]
# Moments of a drawn pair about its means.
_YY, _XX, _XY = 0, 1, 2


@compiled_sums
def _draw(leg: FloatArray, bars: IntArray, signs: Signs, drawn: FloatArray) -> None:
    """Sum the changes of a leg with their new signs, and centre the path."""
    level, total = 0.0, 0.0
    drawn[0] = 0.0
    for t in range(1, leg.size):
        level += signs[bars[t]] * (leg[t] - leg[t - 1])
        drawn[t] = level
        total += level
    mean = total / leg.size
    for t in range(leg.size):
        drawn[t] -= mean


@compiled_sums
def _moments(y: FloatArray, x: FloatArray, out: FloatArray) -> None:
    yy, xx, xy = 0.0, 0.0, 0.0
    for t in range(y.size):
        yy += y[t] * y[t]
        xx += x[t] * x[t]
        xy += y[t] * x[t]
    out[_YY], out[_XX], out[_XY] = yy, xx, xy


@compiled_sums
def _changes(y: FloatArray, x: FloatArray, slope: float, change: FloatArray) -> None:
    for t in range(change.size):
        change[t] = (y[t + 1] - y[t]) - slope * (x[t + 1] - x[t])


@compiled
def _dots(
    change: FloatArray, starts: IntArray, part: FloatArray, dots: FloatArray, lane: int
) -> None:
    """Products of the residual's changes at lag 0 .. lags, none over a missing bar."""
    lags = part.size - 1
    for lag in range(lags + 1):
        dots[lag, lane] = 0.0
    for s in range(starts.size - 1):
        if starts[s + 1] - 1 - starts[s] > lags:
            lagged_dots(change[starts[s] : starts[s + 1] - 1], lags, lags, part)
            for lag in range(lags + 1):
                dots[lag, lane] += part[lag]


@compiled
def null_stats(
    y: FloatArray,
    x: FloatArray,
    starts: IntArray,
    bars: IntArray,
    signs: Signs,
    lags: int,
    criterion: int,
    out: FloatArray,
) -> None:
    """Fill `out` with the statistics of pairs drawn under the null, of y on x and of x on y.

    Parameters
    ----------
    y, x : ndarray, shape (n,)
        Levels of the known bars, both of a size about 1; stretches begin at `starts`, which ends
        with n.
    bars : ndarray, shape (n,)
        Where each known bar stands among all.
    signs : ndarray, shape (draws, all bars)
        1 or -1 for the change into each bar, also where that reaches over missing ones.
    lags, criterion : int
        Most lags tried; as in `analytics.kernels.adf.fit_unbroken`.
    out : ndarray, shape (draws, 2)
        NaN where a draw would lose digits.
    """
    n, stretches = y.size, starts.size - 1
    drawn_y, drawn_x, change = np.empty((LANES, n)), np.empty((LANES, n)), np.empty(n - 1)
    moments, part = np.empty((LANES, 3)), np.empty(lags + 1)
    first = np.zeros((stretches, lags + 2, LANES))
    last = np.zeros((stretches, lags + 2, LANES))
    dots, squares = np.ones((lags + 1, LANES)), np.ones(LANES)
    gram, found = np.ones((lags + 2, lags + 2, LANES)), np.empty((LANES, RESULTS))
    for begin in range(0, signs.shape[0], LANES):
        lanes = min(LANES, signs.shape[0] - begin)
        for lane in range(lanes):
            _draw(y, bars, signs[begin + lane], drawn_y[lane])
            _draw(x, bars, signs[begin + lane], drawn_x[lane])
            _moments(drawn_y[lane], drawn_x[lane], moments[lane])
        for ordering in range(2):
            own, other = (_YY, _XX) if ordering == 0 else (_XX, _YY)
            for lane in range(lanes):
                left, right = drawn_y[lane], drawn_x[lane]
                if ordering == 1:
                    left, right = right, left
                slope = moments[lane, _XY] / moments[lane, other]
                squares[lane] = moments[lane, own] - slope * moments[lane, _XY]
                _changes(left, right, slope, change)
                _dots(change, starts, part, dots, lane)
                edges(left, right, slope, starts, first, last, lane)
                found[lane, STATE] = UNSAFE
            test_lanes(first, last, starts, dots, squares, 0, criterion, lanes, gram, found)
            for lane in range(lanes):
                is_done = found[lane, STATE] == DONE
                out[begin + lane, ordering] = found[lane, STAT] if is_done else np.nan
