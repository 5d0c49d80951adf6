"""Sums of a pair's sample that moves on bar by bar, and Dickey-Fuller regressions made of them.

The residual of a line is y - alpha - slope * x, so that its products with its own lags follow from
those of the legs, whatever the slope: the lagged products of both legs' changes are all that a
regression needs, beside the sums of the levels and the few bars at both ends. A bar more and a bar
less change each by one product.
"""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.adf import (
    best_lag,
    cholesky,
    effects_of,
    fill_lags,
    fill_level,
    places_of_lags,
    take_fit,
)
from analytics.kernels.jit import compiled, compiled_sums

# Rows of lagged products: the change of the leg named first at t with that of the other at t - lag.
YY_LAGGED: Final = 0
YX_LAGGED: Final = 1
XY_LAGGED: Final = 2
XX_LAGGED: Final = 3
LAGGED_ROWS: Final = 4

# Sums of the levels about anchors.
Y_ANCHOR: Final = 0
X_ANCHOR: Final = 1
Y_SUM: Final = 2
X_SUM: Final = 3
YY: Final = 4
XX: Final = 5
YX: Final = 6
LEVEL_SUMS: Final = 7

# The least share that a line may leave of the legs' own squares, and of that times a pivot: each
# costs as many digits as it has zeros.
_LEAST_SHARE = 1e-4
_MIN_PIVOT_SHARE = 1e-6


@compiled_sums
def _lag_products(
    y_change: FloatArray, x_change: FloatArray, start: int, lag: int, out: FloatArray
) -> None:
    stop = y_change.size
    y_now, x_now = y_change[start:], x_change[start:]
    y_then, x_then = y_change[start - lag : stop - lag], x_change[start - lag : stop - lag]
    yy, yx, xy, xx = 0.0, 0.0, 0.0, 0.0
    for i in range(y_now.size):
        yy += y_now[i] * y_then[i]
        yx += y_now[i] * x_then[i]
        xy += x_now[i] * y_then[i]
        xx += x_now[i] * x_then[i]
    out[YY_LAGGED, lag], out[YX_LAGGED, lag] = yy, yx
    out[XY_LAGGED, lag], out[XX_LAGGED, lag] = xy, xx


@compiled_sums
def sum_levels(y: FloatArray, x: FloatArray, levels: FloatArray) -> None:
    """Fill `levels`, of LEVEL_SUMS: the means as anchors, and the sums about them."""
    size = y.size
    y_mean, x_mean = 0.0, 0.0
    for t in range(size):
        y_mean += y[t] - y[0]
        x_mean += x[t] - x[0]
    y_anchor, x_anchor = y[0] + y_mean / size, x[0] + x_mean / size
    y_sum, x_sum, yy, xx, yx = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(size):
        dy, dx = y[t] - y_anchor, x[t] - x_anchor
        y_sum += dy
        x_sum += dx
        yy += dy * dy
        xx += dx * dx
        yx += dy * dx
    levels[Y_ANCHOR], levels[X_ANCHOR], levels[Y_SUM], levels[X_SUM] = (
        y_anchor,
        x_anchor,
        y_sum,
        x_sum,
    )
    levels[YY], levels[XX], levels[YX] = yy, xx, yx


@compiled
def sum_sample(y: FloatArray, x: FloatArray, lagged: FloatArray, levels: FloatArray) -> None:
    """Fill the sums of a sample without NaN: `lagged` of shape (4, lags + 1), and `levels`.

    The lagged products are of the changes from number `lags` on.
    """
    size, lags = y.size - 1, lagged.shape[1] - 1
    y_change, x_change = np.empty(size), np.empty(size)
    for t in range(size):
        y_change[t] = y[t + 1] - y[t]
        x_change[t] = x[t + 1] - x[t]
    for lag in range(lags + 1):
        _lag_products(y_change, x_change, lags, lag, lagged)
    sum_levels(y, x, levels)


@compiled
def _add_change(y: FloatArray, x: FloatArray, row: int, sign: float, lagged: FloatArray) -> None:
    """Add a change's lagged products `sign` times."""
    dy, dx = sign * (y[row + 1] - y[row]), sign * (x[row + 1] - x[row])
    for lag in range(lagged.shape[1]):
        y_then, x_then = y[row - lag + 1] - y[row - lag], x[row - lag + 1] - x[row - lag]
        lagged[YY_LAGGED, lag] += dy * y_then
        lagged[YX_LAGGED, lag] += dy * x_then
        lagged[XY_LAGGED, lag] += dx * y_then
        lagged[XX_LAGGED, lag] += dx * x_then


@compiled
def _add_level(y: float, x: float, sign: float, levels: FloatArray) -> None:
    dy, dx = y - levels[Y_ANCHOR], x - levels[X_ANCHOR]
    levels[Y_SUM] += sign * dy
    levels[X_SUM] += sign * dx
    levels[YY] += sign * dy * dy
    levels[XX] += sign * dx * dx
    levels[YX] += sign * dy * dx


@compiled
def move_levels(
    old_y: FloatArray, old_x: FloatArray, new_y: FloatArray, new_x: FloatArray, levels: FloatArray
) -> int:
    """Take old bars off `levels` and add new ones, without those missing on either leg.

    Returns by how many known bars there are more.
    """
    more = 0
    for bar in range(old_y.size):
        if not (np.isnan(old_y[bar]) or np.isnan(old_x[bar])):
            _add_level(old_y[bar], old_x[bar], -1.0, levels)
            more -= 1
    for bar in range(new_y.size):
        if not (np.isnan(new_y[bar]) or np.isnan(new_x[bar])):
            _add_level(new_y[bar], new_x[bar], 1.0, levels)
            more += 1
    return more


@compiled
def move_sums(
    old_y: FloatArray, old_x: FloatArray, y: FloatArray, x: FloatArray, left: int,
    lagged: FloatArray, levels: FloatArray,
) -> None:  # fmt: skip
    """Bring the sums of an old sample, in place, to those of the new one.

    The new sample lacks the old one's first `left` bars and has more at its end.
    """
    lags = lagged.shape[1] - 1
    for bar in range(left):
        _add_change(old_y, old_x, lags + bar, -1.0, lagged)
        _add_level(old_y[bar], old_x[bar], -1.0, levels)
    for bar in range(old_y.size - left, y.size):
        _add_change(y, x, bar - 1, 1.0, lagged)
        _add_level(y[bar], x[bar], 1.0, levels)


@compiled
def _gram_of_sums(
    ends: FloatArray, change: FloatArray, lagged: FloatArray, squares: float, bars: int,
    trend_terms: int, lags: int, level_last: bool,
) -> FloatArray:  # fmt: skip
    """Products of [constant | level | lags | difference] as `gram_of` has them.

    `ends` are the first and the last values, `lagged` the difference's products from its number
    `lagged.size - 1` on, `squares` that of all values.
    """
    first = lagged[: lags + 1].copy()
    level_square, level_sum = squares - ends[-1] * ends[-1], -ends[-1]
    for t in range(lags, lagged.size - 1):
        for lag in range(lags + 1):
            first[lag] += change[t] * change[t - lag]
    for t in range(lags):
        level_square -= ends[t] * ends[t]
        level_sum -= ends[t]
    size = trend_terms + lags + 2
    level_at = trend_terms + lags if level_last else trend_terms
    place = places_of_lags(trend_terms, lags, level_last)
    gram = np.zeros((size, size))
    fill_lags(gram, place, change, first.copy())
    gram[level_at, level_at] = level_square
    # The square grows by twice this product and the square of the difference.
    product = 0.5 * (ends[-1] * ends[-1] - ends[lags] * ends[lags] - first[0])
    fill_level(gram, place, level_at, ends, change, first, product)
    if trend_terms > 0:
        gram[0, 0] = bars - 1 - lags
        gram[0, level_at] = gram[level_at, 0] = level_sum
        for lag in range(lags + 1):
            total = ends[change.size - lag] - ends[lags - lag]
            gram[0, place[lag]] = gram[place[lag], 0] = total
    return gram


@compiled
def _least_pivot(gram: FloatArray, factor: FloatArray) -> float:
    least = 1.0
    for i in range(gram.shape[0]):
        least = min(least, factor[i, i] * factor[i, i] / gram[i, i])
    return least


@compiled
def fit_on_sums(
    y: FloatArray, x: FloatArray, slope: float, lagged: FloatArray, levels: FloatArray,
    trend_terms: int, max_lags: int, criterion: int, out: FloatArray,
) -> int:  # fmt: skip
    """Do what `fit_unbroken` does with y - slope * x less its mean, by the sums of y and x.

    `trend_terms` is 0 or 1, `max_lags` at most the lags summed, of which there are four bars a lag.
    Returns the lag, or -1 where digits would be lost.
    """
    bars, most = y.size, lagged.shape[1] - 1
    y_mean, x_mean = levels[Y_SUM] / bars, levels[X_SUM] / bars
    yy = levels[YY] - bars * y_mean * y_mean
    xx = slope * slope * (levels[XX] - bars * x_mean * x_mean)
    yx = slope * (levels[YX] - bars * y_mean * x_mean)
    squares = yy - 2.0 * yx + xx
    products = np.empty(most + 1)
    for lag in range(most + 1):
        both = lagged[YX_LAGGED, lag] + lagged[XY_LAGGED, lag]
        products[lag] = lagged[YY_LAGGED, lag] + slope * (slope * lagged[XX_LAGGED, lag] - both)
    whole = lagged[YY_LAGGED, 0] + slope * slope * lagged[XX_LAGGED, 0]
    share = min(squares / (yy + xx), products[0] / whole)
    if not share >= _LEAST_SHARE:
        return -1
    ends = np.empty(2 * (most + 2))
    y_level, x_level = levels[Y_ANCHOR] + y_mean, levels[X_ANCHOR] + x_mean
    for i in range(most + 2):
        j = bars - most - 2 + i
        ends[i] = (y[i] - y_level) - slope * (x[i] - x_level)
        ends[most + 2 + i] = (y[j] - y_level) - slope * (x[j] - x_level)
    change = np.empty(ends.size - 1)
    for i in range(change.size):
        change[i] = ends[i + 1] - ends[i]
    lags, factor = max_lags, lagged
    for last in range(0 if criterion >= 0 and max_lags > 0 else 1, 2):
        gram = _gram_of_sums(ends, change, products, squares, bars, trend_terms, lags, last == 1)
        factor, is_safe = cholesky(gram)
        if not is_safe or not share * _least_pivot(gram, factor) >= _MIN_PIVOT_SHARE:
            return -1
        if last == 0:
            rows = bars - 1 - max_lags
            lags = best_lag(effects_of(factor), trend_terms + 1, rows, criterion)
    take_fit(factor, bars - 1 - lags - trend_terms - 1 - lags, out)
    return lags
