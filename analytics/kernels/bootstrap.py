"""Resampling a Sharpe ratio: millions of draws, compiled."""

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled


@compiled
def bootstrap_sharpe(returns: FloatArray, restart: float, seed: int, out: FloatArray) -> None:
    """Fill `out` with the Sharpe ratios a bar of stationary bootstrap samples.

    Politis & Romano (1994), JASA 89, 1303-1313: blocks of geometric length, mean 1 / `restart`,
    wrapped around the end.
    """
    np.random.seed(seed)
    n = returns.size
    for draw in range(out.size):
        total, squares = 0.0, 0.0
        place = 0
        left = 0
        for _ in range(n):
            if left == 0:
                place = np.random.randint(n)
                left = np.random.geometric(restart)
            value = returns[place]
            total += value
            squares += value * value
            place = place + 1 if place + 1 < n else 0
            left -= 1
        mean = total / n
        variance = (squares - n * mean * mean) / (n - 1)
        out[draw] = mean / np.sqrt(variance) if variance > 0.0 else np.nan
