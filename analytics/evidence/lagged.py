"""Rows of a regression on lagged changes: those that reach over no missing bar, and how many."""

from typing import Final

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.hedge import Legs, fit_hedge

# Rows left free beside the coefficients.
LEAST_ROWS: Final = 40


def line_and_gap(
    legs: Legs, line: tuple[float, float] | None = None
) -> tuple[float, float, FloatArray]:
    """Return alpha and beta, and y - alpha - beta x over all rows (NaN at missing bars).

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Fewer than 50 rows; a constant leg, or an exact line.
    """
    legs.need(50)
    legs.check_x_varies()
    legs.check_y_varies()
    if line is None:
        fit = fit_hedge(legs.y, legs.x)
        line = fit.alpha, fit.beta
    alpha, beta = line
    gap = legs.all_y - alpha - beta * legs.all_x
    if float(np.nanmax(np.abs(gap))) <= 1e-12 * float(np.abs(legs.y).max()):
        raise DegenerateSeriesError(legs.what, "the legs are identical or exactly collinear")
    return alpha, beta, gap


def lagged(change: FloatArray, lags: int) -> FloatArray:
    """Set beside each row the changes of the 1 to `lags` bars before; NaN where there are none.

    Shape (n, k) gives (n, lags * k), the nearest bar first.
    """
    columns = np.full((len(change), lags, change.shape[1]), np.nan)
    for lag in range(1, lags + 1):
        columns[lag:, lag - 1] = change[:-lag]
    return columns.reshape(len(change), -1)


def complete(what: str, *parts: FloatArray) -> list[FloatArray]:
    """Keep the rows that all parts know.

    Raises
    ------
    NotEnoughDataError
        Fewer than 40 rows beyond the columns of all parts.
    """
    parts = tuple(part if part.ndim > 1 else part[:, None] for part in parts)
    known = np.logical_and.reduce([np.isfinite(part).all(axis=1) for part in parts])
    needed = LEAST_ROWS + sum(part.shape[1] for part in parts)
    if known.sum() < needed:
        raise NotEnoughDataError(what, needed, int(known.sum()))
    return [part[known] for part in parts]


def lags_by_bic(moved: FloatArray, first: FloatArray, past: FloatArray) -> int:
    """Choose how many lags of `past` to keep beside the columns `first`, on the same rows.

    `past` holds the lags of as many series as `moved` has columns, the nearest first. Schwarz
    (1978), Annals of Statistics 6, 461-464.
    """
    rows, width = moved.shape
    q = np.linalg.qr(np.hstack([first, past]))[0]
    shares = q.T @ moved
    best, least = 0, np.inf
    for lag in range(past.shape[1] // width + 1):
        used = first.shape[1] + lag * width
        left = moved.T @ moved - shares[:used].T @ shares[:used]
        value = rows * np.linalg.slogdet(left)[1] + np.log(rows) * lag * width**2
        if value < least:
            best, least = lag, value
    return best
