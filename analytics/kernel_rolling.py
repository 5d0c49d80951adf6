"""Trailing sums in O(n): anchored at the prices of the day, renewed before they lose digits.

A sum of squares around a fixed anchor is updated by the bar that enters and the bar that leaves. It
is renewed from the window's own values every `window` bars, and at once when the window has become
so quiet that what earlier, larger moves left in the sum would show. A run-length counter knows a
flat window exactly: its sum of squares is 0, not rounding.
"""

import numpy as np

from analytics.frames import FloatArray
from analytics.jit import compiled

# Least share of the largest sum since the last renewal: 3 digits lost of 16, 13 remain.
_QUIET = 1e-3


@compiled
def rolling_squares(values: FloatArray, window: int, out: FloatArray) -> None:
    """Fill rows mean, sum of squared deviations, deviation of the last bar; out has shape (3, n).

    Entries stay as they are where the window is not full of known values.
    """
    known = 0
    same = 0
    age = 0
    anchor = 0.0
    total = 0.0
    squares = 0.0
    peak = 0.0
    for t in range(values.size):
        value = values[t]
        if np.isnan(value):
            known = 0
            continue
        if known == 0:
            anchor, total, squares, peak, same, age = value, 0.0, 0.0, 0.0, 0, 0
        same = same + 1 if same > 0 and value == values[t - 1] else 1
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
        if same >= window:
            anchor, total, squares, peak, age = value, 0.0, 0.0, 0.0, 0
            out[0, t], out[1, t], out[2, t] = value, 0.0, 0.0
            continue
        centred = squares - total * total / window
        age += 1
        if age > window or not centred >= _QUIET * peak:
            first = values[t - window + 1]
            total = 0.0
            for i in range(t - window + 1, t + 1):
                total += values[i] - first
            anchor = first + total / window
            total = 0.0
            squares = 0.0
            for i in range(t - window + 1, t + 1):
                entering = values[i] - anchor
                total += entering
                squares += entering * entering
            peak = squares
            age = 0
            centred = squares - total * total / window
        out[0, t] = anchor + total / window
        out[1, t] = max(centred, 0.0)
        out[2, t] = (value - anchor) - total / window


@compiled
def rolling_products(y: FloatArray, x: FloatArray, window: int, out: FloatArray) -> None:
    """Fill rows mean y, mean x, Syy, Sxx, Sxy (sums of centred products); out has shape (5, n).

    Entries stay as they are where the window is not full of bars known on both legs.
    """
    known = 0
    same_y = 0
    same_x = 0
    age = 0
    y_anchor = 0.0
    x_anchor = 0.0
    sum_y = 0.0
    sum_x = 0.0
    yy = 0.0
    xx = 0.0
    xy = 0.0
    y_peak = 0.0
    x_peak = 0.0
    for t in range(y.size):
        if np.isnan(y[t]) or np.isnan(x[t]):
            known = 0
            continue
        if known == 0:
            y_anchor, x_anchor, same_y, same_x, age = y[t], x[t], 0, 0, 0
            sum_y, sum_x, yy, xx, xy, y_peak, x_peak = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        same_y = same_y + 1 if same_y > 0 and y[t] == y[t - 1] else 1
        same_x = same_x + 1 if same_x > 0 and x[t] == x[t - 1] else 1
        known += 1
        dy = y[t] - y_anchor
        dx = x[t] - x_anchor
        sum_y += dy
        sum_x += dx
        yy += dy * dy
        xx += dx * dx
        xy += dx * dy
        y_peak = max(y_peak, yy)
        x_peak = max(x_peak, xx)
        if known > window:
            dy = y[t - window] - y_anchor
            dx = x[t - window] - x_anchor
            sum_y -= dy
            sum_x -= dx
            yy -= dy * dy
            xx -= dx * dx
            xy -= dx * dy
        if known < window:
            continue
        age += 1
        y_centred = yy - sum_y * sum_y / window
        x_centred = xx - sum_x * sum_x / window
        y_quiet = same_y < window and not y_centred >= _QUIET * y_peak
        x_quiet = same_x < window and not x_centred >= _QUIET * x_peak
        if age > window or y_quiet or x_quiet:
            y_first = y[t - window + 1]
            x_first = x[t - window + 1]
            sum_y, sum_x = 0.0, 0.0
            for i in range(t - window + 1, t + 1):
                sum_y += y[i] - y_first
                sum_x += x[i] - x_first
            y_anchor = y_first + sum_y / window
            x_anchor = x_first + sum_x / window
            sum_y, sum_x, yy, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(t - window + 1, t + 1):
                dy = y[i] - y_anchor
                dx = x[i] - x_anchor
                sum_y += dy
                sum_x += dx
                yy += dy * dy
                xx += dx * dx
                xy += dx * dy
            y_peak, x_peak, age = yy, xx, 0
            y_centred = yy - sum_y * sum_y / window
            x_centred = xx - sum_x * sum_x / window
        y_flat = same_y >= window
        x_flat = same_x >= window
        out[0, t] = y[t] if y_flat else y_anchor + sum_y / window
        out[1, t] = x[t] if x_flat else x_anchor + sum_x / window
        out[2, t] = 0.0 if y_flat else max(y_centred, 0.0)
        out[3, t] = 0.0 if x_flat else max(x_centred, 0.0)
        out[4, t] = 0.0 if y_flat or x_flat else xy - sum_x * sum_y / window


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
