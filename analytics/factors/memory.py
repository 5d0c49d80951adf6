"""How slowly a residual returns, corrected: a bridge's own b reads far too small."""

from functools import lru_cache
from typing import Final

import numpy as np

from analytics.factors.residuals import without
from analytics.factors.reversion import fit_reversion
from analytics.frames import FloatArray

_SEED: Final = 1993
_DRAWS: Final = 1_000
# More bars than this are taken for so many: speeds are compared in windows.
_MOST_SIMULATED: Final = 500
# Quick returns end here: a b below it is no memory at all.
_LEAST_B: Final = 1e-3
_LEVELS: Final = (0.975, 0.5, 0.025)


def unbiased_half_lives(b: FloatArray, bars: int, factors: int) -> FloatArray:
    """95 % interval and median-unbiased half-life of residuals whose bridge gave b.

    Of stationary autoregressions of every speed, regressed on a constant and as many factors and
    summed up again, the one whose b is as often above as below the one seen is the middle; the ends
    are those whose b is so small, or so large, in 2.5 % of draws.

    Parameters
    ----------
    b : ndarray, shape (n,)
        Of `fit_reversion`; NaN stays.
    bars, factors : int
        Of the regression.

    Returns
    -------
    ndarray, shape (3, n)
        Quick end, middle, slow end, in bars; infinite where a residual without any return gives
        such a b as easily.

    References
    ----------
    Andrews (1993), Econometrica 61, 139-165.
    """
    speeds, seen = _bridge_speeds(bars, factors)
    observed = -bars * np.log(np.maximum(b, _LEAST_B))
    with np.errstate(divide="ignore"):
        lives = np.stack([
            bars * np.log(2.0) / _inverted(observed, quantile, speeds) for quantile in seen
        ])  # fmt: skip
    return np.where(np.isnan(b), np.nan, lives[::-1])


def _inverted(observed: FloatArray, seen: FloatArray, speeds: FloatArray) -> FloatArray:
    """Speed whose quantile is the one observed; beyond the last its own distance stays."""
    inside = np.interp(observed, seen, speeds, left=0.0)
    beyond: FloatArray = np.where(observed > seen[-1], speeds[-1] + observed - seen[-1], inside)
    return beyond


@lru_cache(maxsize=32)
def _bridge_speeds(bars: int, factors: int) -> tuple[FloatArray, FloatArray]:
    """True speeds, -log φ a window, and 97.5, 50 and 2.5 % quantiles of those a bridge shows."""
    simulated = min(bars, _MOST_SIMULATED)
    speeds = np.r_[0.0, np.geomspace(0.5, 3.0 * simulated, 24)]
    rng = np.random.default_rng((_SEED, bars, factors))
    design = np.column_stack([np.ones(simulated), rng.standard_normal((simulated, factors))])
    basis, _triangle = np.linalg.qr(design)
    shocks = rng.standard_normal((simulated + 1, _DRAWS))
    seen = np.empty((len(_LEVELS), speeds.size))
    for place, speed in enumerate(speeds):
        changes = np.diff(_autoregression(float(np.exp(-speed / simulated)), shocks), axis=0)
        b = fit_reversion(np.cumsum(without(basis, changes), axis=0)).b
        seen[:, place] = np.quantile(b, 1.0 - np.array(_LEVELS))
    seen = -simulated * np.log(np.maximum(seen, _LEAST_B))
    return speeds, np.maximum.accumulate(seen, axis=1)


def _autoregression(phi: float, shocks: FloatArray) -> FloatArray:
    """Paths of φ x + shock down the rows, begun in equilibrium; a walk has none."""
    path = np.empty_like(shocks)
    path[0] = shocks[0] / np.sqrt(1.0 - phi**2) if phi < 1.0 else shocks[0]
    for row in range(1, len(shocks)):
        path[row] = phi * path[row - 1] + shocks[row]
    return path
