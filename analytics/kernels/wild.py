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
from analytics.kernels.scan_gram import edges
from analytics.kernels.scan_lanes import DONE, RESULTS, STAT, STATE, test_items

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
def moments_of(y: FloatArray, x: FloatArray, out: FloatArray) -> None:
    """Fill the sums of squares of y and of x, and of their products."""
    yy, xx, xy = 0.0, 0.0, 0.0
    for t in range(y.size):
        yy += y[t] * y[t]
        xx += x[t] * x[t]
        xy += y[t] * x[t]
    out[_YY], out[_XX], out[_XY] = yy, xx, xy


@compiled_sums
def changes_of(y: FloatArray, x: FloatArray, slope: float, change: FloatArray) -> None:
    """Fill the changes of y - slope * x, one fewer than bars."""
    for t in range(change.size):
        change[t] = (y[t + 1] - y[t]) - slope * (x[t + 1] - x[t])


@compiled
def stretch_dots(
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
    drawn_y, drawn_x, change = np.empty(n), np.empty(n), np.empty(n - 1)
    moments, part = np.empty(3), np.empty(lags + 1)
    items = np.arange(2 * signs.shape[0])
    first = np.zeros((stretches, lags + 2, items.size))
    last = np.zeros((stretches, lags + 2, items.size))
    steps = np.empty((stretches, items.size), dtype=np.int64)
    dots, squares = np.ones((lags + 1, items.size)), np.ones(items.size)
    found = np.empty((items.size, RESULTS))
    for draw in range(signs.shape[0]):
        _draw(y, bars, signs[draw], drawn_y)
        _draw(x, bars, signs[draw], drawn_x)
        moments_of(drawn_y, drawn_x, moments)
        for ordering in range(2):
            item = 2 * draw + ordering
            own, other = (_YY, _XX) if ordering == 0 else (_XX, _YY)
            left, right = (drawn_y, drawn_x) if ordering == 0 else (drawn_x, drawn_y)
            slope = moments[_XY] / moments[other]
            squares[item] = moments[own] - slope * moments[_XY]
            changes_of(left, right, slope, change)
            stretch_dots(change, starts, part, dots, item)
            edges(left, right, slope, starts, first, last, steps, item)
    test_items(first, last, steps, dots, squares, items, 0, criterion, False, found)
    for item in range(items.size):
        is_done = found[item, STATE] == DONE
        out[item // 2, item % 2] = found[item, STAT] if is_done else np.nan
