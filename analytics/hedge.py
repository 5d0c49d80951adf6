"""Hedge ratios: how much of S2 (x) stands against one S1 (y)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray
from analytics.series import as_float_pair, series_name

ROUNDING = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class HedgeFit:
    """The fit of y = alpha + beta * x.

    Attributes
    ----------
    beta, alpha
        Slope (units of y per unit of x) and intercept (units of y; 0 when left out).
    nobs, dropped
        Rows used, and rows left out because y or x was NaN.
    beta_stderr, alpha_stderr
        Classical standard errors (homoskedastic, uncorrelated residuals): too small on prices,
        whose residuals are autocorrelated. `alpha_stderr` is NaN without intercept.
    r_squared
        Centred with intercept, uncentred without (as NIST and statsmodels do).
    residual_std
        Square root of SSR over (nobs - number of coefficients), units of y.
    causal
        True where the value at bar t uses bars up to t only.
    looks_back
        In words: which bars the estimate has seen.
    """

    beta: float
    alpha: float
    nobs: int
    dropped: int
    beta_stderr: float
    alpha_stderr: float
    r_squared: float
    residual_std: float
    method: str
    intercept: bool
    causal: bool
    looks_back: str
    y_name: str
    x_name: str
    reference: str


def fit_hedge(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    method: str = "ols",
    *,
    intercept: bool = True,
    **options: object,
) -> HedgeFit:
    """Estimate the hedge ratio of y on x.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices (quote currency) or their logarithms, of the same times. Rows in which either is
        NaN are left out of both and counted in ``dropped``.
    method : str
        One of `HEDGE_METHODS`. ``"ols"``: ordinary least squares over all rows.
    intercept : bool
        Estimate alpha too; otherwise the line goes through the origin.
    **options
        Options of the method. ``"ols"`` has none.

    Returns
    -------
    HedgeFit

    Raises
    ------
    ParameterError
        Unknown method (the message lists those known) or unknown option.
    InvalidSeriesError
        Different lengths or times, or infinite values.
    NotEnoughDataError
        Fewer than 3 complete rows (2 without intercept).
    DegenerateSeriesError
        x is constant (zero without intercept): no slope is defined.
    """
    fit = _METHODS.get(method)
    if fit is None:
        raise ParameterError("method", method, f"one of {', '.join(HEDGE_METHODS)}")
    y_values, x_values = as_float_pair(y, x)
    known = ~(np.isnan(y_values) | np.isnan(x_values))
    legs = _Legs(
        y=y_values[known],
        x=x_values[known],
        dropped=int((~known).sum()),
        y_name=series_name(y, "y"),
        x_name=series_name(x, "x"),
    )
    return fit(legs, intercept, options)


@dataclass(frozen=True, slots=True)
class _Legs:
    """Complete rows only, with the names for messages."""

    y: FloatArray
    x: FloatArray
    dropped: int
    y_name: str
    x_name: str

    @property
    def what(self) -> str:
        return f"hedge ratio of {self.y_name} on {self.x_name}"


def centred(values: FloatArray) -> tuple[FloatArray, float]:
    """Subtract the mean, twice: the second pass removes what the first mean was rounded by."""
    mean = float(values.mean())
    deviations = values - mean
    rest = float(deviations.mean())
    return deviations - rest, mean + rest


def _fit_ols(legs: _Legs, intercept: bool, options: dict[str, object]) -> HedgeFit:
    """Least squares on centred data: no digits lost at prices far from zero."""
    if options:
        raise ParameterError("options", sorted(options), "empty: method 'ols' has none")
    coefficients = 2 if intercept else 1
    nobs = legs.y.size
    if nobs <= coefficients:
        raise NotEnoughDataError(legs.what, coefficients + 1, nobs, "complete rows")
    y, y_mean = centred(legs.y) if intercept else (legs.y, 0.0)
    x, x_mean = centred(legs.x) if intercept else (legs.x, 0.0)
    _check_varies(legs, intercept)
    x_scale = float(np.abs(x).max())
    x = x / x_scale
    x_squares = float(x @ x)
    slope = float(x @ y) / x_squares
    slope += float(x @ (y - slope * x)) / x_squares
    residuals = y - slope * x
    residual_std = math.sqrt(float(residuals @ residuals) / (nobs - coefficients))
    beta = slope / x_scale
    stderr = residual_std / math.sqrt(x_squares)
    y_squares = float(y @ y)
    return HedgeFit(
        beta=beta,
        alpha=y_mean - beta * x_mean,
        nobs=nobs,
        dropped=legs.dropped,
        beta_stderr=stderr / x_scale,
        alpha_stderr=math.hypot(residual_std / math.sqrt(nobs), stderr * (x_mean / x_scale))
        if intercept
        else math.nan,
        r_squared=1.0 - float(residuals @ residuals) / y_squares if y_squares > 0 else math.nan,
        residual_std=residual_std,
        method="ols",
        intercept=intercept,
        causal=False,
        looks_back=f"over all {nobs:,} bars of the lookback at once",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Engle & Granger (1987), Econometrica 55, 251-276: the cointegrating regression",
    )


def _check_varies(legs: _Legs, intercept: bool) -> None:
    size = float(np.abs(legs.x).max())
    if not intercept:
        if size == 0:
            raise DegenerateSeriesError(legs.what, f"{legs.x_name} is zero in all rows")
    elif float(np.ptp(legs.x)) <= ROUNDING * size:
        raise DegenerateSeriesError(
            legs.what, f"{legs.x_name} is constant at {legs.x[0]:g} over {legs.x.size} rows"
        )


_Fit = Callable[[_Legs, bool, dict[str, object]], HedgeFit]
_METHODS: Final[dict[str, _Fit]] = {"ols": _fit_ols}
HEDGE_METHODS: Final[tuple[str, ...]] = tuple(_METHODS)
