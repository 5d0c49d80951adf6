"""Tests of a residual whose line was estimated from the same bars: their own distributions.

Least squares chooses the line whose residual looks the most stationary, so that on two unrelated
walks a test made for a given series rejects about three times too often.
"""

import math
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from scipy.special import ndtr

from analytics.stationarity.adf import ADFResult, HalfLife
from analytics.stationarity.mackinnon import critical_values, mackinnon_pvalue
from analytics.stationarity.result import SpreadTest

# Shin (1994): one regressor and a constant. The 10, 5 and 1 % points are his; the others, for the
# p-value, are regression values of 40,000 simulated samples of 2,000 bars, seed 20240808.
_SHIN_SHARES: Final = (0.50, 0.25, 0.10, 0.05, 0.025, 0.01, 0.005, 0.001)
_SHIN_QUANTILES: Final = (0.0831, 0.1396, 0.231, 0.314, 0.398, 0.533, 0.654, 0.952)
_SHIN_CRITICAL: Final = {"1%": 0.533, "5%": 0.314, "10%": 0.231}

# The Hurst statistic of the residual of two unrelated walks: mean, and by how much its deviation
# exceeds 1, times the bars. Regression values of 3,000 pairs of 100 to 2,000 bars, seed 20240808.
_HURST_MEAN: Final = -0.31
_HURST_EXCESS: Final = 6.0

AnyTest = TypeVar("AnyTest", ADFResult, HalfLife, SpreadTest)


def of_residual(test: AnyTest) -> AnyTest:
    """Judge a test of a spread as one of the residual of y on x and a constant, same bars.

    Parameters
    ----------
    test : ADFResult, HalfLife or SpreadTest
        Of the residual, by a function that takes its coefficients as given. Of the spread tests:
        KPSS with a constant, Phillips-Perron, variance ratio, Hurst exponent.

    Returns
    -------
    The same with the p-value, critical values and interval of an estimated line. A variance ratio
    stays as it is: over a fixed horizon the line's error does not show in it.

    References
    ----------
    MacKinnon (1994, 2010) for two variables; Phillips & Ouliaris (1990), Econometrica 58, 165-193,
    for Phillips-Perron; Shin (1994), Econometric Theory 10, 91-115, for KPSS; for the Hurst
    exponent, mean and deviation under the null are simulated.
    """
    if isinstance(test, SpreadTest) and test.name != "Phillips-Perron":
        return _spread_test_of_residual(test)
    pvalue = mackinnon_pvalue(test.stat, "c", 2)
    critical = critical_values("c", 2, test.nobs)
    judged = replace(test, pvalue=pvalue, critical_values=critical)
    if isinstance(judged, ADFResult):
        return replace(judged, plain_pvalue=test.pvalue)
    return replace(judged, on_estimated_line=True) if isinstance(judged, HalfLife) else judged


def _spread_test_of_residual(test: SpreadTest) -> SpreadTest:
    if test.name == "KPSS":
        pvalue = float(np.interp(test.stat, _SHIN_QUANTILES, _SHIN_SHARES))
        return replace(test, pvalue=pvalue, critical_values=_SHIN_CRITICAL)
    return _hurst_of_residual(test) if test.name == "Hurst exponent" else test


def _hurst_of_residual(test: SpreadTest) -> SpreadTest:
    wider = 1.0 + _HURST_EXCESS / test.nobs
    stat = (test.stat - _HURST_MEAN) / wider
    stderr = (test.estimate - 0.5) / test.stat if test.stat else math.nan
    middle, reach = test.estimate - _HURST_MEAN * stderr, 1.96 * wider * stderr
    return replace(
        test,
        stat=stat,
        pvalue=2.0 * float(ndtr(-abs(stat))),
        estimate_interval=(middle - reach, middle + reach),
    )
