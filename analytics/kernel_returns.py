"""Log returns, and correlations out of rolling sums, in one pass each."""

import math

import numpy as np

from analytics.frames import FloatArray
from analytics.jit import compiled


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
