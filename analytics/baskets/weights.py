"""Weights of a basket, by three methods that look for a combination that returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.baskets.johansen import leading_vector
from analytics.baskets.params import BasketMethod, check_method, check_symbols
from analytics.baskets.rows import HARDLY_MOVES, LaggedRows, check_values
from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray

# A first symbol with a smaller part of the combination than this has none.
_LEAST_PART: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class BasketFit:
    """Weights found on some bars.

    Attributes
    ----------
    symbols, method
        What was fitted, and how.
    weights : ndarray, shape (k,)
        Of the log prices; the first is 1.
    intercept
        Mean of the combination over the known bars: the spread is about 0.
    stderr : ndarray, shape (k,)
        Standard error of each weight, 0 of the first; NaN where the method has none.
    stat
        What the method makes large or small: Johansen's trace statistic (H0: no relation),
        Box-Tiao's predictability (0 to 1), the change that a deviation suffers a bar (-1 would be
        all of it).
    nobs, dropped
        Rows used, and known bars that could not be.
    """

    symbols: tuple[str, ...]
    method: BasketMethod
    weights: FloatArray
    intercept: float
    stderr: FloatArray
    stat: float
    nobs: int
    dropped: int
    reference: str

    @property
    def money(self) -> FloatArray:
        """Share of each symbol in the money of a long position: absolute values sum to 1."""
        shares: FloatArray = self.weights / np.abs(self.weights).sum()
        return shares

    def spread(self, logs: pd.DataFrame) -> pd.Series:
        """Combine log prices, a column a symbol: NaN where one is missing."""
        values = logs.to_numpy() @ self.weights - self.intercept
        return pd.Series(values, index=logs.index, name="spread", copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """A combination of any length and sign, as a method finds it; see `BasketFit`."""

    vector: FloatArray
    stat: float
    nobs: int
    reference: str
    stderr: FloatArray | None = None


def box_tiao(values: FloatArray, what: str) -> Direction:
    """Find the combination that the bar before predicts least.

    With x(t) = c + A x(t-1) + e(t) by least squares, predictability is the share of a
    combination's variance that A x(t-1) explains; its least value is an eigenvalue.

    References
    ----------
    Box & Tiao (1977), Biometrika 64, 355-365; d'Aspremont (2011), Quantitative Finance 11, 351-364.
    """
    rows = LaggedRows.of(values, what)
    least, vector = least_predictable(rows.now, rows.before)
    return Direction(
        vector,
        least,
        len(rows.now),
        "Box & Tiao (1977), Biometrika 64, 355-365; d'Aspremont (2011), Quantitative Finance 11, "
        "351-364",
    )


def min_half_life(values: FloatArray, what: str) -> Direction:
    """Find the combination whose deviations shrink most a bar: its half-life is the shortest.

    The half-life is ln 2 / -θ with θ the slope of Δs on s(t-1), as of a pair's spread: over all
    combinations θ is a ratio of two forms, so its least value is an eigenvalue. It is the lag-1
    autocorrelation less 1: the same combination crosses its mean most often.

    References
    ----------
    d'Aspremont (2011), Quantitative Finance 11, 351-364; Cuturi & d'Aspremont (2013), ICML 30,
    271-279: crossing statistics, without their penalties.
    """
    rows = LaggedRows.of(values, what)
    basis, scale = np.linalg.qr(rows.before)
    pull = np.linalg.solve(scale.T, (rows.now - rows.before).T @ basis)
    slopes, vectors = np.linalg.eigh((pull + pull.T) / 2.0)
    return Direction(
        np.linalg.solve(scale, vectors[:, 0]),
        float(slopes[0]),
        len(rows.now),
        "d'Aspremont (2011), Quantitative Finance 11, 351-364; Cuturi & d'Aspremont (2013), ICML "
        "30, 271-279",
    )


def johansen(values: FloatArray, what: str) -> Direction:
    """Find Johansen's leading cointegrating vector: a constant, one lagged change."""
    found = leading_vector(values, what)
    return Direction(
        found.vector,
        found.trace,
        found.nobs,
        "Johansen (1991), Econometrica 59, 1551-1580",
        found.stderr,
    )


def least_predictable(now: FloatArray, before: FloatArray) -> tuple[float, FloatArray]:
    """Least share of a combination of `now` that `before` explains, and the combination.

    Both of shape (n, k), columns about their means: the smallest squared canonical correlation.
    """
    basis, _ = np.linalg.qr(before)
    own, scale = np.linalg.qr(now)
    _, correlations, directions = np.linalg.svd(basis.T @ own)
    return float(correlations[-1] ** 2), np.linalg.solve(scale, directions[-1])


_METHODS: Final[dict[BasketMethod, Callable[[FloatArray, str], Direction]]] = {
    "johansen": johansen,
    "box_tiao": box_tiao,
    "min_half_life": min_half_life,
}


def find_direction(values: FloatArray, method: BasketMethod, what: str) -> Direction:
    """Find a method's combination of checked values, shape (n, k), NaN missing.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Too few rows; rows that no combination can be found in.
    """
    try:
        return _METHODS[method](values, what)
    except np.linalg.LinAlgError as error:
        raise DegenerateSeriesError(what, HARDLY_MOVES) from error


def fit_basket(logs: pd.DataFrame, method: BasketMethod = "johansen") -> BasketFit:
    """Find the weights of a basket.

    Parameters
    ----------
    logs : DataFrame, shape (n, k), 3 <= k <= 8
        Log prices, a column a symbol; NaN is a missing bar: rows that would reach over one are
        left out.
    method : {"johansen", "box_tiao", "min_half_life"}

    Returns
    -------
    BasketFit
        Weights with the first symbol's 1. Whatever the method, they are those that make *these*
        bars look like a return: unrelated walks have such a combination too.

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 rows beyond the coefficients of the model.
    DegenerateSeriesError
        A constant or collinear symbol, over all known bars or in the rows used; a combination
        that leaves the first symbol out.
    ParameterError, InvalidSeriesError
        Not three to eight different symbols, an unknown method; infinite values.
    """
    known_method = check_method(method)
    symbols = check_symbols(tuple(str(name) for name in logs.columns))
    what = f"basket {symbols[0]}/{'+'.join(symbols[1:])}"
    values = check_values(logs, what)
    found = find_direction(values, known_method, what)
    known = ~np.isnan(values).any(axis=1)
    sizes = np.abs(found.vector) * values[known].std(axis=0)
    if sizes[0] <= _LEAST_PART * sizes.max():
        raise DegenerateSeriesError(
            what, f"the combination leaves {symbols[0]} out: put another symbol first"
        )
    weights = found.vector / found.vector[0]
    stderr = np.full(len(symbols), np.nan) if found.stderr is None else found.stderr
    return BasketFit(
        symbols=symbols,
        method=known_method,
        weights=weights,
        intercept=float((values[known] @ weights).mean()),
        stderr=stderr,
        stat=found.stat,
        nobs=found.nobs,
        dropped=int(known.sum()) - found.nobs,
        reference=found.reference,
    )
