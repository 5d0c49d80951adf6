"""Which leg gives way: the error-correction view of a pair, and each leg's share in its news."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analytics.errors import DegenerateSeriesError, ParameterError
from analytics.evidence.lagged import complete, lagged, lags_by_bic, line_and_gap
from analytics.frames import FloatArray
from analytics.hedge import Legs
from analytics.series import as_float_pair, index_of, series_name
from analytics.stationarity import check_level

MAX_LAGS: Final = 10
_SINGULAR: Final = 1e-10


@dataclass(frozen=True, slots=True)
class Loading:
    """How one leg answers the gap of the bar before.

    Attributes
    ----------
    name
        The leg.
    value, stderr
        Change of the leg over one bar, in its own unit, for a gap of 1 of y; its standard error
        allows for unequal variances (HC3).
    closes
        Share of a gap that this leg closes in one bar; below 0 it widens it.
    """

    name: str
    value: float
    stderr: float
    closes: float

    @property
    def t(self) -> float:
        """Loading over its error."""
        return self.value / self.stderr

    @property
    def pvalue(self) -> float:
        """Two-sided, normal: H0 is that the leg does not answer, given that the pair returns."""
        return float(2.0 * ndtr(-abs(self.t)))

    def gives_way(self, level: float) -> bool:
        """Whether the leg answers the gap, towards the line."""
        check_level(level)
        return self.closes > 0 and self.pvalue < level


@dataclass(frozen=True, slots=True)
class ErrorCorrection:
    """The error-correction model of two legs, given their line y = alpha + beta x.

    Attributes
    ----------
    alpha, beta
        The line; the gap is y - alpha - beta x.
    y, x
        How each leg answers the gap.
    component_share, component_stderr
        Gonzalo-Granger share of y in the permanent component: the part of the closing that x does.
        Beyond 0 to 1 where a leg widens the gap. Its error by the delta method.
    information_first, information_last
        Hasbrouck's information share of y with y first, and with y last, in the Cholesky order;
        those of x are what is left to 1. NaN where neither leg answers.
    shock_correlation
        Of the two legs' errors: the larger, the farther apart the two bounds.
    lags, nobs
        Lagged changes of both legs, and rows used.
    """

    alpha: float
    beta: float
    y: Loading
    x: Loading
    component_share: float
    component_stderr: float
    information_first: float
    information_last: float
    shock_correlation: float
    lags: int
    nobs: int
    reference: str = (
        "Engle & Granger (1987), Econometrica 55, 251-276; Gonzalo & Granger (1995), J. Business & "
        "Economic Statistics 13, 27-35; Hasbrouck (1995), J. Finance 50, 1175-1199; errors "
        "MacKinnon & White (1985), J. Econometrics 29, 305-325"
    )

    def verdict(self, level: float = 0.05) -> str:
        """Say which leg gives way, for a pair of which a test has shown that it returns."""
        giving = [leg for leg in (self.y, self.x) if leg.gives_way(level)]
        if not giving:
            return "neither leg is seen to give way"
        if len(giving) > 1:
            return "both legs give way"
        still = self.x if giving[0] is self.y else self.y
        return f"{giving[0].name} gives way, {still.name} is not seen to"


def error_correction(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    *,
    line: tuple[float, float] | None = None,
    lags: int | None = None,
) -> ErrorCorrection:
    """Fit how each leg answers the gap that the bar before left, and share out the news.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms; NaN is a missing bar: rows whose changes reach over one are left
        out.
    line : (alpha, beta), optional
        By default the least-squares line of y on x (Engle and Granger's two steps).
    lags : int, optional
        Lagged changes of both legs; by default 0 to 10 by BIC on common rows.

    Returns
    -------
    ErrorCorrection
        Loadings mean something only where a test of cointegration rejects: the t values of two
        unrelated walks are not normal, and large.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Fewer than 50 bars, or too few rows beside the lags; a constant leg, or an exact line.
    ParameterError, InvalidSeriesError
        Negative `lags`; different lengths or times; infinite values.
    """
    if lags is not None and (isinstance(lags, bool) or lags < 0):
        raise ParameterError("lags", lags, "a whole number, 0 or more")
    names = series_name(y, "y"), series_name(x, "x")
    legs = Legs.of(*as_float_pair(y, x), index_of(y, x), *names)
    alpha, beta, gap = line_and_gap(legs, line)
    change = np.column_stack([np.diff(legs.all_y), np.diff(legs.all_x)])
    what = f"error correction of {legs.what}"
    moved, level, past = complete(what, change, gap[:-1], lagged(change, lags or MAX_LAGS))
    if lags is None:
        lags = lags_by_bic(moved, np.hstack([level, np.ones_like(level)]), past)
    moved, level, past = complete(what, change, gap[:-1], lagged(change, lags))
    columns = np.hstack([level, np.ones_like(level), past])
    return _fit(moved, columns, (alpha, beta), lags, names, what)


def _fit(
    moved: FloatArray,
    columns: FloatArray,
    line: tuple[float, float],
    lags: int,
    names: tuple[str, str],
    what: str,
) -> ErrorCorrection:
    q, r = np.linalg.qr(columns)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() <= _SINGULAR * diagonal.max():
        raise DegenerateSeriesError(what, "a leg hardly moves in the rows that are known")
    loadings = np.linalg.solve(r, q.T @ moved)[0]
    shocks = moved - q @ (q.T @ moved)
    if (shocks.std(axis=0) <= _SINGULAR * moved.std(axis=0)).any() or not moved.any(axis=0).all():
        raise DegenerateSeriesError(what, "a leg hardly moves in the rows that are known")
    errors = _loading_errors(q, r, shocks)
    # In the unit of the gap: y closes it by falling, x, which counts beta times, by rising.
    scale = np.array([-1.0, line[1]])
    closes = scale * loadings
    share, share_error = component_share(closes, np.outer(scale, scale) * errors)
    covariance, unit = shocks.T @ shocks / len(shocks), np.array([1.0, line[1]])
    first, last = information_shares(closes, np.outer(unit, unit) * covariance)
    y_leg, x_leg = (
        Loading(name, float(loadings[i]), math.sqrt(errors[i, i]), float(closes[i]))
        for i, name in enumerate(names)
    )
    correlation = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    return ErrorCorrection(
        *line, y_leg, x_leg, share, share_error, first, last, float(correlation), lags, len(moved)
    )


def _loading_errors(q: FloatArray, r: FloatArray, shocks: FloatArray) -> FloatArray:
    """Covariance of the two loadings, HC3; shape (2, 2)."""
    first_row = q @ np.linalg.solve(r.T, np.eye(len(r))[0])
    leverage = np.einsum("ij,ij->i", q, q)
    pulled = shocks * (first_row / (1.0 - leverage))[:, None]
    return np.asarray(pulled.T @ pulled)


def component_share(closes: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    """Gonzalo-Granger share of y in the permanent component, and its standard error.

    Parameters
    ----------
    closes : ndarray, shape (2,)
        Share of a gap that y and x close in a bar; y's weight is what x closes of the two.
    covariance : ndarray, shape (2, 2)
        Of `closes`.

    Returns
    -------
    share, stderr : float
        NaN where the two together close nothing.
    """
    total = float(closes.sum())
    if total == 0:
        return math.nan, math.nan
    slope = np.array([-closes[1], closes[0]]) / total**2
    return float(closes[1]) / total, math.sqrt(float(slope @ covariance @ slope))


def information_shares(closes: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    """Hasbrouck's information share of y with y first in the order, and with y last.

    Parameters
    ----------
    closes : ndarray, shape (2,)
        As `component_share`: the weights of the permanent component are (what x closes, what y
        closes).
    covariance : ndarray, shape (2, 2)
        Of the shocks of y and of beta x.

    Returns
    -------
    first, last : float
        Which of the two is larger depends on the sign of the shocks' covariance. NaN where neither
        closes anything. Baillie, Booth, Tse & Zabotina (2002), J. Financial Markets 5, 309-321.
    """
    weights = closes[::-1]
    total = float(weights @ covariance @ weights)
    if total <= 0:
        return math.nan, math.nan
    y_variance, x_variance, both = covariance[0, 0], covariance[1, 1], covariance[0, 1]
    first = (weights[0] * y_variance + weights[1] * both) ** 2 / y_variance
    last = weights[0] ** 2 * (y_variance - both**2 / x_variance) if x_variance else first
    return float(first / total), float(last / total)
