"""Tests of stationarity and the half-life of a spread."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.frames import FloatArray
from analytics.series import as_floats, series_name
from analytics.stationarity.dickey_fuller import (
    AutoLag,
    DickeyFullerFit,
    Trend,
    check_autolag,
    check_trend,
    dickey_fuller,
)
from analytics.stationarity.mackinnon import critical_values, mackinnon_pvalue
from analytics.stationarity.median_unbiased import halvings, unbiased_thetas
from analytics.stationarity.verdicts import (
    check_level,
    pvalue_words,
    rejects_unit_root,
    unit_root_verdict,
)


@dataclass(frozen=True, slots=True)
class ADFResult:
    """Augmented Dickey-Fuller test.

    Attributes
    ----------
    stat
        t statistic of the lagged level.
    pvalue
        MacKinnon's approximate p-value for a series with given coefficients.
    critical_values
        At ``"1%"``, ``"5%"``, ``"10%"``, for `nobs`.
    lags, max_lags
        Lagged differences used, and the most that were tried.
    nobs
        Rows of the test regression.
    coefficient
        Of the lagged level, per bar.
    plain_pvalue
        Of a residual (`of_residual`): what the test would say if its line had been given; else NaN.
    """

    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    lags: int
    nobs: int
    max_lags: int
    trend: str
    autolag: str | None
    coefficient: float
    null_hypothesis: str = "the series has a unit root: it wanders and does not return to a mean"
    reference: str = "Dickey & Fuller (1979); p-values MacKinnon (1994), critical values (2010)"
    plain_pvalue: float = math.nan

    def rejects(self, level: float = 0.05) -> bool:
        """Whether H0 is rejected, by the p-value and by the sample's own critical value."""
        return rejects_unit_root(self.stat, self.pvalue, self.critical_values, level)

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what the test says at this level."""
        words = ("mean-reverting", "no evidence of mean reversion")
        return unit_root_verdict(self.stat, self.pvalue, self.critical_values, level, words)


@dataclass(frozen=True, slots=True)
class HalfLife:
    """Half-life of a spread's deviation from its mean.

    Attributes
    ----------
    half_life
        Bars, ln 2 / -theta; NaN where theta is not negative: the spread does not return.
    theta, theta_stderr
        Coefficient of the lagged level in Δs = c + theta * s, per bar.
    mean_reverting
        Whether theta is negative at all; `pvalue` says how sure that is.
    stat, pvalue, critical_values, nobs
        The Dickey-Fuller test of theta without lags.
    bars, on_estimated_line
        Known bars of the spread, and whether its line was fitted to the same bars: what the
        interval goes by.
    """

    half_life: float
    theta: float
    theta_stderr: float
    mean_reverting: bool
    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    nobs: int
    bars: int
    on_estimated_line: bool = False
    lags: int = 0
    null_hypothesis: str = "theta is 0: the spread has a unit root and no half-life"
    reference: str = (
        "Chan (2013), Algorithmic Trading, ch. 2; Dickey & Fuller (1979); interval Andrews (1993), "
        "Econometrica 61, 139-165"
    )

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval in bars, right near a random walk too; NaN for an end that is open.

        It takes the spread as first order: noise of single bars makes all of it too short.
        """
        slow, _, fast = self._unbiased()
        return fast, slow

    @property
    def median_unbiased(self) -> float:
        """Half-life that is as often too long as too short, bars; NaN where it has no bound."""
        return self._unbiased()[1]

    def _unbiased(self) -> tuple[float, float, float]:
        """Bars at the slow end, in the middle and at the fast end."""
        estimate = np.array([self.theta]), np.array([self.theta_stderr]), np.array([self.bars])
        thetas = unbiased_thetas(*estimate, self.on_estimated_line)
        slow, middle, fast = halvings(thetas[:, 0]).tolist()
        return slow, middle, fast

    def rejects(self, level: float = 0.05) -> bool:
        """Whether H0 is rejected, so that there is a half-life to speak of."""
        return self.mean_reverting and rejects_unit_root(
            self.stat, self.pvalue, self.critical_values, level
        )

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words how long a deviation lasts, or that it does not return."""
        check_level(level)
        if not self.mean_reverting:
            return "not mean-reverting: deviations grow instead of shrinking"
        if not self.rejects(level):
            return (
                f"not mean-reverting at this level ({pvalue_words(self.pvalue)}, level "
                f"{level:g}): {self.half_life:,.1f} bars is what a random walk would show too"
            )
        low, high = self.interval
        if math.isnan(low):
            return f"half of a deviation is gone in {self.half_life:,.1f} bars, if ever"
        upper = "no upper bound" if math.isnan(high) else f"{high:,.1f}"
        return f"half of a deviation is gone in {self.half_life:,.1f} bars ({low:,.1f} to {upper})"

    def __float__(self) -> float:
        """Half-life in bars."""
        return self.half_life


def adf_test(
    series: pd.Series | FloatArray,
    trend: str = "c",
    max_lags: int | None = None,
    autolag: str | None = "aic",
) -> ADFResult:
    """Test a series for a unit root (augmented Dickey-Fuller).

    Parameters
    ----------
    series : Series or ndarray, shape (n,)
        Any unit. NaN is a missing bar: rows of the regression that would reach over one are left
        out, nothing is joined across a hole.
    trend : {"c", "n", "ct", "ctt"}
        Constant; nothing; constant and line; constant, line and parabola.
    max_lags : int, optional
        Most lagged differences; by default ceil(12 (n/100)^(1/4)), less where holes would cost
        more than half of the rows.
    autolag : {"aic", "bic", "t-stat", None}
        How the number of lags is chosen up to `max_lags`; None takes `max_lags` itself.

    Returns
    -------
    ADFResult
        H0: the series has a unit root. For a spread whose beta was *estimated* from the same bars
        the p-value is too small: see `of_residual` and `engle_granger_test`.

    Raises
    ------
    NotEnoughDataError
        Fewer bars than give 20 free observations (23 with a constant) or than the lags need.
    DegenerateSeriesError
        A constant series, or one that its own past reproduces exactly.
    ParameterError, InvalidSeriesError
        Unknown trend or criterion; infinite values or more than one dimension.
    """
    known_trend, criterion = check_trend(trend), check_autolag(autolag)
    name = series_name(series, "the series")
    values = as_floats(series, name)
    fit = dickey_fuller(values, known_trend, max_lags, criterion, f"ADF on {name}")
    return adf_of_fit(fit, known_trend, criterion)


def adf_of_fit(fit: DickeyFullerFit, trend: Trend, autolag: AutoLag | None) -> ADFResult:
    """Judge a regression of a given series."""
    return ADFResult(
        stat=fit.stat,
        pvalue=mackinnon_pvalue(fit.stat, trend, 1),
        critical_values=critical_values(trend, 1, fit.nobs),
        lags=fit.lags,
        nobs=fit.nobs,
        max_lags=fit.max_lags,
        trend=trend,
        autolag=autolag,
        coefficient=fit.coefficient,
    )


def half_life(spread: pd.Series | FloatArray, *, on_estimated_line: bool = False) -> HalfLife:
    """Estimate how many bars a deviation of the spread takes to halve.

    Parameters
    ----------
    spread : Series or ndarray, shape (n,)
        Any unit. NaN is a missing bar: changes into and out of it are left out.
    on_estimated_line : bool
        Whether the spread is the residual of a line fitted to these bars: least squares leaves it
        less memory than it had, which the interval allows for.

    Returns
    -------
    HalfLife
        ln 2 / -theta bars from Δs(t) = c + theta * s(t-1); ``float(result)`` is that number. NaN
        where theta >= 0. H0 of its test: theta = 0.

    Raises
    ------
    NotEnoughDataError
        Fewer than 23 known bars.
    DegenerateSeriesError
        A constant spread, or one that its own past reproduces exactly.
    """
    name = series_name(spread, "the spread")
    values = as_floats(spread, name)
    fit = dickey_fuller(values, "c", 0, None, f"half-life of {name}")
    return half_life_of_fit(fit, int(np.count_nonzero(~np.isnan(values))), on_estimated_line)


def half_life_of_fit(fit: DickeyFullerFit, bars: int, on_estimated_line: bool = False) -> HalfLife:
    """Read the half-life off a regression with a constant and without lags."""
    return HalfLife(
        half_life=float(halvings(np.array([fit.coefficient]))[0]),
        theta=fit.coefficient,
        theta_stderr=fit.stderr,
        mean_reverting=fit.coefficient < 0,
        stat=fit.stat,
        pvalue=mackinnon_pvalue(fit.stat, "c", 1),
        critical_values=critical_values("c", 1, fit.nobs),
        nobs=fit.nobs,
        bars=bars,
        on_estimated_line=on_estimated_line,
    )
