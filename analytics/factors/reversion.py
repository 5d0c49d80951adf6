"""A cumulative residual as an Ornstein-Uhlenbeck process: speed, level, spread and s-score."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray

# The paper's: a position is opened from here on.
OPEN_AT: Final = 1.25
# And closed: a sale below 0.75, a purchase above -0.5.
CLOSE_SALE_AT: Final = 0.75
CLOSE_PURCHASE_AT: Final = -0.5


@dataclass(frozen=True, slots=True, eq=False)
class Reversion:
    """X_{n+1} = a + b X_n + ζ of each walk, and the process it stands for; a bar is the unit.

    Attributes
    ----------
    b
        NaN for a walk that does not move.
    kappa
        -log b; infinite where b is 0 or less, NaN where it is 1 or more.
    mean
        a / (1 - b), the level it returns to; NaN as `kappa`.
    std_eq
        sqrt(Var ζ / (1 - b²)), its spread around that; NaN where b is not between -1 and 1.
    """

    b: FloatArray
    kappa: FloatArray
    mean: FloatArray
    std_eq: FloatArray

    def passes(self, bars: int) -> BoolArray:
        """Whether it returns in less than half the window, as the paper asks: 1 / κ < bars / 2."""
        quick: BoolArray = self.kappa > 2.0 / bars
        return quick

    @property
    def half_life(self) -> FloatArray:
        """Take ln 2 / κ bars, which reads far too short: `analytics.factors.memory` corrects it."""
        life: FloatArray = np.log(2.0) / self.kappa
        return life

    def s_scores(self, means: FloatArray | None = None) -> FloatArray:
        """How far the last value, which is 0, stands from the level, in equilibrium spreads.

        `means` are the levels to take in place of its own: those of `centred_means`.
        """
        level = self.mean if means is None else means
        score: FloatArray = -level / self.std_eq
        return score

    def drifting_s_scores(self, alpha: FloatArray, means: FloatArray | None = None) -> FloatArray:
        """The same less α / (κ σ_eq): a residual with a drift is expected off its level."""
        score: FloatArray = self.s_scores(means) - alpha / (self.kappa * self.std_eq)
        return score


def fit_reversion(walks: FloatArray) -> Reversion:
    """Fit each column by least squares; Var ζ with ddof 2.

    Parameters
    ----------
    walks : ndarray, shape (bars, n)

    References
    ----------
    Avellaneda & Lee (2010), appendix A, with a bar in place of a day (κ = -log(b) · 252 there).
    """
    before, after = walks[:-1], walks[1:]
    count = len(before)
    mean_before, mean_after = before.mean(axis=0), after.mean(axis=0)
    deviation, step = before - mean_before, after - before
    step = step - (mean_after - mean_before)
    square = np.einsum("tn,tn->n", deviation, deviation)
    cross = np.einsum("tn,tn->n", deviation, step)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(square > 0, cross / square, np.nan)
        unexplained = np.einsum("tn,tn->n", step, step) - slope * cross
        return _process(slope, mean_before, mean_after, unexplained / (count - 2))


def _process(
    slope: FloatArray, mean_before: FloatArray, mean_after: FloatArray, variance: FloatArray
) -> Reversion:
    b = 1.0 + slope
    known = np.where(b < 1.0, b, np.nan)
    kappa = np.where(known > 0.0, -np.log(np.maximum(known, 1e-300)), np.inf)
    kappa = np.where(np.isnan(known), np.nan, kappa)
    level = (mean_after - known * mean_before) / (1.0 - known)
    std_eq = np.sqrt(np.where(known > -1.0, variance / (1.0 - known**2), np.nan))
    return Reversion(b, kappa, level, std_eq)


def centred_means(means: FloatArray) -> FloatArray:
    """Levels less their average over symbols, the paper's guard against a common bias.

    Parameters
    ----------
    means : ndarray, shape (symbols,) or (symbols, draws)
        NaN counts for nothing and stays.
    """
    known = ~np.isnan(means)
    average = np.where(known, means, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred: FloatArray = means - average
    return centred
