"""Resampling a Sharpe ratio: millions of draws, compiled."""

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled


@compiled
def bootstrap_sharpe(returns: FloatArray, block: int, seed: int, out: FloatArray) -> None:
    """Fill `out` with how many of its own errors each resample's Sharpe ratio is from the sample's.

    Ledoit & Wolf (2008), section 3.2.2: circular blocks of `block` bars, as many as the sample
    holds; the error is that of the blocks' own sums. NaN where a resample does not vary.
    """
    np.random.seed(seed)
    n = returns.size
    blocks = max(n // block, 1)
    drawn = blocks * block
    total, squares = 0.0, 0.0
    for value in returns:
        total += value
        squares += value * value
    observed = total / n / np.sqrt(squares / n - (total / n) ** 2)
    sums = np.empty((blocks, 2))
    for draw in range(out.size):
        total, squares = 0.0, 0.0
        for each in range(blocks):
            place = np.random.randint(n)
            first, second = 0.0, 0.0
            for _ in range(block):
                value = returns[place]
                first += value
                second += value * value
                place = place + 1 if place + 1 < n else 0
            sums[each, 0], sums[each, 1] = first, second
            total += first
            squares += second
        mean, square = total / drawn, squares / drawn
        variance = square - mean * mean
        if variance <= 0.0:
            out[draw] = np.nan
            continue
        by_mean, by_square = square / variance**1.5, -0.5 * mean / variance**1.5
        influence = 0.0
        for each in range(blocks):
            moved = by_mean * (sums[each, 0] - block * mean)
            moved += by_square * (sums[each, 1] - block * square)
            influence += moved * moved
        error = np.sqrt(influence) / drawn
        out[draw] = abs(mean / np.sqrt(variance) - observed) / error if error > 0.0 else np.nan
