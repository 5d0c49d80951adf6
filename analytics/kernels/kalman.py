"""The Kalman filter of y = alpha + beta x, alpha and beta on random walks, and its likelihood."""

import numpy as np

from analytics.frames import FloatArray
from analytics.kernels.jit import compiled

# Logarithms of state over observation noise between which the likelihood is searched. The lowest
# stands for no noise at all; between it and the next the likelihood hardly changes.
LOWEST, HIGHEST = -27.6, 4.6
_GRID = np.array([LOWEST, -15.0, -13.0, -11.0, -9.0, -7.0, -5.0, -3.0, -1.0, 1.0, 3.0])
_FIRST_STEP, _LAST_STEP = 1.0, 1e-3
_FLUSH = 1e150


@compiled
def kalman_filter(
    y: FloatArray, x: FloatArray, units: FloatArray, start: FloatArray, noise: FloatArray,
    state_from: int, error_from: int, stop: int, out: FloatArray,
) -> None:  # fmt: skip
    """Run the filter over rows 0 to `stop`; `out`, shape (6, n), takes its path.

    Its rows: beta, alpha, their standard errors, all from row `state_from` on; forecast error and
    its variance, from row `error_from` on; NaN at a missing bar, where the state stands still and
    only its variance grows. `units` are the mean of y, the mean of x and the unit of x in which the
    filter thinks; `start` beta, alpha and their covariance (bb, ab, aa) *before* the first bar's
    update; `noise` the variances added to beta and alpha from bar to bar, and the observation's.
    """
    y_mean, x_mean, x_unit = units[0], units[1], units[2]
    beta, alpha, p_bb, p_ab, p_aa = start[0], start[1], start[2], start[3], start[4]
    per_unit = 1.0 / x_unit
    place = x_mean / x_unit
    for t in range(stop):
        if t > 0:
            p_bb += noise[0]
            p_aa += noise[1]
        if np.isnan(y[t]) or np.isnan(x[t]):
            if t >= state_from:
                out[0, t] = out[1, t] = out[2, t] = out[3, t] = np.nan
            if t >= error_from:
                out[4, t] = out[5, t] = np.nan
            continue
        row = (x[t] - x_mean) / x_unit
        error = y[t] - y_mean - (beta * row + alpha)
        # Covariance of the state with the forecast, and the forecast's own variance.
        c_b = p_bb * row + p_ab
        c_a = p_ab * row + p_aa
        variance = row * c_b + c_a + noise[2]
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
        p_bb = bb + gain_b * gain_b * noise[2]
        p_ab = ab + gain_b * gain_a * noise[2]
        p_aa = aa + gain_a * gain_a * noise[2]
        if t >= state_from:
            price_beta = beta * per_unit
            out[0, t], out[1, t] = price_beta, alpha + y_mean - price_beta * x_mean
            out[2, t] = np.sqrt(p_bb) * per_unit
            out[3, t] = np.sqrt(max(p_aa + place * (place * p_bb - 2.0 * p_ab), 0.0))
        if t >= error_from:
            out[4, t], out[5, t] = error, variance


@compiled
def kalman_likelihood(
    y: FloatArray, x: FloatArray, start: FloatArray, log_beta: float, log_alpha: float
) -> tuple[float, float]:
    """Return the concentrated -2 log likelihood and the noise variance that belongs to it.

    All variances are in units of the noise variance, which is then the mean of error² / variance;
    y and x are in the filter's units, without NaN. `log_beta`, `log_alpha`: logarithms of the noise
    of the coefficients.
    """
    beta, alpha, p_bb, p_ab, p_aa = start[0], start[1], start[2], start[3], start[4]
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
    if not cost < best[3]:
        return False
    best[0], best[1], best[2], best[3] = log_beta, log_alpha, noise, cost
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
    best[3] = np.inf
    if np.isnan(known[0]):
        for log_beta in _GRID:
            for log_alpha in _GRID:
                _try(y, x, start, log_beta, log_alpha, best)
    else:
        _try(y, x, start, known[0], known[1], best)
        for log_noise in _GRID:
            _try(y, x, start, log_noise, best[1], best)
        for log_noise in _GRID:
            _try(y, x, start, best[0], log_noise, best)
    step = _FIRST_STEP
    while step > _LAST_STEP:
        at_b, at_a = best[0], best[1]
        moved = (
            _try(y, x, start, at_b + step, at_a, best)
            or _try(y, x, start, at_b - step, at_a, best)
            or _try(y, x, start, at_b, at_a + step, best)
            or _try(y, x, start, at_b, at_a - step, best)
        )
        if not moved:
            step /= 2.0
