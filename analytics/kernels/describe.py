"""Moments and sums of a whole sample in a few passes."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled_sums

# Mean, and sums of powers of the deviations.
MEAN: Final = 0
SQUARES: Final = 1
CUBES: Final = 2
FOURTHS: Final = 3
MOMENTS: Final = 4


@compiled_sums
def sample_moments(values: FloatArray, out: FloatArray) -> None:
    """Fill the mean and the sums of the 2nd to 4th powers of the deviations.

    `values` holds no NaN and is not empty. The mean is taken twice: the second pass removes what
    the first was rounded by.
    """
    n = values.size
    first = values[0]
    total = 0.0
    for i in range(n):
        total += values[i] - first
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
    out[MEAN], out[SQUARES], out[CUBES], out[FOURTHS] = mean + rest, squares, cubes, fourths


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
