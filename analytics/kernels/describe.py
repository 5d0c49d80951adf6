"""Moments and sums of a whole sample in a few passes."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled_sums

# Mean, extremes, and sums of powers of the deviations.
MEAN: Final = 0
LEAST: Final = 1
MOST: Final = 2
SQUARES: Final = 3
CUBES: Final = 4
FOURTHS: Final = 5
MOMENTS: Final = 6


@compiled_sums
def sample_moments(values: FloatArray, out: FloatArray) -> None:
    """Fill mean, minimum, maximum and the sums of the 2nd to 4th powers of the deviations.

    `values` holds no NaN and is not empty. The mean is taken twice: the second pass removes what
    the first was rounded by.
    """
    n = values.size
    first = values[0]
    total, least, most = 0.0, first, first
    for i in range(n):
        total += values[i] - first
        least = min(least, values[i])
        most = max(most, values[i])
    mean = first + total / n
    rest = 0.0
    for i in range(n):
        rest += values[i] - mean
    rest /= n
    squares, cubes, fourths = 0.0, 0.0, 0.0
    for i in range(n):
        deviation = values[i] - mean - rest
        square = deviation * deviation
        squares += square
        cubes += square * deviation
        fourths += square * square
    out[MEAN], out[LEAST], out[MOST] = mean + rest, least, most
    out[SQUARES], out[CUBES], out[FOURTHS] = squares, cubes, fourths


@compiled_sums
def unit_sum(values: FloatArray, units: float, most: float) -> float:
    """Sum decimals of at most 8 places in units; -1 where one is none, or the sum grows too large.

    `values` holds no NaN and nothing negative; `most` is the largest sum of units still exact.
    """
    total, wrong = 0.0, 0
    for i in range(values.size):
        scaled = np.rint(values[i] * units)
        total += scaled
        wrong += scaled / units != values[i]
    return total if wrong == 0 and total <= most else -1.0
