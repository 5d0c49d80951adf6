"""Trailing sums in O(n): anchored at the prices of the day, renewed before they lose digits.

A sum of squares around a fixed anchor is updated by the bar that enters and the bar that leaves. It
is renewed from the window's own values every `window` bars, and at once when the window has become
so quiet that what earlier, larger moves left in the sum would show. A run-length counter knows a
flat window exactly: its sum of squares is 0, not rounding.
"""

import math

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled

# Least share of the largest sum since the last renewal: 3 digits lost of 16, 13 remain.
_QUIET = 1e-3


@compiled
def equal_runs(values: FloatArray) -> IntArray:
    """Count how many equal values in a row end at each bar; 0 at NaN."""
    runs = np.zeros(values.size, dtype=np.int64)
    for t in range(values.size):
        if not np.isnan(values[t]):
            runs[t] = runs[t - 1] + 1 if t > 0 and values[t] == values[t - 1] else 1
    return runs


@compiled
def _anchor(values: FloatArray, start: int, stop: int) -> float:
    """Mean of values[start:stop], measured from the first."""
    total = 0.0
    for i in range(start, stop):
        total += values[i] - values[start]
    mean: float = total / (stop - start) + values[start]
    return mean


@compiled
def _enter(sums: FloatArray, dy: float, dx: float) -> None:
    sums[0] += dy
    sums[1] += dx
    sums[2] += dy * dy
    sums[3] += dx * dx
    sums[4] += dx * dy


@compiled
def rolling_squares(values: FloatArray, window: int, out: FloatArray) -> None:
    """Fill rows mean, sum of squared deviations, deviation of the last bar; out has shape (3, n).

    Entries stay as they are where the window is not full of known values.
    """
    same = equal_runs(values)
    known = 0
    age = 0
    anchor, total, squares, peak = 0.0, 0.0, 0.0, 0.0
    for t in range(values.size):
        value = values[t]
        if np.isnan(value):
            known = 0
            continue
        if known == 0:
            anchor, total, squares, peak, age = value, 0.0, 0.0, 0.0, 0
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
            continue
        if same[t] >= window:
            anchor, total, squares, peak, age = value, 0.0, 0.0, 0.0, 0
            out[0, t], out[1, t], out[2, t] = value, 0.0, 0.0
            continue
        centred = squares - total * total / window
        age += 1
        if age > window or not centred >= _QUIET * peak:
            anchor = _anchor(values, t - window + 1, t + 1)
            total, squares, age = 0.0, 0.0, 0
            for i in range(t - window + 1, t + 1):
                entering = values[i] - anchor
                total += entering
                squares += entering * entering
            peak = squares
            centred = squares - total * total / window
        out[0, t] = anchor + total / window
        out[1, t] = max(centred, 0.0)
        out[2, t] = (value - anchor) - total / window


@compiled
def rolling_products(y: FloatArray, x: FloatArray, window: int, out: FloatArray) -> None:
    """Fill rows mean y, mean x, Syy, Sxx, Sxy (sums of centred products); out has shape (5, n).

    Entries stay as they are where the window is not full of bars known on both legs.
    """
    y_same, x_same = equal_runs(y), equal_runs(x)
    sums = np.zeros(5)
    known = 0
    age = 0
    y_anchor, x_anchor, y_peak, x_peak = 0.0, 0.0, 0.0, 0.0
    for t in range(y.size):
        if np.isnan(y[t]) or np.isnan(x[t]):
            known = 0
            continue
        if known == 0:
            y_anchor, x_anchor, y_peak, x_peak, age = y[t], x[t], 0.0, 0.0, 0
            sums[:] = 0.0
        known += 1
        _enter(sums, y[t] - y_anchor, x[t] - x_anchor)
        y_peak, x_peak = max(y_peak, sums[2]), max(x_peak, sums[3])
        if known > window:
            dy, dx = y[t - window] - y_anchor, x[t - window] - x_anchor
            sums[0] -= dy
            sums[1] -= dx
            sums[2] -= dy * dy
            sums[3] -= dx * dx
            sums[4] -= dx * dy
        if known < window:
            continue
        age += 1
        y_flat, x_flat = y_same[t] >= window, x_same[t] >= window
        y_lost = not y_flat and not sums[2] - sums[0] ** 2 / window >= _QUIET * y_peak
        x_lost = not x_flat and not sums[3] - sums[1] ** 2 / window >= _QUIET * x_peak
        if age > window or y_lost or x_lost:
            y_anchor = _anchor(y, t - window + 1, t + 1)
            x_anchor = _anchor(x, t - window + 1, t + 1)
            sums[:] = 0.0
            for i in range(t - window + 1, t + 1):
                _enter(sums, y[i] - y_anchor, x[i] - x_anchor)
            y_peak, x_peak, age = sums[2], sums[3], 0
        out[0, t] = y[t] if y_flat else y_anchor + sums[0] / window
        out[1, t] = x[t] if x_flat else x_anchor + sums[1] / window
        out[2, t] = 0.0 if y_flat else max(sums[2] - sums[0] ** 2 / window, 0.0)
        out[3, t] = 0.0 if x_flat else max(sums[3] - sums[1] ** 2 / window, 0.0)
        out[4, t] = 0.0 if y_flat or x_flat else sums[4] - sums[1] * sums[0] / window


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
        out[0, t], out[1, t] = y_mean, x_mean
        out[2, t], out[3, t], out[4, t] = yy, xx, xy
        out[5, t] = count


@compiled
def fill_log_returns(prices: FloatArray, start: int, out: FloatArray) -> None:
    """Fill the log return of each bar from `start` (1 or more) on."""
    for t in range(start, prices.size):
        out[t] = math.log1p((prices[t] - prices[t - 1]) / prices[t - 1])


@compiled
def fill_correlation(sums: FloatArray, floor: float, out: FloatArray) -> None:
    """Fill correlations of `rolling_products`' sums; NaN where a leg's size is at most `floor`."""
    for t in range(out.size):
        y_size, x_size = np.sqrt(sums[2, t]), np.sqrt(sums[3, t])
        out[t] = np.nan
        if y_size > floor and x_size > floor:
            # Divided one size at a time: their product underflows at prices of 1e-6 and below.
            out[t] = min(max(sums[4, t] / y_size / x_size, -1.0), 1.0)
