"""Least squares of one leg on another with both kinds of errors, in O(n) whatever the lags."""

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled, compiled_sums


@compiled_sums
def centre(values: FloatArray, out: FloatArray) -> float:
    """Fill deviations from the mean, which is taken twice, and return it."""
    first, size = values[0], values.size
    mean, rest = 0.0, 0.0
    for t in range(size):
        mean += values[t] - first
    mean = first + mean / size
    for t in range(size):
        out[t] = values[t] - mean
        rest += out[t]
    rest /= size
    for t in range(size):
        out[t] -= rest
    found: float = mean + rest
    return found


@compiled_sums
def dot(left: FloatArray, right: FloatArray) -> float:
    """Sum of products."""
    total = 0.0
    for t in range(left.size):
        total += left[t] * right[t]
    return total


@compiled_sums
def take_out(y: FloatArray, x: FloatArray, slope: float) -> None:
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


@compiled_sums
def line_with_errors(
    y: FloatArray, x: FloatArray, intercept: bool, lags: int, found: FloatArray
) -> None:
    """Fit y on x; `found`, of 9, takes what `analytics.hedge.least_squares` makes a fit of.

    Mean of y, mean of x, largest |x - mean| (the unit of what follows), slope, sum of squared x,
    of squared y, of squared residuals, and the Newey-West variances of slope and of the level at
    x = 0, without a correction for degrees of freedom.
    """
    size = y.size
    rest, run = y.copy(), x.copy()
    y_mean, x_mean = 0.0, 0.0
    if intercept:
        y_mean, x_mean = centre(y, rest), centre(x, run)
    unit = 0.0
    for t in range(size):
        unit = max(unit, abs(run[t]))
    if unit == 0.0:
        unit = 1.0
    for t in range(size):
        run[t] /= unit
    xx, yy = dot(run, run), dot(rest, rest)
    slope = dot(run, rest) / xx if xx > 0.0 else 0.0
    take_out(rest, run, slope)
    if xx > 0.0:
        # The second pass takes out what the first was rounded by.
        more = dot(run, rest) / xx
        take_out(rest, run, more)
        slope += more
    found[0], found[1], found[2], found[3] = y_mean, x_mean, unit, slope
    found[4], found[5], found[6] = xx, yy, dot(rest, rest)
    place = x_mean / unit
    score = np.empty(size)
    for t in range(size):
        score[t] = rest[t] * run[t] / xx
    found[7] = bartlett_variance(score, lags)
    for t in range(size):
        score[t] = rest[t] / size - place * score[t]
    found[8] = bartlett_variance(score, lags)


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
