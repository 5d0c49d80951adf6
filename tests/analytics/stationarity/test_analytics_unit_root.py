"""KPSS, Phillips-Perron, variance ratio, Phillips-Ouliaris, Hurst: oracles, truth, bad input."""

import math
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from arch.unitroot import KPSS, PhillipsPerron
from arch.unitroot.cointegration import phillips_ouliaris
from statsmodels.tsa.stattools import kpss

from analytics.errors import (
    DegenerateSeriesError,
    InvalidSeriesError,
    NotEnoughDataError,
    ParameterError,
)
from analytics.stationarity import (
    SpreadTest,
    adf_test,
    engle_granger_test,
    half_life,
    hurst_exponent,
    johansen_test,
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
    verdict_words,
)

SEED = 20240808
ONE_SERIES: list[Callable[..., Any]] = [
    kpss_test,
    phillips_perron_test,
    variance_ratio_test,
    hurst_exponent,
]


def walk(n: int = 500, seed: int = SEED) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n).cumsum()


def returning(n: int = 500, memory: float = 0.8, seed: int = SEED) -> np.ndarray:
    values = np.zeros(n)
    for t, shock in enumerate(np.random.default_rng(seed).normal(size=n - 1), start=1):
        values[t] = memory * values[t - 1] + shock
    return values


# ---- oracles


@pytest.mark.parametrize("trend", ["c", "ct"])
def test_kpss_statistic_equals_statsmodels(trend: Literal["c", "ct"]):
    values = returning()
    result = kpss_test(values, trend)
    with warnings.catch_warnings():
        # statsmodels says where its p-value table ends.
        warnings.simplefilter("ignore")
        stat = kpss(values, regression=trend, nlags=result.lags, result_object=True).statistic
    assert result.stat == pytest.approx(stat, rel=1e-10)
    assert result.pvalue == pytest.approx(KPSS(values, trend=trend, lags=-1).pvalue, abs=1e-10)


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_phillips_perron_equals_its_formula(trend: Literal["n", "c", "ct"]):
    values = walk() if trend != "n" else walk() - walk().mean()
    result = phillips_perron_test(values, trend)
    oracle = PhillipsPerron(values, trend=trend)
    assert result.stat == pytest.approx(oracle.stat, rel=1e-8)
    assert result.critical_values["5%"] == oracle.critical_values["5%"]
    if trend == "c":
        # Phillips & Perron (1988) by hand: the t statistic, its variance made long-run.
        level, change = values[:-1], np.diff(values)
        design = np.column_stack([np.ones_like(level), level])
        coefficients = np.linalg.lstsq(design, change, rcond=None)[0]
        rest, n = change - design @ coefficients, change.size
        short = rest @ rest / n
        weights = 1 - np.arange(1, result.lags + 1) / (result.lags + 1)
        long = short + 2 * sum(
            w * (rest[k:] @ rest[:-k]) / n for k, w in enumerate(weights, start=1)
        )
        spread = np.sqrt(((level - level.mean()) ** 2).sum())
        stderr = np.sqrt(rest @ rest / (n - 2)) / spread
        t = coefficients[1] / stderr
        by_hand = np.sqrt(short / long) * t - 0.5 * (long - short) / np.sqrt(long) * n * stderr / (
            np.sqrt(rest @ rest / (n - 2))
        )
        assert result.stat == pytest.approx(by_hand, rel=1e-2)


def test_the_variance_ratio_is_its_formula():
    values = returning()
    result = variance_ratio_test(values, 5)
    steps, drift = values.size - 1, (values[-1] - values[0]) / (values.size - 1)
    one = ((np.diff(values) - drift) ** 2).sum() / (steps - 1)
    changes = values[5:] - values[:-5] - 5 * drift
    five = (changes**2).sum() / (5 * (steps - 5 + 1) * (1 - 5 / steps))
    assert result.estimate == pytest.approx(five / one, rel=1e-12)
    assert result.estimate < 1
    assert "below 1" in result.verdict()


@pytest.mark.parametrize("trend", ["n", "c", "ct", "ctt"])
def test_phillips_ouliaris_equals_arch(trend: Literal["n", "c", "ct", "ctt"]):
    x = walk(seed=1)
    y = 2 * x + returning(memory=0.9)
    oracle = phillips_ouliaris(pd.Series(y), pd.DataFrame(x), trend=trend, test_type="Zt")
    result = phillips_ouliaris_test(y, x, trend)
    assert result.stat == pytest.approx(oracle.stat, rel=1e-6)
    assert result.pvalue == pytest.approx(oracle.pvalue, abs=1e-6)
    assert result.critical_values["5%"] == oracle.critical_values[5]


@pytest.mark.parametrize("compute", ONE_SERIES)
def test_level_and_scale_of_prices_do_not_matter(compute: Callable[..., SpreadTest]):
    values = np.round(returning() * 64) / 64
    plain = compute(values)
    for moved in (values + 2**20, values * 2**-20, values * 2**20):
        assert compute(moved).stat == pytest.approx(plain.stat, rel=1e-6)
        assert compute(moved).lags == plain.lags


# ---- simulated truth


@pytest.mark.parametrize(
    ("compute", "on"),
    [
        (kpss_test, "returning"),
        (phillips_perron_test, "walk"),
        (variance_ratio_test, "walk"),
        (hurst_exponent, "walk"),
    ],
)
def test_a_true_null_is_rejected_about_five_times_in_a_hundred(
    compute: Callable[..., SpreadTest], on: str
):
    made = [walk(400, seed) if on == "walk" else returning(400, 0.2, seed) for seed in range(300)]
    share = np.mean([compute(values).pvalue < 0.05 for values in made])
    assert 0.015 < share < 0.095


def test_phillips_ouliaris_rejects_unrelated_walks_about_five_times_in_a_hundred():
    pairs = [(walk(200, seed), walk(200, seed + 10_000)) for seed in range(300)]
    share = np.mean([phillips_ouliaris_test(y, x).pvalue < 0.05 for y, x in pairs])
    assert 0.015 < share < 0.09


def test_johansen_p_values_agree_with_its_tables_and_reject_rightly():
    results = [
        johansen_test(pd.DataFrame({"a": walk(200, seed), "b": walk(200, seed + 10_000)}))
        for seed in range(300)
    ]
    assert 0.015 < np.mean([each.max_eigen_pvalues[0] < 0.05 for each in results]) < 0.10
    assert np.mean([each.relations() for each in results]) < 0.15
    result = johansen_test(pd.DataFrame({"a": walk(seed=1), "b": walk(seed=2)}))
    for stats, kind, pvalues in (
        (result.trace_stat, "trace", result.trace_pvalues),
        (result.max_eigen_stat, "max_eigen", result.max_eigen_pvalues),
    ):
        for level in (0.10, 0.05, 0.01):
            below = stats > result.critical_values[kind][f"{level:.0%}"]
            assert ((pvalues < level) == below).all()


def test_the_hurst_exponent_tells_returning_from_wandering_from_trending():
    assert hurst_exponent(walk(5_000)).estimate == pytest.approx(0.5, abs=0.06)
    assert hurst_exponent(returning(5_000)).verdict().startswith("mean-reverting: H = 0.1")
    trending = hurst_exponent(returning(5_000, 0.5).cumsum())
    assert trending.verdict().startswith("trending: H = 0.6")
    low, high = trending.estimate_interval
    assert low < trending.estimate < high


# ---- words


def test_every_result_states_its_null_and_its_verdict():
    x = walk(seed=1)
    y = 2 * x + returning()
    frame = pd.DataFrame({"y": y, "x": x})
    computes: list[Callable[..., Any]] = [*ONE_SERIES, adf_test, half_life]
    results = [compute(returning()) for compute in computes]
    results += [test(y, x) for test in (engle_granger_test, phillips_ouliaris_test)]
    for result in (*results, johansen_test(frame)):
        assert result.null_hypothesis
        assert result.reference
        assert result.nobs > 0
        assert result.lags >= 0
        assert set(result.critical_values) in ({"1%", "5%", "10%"}, {"trace", "max_eigen"})
        assert result.verdict(0.05)
        with pytest.raises(ParameterError, match="level"):
            result.verdict(0.0)


def test_verdicts_name_the_side_the_p_value_falls_on():
    assert adf_test(returning()).verdict() == "mean-reverting (p < 0.001, below 0.05)"
    assert adf_test(walk()).verdict().startswith("no evidence of mean reversion (p = 0.")
    assert "wanders" in kpss_test(walk(2_000)).verdict()
    assert kpss_test(returning(memory=0.1)).verdict().startswith("nothing speaks against")
    assert verdict_words(math.nan, 0.05, "a", "b").startswith("no verdict")
    x = walk(seed=1)
    related = pd.DataFrame({"a": 2 * x + returning(), "b": x})
    assert johansen_test(related).verdict().startswith("cointegrated: one relation")
    still = pd.DataFrame({"a": returning(), "b": returning(seed=2)})
    assert johansen_test(still).verdict().startswith("stationary, together or each")
    unrelated = pd.DataFrame({"a": walk(seed=3), "b": walk(seed=4)})
    assert johansen_test(unrelated).verdict().startswith("no evidence")


def test_a_half_life_has_an_interval_that_holds_the_truth():
    truth = math.log(2) / 0.2
    inside = 0
    for seed in range(200):
        low, high = half_life(returning(1_000, 0.8, seed)).interval
        inside += low < truth < high
    assert 0.88 < inside / 200 < 0.995


def test_a_half_life_that_is_none_says_not_mean_reverting():
    assert "(" in half_life(returning()).verdict()
    wandering = half_life(walk())
    assert wandering.verdict().startswith("not mean-reverting at this level (p = 0.")
    exploding = half_life(1.05 ** np.arange(100) + walk(100) * 0.01)
    assert exploding.verdict().startswith("not mean-reverting: deviations grow")
    assert math.isnan(exploding.interval[1])
    slow = half_life(returning(100, 0.93, 5))
    assert math.isnan(slow.interval[1])
    assert "no upper bound" in slow.verdict(0.999)


# ---- missing bars, degenerate input


@pytest.mark.parametrize("compute", ONE_SERIES)
def test_missing_bars_leave_the_longest_run(compute: Callable[..., SpreadTest]):
    values = returning()
    values[100] = np.nan
    result = compute(values)
    assert result.stat == compute(values[101:]).stat
    assert result.left_out == 100


@pytest.mark.parametrize("compute", ONE_SERIES)
@pytest.mark.parametrize("value", [0.1, 100_000.01, 1e-6, 0.0])
def test_a_constant_series_is_degenerate(compute: Callable[..., SpreadTest], value: float):
    with pytest.raises(DegenerateSeriesError, match="constant over 200 bars"):
        compute(np.full(200, value))


@pytest.mark.parametrize("compute", ONE_SERIES)
@pytest.mark.parametrize("n", [0, 1, 22])
def test_too_few_bars_say_so(compute: Callable[..., SpreadTest], n: int):
    with pytest.raises(NotEnoughDataError, match=f"had {n}"):
        compute(walk(n))
    with pytest.raises(NotEnoughDataError, match="in a row"):
        compute(np.r_[walk(n), np.nan, walk(n)])


def test_wrong_parameters_are_named():
    with pytest.raises(ParameterError, match="trend"):
        kpss_test(walk(), "n")
    with pytest.raises(ParameterError, match="trend"):
        phillips_perron_test(walk(), "ctt")
    with pytest.raises(ParameterError, match="trend"):
        phillips_ouliaris_test(walk(), walk(seed=2), "x")
    with pytest.raises(ParameterError, match="horizon"):
        variance_ratio_test(walk(), 1)
    with pytest.raises(InvalidSeriesError, match="infinite"):
        kpss_test(np.r_[walk(), np.inf])


@pytest.mark.parametrize("other", [lambda y: y, lambda y: 2 * y + 3, lambda y: -0.1 * y])
def test_collinear_legs_are_degenerate_not_the_best_pair_in_the_world(other):
    y = walk() + 100
    with pytest.raises(DegenerateSeriesError, match="identical or exactly collinear"):
        phillips_ouliaris_test(y, other(y))
    for left, right in ((y, np.full(500, 7.7)), (np.full(500, 7.7), y)):
        with pytest.raises(DegenerateSeriesError, match="constant"):
            phillips_ouliaris_test(left, right)
    with pytest.raises(NotEnoughDataError):
        phillips_ouliaris_test(y[:10], walk(10))


def test_a_steady_climb_has_no_variance_ratio():
    with pytest.raises(DegenerateSeriesError, match="same in every bar"):
        variance_ratio_test(np.arange(100.0))
    with pytest.raises(DegenerateSeriesError, match="repeats itself"):
        hurst_exponent(np.arange(100.0))
