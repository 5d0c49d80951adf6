"""Tests of cointegration: Engle-Granger's residual test; Johansen's by the same door."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray
from analytics.series import as_float_pair, series_name
from analytics.stationarity.dickey_fuller import (
    NOISE,
    TREND_TERMS,
    AutoLag,
    DickeyFullerFit,
    Trend,
    check_autolag,
    check_trend,
    dickey_fuller,
    min_bars,
)
from analytics.stationarity.mackinnon import critical_values, mackinnon_pvalue
from analytics.stationarity.verdicts import rejects_unit_root, unit_root_verdict

# Printed prices have at most 15 digits: a residual this small beside them is rounding.
_COLLINEAR = 1e-12


@dataclass(frozen=True, slots=True)
class EngleGrangerResult:
    """Engle-Granger test of y on x; swapping the legs gives another number.

    Attributes
    ----------
    stat
        t statistic of the lagged residual.
    pvalue
        MacKinnon's, for a residual whose beta was estimated from the same bars.
    critical_values
        At ``"1%"``, ``"5%"``, ``"10%"``; NaN with trend "n", for which none are published.
    lags, max_lags
        Lagged differences used, and the most that were tried.
    nobs
        Rows of the residual's test regression; `bars` is the rows of the regression of y on x.
    beta, alpha
        Of that regression; alpha is NaN where a trend stands beside it.
    dependent, regressor
        Names of y and x.
    """

    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    lags: int
    nobs: int
    max_lags: int
    trend: str
    autolag: str | None
    bars: int
    beta: float
    alpha: float
    dependent: str
    regressor: str
    null_hypothesis: str = "the two series are not cointegrated: no fixed ratio keeps them together"
    reference: str = "Engle & Granger (1987); MacKinnon (1994, 2010) for two variables"

    def rejects(self, level: float = 0.05) -> bool:
        """Whether H0 is rejected, by the p-value and by the sample's own critical value."""
        return rejects_unit_root(self.stat, self.pvalue, self.critical_values, level)

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what the test says at this level."""
        words = ("cointegrated", "no evidence of cointegration")
        return unit_root_verdict(self.stat, self.pvalue, self.critical_values, level, words)


def engle_granger_test(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    trend: str = "c",
    max_lags: int | None = None,
    autolag: str | None = "aic",
) -> EngleGrangerResult:
    """Test two series for cointegration: regress y on x, test the residual for a unit root.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms, of the same times; y is the dependent leg. Rows with NaN in
        either are missing bars: left out of the regression, and no lag reaches over them.
    trend : {"c", "n", "ct", "ctt"}
        Terms beside x in the regression of y on x; the residual's test has none.
    max_lags, autolag
        As in `adf_test`.

    Returns
    -------
    EngleGrangerResult
        H0: y and x are not cointegrated. Critical values are MacKinnon's (2010) for two variables
        and n - 1 observations, as Stata's ``egranger`` has them.

    Raises
    ------
    NotEnoughDataError
        Too few bars, as in `adf_test`.
    DegenerateSeriesError
        A constant leg, or identical or exactly collinear legs (statsmodels answers -inf, p = 0).
    ParameterError, InvalidSeriesError
        Unknown trend or criterion; different lengths or times; infinite values.
    """
    known_trend, criterion = check_trend(trend), check_autolag(autolag)
    y_values, x_values = as_float_pair(y, x)
    dependent, regressor = series_name(y, "y"), series_name(x, "x")
    what = f"Engle-Granger of {dependent} on {regressor}"
    known = ~(np.isnan(y_values) | np.isnan(x_values))
    bars = int(np.count_nonzero(known))
    if bars < min_bars(known_trend, max_lags):
        raise NotEnoughDataError(what, min_bars(known_trend, max_lags), bars)
    residual, beta, alpha = _cointegrating_residual(y_values, x_values, known, known_trend, what)
    fit = dickey_fuller(residual, "n", max_lags, criterion, what)
    line, names = (beta, alpha), (dependent, regressor)
    return engle_granger_of_fit(fit, known_trend, criterion, bars, line, names)


def engle_granger_of_fit(
    fit: DickeyFullerFit,
    trend: Trend,
    autolag: AutoLag | None,
    bars: int,
    line: tuple[float, float],
    names: tuple[str, str],
) -> EngleGrangerResult:
    """Judge the regression of a residual: `line` has beta and alpha, `names` y and x."""
    return EngleGrangerResult(
        stat=fit.stat,
        pvalue=mackinnon_pvalue(fit.stat, trend, 2),
        critical_values=critical_values(trend, 2, bars - 1),
        lags=fit.lags,
        nobs=fit.nobs,
        max_lags=fit.max_lags,
        trend=trend,
        autolag=autolag,
        bars=bars,
        beta=line[0],
        alpha=line[1],
        dependent=names[0],
        regressor=names[1],
    )


def _cointegrating_residual(
    y: FloatArray, x: FloatArray, known: BoolArray, trend: Trend, what: str
) -> tuple[FloatArray, float, float]:
    """Residual of y on x and the trend, NaN at missing bars; beta; alpha (NaN beside a trend)."""
    if trend == "c" and known.all():
        return _residual_on_line(y, x, what)
    y_known, x_known = y[known], x[known]
    residual = np.full(y.size, np.nan)
    if trend == "c":
        residual[known], beta, level = _residual_on_line(y_known, x_known, what)
        return residual, beta, level
    for values, leg in ((y_known, "dependent"), (x_known, "other")):
        if float(np.ptp(values)) <= NOISE * float(np.abs(values).max()):
            raise DegenerateSeriesError(what, f"the {leg} leg is constant over {values.size} bars")
    y_free = _without_trend(y_known, known, trend)
    x_free = _without_trend(x_known, known, trend)
    x_size = float(np.abs(x_free).max())
    if x_size <= NOISE * float(np.abs(x_known).max()):
        raise DegenerateSeriesError(what, "the other leg is nothing but the trend")
    unit = x_free / x_size
    slope = float(unit @ y_free) / float(unit @ unit)
    rest = y_free - slope * unit
    beta = slope / x_size
    size = float(np.abs(y_known).max()) + abs(beta) * float(np.abs(x_known).max())
    if float(np.abs(rest).max()) <= _COLLINEAR * size:
        raise DegenerateSeriesError(what, "the legs are identical or exactly collinear")
    residual[known] = rest
    return residual, beta, 0.0 if trend == "n" else math.nan


def _residual_on_line(y: FloatArray, x: FloatArray, what: str) -> tuple[FloatArray, float, float]:
    """Do the same in compiled code, for known bars and a constant."""
    from analytics.kernels.adf import LINE_SIZE, residual_on_line  # noqa: PLC0415 - numba, when needed

    for values, leg in ((y, "dependent"), (x, "other")):
        least, most = float(values.min()), float(values.max())
        if most - least <= NOISE * max(abs(least), abs(most)):
            raise DegenerateSeriesError(what, f"the {leg} leg is constant over {values.size} bars")
    residual, line = np.empty(y.size), np.empty(LINE_SIZE)
    residual_on_line(y, x, residual, line)
    y_mean, x_mean, beta, reach, largest, y_size, x_size = line.tolist()
    if reach <= NOISE * x_size:
        raise DegenerateSeriesError(what, "the other leg is nothing but the trend")
    if largest <= _COLLINEAR * (y_size + abs(beta) * x_size):
        raise DegenerateSeriesError(what, "the legs are identical or exactly collinear")
    return residual, beta, y_mean - beta * x_mean


def _without_trend(values: FloatArray, known: BoolArray, trend: Trend) -> FloatArray:
    if trend == "n":
        return values
    place = np.linspace(-1.0, 1.0, known.size)[known]
    basis, _ = np.linalg.qr(np.column_stack([place**power for power in range(TREND_TERMS[trend])]))
    free: FloatArray = values - values.mean()
    # The second pass removes what the first was rounded by.
    for _ in range(2):
        free = free - basis @ (basis.T @ free)
    return free
