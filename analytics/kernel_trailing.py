"""Dickey-Fuller and Engle-Granger over many trailing spans, in one compiled run.

The same arithmetic as one test at a time, without the interpreter in between. A span that the
kernels give up on (degenerate, too short, digits lost) is marked for the caller to test by itself.
"""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.jit import compiled
from analytics.kernel_adf import AIC, best_lag, cholesky, fit_unbroken, residual_on_line

_MIN_BARS = 23
_NOISE = 16 * 2.220446049250313e-16
_COLLINEAR = 1e-12
# Lag length chosen by AIC up to Schwert's bound, or none at all.
AUTO_LAGS, NO_LAGS = 1, 0


@compiled
def _schwert_lags(bars: int, trend_terms: int) -> int:
    most = int(np.ceil(12.0 * (bars / 100.0) ** 0.25))
    return max(0, min(bars // 2 - trend_terms - 1, most))


@compiled
def _gram_over_holes(
    values: FloatArray, run: IntArray, trend_terms: int, lags: int, level_last: bool
) -> tuple[FloatArray, int]:
    """Products of [constant | level | lags | difference] over rows that reach over no hole."""
    k = trend_terms
    size = k + lags + 2
    gram, row = np.zeros((size, size)), np.ones(size)
    level_at, lag_at = (k + lags, k) if level_last else (k, k + 1)
    rows = 0
    for t in range(run.size):
        if run[t] <= lags:
            continue
        rows += 1
        row[level_at] = values[t]
        for lag in range(1, lags + 1):
            row[lag_at + lag - 1] = values[t - lag + 1] - values[t - lag]
        row[size - 1] = values[t + 1] - values[t]
        for i in range(size):
            for j in range(i + 1):
                gram[i, j] += row[i] * row[j]
    return gram, rows


@compiled
def fit_over_holes(
    values: FloatArray, trend_terms: int, max_lags: int, choose: int, out: FloatArray
) -> int:
    """Fit as `fit_unbroken` does, rows over a missing bar left out; the lag, or -1.

    The most lags shrink until half of the rows remain, as in `analytics.dickey_fuller`.
    """
    run = np.zeros(values.size - 1, dtype=np.int64)
    counts = np.zeros(values.size + 1, dtype=np.int64)
    for t in range(run.size):
        if not (np.isnan(values[t]) or np.isnan(values[t + 1])):
            run[t] = run[t - 1] + 1 if t > 0 else 1
            counts[run[t]] += 1
    for lag in range(counts.size - 2, -1, -1):
        counts[lag] += counts[lag + 1]
    # counts[lag + 1] is now the number of rows that `lag` lags leave.
    while max_lags > 0 and counts[max_lags + 1] < counts[1] / 2:
        max_lags -= 1
    lags = max_lags
    if choose == AUTO_LAGS and max_lags > 0:
        gram, rows = _gram_over_holes(values, run, trend_terms, max_lags, False)
        factor, kept = cholesky(gram)
        if not kept or rows <= trend_terms + 1 + max_lags:
            return -1
        lags = best_lag(factor[-1] ** 2, trend_terms + 1, rows, AIC)
    gram, rows = _gram_over_holes(values, run, trend_terms, lags, True)
    factor, kept = cholesky(gram)
    free = rows - trend_terms - 1 - lags
    if not kept or free < 1:
        return -1
    residual_std = factor[-1, -1] / np.sqrt(free)
    out[0], out[1] = factor[-1, -2] / residual_std, factor[-1, -2] / factor[-2, -2]
    out[2], out[3] = residual_std / factor[-2, -2], factor[-1, -1]
    return lags


@compiled
def _fit_span(
    span: FloatArray, bars: int, trend_terms: int, choose: int, size: float, found: FloatArray
) -> bool:
    """Fit one span of values of size `size`, of which `bars` are known; False to give up."""
    most = _schwert_lags(bars, trend_terms) if choose == AUTO_LAGS else 0
    if bars == span.size:
        lags = fit_unbroken(span, trend_terms, most, AIC if choose == AUTO_LAGS else -1, found)
    else:
        lags = fit_over_holes(span, trend_terms, most, choose, found)
    return lags >= 0 and found[3] > _NOISE * size * np.sqrt(bars)


@compiled
def _reach(values: FloatArray) -> tuple[float, float, float]:
    """Lowest and highest value, and the largest in size."""
    low, high = values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high, max(abs(low), abs(high))


@compiled
def trailing_dickey_fuller(
    values: FloatArray, starts: IntArray, ends: IntArray, choose: int, out: FloatArray
) -> BoolArray:
    """Fill rows t statistic and coefficient, a column a span; True where the caller must test."""
    known = ~np.isnan(values)
    left = np.ones(ends.size, dtype=np.bool_)
    found = np.empty(4)
    for i in range(ends.size):
        mask = known[starts[i] : ends[i]]
        bars = mask.sum()
        if bars < _MIN_BARS:
            continue
        span = values[starts[i] : ends[i]].copy()
        inside = span[mask]
        low, high, size = _reach(inside)
        if high - low <= _NOISE * size:
            continue
        span -= inside.mean()
        if _fit_span(span, bars, 1, choose, size, found):
            out[0, i], out[1, i], left[i] = found[0], found[1], False
    return left


@compiled
def trailing_engle_granger(
    y: FloatArray, x: FloatArray, starts: IntArray, ends: IntArray, out: FloatArray
) -> BoolArray:
    """Fill the t statistic of y on x, an entry a span; True where the caller must test."""
    known = ~(np.isnan(y) | np.isnan(x))
    left = np.ones(ends.size, dtype=np.bool_)
    found, line = np.empty(4), np.empty(7)
    for i in range(ends.size):
        mask = known[starts[i] : ends[i]]
        bars = mask.sum()
        if bars < _MIN_BARS:
            continue
        y_span, x_span = y[starts[i] : ends[i]][mask], x[starts[i] : ends[i]][mask]
        y_low, y_high, y_size = _reach(y_span)
        x_low, x_high, x_size = _reach(x_span)
        if y_high - y_low <= _NOISE * y_size or x_high - x_low <= _NOISE * x_size:
            continue
        rest = np.empty(bars)
        residual_on_line(y_span, x_span, rest, line)
        largest = line[4]
        if largest <= _COLLINEAR * (y_size + abs(line[2]) * x_size):
            continue
        span = rest
        if bars < mask.size:
            span = np.full(mask.size, np.nan)
            span[mask] = rest
        if _fit_span(span, bars, 0, AUTO_LAGS, largest, found):
            out[i], left[i] = found[0], False
    return left
