"""The Kalman filter of y = alpha + beta x with alpha and beta on random walks."""

import numpy as np

from analytics.frames import FloatArray
from analytics.jit import compiled


@compiled
def kalman_filter(
    y: FloatArray, x: FloatArray, start: FloatArray, state_noise: FloatArray, noise: float,
    out: FloatArray,
) -> None:  # fmt: skip
    """Run the filter; `out`, shape (7, n), takes its path.

    Its rows: beta, alpha, their variances and covariance, forecast error, its variance. `start`
    holds beta, alpha and their covariance (bb, ab, aa) *before* the first bar's update;
    `state_noise` the variances added to beta and alpha from bar to bar. At a missing bar the state
    stands still and only its variance grows; entries stay as they are.
    """
    beta, alpha, p_bb, p_ab, p_aa = start[0], start[1], start[2], start[3], start[4]
    for t in range(y.size):
        if t > 0:
            p_bb += state_noise[0]
            p_aa += state_noise[1]
        if np.isnan(y[t]) or np.isnan(x[t]):
            continue
        error = y[t] - (beta * x[t] + alpha)
        # Covariance of the state with the forecast, and the forecast's own variance.
        c_b = p_bb * x[t] + p_ab
        c_a = p_ab * x[t] + p_aa
        variance = x[t] * c_b + c_a + noise
        gain_b = c_b / variance
        gain_a = c_a / variance
        beta += gain_b * error
        alpha += gain_a * error
        # Joseph's form: stays positive where P - K x' P would not.
        keep_b = 1.0 - gain_b * x[t]
        keep_a = 1.0 - gain_a
        bb = keep_b * (keep_b * p_bb - gain_b * p_ab) - gain_b * (keep_b * p_ab - gain_b * p_aa)
        ab = keep_b * (keep_a * p_ab - gain_a * x[t] * p_bb) - gain_b * (
            keep_a * p_aa - gain_a * x[t] * p_ab
        )
        aa = keep_a * (keep_a * p_aa - gain_a * x[t] * p_ab) - gain_a * x[t] * (
            keep_a * p_ab - gain_a * x[t] * p_bb
        )
        p_bb = bb + gain_b * gain_b * noise
        p_ab = ab + gain_b * gain_a * noise
        p_aa = aa + gain_a * gain_a * noise
        out[0, t], out[1, t], out[2, t], out[3, t] = beta, alpha, p_bb, p_aa
        out[4, t], out[5, t], out[6, t] = p_ab, error, variance


@compiled
def kalman_likelihood(
    y: FloatArray, x: FloatArray, start: FloatArray, state_noise: FloatArray
) -> tuple[float, float]:
    """Return the concentrated -2 log likelihood and the noise variance that belongs to it.

    All variances are in units of the noise variance, which is then the mean of error² / variance.
    """
    beta, alpha, p_bb, p_ab, p_aa = start[0], start[1], start[2], start[3], start[4]
    squares = 0.0
    logs = 0.0
    count = 0
    for t in range(y.size):
        if t > 0:
            p_bb += state_noise[0]
            p_aa += state_noise[1]
        if np.isnan(y[t]) or np.isnan(x[t]):
            continue
        error = y[t] - (beta * x[t] + alpha)
        c_b = p_bb * x[t] + p_ab
        c_a = p_ab * x[t] + p_aa
        variance = x[t] * c_b + c_a + 1.0
        squares += error * error / variance
        logs += np.log(variance)
        count += 1
        beta += c_b / variance * error
        alpha += c_a / variance * error
        p_bb -= c_b * c_b / variance
        p_ab -= c_b * c_a / variance
        p_aa -= c_a * c_a / variance
    noise = squares / count
    return count * np.log(noise) + logs, noise
