"""Walk along a pair's residual: its z-score now, and how often it crossed a level."""

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled
from analytics.kernels.rolling import score_of

# A log price is exact to about this much: a deviation below it is rounding, not movement.
_ROUNDING = 4 * float(np.finfo(np.float64).eps)


@compiled
def zscores_now(
    values: FloatArray, y_at: IntArray, x_at: IntArray, beta: FloatArray, window: int
) -> FloatArray:
    """z-score of y - beta * x at the last bar over the last `window` bars, ddof 1.

    NaN where one of those bars is missing, beta is NaN, or the residual does not move; 0 where only
    rounding lies off the mean.
    """
    out = np.full(y_at.size, np.nan)
    bars = values.shape[1]
    if bars < window:
        return out
    residual = np.empty(window)
    for pair in range(y_at.size):
        y, x, slope = values[y_at[pair]], values[x_at[pair]], beta[pair]
        size = 0.0
        for t in range(window):
            at = bars - window + t
            residual[t] = y[at] - slope * x[at]
            size = max(size, abs(y[at]) + abs(slope * x[at]))
        mean, squares = 0.0, 0.0
        for t in range(window):
            mean += residual[t]
        mean /= window
        for t in range(window):
            squares += (residual[t] - mean) * (residual[t] - mean)
        std = np.sqrt(squares / (window - 1))
        out[pair] = score_of(residual[-1] - mean, std, _ROUNDING * size)
    return out


@compiled
def crossings(
    values: FloatArray, y_at: IntArray, x_at: IntArray, beta: FloatArray, alpha: FloatArray
) -> IntArray:
    """How often y - (alpha + beta * x) changed its sign from one known bar to the next."""
    out = np.zeros(y_at.size, dtype=np.int64)
    for pair in range(y_at.size):
        y, x = values[y_at[pair]], values[x_at[pair]]
        before = 0.0
        for t in range(values.shape[1]):
            now = y[t] - alpha[pair] - beta[pair] * x[t]
            if now * before < 0.0:
                out[pair] += 1
            if not np.isnan(now) and now != 0.0:
                before = now
    return out
