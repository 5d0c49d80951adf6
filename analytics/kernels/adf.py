"""The augmented Dickey-Fuller regression of an unbroken series, all lags from one factor.

All lag lengths are leading blocks of one Cholesky factor of [trend | level | lags | difference].
Only the first row of the lags' products is summed; each other entry is its upper left neighbour
plus the term that enters and less the one that leaves. The level is a running sum of the changes,
so its products with the lags follow from theirs in the same way.

Where a pivot says that digits would be lost, the kernel gives up and the caller takes QR.
"""

from typing import Final

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled, compiled_sums

# A scaled pivot is the share of a column's square that earlier columns leave.
_MIN_PIVOT_SQUARE = 1e-6
# The least share of a column's square that may remain without the rows that reach over a gap.
_LEAST_KEPT = 1e-2
_T_STOP = 1.6448536269514722

AIC, BIC, T_STAT = 0, 1, 2

# What a fit gives: t statistic and coefficient of the level, its standard error, and the root of
# the sum of squared residuals.
STATISTIC: Final = 0
COEFFICIENT: Final = 1
STDERR: Final = 2
RESIDUAL: Final = 3
FIT_SIZE: Final = 4

# What `residual_on_line` gives.
Y_MEAN: Final = 0
X_MEAN: Final = 1
SLOPE: Final = 2
X_REACH: Final = 3
LARGEST_RESIDUAL: Final = 4
Y_SIZE: Final = 5
X_SIZE: Final = 6
LINE_SIZE: Final = 7


@compiled_sums
def _dot(left: FloatArray, right: FloatArray) -> float:
    total = 0.0
    for i in range(left.size):
        total += left[i] * right[i]
    return total


@compiled_sums
def lagged_dots(change: FloatArray, start: int, lags: int, out: FloatArray) -> None:
    """Fill out[j] = sum over t >= start of change[t] * change[t - j], four lags at a time."""
    stop = change.size
    now = change[start:]
    lag = 0
    while lag + 3 <= lags:
        one = change[start - lag : stop - lag]
        two = change[start - lag - 1 : stop - lag - 1]
        three = change[start - lag - 2 : stop - lag - 2]
        four = change[start - lag - 3 : stop - lag - 3]
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for i in range(now.size):
            a += now[i] * one[i]
            b += now[i] * two[i]
            c += now[i] * three[i]
            d += now[i] * four[i]
        out[lag], out[lag + 1], out[lag + 2], out[lag + 3] = a, b, c, d
        lag += 4
    for rest in range(lag, lags + 1):
        out[rest] = _dot(now, change[start - rest : stop - rest])


@compiled
def places_of_lags(terms: int, lags: int, level_last: bool) -> IntArray:
    """Columns of the lags; lag 0 is the difference itself, which stands last."""
    place = np.full(lags + 1, terms + lags + 1)
    for lag in range(1, lags + 1):
        place[lag] = (terms if level_last else terms + 1) + lag - 1
    return place


@compiled
def fill_lags(gram: FloatArray, place: IntArray, change: FloatArray, row: FloatArray) -> None:
    """Fill the nearly Toeplitz block of the lags from its first row, which is used up."""
    lags = place.size - 1
    start, stop = lags, change.size
    for lag in range(lags + 1):
        for other in range(lag, lags + 1):
            gram[place[lag], place[other]] = row[other]
            gram[place[other], place[lag]] = row[other]
        if lag < lags:
            enter, leave = change[start - lag - 1], change[stop - lag - 1]
            for other in range(lags, lag, -1):
                ends = enter * change[start - other] - leave * change[stop - other]
                row[other] = row[other - 1] + ends


@compiled
def fill_level(
    gram: FloatArray, place: IntArray, level_at: int, values: FloatArray, change: FloatArray,
    first: FloatArray, product: float,
) -> None:  # fmt: skip
    """Fill the level's products with the lags from `product`, that with the difference.

    `first` are the difference's products with the lags.
    """
    lags = place.size - 1
    start, stop = lags, change.size
    for lag in range(lags + 1):
        gram[level_at, place[lag]] = gram[place[lag], level_at] = product
        if lag < lags:
            # Shifted by one bar, the level is larger by the change: the products shift with it.
            product += first[lag] + values[start] * change[start - 1 - lag]
            product -= values[stop] * change[stop - 1 - lag]


@compiled
def gram_of(
    values: FloatArray, change: FloatArray, trend: FloatArray, lags: int, level_last: bool
) -> FloatArray:
    """Products of [trend | level | lags | difference], or with the level after the lags.

    `change` is the difference of `values`, one shorter; row t has the level values[t] and the
    difference change[t], and rows start at `lags`.
    """
    k = trend.shape[0]
    start, stop = lags, change.size
    level_at = k + lags if level_last else k
    gram = np.zeros((k + lags + 2, k + lags + 2))
    first = np.empty(lags + 1)
    lagged_dots(change, start, lags, first)
    place = places_of_lags(k, lags, level_last)
    fill_lags(gram, place, change, first.copy())
    level = values[start:stop]
    gram[level_at, level_at] = _dot(level, level)
    fill_level(gram, place, level_at, values, change, first, _dot(level, change[start:stop]))
    for i in range(k):
        for j in range(i, k):
            gram[i, j] = gram[j, i] = _dot(trend[i, start:stop], trend[j, start:stop])
        gram[i, level_at] = gram[level_at, i] = _dot(trend[i, start:stop], level)
        total = _dot(trend[i, start:stop], change[start:stop])
        for lag in range(lags + 1):
            if i > 0:
                total = _dot(trend[i, start:stop], change[start - lag : stop - lag])
            gram[i, place[lag]] = gram[place[lag], i] = total
            if lag < lags:
                # Row 0 is the constant: its products are sums, and a shift changes their ends.
                total += change[start - 1 - lag] - change[stop - 1 - lag]
    return gram


@compiled
def rows_over(joins: IntArray, lags: int, changes: int) -> int:
    """Count the rows of a regression of that many lags that would reach over a missing bar.

    `joins` are the numbers of the changes over missing bars, of `changes` in all.
    """
    count = 0
    for i in range(joins.size):
        stop = changes if i + 1 == joins.size else joins[i + 1]
        count += max(min(joins[i] + lags + 1, stop) - max(joins[i], lags), 0)
    return count


@compiled
def leave_out_joins(
    values: FloatArray, joins: IntArray, trend_terms: int, lags: int, level_last: bool,
    gram: FloatArray,
) -> bool:  # fmt: skip
    """Take the rows that reach over a missing bar off a gram; False where that costs digits.

    `values` are the known ones, `joins` the numbers of their changes that stand for missing bars,
    `trend_terms` is 0 or 1.
    """
    size, changes = gram.shape[0], values.size - 1
    level_at = trend_terms + lags if level_last else trend_terms
    place = places_of_lags(trend_terms, lags, level_last)
    row, whole = np.empty(size), np.empty(size)
    for i in range(size):
        whole[i] = gram[i, i]
    for k in range(joins.size):
        stop = changes if k + 1 == joins.size else joins[k + 1]
        for t in range(max(joins[k], lags), min(joins[k] + lags + 1, stop)):
            if trend_terms > 0:
                row[0] = 1.0
            row[level_at] = values[t]
            for lag in range(lags + 1):
                row[place[lag]] = values[t - lag + 1] - values[t - lag]
            for i in range(size):
                for j in range(i + 1):
                    gram[i, j] -= row[i] * row[j]
    for i in range(size):
        if not gram[i, i] >= _LEAST_KEPT * whole[i]:
            return False
        for j in range(i):
            gram[j, i] = gram[i, j]
    return True


@compiled
def cholesky(gram: FloatArray) -> tuple[FloatArray, bool]:
    """Lower factor of the gram scaled to a unit diagonal, times the scale; False where it fails."""
    size = gram.shape[0]
    length = np.ones(size)
    for i in range(size):
        if gram[i, i] > 0.0:
            length[i] = np.sqrt(gram[i, i])
    factor = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = gram[i, j] / (length[i] * length[j])
            for m in range(j):
                total -= factor[i, m] * factor[j, m]
            if i == j:
                if not total >= _MIN_PIVOT_SQUARE:
                    return factor, False
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    for i in range(size):
        for j in range(i + 1):
            factor[i, j] *= length[i]
    return factor, True


@compiled
def effects_of(factor: FloatArray) -> FloatArray:
    """Squares of the last column's shares, as `best_lag` takes them."""
    effects = np.empty(factor.shape[0])
    for j in range(effects.size):
        effects[j] = factor[-1, j] * factor[-1, j]
    return effects


@compiled
def best_lag(effects: FloatArray, first_lag: int, nobs: int, criterion: int) -> int:
    """Choose the lag on the rows common to all, smallest first among equals.

    `effects` are the squares of the difference's share in each column; their tail from a column on
    is the sum of squared residuals of the model that ends before it.
    """
    lags = effects.size - 1 - first_lag
    best, best_value, chosen = 0, np.inf, 0
    ssr = effects[-1]
    tail = np.empty(lags + 1)
    for lag in range(lags, -1, -1):
        tail[lag] = ssr
        ssr += effects[first_lag + lag - 1]
    for lag in range(lags + 1):
        if criterion == T_STAT:
            free = nobs - first_lag - lag
            if lag > 0 and effects[first_lag + lag - 1] * free >= _T_STOP**2 * tail[lag]:
                chosen = lag
            continue
        penalty = 2.0 if criterion == AIC else np.log(nobs)
        value = nobs * np.log(tail[lag]) + penalty * lag
        if value < best_value:
            best, best_value = lag, value
    return chosen if criterion == T_STAT else best


@compiled
def take_fit(factor: FloatArray, free: int, out: FloatArray) -> None:
    """Read t, coefficient, its error and the residual off a factor whose level stands last."""
    rest = factor[-1, -1]
    residual_std = rest / np.sqrt(free)
    out[STATISTIC] = factor[-1, -2] / residual_std
    out[COEFFICIENT] = factor[-1, -2] / factor[-2, -2]
    out[STDERR] = residual_std / factor[-2, -2]
    out[RESIDUAL] = rest


@compiled
def fit_joined(
    values: FloatArray, joins: IntArray, trend_terms: int, max_lags: int, criterion: int,
    out: FloatArray,
) -> int:  # fmt: skip
    """Do what `fit_unbroken` does with known values, but for rows that reach over a missing bar.

    `joins` are the numbers of the changes that stand for missing bars; `trend_terms` is 0 or 1.
    """
    size = values.size - 1
    change, trend = np.empty(size), np.ones((trend_terms, size))
    for t in range(size):
        change[t] = values[t + 1] - values[t]
    lags, rows, factor = max_lags, 0, trend
    for last in range(0 if criterion >= 0 and max_lags > 0 else 1, 2):
        rows = size - lags - rows_over(joins, lags, size)
        if rows <= trend_terms + 1 + lags:
            return -1
        gram = gram_of(values, change, trend, lags, last == 1)
        if not leave_out_joins(values, joins, trend_terms, lags, last == 1, gram):
            return -1
        factor, is_safe = cholesky(gram)
        if not is_safe:
            return -1
        if last == 0:
            lags = best_lag(effects_of(factor), trend_terms + 1, rows, criterion)
    take_fit(factor, rows - trend_terms - 1 - lags, out)
    return lags


@compiled
def fit_unbroken(
    values: FloatArray, trend_terms: int, max_lags: int, criterion: int, out: FloatArray
) -> int:
    """Choose the lag, refit with all rows it allows; out takes t, coefficient, its error, residual.

    `criterion` below 0 takes `max_lags` itself. Returns the lag, or -1 where the Cholesky factor
    would lose digits or no row would be left free.
    """
    size = values.size - 1
    if size - max_lags <= trend_terms + 1 + max_lags:
        return -1
    change = np.empty(size)
    for t in range(size):
        change[t] = values[t + 1] - values[t]
    trend = np.ones((trend_terms, size))
    for i in range(1, trend_terms):
        for t in range(size):
            trend[i, t] = trend[i - 1, t] * (2.0 * t / max(size - 1, 1) - 1.0)
    lags, factor = max_lags, trend
    # A loop, so that what is called is compiled into it once: first to choose, then to fit.
    for last in range(0 if criterion >= 0 and max_lags > 0 else 1, 2):
        factor, is_safe = cholesky(gram_of(values, change, trend, lags, last == 1))
        if not is_safe:
            return -1
        if last == 0:
            effects = effects_of(factor)
            lags = best_lag(effects, trend_terms + 1, size - max_lags, criterion)
    take_fit(factor, size - lags - trend_terms - 1 - lags, out)
    return lags


@compiled_sums
def residual_on_line(y: FloatArray, x: FloatArray, residual: FloatArray, out: FloatArray) -> None:
    """Fill the residual of y on x and a constant, both without NaN, means taken twice.

    `out`, of 7: mean of y, mean of x, slope, largest |x - mean|, largest |residual|, and the
    largest |y| and |x|.
    """
    n = y.size
    y_first, x_first = y[0], x[0]
    y_mean, x_mean, y_size, x_size = 0.0, 0.0, 0.0, 0.0
    for t in range(n):
        y_mean += y[t] - y_first
        x_mean += x[t] - x_first
        y_size = max(y_size, abs(y[t]))
        x_size = max(x_size, abs(x[t]))
    y_mean = y_first + y_mean / n
    x_mean = x_first + x_mean / n
    y_rest, x_rest, reach = 0.0, 0.0, 0.0
    for t in range(n):
        y_rest += y[t] - y_mean
        x_rest += x[t] - x_mean
        reach = max(reach, abs(x[t] - x_mean))
    y_rest, x_rest = y_rest / n, x_rest / n
    xx, xy = 0.0, 0.0
    unit = reach if reach > 0.0 else 1.0
    for t in range(n):
        dx = (x[t] - x_mean - x_rest) / unit
        xx += dx * dx
        xy += dx * (y[t] - y_mean - y_rest)
    slope = xy / xx if xx > 0.0 else 0.0
    largest = 0.0
    for t in range(n):
        rest = y[t] - y_mean - y_rest - slope * ((x[t] - x_mean - x_rest) / unit)
        residual[t] = rest
        largest = max(largest, abs(rest))
    out[Y_MEAN], out[X_MEAN], out[SLOPE] = y_mean + y_rest, x_mean + x_rest, slope / unit
    out[X_REACH], out[LARGEST_RESIDUAL], out[Y_SIZE], out[X_SIZE] = reach, largest, y_size, x_size
