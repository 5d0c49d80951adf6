"""Least squares of one leg on another with both kinds of errors, in O(n) whatever the lags."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled, compiled_sums

# What `line_with_errors` gives: means, the unit of what follows (the largest |x - mean|), slope,
# sums of squares of x, y and the residuals, and Newey-West variances of slope and level at x = 0.
Y_MEAN: Final = 0
X_MEAN: Final = 1
X_UNIT: Final = 2
SLOPE: Final = 3
X_SQUARES: Final = 4
Y_SQUARES: Final = 5
RESIDUAL_SQUARES: Final = 6
SLOPE_VARIANCE: Final = 7
LEVEL_VARIANCE: Final = 8
FIT_SIZE: Final = 9


@compiled_sums
def centre(values: FloatArray, out: FloatArray) -> float:
    """Fill deviations from the mean, which is taken twice, and return it."""
    first, size = values[0], values.size
    mean, remainder = 0.0, 0.0
    for t in range(size):
        mean += values[t] - first
    mean = first + mean / size
    for t in range(size):
        out[t] = values[t] - mean
        remainder += out[t]
    remainder /= size
    for t in range(size):
        out[t] -= remainder
    exact: float = mean + remainder
    return exact


@compiled_sums
def dot(left: FloatArray, right: FloatArray) -> float:
    """Sum of products."""
    total = 0.0
    for t in range(left.size):
        total += left[t] * right[t]
    return total


@compiled_sums
def subtract(y: FloatArray, x: FloatArray, slope: float) -> None:
    """Subtract slope * x from y, in place."""
    for t in range(y.size):
        y[t] -= slope * x[t]


@compiled
def bartlett_variance(values: FloatArray, lags: int) -> float:
    """Sum of products over all pairs up to `lags` apart, weighted by 1 - lag / (lags + 1).

    That is the mean of the squares of all running sums of lags + 1 terms: never negative.
    """
    size, total, running = values.size, 0.0, 0.0
    for t in range(size + lags):
        if t < size:
            running += values[t]
        if t > lags:
            running -= values[t - lags - 1]
        total += running * running
    return total / (lags + 1.0)


@compiled
def _bartlett_variances(left: FloatArray, right: FloatArray, lags: int) -> tuple[float, float]:
    """Take `bartlett_variance` of two series at once: neither running sum waits for the other."""
    size = left.size
    left_total, right_total, left_running, right_running = 0.0, 0.0, 0.0, 0.0
    for t in range(size + lags):
        if t < size:
            left_running += left[t]
            right_running += right[t]
        if t > lags:
            left_running -= left[t - lags - 1]
            right_running -= right[t - lags - 1]
        left_total += left_running * left_running
        right_total += right_running * right_running
    return left_total / (lags + 1.0), right_total / (lags + 1.0)


@compiled_sums
def line_with_errors(
    y: FloatArray, x: FloatArray, intercept: bool, lags: int, fit: FloatArray, residual: FloatArray
) -> None:
    """Fill `fit`, of FIT_SIZE, with the line of y on x and what its errors are made of.

    The Newey-West variances are without a correction for degrees of freedom, and left out for
    fewer than 0 lags. `residual`, as long as y, is filled with that of the line.
    """
    size = y.size
    residual[:] = y
    deviation = x.copy()
    y_mean, x_mean = 0.0, 0.0
    if intercept:
        y_mean, x_mean = centre(y, residual), centre(x, deviation)
    unit = 0.0
    for t in range(size):
        unit = max(unit, abs(deviation[t]))
    if unit == 0.0:
        unit = 1.0
    for t in range(size):
        deviation[t] /= unit
    xx, yy = dot(deviation, deviation), dot(residual, residual)
    slope = dot(deviation, residual) / xx if xx > 0.0 else 0.0
    subtract(residual, deviation, slope)
    if xx > 0.0:
        # The second pass takes out what the first was rounded by.
        more = dot(deviation, residual) / xx
        subtract(residual, deviation, more)
        slope += more
    fit[Y_MEAN], fit[X_MEAN], fit[X_UNIT], fit[SLOPE] = y_mean, x_mean, unit, slope
    fit[X_SQUARES], fit[Y_SQUARES], fit[RESIDUAL_SQUARES] = xx, yy, dot(residual, residual)
    if lags < 0:
        return
    place = x_mean / unit
    score, level_score = deviation, residual
    for t in range(size):
        score[t] = residual[t] * deviation[t] / xx
        level_score[t] = residual[t] / size - place * score[t]
    variances = _bartlett_variances(score, level_score, lags)
    fit[SLOPE_VARIANCE], fit[LEVEL_VARIANCE] = variances


@compiled_sums
def line_squares(
    y: FloatArray, x: FloatArray, beta: float, alpha: float, centre: bool
) -> tuple[float, float]:
    """Return the sums of squares of y (about its mean, if `centre`) and of y - alpha - beta x."""
    first, size = y[0], y.size
    mean, remainder = 0.0, 0.0
    if centre:
        for t in range(size):
            mean += y[t] - first
        mean = first + mean / size
        for t in range(size):
            remainder += y[t] - mean
        mean += remainder / size
    squares, residual_squares = 0.0, 0.0
    for t in range(size):
        squares += (y[t] - mean) * (y[t] - mean)
        gap = y[t] - beta * x[t] - alpha
        residual_squares += gap * gap
    return squares, residual_squares


@compiled
def standardised(
    errors: FloatArray, variances: FloatArray, room: int, out: FloatArray
) -> tuple[int, float, float]:
    """Fill out[room:] with errors / sqrt(variances), NaN left out, less their mean; 0 before.

    Returns how many there are, their mean, and their sum of squares before it was taken out.
    """
    # By themselves, roots and quotients run in vector registers.
    ratios = out[room:]
    for t in range(errors.size):
        ratios[t] = errors[t] / np.sqrt(variances[t])
    count, total, squares = 0, 0.0, 0.0
    for t in range(errors.size):
        value = ratios[t]
        if not np.isnan(value):
            ratios[count] = value
            total += value
            squares += value * value
            count += 1
    mean = total / max(count, 1)
    out[:room] = 0.0
    for i in range(count):
        ratios[i] -= mean
    return count, mean, squares
