"""p-values of fitted weights: published points, unrelated walks, what a pair's would say."""

import numpy as np
import pytest
from cases.baskets import NAMES, frames, logs_frame, related, walks

from analytics.baskets import METHODS, BasketMethod, BasketParams, analyse_basket, fit_basket
from analytics.baskets.judge import BasketHalfLife, basket_adf, basket_half_life
from analytics.baskets.memory_table import T_QUANTILES
from analytics.baskets.null import (
    adf_quantiles,
    critical_of,
    lower_pvalue,
    minus_trace_quantiles,
)
from analytics.baskets.null_table import ADF, LEVELS, MINUS_TRACE, SIZES
from analytics.stationarity import ADFResult, SpreadTest
from analytics.stationarity.memory_table import DISTANCES


@pytest.mark.parametrize(
    ("symbols", "tenth", "twentieth", "hundredth"),
    [
        # Osterwald-Lenum (1992), Oxford Bulletin of Economics and Statistics 54, table 1.1*.
        (3, 28.71, 31.52, 37.22),
        (4, 45.23, 48.28, 55.43),
        (5, 66.49, 70.60, 78.87),
    ],
)
def test_the_trace_table_meets_the_published_one(
    symbols: int, tenth: float, twentieth: float, hundredth: float
):
    # His are of walks of 400 steps and 6,000 draws; ours have lagged changes to bear.
    found = critical_of(minus_trace_quantiles(symbols, 2_000))
    expected = {"10%": -tenth, "5%": -twentieth, "1%": -hundredth}
    for level, value in expected.items():
        assert found[level] == pytest.approx(value, rel=0.035)


@pytest.mark.parametrize("table", [ADF, MINUS_TRACE])
def test_the_tables_rise_with_the_level(table: np.ndarray):
    assert (np.diff(table, axis=-1) > 0).all()
    assert table.shape[-3:] == (6, SIZES.size, LEVELS.size)


def test_more_symbols_look_better_on_walks():
    middle = list(LEVELS).index(0.05)
    assert (np.diff(ADF[..., middle], axis=1) < 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_pvalue_is_the_level_at_each_quantile_and_falls_beyond(method: BasketMethod):
    quantiles = adf_quantiles(method, 5, 500)
    for level, quantile in zip(LEVELS, quantiles, strict=True):
        assert lower_pvalue(float(quantile), quantiles) == pytest.approx(level, rel=1e-9)
    tails = [lower_pvalue(stat, quantiles) for stat in (-12.0, quantiles[0] - 0.01)]
    assert 0 <= tails[0] < tails[1] < LEVELS[0]
    assert LEVELS[-1] < lower_pvalue(float(quantiles[-1]) + 0.5, quantiles) < 1
    assert np.isnan(lower_pvalue(float("nan"), quantiles))


def test_between_sizes_quantiles_go_with_one_over_the_bars():
    low, high = (adf_quantiles("box_tiao", 4, bars) for bars in (100, 200))
    between = adf_quantiles("box_tiao", 4, 133)
    share = (1 / 100 - 1 / 133) / (1 / 100 - 1 / 200)
    assert between == pytest.approx((1 - share) * low + share * high, abs=1e-12)
    shortest = adf_quantiles("box_tiao", 4, 50)
    assert np.array_equal(adf_quantiles("box_tiao", 4, 30), shortest)


@pytest.mark.parametrize("method", METHODS)
def test_walks_pass_as_a_pair_and_not_as_a_basket(method: BasketMethod):
    adf: list[ADFResult] = []
    for seed in range(100):
        logs = logs_frame(walks(200, 5, seed))
        fit = fit_basket(logs, method)
        adf.append(basket_adf(fit.spread(logs), fit))
    # 5 % of 100 samples within three standard errors; with the weights as given, most.
    assert sum(each.rejects(0.05) for each in adf) <= 11
    assert sum(each.plain_pvalue < 0.05 for each in adf) >= 60


@pytest.mark.parametrize("method", METHODS)
def test_a_relation_is_seen(method: BasketMethod):
    seen = 0
    for seed in range(20):
        params = BasketParams(NAMES[:4], "1min", method=method)
        test = analyse_basket(frames(related(500, 4, seed)), params).test
        assert isinstance(test, SpreadTest)
        seen += test.pvalue < 0.05
    assert seen >= 18


@pytest.mark.parametrize("method", METHODS)
def test_the_interval_of_the_half_life_allows_for_the_search(method: BasketMethod):
    held = short = 0
    true = np.log(2) / 0.05
    for seed in range(60):
        logs = logs_frame(related(500, 5, seed, keep=0.95))
        fit = fit_basket(logs, method)
        found = basket_half_life(fit.spread(logs), fit, 0.5)
        low, high = found.interval
        held += low <= true and not high < true
        short += found.half_life < true
        assert low <= found.median_unbiased or np.isnan(found.median_unbiased)
    # 95 % within three standard errors; the estimate itself reads short.
    assert held >= 51
    assert short >= 45


def test_the_memory_table_has_a_row_for_each():
    assert T_QUANTILES.shape == (len(METHODS), 6, 3, 2, DISTANCES.size)
    assert (np.diff(T_QUANTILES, axis=2) > 0).all()


def test_a_slow_half_life_has_no_upper_end():
    logs = logs_frame(walks(200, 4, seed=8))
    fit = fit_basket(logs, "min_half_life")
    found = basket_half_life(fit.spread(logs), fit, 0.5)
    assert isinstance(found, BasketHalfLife)
    assert np.isnan(found.interval[1])
    assert "a random walk would show too" in found.verdict()


def test_the_half_life_is_judged_by_the_baskets_test():
    found = analyse_basket(frames(related(500, 4, seed=1)), BasketParams(NAMES[:4], "1min"))
    assert isinstance(found.half_life, BasketHalfLife)
    assert found.half_life.pvalue == found.pvalue
    assert found.half_life.rejects(0.05)
    walk = analyse_basket(frames(walks(500, 4, seed=1)), BasketParams(NAMES[:4], "1min"))
    assert isinstance(walk.half_life, BasketHalfLife)
    assert not walk.half_life.rejects(0.05)
