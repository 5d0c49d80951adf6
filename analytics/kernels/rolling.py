"""Trailing sums in O(n): anchored at the prices of the day, renewed before they lose digits.

A sum of squares around a fixed anchor is updated by the bar that enters and the bar that leaves. It
is renewed from the window's own values every `window` bars, and at once when the window has become
so quiet that what earlier, larger moves left in the sum would show. A turn that is
counted from the epoch makes two paths of the same bars equal to the bit, wherever they begin (not
so the lines of `line_paths`, which count from their first bar). A run-length
counter knows a flat window exactly: its sum of squares is 0, not rounding.
"""

import math
from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled

# Rows of the sums of a window about its anchors, and what else is carried from bar to bar.
Y_ANCHOR: Final = 0
X_ANCHOR: Final = 1
Y_SUM: Final = 2
X_SUM: Final = 3
YY: Final = 4
XX: Final = 5
YX: Final = 6
SUM_ROWS: Final = 7
Y_PEAK: Final = 7
X_PEAK: Final = 8
KNOWN: Final = 9
TURN: Final = 10
Y_RUN: Final = 11
X_RUN: Final = 12
STATE_SIZE: Final = 13

# Rows of means and of sums of centred products; and of how many bars they are of.
Y_MEAN: Final = 0
X_MEAN: Final = 1
SYY: Final = 2
SXX: Final = 3
SXY: Final = 4
COUNT: Final = 5
COUNTED_ROWS: Final = 6

# Rows of the moments of one series.
MEAN: Final = 0
SQUARES: Final = 1
DEVIATION: Final = 2
MOMENT_ROWS: Final = 3
# What those carry from bar to bar: anchor, sum, squares, peak; known, turn, run.
SQUARES_TURN: Final = 5
SQUARES_STATE: Final = 7

# Bars at a time, so that their sums are still near when they are centred.
BLOCK: Final = 512
# Least share of the largest sum since the last renewal: 3 digits lost of 16, 13 remain.
_QUIET = 1e-3


@compiled
def _anchor(values: FloatArray, start: int, stop: int) -> float:
    """Mean of values[start:stop], measured from the first."""
    total = 0.0
    for i in range(start, stop):
        total += values[i] - values[start]
    mean: float = total / (stop - start) + values[start]
    return mean


@compiled
def _anchors(y: FloatArray, x: FloatArray, start: int, stop: int) -> tuple[float, float]:
    """Both means of [start:stop], at once: one addition need not wait for the other's."""
    y_total, x_total, y_first, x_first = 0.0, 0.0, y[start], x[start]
    for i in range(start, stop):
        y_total += y[i] - y_first
        x_total += x[i] - x_first
    bars = stop - start
    return y_total / bars + y_first, x_total / bars + x_first


@compiled
def _sums_about(
    y: FloatArray, x: FloatArray, start: int, stop: int, y_anchor: float, x_anchor: float
) -> tuple[float, float, float, float, float]:
    """Sums of y, x, their squares and their product over [start:stop], about the anchors."""
    y_sum, x_sum, yy, xx, yx = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(start, stop):
        dy, dx = y[i] - y_anchor, x[i] - x_anchor
        y_sum += dy
        x_sum += dx
        yy += dy * dy
        xx += dx * dx
        yx += dx * dy
    return y_sum, x_sum, yy, xx, yx


@compiled
def _loses_digits(total: float, squares: float, peak: float, window: int) -> bool:
    """Whether the window has become so quiet that what larger moves left in its sum would show."""
    # Without the division that decides a close case: it would take as long as all else.
    if squares - total * total * (1.0 / window) >= 2.0 * _QUIET * peak:
        return False
    return not squares - total * total / window >= _QUIET * peak


@compiled
def _put(
    sums: FloatArray, column: int, y_anchor: float, x_anchor: float, y_sum: float, x_sum: float,
    yy: float, xx: float, yx: float,
) -> None:  # fmt: skip
    sums[Y_ANCHOR, column], sums[X_ANCHOR, column] = y_anchor, x_anchor
    sums[Y_SUM, column], sums[X_SUM, column] = y_sum, x_sum
    sums[YY, column], sums[XX, column], sums[YX, column] = yy, xx, yx


@compiled
def _put_flat(row: FloatArray, anchor: int, total: int, squares: int, value: float) -> None:
    """Say that a leg stood at one value over the window: about it its sums are 0."""
    row[anchor] = value
    row[total] = row[squares] = row[YX] = 0.0


@compiled
def rolling_squares(
    values: FloatArray, window: int, first: int, state: FloatArray, out: FloatArray
) -> None:
    """Fill rows mean, sum of squared deviations, deviation of the last bar; out has shape (3, n).

    NaN where the window is not full of known values. From bar `first` on: `state`, of
    SQUARES_STATE and at bar 0 zeros but for its turn, carries the sums from one call to the next.
    """
    anchor, total, squares, peak = state[0], state[1], state[2], state[3]
    known, turn, run = int(state[4]), int(state[SQUARES_TURN]), int(state[6])
    for t in range(first, values.size):
        value = values[t]
        turn = turn + 1 if turn + 1 < window else 0
        run = run + 1 if t > 0 and value == values[t - 1] else 1
        if np.isnan(value):
            known = 0
            out[MEAN, t] = out[SQUARES, t] = out[DEVIATION, t] = np.nan
            continue
        if known == 0:
            anchor, total, squares, peak = value, 0.0, 0.0, 0.0
        known += 1
        entering = value - anchor
        total += entering
        squares += entering * entering
        peak = max(peak, squares)
        if known > window:
            leaving = values[t - window] - anchor
            total -= leaving
            squares -= leaving * leaving
        if known < window:
            out[MEAN, t] = out[SQUARES, t] = out[DEVIATION, t] = np.nan
            continue
        if run >= window:
            anchor, total, squares, peak = value, 0.0, 0.0, 0.0
            out[MEAN, t], out[SQUARES, t], out[DEVIATION, t] = value, 0.0, 0.0
            continue
        centred = squares - total * total / window
        if turn == 0 or not centred >= _QUIET * peak:
            anchor = _anchor(values, t - window + 1, t + 1)
            total, squares = 0.0, 0.0
            for i in range(t - window + 1, t + 1):
                entering = values[i] - anchor
                total += entering
                squares += entering * entering
            peak = squares
            centred = squares - total * total / window
        out[MEAN, t] = anchor + total / window
        out[SQUARES, t] = max(centred, 0.0)
        out[DEVIATION, t] = (value - anchor) - total / window
    state[0], state[1], state[2], state[3] = anchor, total, squares, peak
    state[4], state[SQUARES_TURN], state[6] = known, turn, run


@compiled
def score_of(deviation: float, std: float, rounding: float) -> float:
    """z: deviation over std; at most `rounding` of the one makes it 0, of the other NaN."""
    z = 0.0 if abs(deviation) <= rounding else deviation / std
    return z if std > rounding else np.nan


@compiled
def fill_scores(
    deviation: FloatArray, std: FloatArray, rounding: FloatArray, out: FloatArray
) -> None:
    """Fill `score_of` each bar."""
    for t in range(out.size):
        out[t] = score_of(deviation[t], std[t], rounding[t])


@compiled
def trailing_sums(
    y: FloatArray, x: FloatArray, window: int, first: int, stop: int, state: FloatArray,
    sums: FloatArray,
) -> None:  # fmt: skip
    """Fill anchors and sums about them of the windows that end at rows `first` to `stop`.

    `sums`, shape (7, stop - first or more), has NaN where the window is not full of bars known on
    both legs; of a flat leg the anchor is its value and the sums are 0. `state`, of STATE_SIZE
    and at row 0 zeros but for its turn, carries the sums from one call to the next.
    """
    y_anchor, x_anchor = state[Y_ANCHOR], state[X_ANCHOR]
    y_sum, x_sum = state[Y_SUM], state[X_SUM]
    yy, xx, yx = state[YY], state[XX], state[YX]
    y_peak, x_peak = state[Y_PEAK], state[X_PEAK]
    known, turn = int(state[KNOWN]), int(state[TURN])
    y_run, x_run = int(state[Y_RUN]), int(state[X_RUN])
    y_bars, x_bars = y[first:stop], x[first:stop]
    y_before, x_before = (y[first - 1], x[first - 1]) if first > 0 else (np.nan, np.nan)
    for column in range(stop - first):
        t = first + column
        turn = turn + 1 if turn + 1 < window else 0
        y_now, x_now = y_bars[column], x_bars[column]
        y_run = y_run + 1 if y_now == y_before else 1
        x_run = x_run + 1 if x_now == x_before else 1
        y_before, x_before = y_now, x_now
        if np.isnan(y_now) or np.isnan(x_now):
            known = 0
            _put(sums, column, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)
            continue
        if known == 0:
            y_anchor, x_anchor, y_peak, x_peak = y_now, x_now, 0.0, 0.0
            y_sum, x_sum, yy, xx, yx = 0.0, 0.0, 0.0, 0.0, 0.0
        known += 1
        dy, dx = y_now - y_anchor, x_now - x_anchor
        y_sum, x_sum = y_sum + dy, x_sum + dx
        yy, xx, yx = yy + dy * dy, xx + dx * dx, yx + dx * dy
        y_peak, x_peak = max(y_peak, yy), max(x_peak, xx)
        if known > window:
            dy, dx = y[t - window] - y_anchor, x[t - window] - x_anchor
            y_sum, x_sum = y_sum - dy, x_sum - dx
            yy, xx, yx = yy - dy * dy, xx - dx * dx, yx - dx * dy
        if known < window:
            _put(sums, column, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)
            continue
        y_flat, x_flat = y_run >= window, x_run >= window
        if (
            turn == 0
            or (not y_flat and _loses_digits(y_sum, yy, y_peak, window))
            or (not x_flat and _loses_digits(x_sum, xx, x_peak, window))
        ):
            y_anchor, x_anchor = _anchors(y, x, t - window + 1, t + 1)
            y_sum, x_sum, yy, xx, yx = _sums_about(y, x, t - window + 1, t + 1, y_anchor, x_anchor)
            y_peak, x_peak = yy, xx
        _put(sums, column, y_anchor, x_anchor, y_sum, x_sum, yy, xx, yx)
        if y_flat:
            _put_flat(sums[:, column], Y_ANCHOR, Y_SUM, YY, y_now)
        if x_flat:
            _put_flat(sums[:, column], X_ANCHOR, X_SUM, XX, x_now)
    state[Y_ANCHOR], state[X_ANCHOR] = y_anchor, x_anchor
    state[Y_SUM], state[X_SUM] = y_sum, x_sum
    state[YY], state[XX], state[YX] = yy, xx, yx
    state[Y_PEAK], state[X_PEAK] = y_peak, x_peak
    state[KNOWN], state[TURN] = known, turn
    state[Y_RUN], state[X_RUN] = y_run, x_run


@compiled
def centre_sums(sums: FloatArray, window: int, first: int, stop: int, out: FloatArray) -> None:
    """Turn sums about anchors into means and sums of centred products, in vector registers."""
    y_anchor, x_anchor, y_sum, x_sum = sums[Y_ANCHOR], sums[X_ANCHOR], sums[Y_SUM], sums[X_SUM]
    yy, xx, yx = sums[YY], sums[XX], sums[YX]
    bars = float(window)
    y_mean, x_mean = out[Y_MEAN, first:stop], out[X_MEAN, first:stop]
    y_squares, x_squares = out[SYY, first:stop], out[SXX, first:stop]
    products = out[SXY, first:stop]
    for t in range(products.size):
        y_mean[t] = y_anchor[t] + y_sum[t] / bars
        x_mean[t] = x_anchor[t] + x_sum[t] / bars
        # In this order NaN stays.
        y_squares[t] = max(yy[t] - y_sum[t] * y_sum[t] / bars, 0.0)
        x_squares[t] = max(xx[t] - x_sum[t] * x_sum[t] / bars, 0.0)
        products[t] = yx[t] - x_sum[t] * y_sum[t] / bars


@compiled
def expanding_products(y: FloatArray, x: FloatArray, least: int, out: FloatArray) -> None:
    """Fill mean y, mean x, Syy, Sxx, Sxy, count over all bars so far; out has shape (6, n).

    By Welford's update, which stays centred as it goes. Entries stay as they are where a leg is
    missing, and until `least` bars are known.
    """
    count = 0
    y_mean, x_mean, yy, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(y.size):
        if np.isnan(y[t]) or np.isnan(x[t]):
            continue
        count += 1
        dy = y[t] - y_mean
        dx = x[t] - x_mean
        y_mean += dy / count
        x_mean += dx / count
        yy += dy * (y[t] - y_mean)
        xx += dx * (x[t] - x_mean)
        xy += dx * (y[t] - y_mean)
        if count < least:
            continue
        out[Y_MEAN, t], out[X_MEAN, t] = y_mean, x_mean
        out[SYY, t], out[SXX, t], out[SXY, t] = yy, xx, xy
        out[COUNT, t] = count


@compiled
def fill_log_returns(prices: FloatArray, start: int, out: FloatArray) -> None:
    """Fill the log return of each bar from `start` (1 or more) on."""
    for t in range(start, prices.size):
        out[t] = math.log1p((prices[t] - prices[t - 1]) / prices[t - 1])


@compiled
def _correlate(sums: FloatArray, window: int, floor: float, out: FloatArray) -> None:
    """Turn sums about anchors into correlations, in vector registers."""
    y_sum, x_sum, yy, xx, yx = sums[Y_SUM], sums[X_SUM], sums[YY], sums[XX], sums[YX]
    bars = float(window)
    for t in range(out.size):
        # In this order NaN stays.
        y_size = np.sqrt(max(yy[t] - y_sum[t] * y_sum[t] / bars, 0.0))
        x_size = np.sqrt(max(xx[t] - x_sum[t] * x_sum[t] / bars, 0.0))
        product = yx[t] - x_sum[t] * y_sum[t] / bars
        out[t] = np.nan
        if y_size > floor and x_size > floor:
            # Divided one size at a time: their product underflows at prices of 1e-6 and below.
            out[t] = min(max(product / y_size / x_size, -1.0), 1.0)


@compiled
def rolling_correlations(
    y: FloatArray, x: FloatArray, window: int, floor: float, begin: int, state: FloatArray,
    out: FloatArray,
) -> None:  # fmt: skip
    """Fill the correlation of each window of bars known on both legs, NaN where it is not full.

    NaN too where the root of a leg's sum of squares is at most `floor`. From bar `begin` on:
    `state` is as for `trailing_sums`.
    """
    sums = np.empty((SUM_ROWS, BLOCK))
    for first in range(begin, y.size, BLOCK):
        stop = min(first + BLOCK, y.size)
        trailing_sums(y, x, window, first, stop, state, sums)
        _correlate(sums, window, floor, out[first:stop])
