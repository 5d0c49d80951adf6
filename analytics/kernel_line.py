"""A line's quality, and the memory of its errors, in as few passes as they need."""

import numpy as np

from analytics.frames import FloatArray
from analytics.jit import compiled, compiled_sums


@compiled_sums
def line_squares(
    y: FloatArray, x: FloatArray, beta: float, alpha: float, centre: bool
) -> FloatArray:
    """Return the sums of squares of y (about its mean, if `centre`) and of y - alpha - beta x."""
    found = np.zeros(2)
    first, size = y[0], y.size
    mean, rest = 0.0, 0.0
    if centre:
        for t in range(size):
            mean += y[t] - first
        mean = first + mean / size
        for t in range(size):
            rest += y[t] - mean
        mean += rest / size
    squares, left = 0.0, 0.0
    for t in range(size):
        squares += (y[t] - mean) * (y[t] - mean)
        gap = y[t] - beta * x[t] - alpha
        left += gap * gap
    found[0], found[1] = squares, left
    return found


@compiled
def standardised(
    errors: FloatArray, variances: FloatArray, room: int, out: FloatArray
) -> tuple[int, float, float]:
    """Fill out[room:] with errors / sqrt(variances), NaN left out, less their mean; 0 before.

    Returns how many there are, their mean, and their sum of squares before it was taken out.
    """
    count, total, squares = 0, 0.0, 0.0
    for t in range(errors.size):
        if not (np.isnan(errors[t]) or np.isnan(variances[t])):
            value = errors[t] / np.sqrt(variances[t])
            out[room + count] = value
            total += value
            squares += value * value
            count += 1
    mean = total / max(count, 1)
    out[:room] = 0.0
    for i in range(room, room + count):
        out[i] -= mean
    return count, mean, squares
