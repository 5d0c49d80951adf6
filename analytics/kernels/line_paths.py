"""Least squares of y on x at each bar, over a trailing window or over all bars so far."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled
from analytics.kernels.rolling import (
    BLOCK,
    COUNT,
    COUNTED_ROWS,
    STATE_SIZE,
    SUM_ROWS,
    SXX,
    SXY,
    SYY,
    X_MEAN,
    Y_MEAN,
    centre_sums,
    expanding_products,
    trailing_sums,
)

# Rows of a path, each of n bars.
BETA: Final = 0
ALPHA: Final = 1
BETA_STDERR: Final = 2
LINE_ROWS: Final = 3

# Syy - Sxy²/Sxx keeps no digit of a sum of squared residuals below this share of Syy.
LEAST_REST: Final = 1e-14


@compiled
def rolling_lines(
    y: FloatArray, x: FloatArray, window: int, rounding: float, out: FloatArray, last: FloatArray
) -> int:
    """Fill the path `out`, shape (3, n), of least squares over each trailing window.

    NaN where the window is not full of bars known on both legs, or where x moves by no more than
    `rounding` of its mean. Returns the last bar that has a line, whose products and count `last`
    takes, or -1.
    """
    state, sums = np.zeros(STATE_SIZE), np.empty((SUM_ROWS, BLOCK))
    products = np.empty((COUNTED_ROWS, BLOCK))
    products[COUNT, :] = window
    latest = -1
    for first in range(0, y.size, BLOCK):
        stop = min(first + BLOCK, y.size)
        trailing_sums(y, x, window, first, stop, state, sums)
        centre_sums(sums, window, 0, stop - first, products)
        fill_lines(products, rounding, first, stop, out)
        row = _last_line(out[BETA, first:stop])
        if row >= 0:
            latest = first + row
            last[:] = products[:, row]
    return latest


@compiled
def expanding_lines(
    y: FloatArray, x: FloatArray, least: int, rounding: float, out: FloatArray, last: FloatArray
) -> int:
    """Fill the same over all bars so far, once `least` are known; NaN at a missing bar."""
    products = np.full((COUNTED_ROWS, y.size), np.nan)
    expanding_products(y, x, least, products)
    fill_lines(products, rounding, 0, y.size, out)
    row = _last_line(out[BETA])
    if row >= 0:
        last[:] = products[:, row]
    return row


@compiled
def fill_lines(
    products: FloatArray, rounding: float, first: int, stop: int, out: FloatArray
) -> None:
    """Fill columns `first` to `stop` of the path with the lines of as many columns of products."""
    y_mean, x_mean = products[Y_MEAN], products[X_MEAN]
    yy, xx, xy, bars = products[SYY], products[SXX], products[SXY], products[COUNT]
    beta, alpha = out[BETA, first:stop], out[ALPHA, first:stop]
    stderr = out[BETA_STDERR, first:stop]
    for t in range(beta.size):
        # By each window's own prices: the largest of all would let the future into past values.
        least = rounding * x_mean[t]
        slope = xy[t] / xx[t] if xx[t] > bars[t] * (least * least) else np.nan
        beta[t] = slope
        alpha[t] = y_mean[t] - slope * x_mean[t]
        rest = max(yy[t] - slope * xy[t], LEAST_REST * yy[t])
        stderr[t] = np.sqrt(rest / (bars[t] - 2.0)) / np.sqrt(xx[t])


@compiled
def _last_line(beta: FloatArray) -> int:
    for t in range(beta.size - 1, -1, -1):
        if not np.isnan(beta[t]):
            return t
    return -1
