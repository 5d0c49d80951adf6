"""Tests of an estimated line's residual: their published points, and their size on walks."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.stattools import coint

from analytics.errors import ParameterError
from analytics.stationarity import (
    JohansenResult,
    SpreadTest,
    adf_test,
    bars_for_power,
    engle_granger_test,
    half_life,
    hurst_exponent,
    johansen_test,
    kpss_test,
    of_residual,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
    without_drift,
)

SEED = 20240808


def walks(bars: int = 200, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.random.default_rng(seed).normal(size=(2, bars)).cumsum(axis=1)
    return y, x


def off_line(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    slope, level = np.polyfit(x, y, 1)
    return np.asarray(y - level - slope * x)


def test_the_p_value_of_a_residual_is_statsmodels_own():
    y, x = walks()
    expected = coint(y, x, maxlag=2, autolag=None)
    plain = adf_test(off_line(y, x), "n", 2, None)
    found = of_residual(plain)
    assert found.stat == pytest.approx(expected.coint_t, rel=1e-8)
    assert found.pvalue == pytest.approx(expected.pvalue, rel=1e-8)
    assert found.plain_pvalue == plain.pvalue < found.pvalue
    assert np.isnan(plain.plain_pvalue)


def test_phillips_perron_of_a_residual_is_phillips_ouliaris():
    y, x = walks(2_000)
    found = of_residual(phillips_perron_test(off_line(y, x), lags=8))
    assert found.pvalue == pytest.approx(phillips_ouliaris_test(y, x).pvalue, abs=0.03)


@pytest.mark.parametrize(("stat", "pvalue"), [(0.231, 0.10), (0.314, 0.05), (0.533, 0.01)])
def test_kpss_of_a_residual_has_shins_published_points(stat: float, pvalue: float):
    found = of_residual(made("KPSS", stat))
    assert found.pvalue == pytest.approx(pvalue)
    assert found.critical_values[f"{pvalue * 100:g}%"] == stat


def test_kpss_keeps_a_residual_that_returns():
    rng, wrong = np.random.default_rng(SEED), 0
    for _ in range(300):
        x, rest = rng.normal(size=500).cumsum(), rng.normal(size=500)
        wrong += of_residual(kpss_test(off_line(1.5 * x + rest, x))).pvalue < 0.05
    assert 0.02 <= wrong / 300 <= 0.08


def made(name: str, stat: float) -> SpreadTest:
    return SpreadTest(name, stat, 0.5, {}, 1, 200, 0, "", "", "", "")


def test_a_variance_ratio_stays_as_it_is():
    test = variance_ratio_test(off_line(*walks()))
    assert of_residual(test) is test


Rejects = Callable[[np.ndarray], bool]


@pytest.mark.parametrize(
    "rejects",
    [
        lambda rest: of_residual(adf_test(rest)).rejects(),
        lambda rest: of_residual(half_life(rest)).rejects(),
        lambda rest: of_residual(phillips_perron_test(rest)).pvalue < 0.05,
        lambda rest: of_residual(hurst_exponent(rest)).pvalue < 0.05,
        lambda rest: of_residual(variance_ratio_test(rest)).pvalue < 0.05,
    ],
    ids=["ADF", "half-life", "Phillips-Perron", "Hurst", "variance ratio"],
)
def test_on_unrelated_walks_each_rejects_about_one_in_twenty(rejects: Rejects):
    # 400 pairs: two standard errors are 2.2 points. As a given series 16 % for ADF.
    found = [rejects(off_line(*walks(200, seed))) for seed in range(400)]
    assert 0.02 <= np.mean(found) <= 0.08


def test_a_hurst_interval_leaves_out_one_half_where_the_test_rejects():
    for seed in range(60):
        found = of_residual(hurst_exponent(off_line(*walks(120, seed))))
        low, high = found.estimate_interval
        assert (found.pvalue < 0.05) == (not low <= 0.5 <= high)


def johansen(bars: int, seed: int) -> JohansenResult:
    y, x = walks(bars, seed)
    return johansen_test(pd.DataFrame({"y": y, "x": x}))


@pytest.mark.parametrize(
    ("kind", "place", "points"),
    [
        ("trace", 0, (15.583, 17.844, 21.962)),
        ("max_eigen", 0, (12.783, 14.595, 18.782)),
        ("trace", 1, (6.691, 8.083, 11.576)),
    ],
)
def test_johansen_without_drift_has_the_published_points(
    kind: str, place: int, points: tuple[float, float, float]
):
    plain = johansen(200, 1)
    kept = 1 - 4 / plain.nobs
    table = without_drift(plain).critical_values[kind].iloc[place]
    assert (table * kept).tolist() == pytest.approx(points)


def test_johansen_on_walks_without_drift_finds_a_relation_in_about_one_of_twenty():
    tests = [johansen(200, seed) for seed in range(300)]
    plain = np.mean([test.trace_pvalues[0] < 0.05 for test in tests])
    found = [without_drift(test) for test in tests]
    assert plain > 0.08
    for pvalues in ([each.trace_pvalues[0] for each in found],
                    [each.max_eigen_pvalues[0] for each in found]):  # fmt: skip
        assert 0.02 <= np.mean(np.array(pvalues) < 0.05) <= 0.085


def test_johansen_without_drift_takes_two_series_and_a_constant():
    frame = pd.DataFrame(np.random.default_rng(SEED).normal(size=(200, 3)).cumsum(axis=0))
    with pytest.raises(ParameterError, match="series"):
        without_drift(johansen_test(frame))
    with pytest.raises(ParameterError, match="det_order"):
        without_drift(johansen_test(frame.iloc[:, :2], det_order=1))


@pytest.mark.parametrize(("level", "is_estimated"), [(0.05, True), (0.05, False), (0.01, True)])
def test_that_many_bars_find_the_return_in_four_of_five_samples(level: float, is_estimated: bool):
    bars = int(bars_for_power(10.0, level, is_estimated=is_estimated))
    rng, found = np.random.default_rng(SEED), 0
    for _ in range(400):
        rest = np.zeros(bars)
        for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
            rest[t] = 0.5**0.1 * rest[t - 1] + shock
        x = rng.normal(size=bars).cumsum()
        test = engle_granger_test(3 + 1.5 * x + rest, x) if is_estimated else adf_test(rest)
        found += test.rejects(level)
    assert 0.74 <= found / 400 <= 0.86


def test_no_half_life_and_no_known_level_have_no_such_number():
    assert np.isnan(bars_for_power(float("nan"), is_estimated=True))
    assert np.isnan(bars_for_power(0.0, is_estimated=True))
    assert np.isnan(bars_for_power(10.0, 0.07, is_estimated=True))
