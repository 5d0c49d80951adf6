"""Dickey-Fuller and Engle-Granger over many trailing spans, in one compiled run.

The same arithmetic as one test at a time, without the interpreter in between. A span that the
kernels give up on (degenerate, too short, digits lost) is marked for the caller to test by itself.
"""

from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.adf import (
    AIC,
    COEFFICIENT,
    FIT_SIZE,
    LARGEST_RESIDUAL,
    LINE_SIZE,
    RESIDUAL,
    SLOPE,
    STATISTIC,
    STDERR,
    best_lag,
    cholesky,
    effects_of,
    fit_unbroken,
    residual_on_line,
)
from analytics.kernels.jit import compiled

_MIN_BARS = 23
_NOISE = 16 * 2.220446049250313e-16
_COLLINEAR = 1e-12
# Lag length chosen by AIC up to Schwert's bound, or none at all.
AUTO_LAGS, NO_LAGS = 1, 0

# Rows of the fits, a column a span.
SPAN_STATISTIC: Final = 0
SPAN_COEFFICIENT: Final = 1
SPAN_BARS: Final = 2
SPAN_ROWS: Final = 3


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

    The most lags shrink until half of the rows remain, as in
    `analytics.stationarity.dickey_fuller`.
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
    rows, factor = 0, np.empty((1, 1))
    for last in range(0 if choose == AUTO_LAGS and max_lags > 0 else 1, 2):
        gram, rows = _gram_over_holes(values, run, trend_terms, lags, last == 1)
        factor, is_safe = cholesky(gram)
        if not is_safe or rows <= trend_terms + 1 + lags:
            return -1
        if last == 0:
            lags = best_lag(effects_of(factor), trend_terms + 1, rows, AIC)
    residual_std = factor[-1, -1] / np.sqrt(rows - trend_terms - 1 - lags)
    out[STATISTIC] = factor[-1, -2] / residual_std
    out[COEFFICIENT] = factor[-1, -2] / factor[-2, -2]
    out[STDERR], out[RESIDUAL] = residual_std / factor[-2, -2], factor[-1, -1]
    return lags


@compiled
def _reach(values: FloatArray) -> tuple[float, float, float]:
    """Lowest and highest value, and the largest in size."""
    low, high = values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high, max(abs(low), abs(high))


@compiled
def _centred(values: FloatArray, out: FloatArray) -> float:
    """Fill deviations from the mean; the largest value in size, or -1 where none moves."""
    low, high, size = _reach(values)
    if high - low <= _NOISE * size:
        return -1.0
    total = 0.0
    for value in values:
        total += value
    for t in range(values.size):
        out[t] = values[t] - total / values.size
    return size


@compiled
def _off_line(y: FloatArray, x: FloatArray, out: FloatArray) -> float:
    """Fill the residual of y on x; the largest in size, or -1 where there is none to test."""
    y_low, y_high, y_size = _reach(y)
    x_low, x_high, x_size = _reach(x)
    if y_high - y_low <= _NOISE * y_size or x_high - x_low <= _NOISE * x_size:
        return -1.0
    line = np.empty(LINE_SIZE)
    residual_on_line(y, x, out, line)
    largest: float = line[LARGEST_RESIDUAL]
    return largest if largest > _COLLINEAR * (y_size + abs(line[SLOPE]) * x_size) else -1.0


@compiled
def _known_rows(
    y: FloatArray, x: FloatArray, y_out: FloatArray, x_out: FloatArray, place: IntArray
) -> int:
    """Move rows known on both sides together, `place` takes where they stood; how many."""
    bars = 0
    for t in range(y.size):
        if not (np.isnan(y[t]) or np.isnan(x[t])):
            y_out[bars], x_out[bars], place[bars] = y[t], x[t], t
            bars += 1
    return bars


@compiled
def trailing_fits(
    y: FloatArray, x: FloatArray, starts: IntArray, ends: IntArray, on_line: bool, choose: int,
    out: FloatArray,
) -> BoolArray:  # fmt: skip
    """Fill rows t statistic, coefficient and bars, a column a span; True where the caller tests.

    Of the residual of y on x (`on_line`), or of y; about a constant, which a residual's t statistic
    with lags has no need of.
    """
    untested = np.ones(ends.size, dtype=np.bool_)
    fit = np.empty(FIT_SIZE)
    terms = 0 if on_line and choose == AUTO_LAGS else 1
    for i in range(ends.size):
        size = ends[i] - starts[i]
        y_known, x_known, rest = np.empty(size), np.empty(size), np.empty(size)
        place = np.empty(size, dtype=np.int64)
        begin, end = starts[i], ends[i]
        bars = _known_rows(y[begin:end], x[begin:end], y_known, x_known, place)
        out[SPAN_BARS, i] = bars
        if bars < _MIN_BARS:
            continue
        if on_line:
            reach = _off_line(y_known[:bars], x_known[:bars], rest)
        else:
            reach = _centred(y_known[:bars], rest)
        if reach < 0.0:
            continue
        most = _schwert_lags(bars, terms) if choose == AUTO_LAGS else 0
        if bars == size:
            lags = fit_unbroken(rest, terms, most, AIC if choose == AUTO_LAGS else -1, fit)
        else:
            for t in range(size):
                y_known[t] = np.nan
            for row in range(bars):
                y_known[place[row]] = rest[row]
            lags = fit_over_holes(y_known, terms, most, choose, fit)
        if lags >= 0 and fit[RESIDUAL] > _NOISE * reach * np.sqrt(bars):
            out[SPAN_STATISTIC, i], out[SPAN_COEFFICIENT, i] = fit[STATISTIC], fit[COEFFICIENT]
            untested[i] = False
    return untested
