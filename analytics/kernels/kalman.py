"""The Kalman filter of y = alpha + beta x, alpha and beta on random walks, and its likelihood."""

from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled

# Rows of a path, each of n bars.
BETA: Final = 0
ALPHA: Final = 1
BETA_STDERR: Final = 2
FORECAST_ERROR: Final = 3
FORECAST_VARIANCE: Final = 4
PATH_ROWS: Final = 5

# Units in which the filter thinks: x is measured as (x - X_MEAN) / X_UNIT, y as y - Y_MEAN.
Y_MEAN: Final = 0
X_MEAN: Final = 1
X_UNIT: Final = 2

# The state before the first bar's update: coefficients and their covariance.
STATE_BETA: Final = 0
STATE_ALPHA: Final = 1
VAR_BETA: Final = 2
COVARIANCE: Final = 3
VAR_ALPHA: Final = 4

# Variances added to beta and alpha from bar to bar, and of an observation.
BETA_NOISE: Final = 0
ALPHA_NOISE: Final = 1
OBSERVATION_NOISE: Final = 2

# Of the likeliest noise: logarithms of the first two as shares of the third, that, and the cost.
LOG_BETA: Final = 0
LOG_ALPHA: Final = 1
SHARE: Final = 2
COST: Final = 3
SEARCH_SIZE: Final = 4

# Logarithms of state over observation noise between which the likelihood is searched. The lowest
# stands for no noise at all; between it and the next the likelihood hardly changes.
LOWEST, HIGHEST = -27.6, 12.0
_GRID = np.array([LOWEST, -15.0, -13.0, -11.0, -9.0, -7.0, -5.0, -3.0, -1.0, 1.0, 3.0])
_FIRST_STEP, _LAST_STEP = 1.0, 1e-3
_FLUSH = 1e150


@compiled
def kalman_filter(
    y: FloatArray, x: FloatArray, units: FloatArray, start: FloatArray, noise: FloatArray,
    state_from: int, error_from: int, stop: int, out: FloatArray,
) -> float:  # fmt: skip
    """Run the filter over rows 0 to `stop`; return the last standard error of alpha.

    `out`, shape (5, n), takes the path: coefficients and the standard error of beta from row
    `state_from` on, forecast error and its variance from row `error_from` on; NaN at a missing bar,
    where the state stands still and only its variance grows.
    """
    y_mean, x_mean, x_unit = units[Y_MEAN], units[X_MEAN], units[X_UNIT]
    beta, alpha = start[STATE_BETA], start[STATE_ALPHA]
    p_bb, p_ab, p_aa = start[VAR_BETA], start[COVARIANCE], start[VAR_ALPHA]
    beta_noise, alpha_noise = noise[BETA_NOISE], noise[ALPHA_NOISE]
    observation_noise = noise[OBSERVATION_NOISE]
    per_unit = 1.0 / x_unit
    place = x_mean / x_unit
    last_bb, last_ab, last_aa = p_bb, p_ab, p_aa
    for t in range(stop):
        if t > 0:
            p_bb += beta_noise
            p_aa += alpha_noise
        if np.isnan(y[t]) or np.isnan(x[t]):
            if t >= state_from:
                out[BETA, t] = out[ALPHA, t] = out[BETA_STDERR, t] = np.nan
            if t >= error_from:
                out[FORECAST_ERROR, t] = out[FORECAST_VARIANCE, t] = np.nan
            continue
        row = (x[t] - x_mean) / x_unit
        error = y[t] - y_mean - (beta * row + alpha)
        # Covariance of the state with the forecast, and the forecast's own variance.
        c_b = p_bb * row + p_ab
        c_a = p_ab * row + p_aa
        variance = row * c_b + c_a + observation_noise
        gain_b = c_b / variance
        gain_a = c_a / variance
        beta += gain_b * error
        alpha += gain_a * error
        # Joseph's form: stays positive where P - K x' P would not.
        keep_b = 1.0 - gain_b * row
        keep_a = 1.0 - gain_a
        bb = keep_b * (keep_b * p_bb - gain_b * p_ab) - gain_b * (keep_b * p_ab - gain_b * p_aa)
        ab = keep_b * (keep_a * p_ab - gain_a * row * p_bb) - gain_b * (
            keep_a * p_aa - gain_a * row * p_ab
        )
        aa = keep_a * (keep_a * p_aa - gain_a * row * p_ab) - gain_a * row * (
            keep_a * p_ab - gain_a * row * p_bb
        )
        p_bb = bb + gain_b * gain_b * observation_noise
        p_ab = ab + gain_b * gain_a * observation_noise
        p_aa = aa + gain_a * gain_a * observation_noise
        last_bb, last_ab, last_aa = p_bb, p_ab, p_aa
        if t >= state_from:
            price_beta = beta * per_unit
            out[BETA, t], out[ALPHA, t] = price_beta, alpha + y_mean - price_beta * x_mean
            out[BETA_STDERR, t] = np.sqrt(p_bb) * per_unit
        if t >= error_from:
            out[FORECAST_ERROR, t], out[FORECAST_VARIANCE, t] = error, variance
    variance_at_zero = last_aa + place * (place * last_bb - 2.0 * last_ab)
    alpha_stderr: float = np.sqrt(max(variance_at_zero, 0.0))
    return alpha_stderr


@compiled
def kalman_likelihood(
    y: FloatArray, x: FloatArray, start: FloatArray, log_beta: float, log_alpha: float
) -> tuple[float, float]:
    """Return the concentrated -2 log likelihood and the noise variance that belongs to it.

    All variances are in units of the noise variance, which is then the mean of error² / variance;
    y and x are in the filter's units, without NaN. `log_beta`, `log_alpha`: logarithms of the noise
    of the coefficients.
    """
    beta, alpha = start[STATE_BETA], start[STATE_ALPHA]
    p_bb, p_ab, p_aa = start[VAR_BETA], start[COVARIANCE], start[VAR_ALPHA]
    q_b = np.exp(log_beta) if log_beta > LOWEST else 0.0
    q_a = np.exp(log_alpha) if log_alpha > LOWEST else 0.0
    squares, logs, product = 0.0, 0.0, 1.0
    for t in range(y.size):
        if t > 0:
            p_bb += q_b
            p_aa += q_a
        error = y[t] - (beta * x[t] + alpha)
        c_b = p_bb * x[t] + p_ab
        c_a = p_ab * x[t] + p_aa
        variance = x[t] * c_b + c_a + 1.0
        share = 1.0 / variance
        squares += error * error * share
        # Each variance is 1 or more: their product is taken to the logarithm before it overflows.
        product *= variance
        if product > _FLUSH:
            logs += np.log(product)
            product = 1.0
        gain_b, gain_a = c_b * share, c_a * share
        beta += gain_b * error
        alpha += gain_a * error
        p_bb -= gain_b * c_b
        p_ab -= gain_b * c_a
        p_aa -= gain_a * c_a
    noise = squares / y.size
    return y.size * np.log(noise) + logs + np.log(product), noise


@compiled
def _try(
    y: FloatArray, x: FloatArray, start: FloatArray, log_beta: float, log_alpha: float,
    best: FloatArray,
) -> bool:  # fmt: skip
    """Keep this noise in `best` (logarithms, observation noise, cost) if it is likelier."""
    if min(log_beta, log_alpha) < LOWEST or max(log_beta, log_alpha) > HIGHEST:
        return False
    cost, noise = kalman_likelihood(y, x, start, log_beta, log_alpha)
    if not cost < best[COST]:
        return False
    best[LOG_BETA], best[LOG_ALPHA], best[SHARE], best[COST] = log_beta, log_alpha, noise, cost
    return True


@compiled
def most_likely_noise(
    y: FloatArray, x: FloatArray, start: FloatArray, known: FloatArray, best: FloatArray
) -> None:
    """Search the noises of beta and alpha that make the bars most likely.

    `known` holds logarithms found on fewer bars, to begin at, or NaN; `best` takes the logarithms
    of both, as shares of the observation noise, that noise, and the cost. The likelihood may have a
    second, lesser peak: a grid finds the right one's neighbourhood, a compass search its top.
    """
    best[COST] = np.inf
    if np.isnan(known[LOG_BETA]):
        for log_beta in _GRID:
            for log_alpha in _GRID:
                _try(y, x, start, log_beta, log_alpha, best)
    else:
        _try(y, x, start, known[LOG_BETA], known[LOG_ALPHA], best)
        for log_noise in _GRID:
            _try(y, x, start, log_noise, best[LOG_ALPHA], best)
        for log_noise in _GRID:
            _try(y, x, start, best[LOG_BETA], log_noise, best)
    step = _FIRST_STEP
    while step > _LAST_STEP:
        at_b, at_a = best[LOG_BETA], best[LOG_ALPHA]
        moved = (
            _try(y, x, start, at_b + step, at_a, best)
            or _try(y, x, start, at_b - step, at_a, best)
            or _try(y, x, start, at_b, at_a + step, best)
            or _try(y, x, start, at_b, at_a - step, best)
        )
        if not moved:
            step /= 2.0
