"""Paths of residuals whose changes keep their size and take a new sign: squares and ends."""

import numpy as np
import numpy.typing as npt

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled_sums

Signs = npt.NDArray[np.int8]


@compiled_sums
def _centre(first: FloatArray, last: FloatArray, means: FloatArray, begin: int) -> None:
    """Take the means off the ends; those that a short stretch has not are never read."""
    for s in range(first.shape[0]):
        for m in range(first.shape[1]):
            for d in range(means.size):
                first[s, m, begin + d] -= means[d]
                last[s, m, begin + d] -= means[d]


@compiled_sums
def walk_draws(
    changes: FloatArray,
    signs: Signs,
    starts: IntArray,
    first: FloatArray,
    last: FloatArray,
    squares: FloatArray,
) -> None:
    """Sum the changes of each residual with each draw's signs, all draws of a residual at once.

    Parameters
    ----------
    changes : ndarray, shape (residuals, n)
        Into each known bar; stretches begin at `starts`, which ends with n.
    signs : ndarray, shape (n, draws)
        1 or -1.
    first, last : ndarray, shape (stretches, k + 2, residuals * draws)
        Take the ends of each centred path, as `analytics.kernels.scan_gram.edges`.
    squares : ndarray, shape (residuals * draws,)
        Take the sums of squares of the centred paths.
    """
    bars, draws = signs.shape
    ends = first.shape[1]
    level, total = np.empty(draws), np.empty(draws)
    for r in range(changes.shape[0]):
        begin = r * draws
        square = squares[begin : begin + draws]
        for d in range(draws):
            level[d], total[d], square[d] = 0.0, 0.0, 0.0
        for s in range(starts.size - 1):
            for t in range(starts[s], starts[s + 1]):
                change = changes[r, t]
                for d in range(draws):
                    level[d] += change * signs[t, d]
                    total[d] += level[d]
                    square[d] += level[d] * level[d]
                after, before = t - starts[s], starts[s + 1] - 1 - t
                if after < ends:
                    for d in range(draws):
                        first[s, after, begin + d] = level[d]
                if before < ends:
                    for d in range(draws):
                        last[s, before, begin + d] = level[d]
        for d in range(draws):
            total[d] /= bars
            square[d] -= bars * total[d] * total[d]
        _centre(first, last, total, begin)
