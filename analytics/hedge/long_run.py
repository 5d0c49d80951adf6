"""Errors of a line on prices: its residual remembers, so few of its bars are news."""

import math
from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.series import centred
from analytics.stationarity import long_run_std

LONG_RUN_REFERENCE: Final = (
    "errors by the residual's long-run variance, autoregressive: Berk (1974), Ann. Stat. 2, "
    "489-502; Perron & Ng (1998), Econometric Theory 14, 560-603"
)


def long_run_errors(
    residual: FloatArray, x: FloatArray, coefficients: int = 2
) -> tuple[float, float]:
    """Long-run standard errors of the slope on x and of the level at x = 0; NaN as above.

    Those of a cointegrating regression, ω / √Σ(x - mean)²: no sandwich, since x wanders far more
    slowly than the residual and is no part of its variance. With one coefficient the line goes
    through the origin, and the level has no error.
    """
    deviation = long_run_std(residual, coefficients)
    if coefficients == 1:
        return deviation / math.sqrt(_squares(x)), math.nan
    from_mean, mean = centred(x)
    squares = _squares(from_mean)
    return deviation / math.sqrt(squares), deviation * math.sqrt(1.0 / x.size + mean**2 / squares)


def _squares(values: FloatArray) -> float:
    """Sum of squares, by einsum: threaded BLAS takes ten times longer on a busy processor."""
    return float(np.einsum("i,i->", values, values))


def memory_of_ranks(values: FloatArray) -> float:
    """How many times the variance of a mean of ranks exceeds that of independent rows; 1 or more.

    Hamed & Rao (1998), J. Hydrol. 204, 182-196, with the long-run variance in place of their sum
    of autocorrelations; NaN as `long_run_std`.
    """
    ranks, _ = centred(np.argsort(np.argsort(values)).astype(np.float64))
    return max(long_run_std(ranks) ** 2 / (_squares(ranks) / ranks.size), 1.0)


def andrews_lags(values: FloatArray) -> int:
    """Lags of a Bartlett kernel by Andrews' (1991) AR(1) plug-in, at most a quarter of the bars.

    Econometrica 59, 817-858, (6.2) and (6.4); the coefficient is taken as 0.97 at most.
    """
    past = float(values[:-1] @ values[:-1])
    memory = float(values[1:] @ values[:-1]) / past if past > 0 else 0.0
    memory = min(max(memory, -0.97), 0.97)
    curvature = 4.0 * memory**2 / ((1.0 - memory) * (1.0 + memory)) ** 2
    return min(int(1.1447 * (curvature * values.size) ** (1.0 / 3.0)), values.size // 4)
