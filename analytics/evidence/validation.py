"""Published and seeded cases, recomputed in front of the reader: expected beside obtained.

The tables embedded here are NIST's Statistical Reference Datasets, work of the United States
government and in the public domain. The rest is made by seeded generators and compared with
statsmodels, with exact arithmetic or with the published point of a distribution.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from analytics.frames import FloatArray
from analytics.hedge import fit_hedge
from analytics.spread import rolling_mean_std, zscore
from analytics.stationarity import (
    adf_test,
    critical_values,
    engle_granger_test,
    half_life,
    johansen_pvalue,
    kpss_test,
    phillips_ouliaris_test,
)

# y, x as certified by NIST.
_NORRIS = (
    (0.1, 0.2),
    (338.8, 337.4),
    (118.1, 118.2),
    (888, 884.6),
    (9.2, 10.1),
    (228.1, 226.5),
    (668.5, 666.3),
    (998.5, 996.3),
    (449.1, 448.6),
    (778.9, 777),
    (559.2, 558.2),
    (0.3, 0.4),
    (0.1, 0.6),
    (778.1, 775.5),
    (668.8, 666.9),
    (339.3, 338),
    (448.9, 447.5),
    (10.8, 11.6),
    (557.7, 556),
    (228.3, 228.1),
    (998, 995.8),
    (888.8, 887.6),
    (119.6, 120.2),
    (0.3, 0.3),
    (0.6, 0.3),
    (557.6, 556.8),
    (339.3, 339.1),
    (888, 887.2),
    (998.5, 999),
    (778.9, 779),
    (10.2, 11.1),
    (117.6, 118.3),
    (228.9, 229.2),
    (668.4, 669.1),
    (449.2, 448.9),
    (0.2, 0.5),
)
_NOINT1 = (
    (130, 60),
    (131, 61),
    (132, 62),
    (133, 63),
    (134, 64),
    (135, 65),
    (136, 66),
    (137, 67),
    (138, 68),
    (139, 69),
    (140, 70),
)

_SEED = 20240808


@dataclass(frozen=True, slots=True)
class ValidationCase:
    """One case.

    Attributes
    ----------
    case, source
        What is computed, and who says what it should be.
    expected, obtained, tolerance
        `ok` when they differ by at most `tolerance`, absolute.
    """

    case: str
    source: str
    expected: float
    obtained: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the two agree; NaN agrees with NaN only."""
        if math.isnan(self.expected):
            return math.isnan(self.obtained)
        return abs(self.expected - self.obtained) <= self.tolerance


def validate() -> tuple[ValidationCase, ...]:
    """Recompute all cases: a second or two, the same numbers each time."""
    return tuple(case for group in _GROUPS for case in group())


def _digits(expected: float, relative: float) -> float:
    return abs(expected) * relative


def _nist_norris() -> list[ValidationCase]:
    y, x = np.array(_NORRIS).T
    fit = fit_hedge(y, x)
    source = "NIST StRD, Norris (certified)"
    certified = [
        ("OLS slope", 1.00211681802045, fit.beta),
        ("OLS intercept", -0.262323073774029, fit.alpha),
        ("standard error of the slope", 0.429796848199937e-3, fit.beta_stderr),
        ("standard error of the intercept", 0.232818234301152, fit.alpha_stderr),
        ("residual standard deviation", 0.884796396144373, fit.residual_std),
        ("R squared", 0.999993745883712, fit.r_squared),
    ]
    return [
        ValidationCase(name, source, expected, obtained, _digits(expected, 1e-12))
        for name, expected, obtained in certified
    ]


def _nist_noint1() -> list[ValidationCase]:
    y, x = np.array(_NOINT1, dtype=np.float64).T
    fit = fit_hedge(y, x, intercept=False)
    source = "NIST StRD, NoInt1 (certified)"
    certified = [
        ("OLS slope through the origin", 2.07438016528926, fit.beta),
        ("its standard error", 0.165289256198347e-1, fit.beta_stderr),
        ("its residual standard deviation", 3.56753034006338, fit.residual_std),
    ]
    return [
        ValidationCase(name, source, expected, obtained, _digits(expected, 1e-13))
        for name, expected, obtained in certified
    ]


def _response_surfaces() -> list[ValidationCase]:
    source = "MacKinnon (2010), table 2, constant, infinite sample"
    huge = 10**9
    return [
        ValidationCase(f"{name}, 5 % critical value", source, expected,
                       critical_values("c", variables, huge)["5%"], 5e-5)
        for name, variables, expected in (
            ("Dickey-Fuller", 1, -2.86154), ("Engle-Granger, two variables", 2, -3.33613),
        )
    ]  # fmt: skip


def _published_tables() -> list[ValidationCase]:
    """Critical values that the tests carry beside those their authors printed."""
    y, x = _walks(2_000)
    level, line = kpss_test(y).critical_values, kpss_test(y, "ct").critical_values
    ouliaris = phillips_ouliaris_test(y, x).critical_values
    kpss = "Kwiatkowski et al. (1992), table 1; ours re-simulated by arch"
    table = "Phillips & Ouliaris (1990), table IIb, simulated with 500 bars; ours by arch"
    return [
        ValidationCase("KPSS about a level, 5 % critical value", kpss, 0.463, level["5%"], 0.005),
        ValidationCase("KPSS about a line, 5 % critical value", kpss, 0.146, line["5%"], 0.005),
        ValidationCase("Phillips-Ouliaris Zt, 5 %", table, -3.3654, ouliaris["5%"], 0.04),
        ValidationCase("Phillips-Ouliaris Zt, 1 %", table, -3.9618, ouliaris["1%"], 0.08),
    ]


def _printed_by_stata_and_r() -> list[ValidationCase]:
    """Unit-root tests of the quarterly US series that statsmodels ships (public domain)."""
    from statsmodels.datasets import macrodata  # noqa: PLC0415 - when asked for

    data = macrodata.load_pandas().data
    gdp, inflation = (data[name].to_numpy(np.float64) for name in ("realgdp", "infl"))
    stata = "Stata dfuller, US macro data 1959-2009, as statsmodels' tests quote it"
    r = "R tseries kpss.test, the same data, as statsmodels' tests quote it"
    return [
        ValidationCase("ADF of real GDP, constant, 4 lags", stata, 0.97505319,
                       adf_test(gdp, "c", 4, None).stat, 5e-6),
        ValidationCase("ADF of real GDP, constant and line, 4 lags", stata, -1.8566374,
                       adf_test(gdp, "ct", 4, None).stat, 5e-6),
        ValidationCase("ADF of inflation, constant, 1 lag", stata, -4.3346988,
                       adf_test(inflation, "c", 1, None).stat, 5e-6),
        ValidationCase("its p-value", stata, 0.00038661,
                       adf_test(inflation, "c", 1, None).pvalue, 5e-6),
        ValidationCase("KPSS of real GDP about a level, 3 lags", r, 5.0169,
                       kpss_test(gdp, "c", 3).stat, 5e-4),
        ValidationCase("KPSS of real GDP about a line, 3 lags", r, 1.1828,
                       kpss_test(gdp, "ct", 3).stat, 5e-4),
    ]  # fmt: skip


def _johansen_pvalues() -> list[ValidationCase]:
    source = "EViews, p-values of MacKinnon, Haug & Michelis (1999), series with drift"
    printed: tuple[tuple[Literal["trace", "max_eigen"], int, float, float], ...] = (
        ("trace", 2, 17.50142, 0.0246), ("trace", 2, 13.00797, 0.1145),
        ("trace", 1, 1.119498, 0.2900), ("max_eigen", 2, 16.38192, 0.0228),
        ("max_eigen", 2, 12.62717, 0.0893),
    )  # fmt: skip
    names = {"trace": "trace", "max_eigen": "maximum eigenvalue"}
    return [
        ValidationCase(f"Johansen {names[kind]} {stat:g}, {free} free, p-value", source, expected,
                       johansen_pvalue(stat, free, kind), 5e-4)
        for kind, free, stat, expected in printed
    ]  # fmt: skip


def _walks(n: int) -> tuple[FloatArray, FloatArray]:
    y, x = np.random.default_rng(_SEED).normal(size=(2, n)).cumsum(axis=1)
    return y - y.mean(), x - x.mean()


def _against_statsmodels() -> list[ValidationCase]:
    y, x = _walks(400)
    adf, engle_granger = adf_test(y), engle_granger_test(y, x)
    from statsmodels.tsa.stattools import adfuller, coint  # noqa: PLC0415 - when asked for

    oracle, pair = adfuller(y, result_object=True), coint(y, x)
    source = "statsmodels on the same seeded walks, centred"
    return [
        ValidationCase("ADF statistic", source, float(oracle.statistic), adf.stat, 1e-8),
        ValidationCase("ADF p-value", source, float(oracle.pvalue), adf.pvalue, 1e-8),
        ValidationCase("ADF lags", source, float(oracle.lags), float(adf.lags), 0.0),
        ValidationCase("Engle-Granger statistic", source, float(pair.coint_t),
                       engle_granger.stat, 1e-8),
        ValidationCase("Engle-Granger p-value", source, float(pair.pvalue),
                       engle_granger.pvalue, 1e-8),
    ]  # fmt: skip


def _size_on_unrelated_walks() -> list[ValidationCase]:
    rng = np.random.default_rng(_SEED)
    right = naive = 0
    for _ in range(400):
        y, x = rng.normal(size=(2, 100)).cumsum(axis=1)
        test = engle_granger_test(y, x, max_lags=1, autolag=None)
        right += test.pvalue < 0.05
        residual = y - test.alpha - test.beta * x
        naive += adf_test(residual, max_lags=1, autolag=None).pvalue < 0.05
    source = "400 seeded pairs of unrelated walks, nominal 5 %"
    return [
        # Three standard errors of a share of 5 % and of 15 % in 400.
        ValidationCase("share Engle-Granger rejects", source, 0.05, right / 400, 0.033),
        ValidationCase(
            "share a plain ADF of the residual rejects", source, 0.15, naive / 400, 0.055
        ),
    ]


def _known_half_life() -> list[ValidationCase]:
    spread = np.zeros(20_000)
    for t, shock in enumerate(np.random.default_rng(_SEED).normal(size=19_999), start=1):
        spread[t] = 0.95 * spread[t - 1] + shock
    truth = math.log(2) / 0.05
    source = "an AR(1) made with coefficient 0.95"
    return [ValidationCase("half-life, bars", source, truth, float(half_life(spread)), 0.1 * truth)]


def _high_prices() -> list[ValidationCase]:
    cents = np.random.default_rng(_SEED).integers(-50, 50, 60) / 100.0
    prices = 100_000.01 + cents
    exact = [Fraction(value) for value in prices.tolist()]
    mean = sum(exact, Fraction(0)) / 60
    variance = float(sum(((each - mean) ** 2 for each in exact), Fraction(0)) / 59)
    _, std = rolling_mean_std(prices, 60)
    flat = zscore(np.r_[prices, np.full(60, 100_000.01)], 60)
    source = "rational arithmetic"
    return [
        ValidationCase("rolling deviation at prices of 100,000.01", source, math.sqrt(variance),
                       float(std.iloc[-1]), _digits(math.sqrt(variance), 1e-9)),
        ValidationCase("z-score of a flat window", "0 / 0 is not a number", math.nan,
                       float(flat.iloc[-1]), 0.0),
    ]  # fmt: skip


def _kalman_limit() -> list[ValidationCase]:
    rng = np.random.default_rng(_SEED)
    x = 100 + rng.normal(size=500).cumsum()
    y = 3 + 1.5 * x + rng.normal(size=500)
    still = fit_hedge(y, x, "kalman_walks", noise="whole")
    return [
        ValidationCase("Kalman on a line that never moves, beta", "OLS over the same bars",
                       fit_hedge(y, x).beta, still.beta, 1e-3),
    ]  # fmt: skip


_GROUPS: tuple[Callable[[], list[ValidationCase]], ...] = (
    _nist_norris,
    _nist_noint1,
    _response_surfaces,
    _published_tables,
    _printed_by_stata_and_r,
    _johansen_pvalues,
    _against_statsmodels,
    _size_on_unrelated_walks,
    _known_half_life,
    _high_prices,
    _kalman_limit,
)
