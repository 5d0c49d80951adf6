"""Johansen's leading cointegrating vector of several series, with errors of its weights."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.baskets.rows import check_rank
from analytics.errors import NotEnoughDataError
from analytics.frames import FloatArray

# Lagged changes in the error-correction model.
LAGS: Final = 1
_FREE: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class LeadingVector:
    """The vector and what is known of it.

    Attributes
    ----------
    vector, eigenvalues : ndarray, shape (k,)
        Of the greatest eigenvalue; all of them, descending.
    trace
        Trace statistic of "no relation at all".
    stderr : ndarray, shape (k,)
        Of the vector with the first weight 1; 0 there.
    nobs
        Rows.
    """

    vector: FloatArray
    eigenvalues: FloatArray
    trace: float
    stderr: FloatArray
    nobs: int


def leading_vector(values: FloatArray, what: str) -> LeadingVector:
    """Fit Δx(t) = c + α β'x(t-1) + Γ Δx(t-1) + e(t) with one relation β.

    Rows that would reach over a missing bar are left out. Without such the figures are
    `analytics.stationarity.johansen_test`'s.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 rows beyond the coefficients.
    DegenerateSeriesError
        A symbol that hardly moves in the rows used, or only as the others do.

    References
    ----------
    Johansen (1991), Econometrica 59, 1551-1580; standard errors, given one relation: Luetkepohl
    (2005), New Introduction to Multiple Time Series Analysis, 7.2.4.
    """
    moved, level = _concentrated(values, what)
    rows = len(moved)
    own, scale = np.linalg.qr(level)
    basis, _ = np.linalg.qr(moved)
    _, correlations, directions = np.linalg.svd(basis.T @ own)
    vector = np.linalg.solve(scale, directions[0])
    eigenvalues = correlations**2
    trace = -rows * float(np.log1p(-eigenvalues).sum())
    return LeadingVector(
        vector, eigenvalues, trace, _stderr(moved, level, vector / vector[0]), rows
    )


def _concentrated(values: FloatArray, what: str) -> tuple[FloatArray, FloatArray]:
    """Changes and levels before, less what a constant and past changes explain of them."""
    levels = values - values[~np.isnan(values.sum(axis=1))].mean(axis=0)
    change = np.diff(levels, axis=0)
    known = ~np.isnan(change).any(axis=1)
    rows = np.flatnonzero(known[1:] & known[:-1]) + 1
    columns = values.shape[1]
    needed = _FREE + (LAGS + 1) * (columns + 1)
    if rows.size < needed:
        raise NotEnoughDataError(what, needed, int(rows.size), "bars with two known before")
    past = np.column_stack([np.ones(rows.size), change[rows - 1]])
    both = np.column_stack([change[rows], levels[rows]])
    basis, _ = np.linalg.qr(past)
    both -= basis @ (basis.T @ both)
    moved, level = both[:, :columns], both[:, columns:]
    for each in (moved, level):
        check_rank(each, values, what)
    return moved, level


def _stderr(moved: FloatArray, level: FloatArray, weights: FloatArray) -> FloatArray:
    gap = level @ weights
    speed = gap @ moved / float(gap @ gap)
    shocks = moved - np.outer(gap, speed)
    information = float(speed @ np.linalg.solve(shocks.T @ shocks / len(moved), speed))
    others = np.linalg.inv(level[:, 1:].T @ level[:, 1:])
    errors: FloatArray = np.r_[0.0, np.sqrt(np.diag(others) / information)]
    return errors
