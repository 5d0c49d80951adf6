"""What the factors leave of each symbol: a regression on their returns, its residual summed up."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray

# What the factors before it leave of a factor: less is rounding.
_LEAST_OWN: Final = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Returns of many symbols on the same factors by least squares.

    Attributes
    ----------
    alpha : ndarray, shape (symbols,)
        Drift a bar that the factors leave.
    betas : ndarray, shape (factors, symbols)
    r_squared : ndarray, shape (symbols,)
        NaN for a symbol that does not move.
    residuals : ndarray, shape (bars, symbols)
        They add up to 0.
    basis : ndarray, shape (bars, factors + 1)
        Orthonormal, of a constant and the factors: what a regression takes out.
    """

    alpha: FloatArray
    betas: FloatArray
    r_squared: FloatArray
    residuals: FloatArray
    basis: FloatArray

    @property
    def walks(self) -> FloatArray:
        """Cumulative residuals X, shape (bars, symbols); the last one is 0 by construction."""
        walk: FloatArray = np.cumsum(self.residuals, axis=0)
        return walk


def regress(returns: FloatArray, factor_returns: FloatArray) -> Regression:
    """Regress each column of returns on a constant and the factors.

    Parameters
    ----------
    returns : ndarray, shape (bars, symbols)
    factor_returns : ndarray, shape (bars, factors)

    Raises
    ------
    DegenerateSeriesError
        A factor does not move, or moves only as those before it do.

    References
    ----------
    Avellaneda & Lee (2010), appendix A: R = β₀ + β F + ε, X_k = Σ_{j ≤ k} ε_j.
    """
    design = np.column_stack([np.ones(len(returns)), factor_returns])
    basis, triangle = np.linalg.qr(design)
    _refuse_dependent(design, triangle)
    coefficients = np.linalg.solve(triangle, basis.T @ returns)
    residuals = without(basis, returns)
    moved = ((returns - returns.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        r_squared = np.where(moved > 0, 1.0 - (residuals**2).sum(axis=0) / moved, np.nan)
    return Regression(coefficients[0], coefficients[1:], r_squared, residuals, basis)


def _refuse_dependent(design: FloatArray, triangle: FloatArray) -> None:
    own, size = np.abs(np.diagonal(triangle)), np.sqrt((design**2).sum(axis=0))
    if (own <= _LEAST_OWN * size).any():
        raise DegenerateSeriesError(
            f"a regression on {design.shape[1] - 1} of the factors over {len(design)} bars",
            "too few symbols move in these bars to tell the factors apart",
        )


def without(basis: FloatArray, returns: FloatArray) -> FloatArray:
    """Take out of each column what an orthonormal basis explains."""
    rest: FloatArray = returns - basis @ (basis.T @ returns)
    return rest
