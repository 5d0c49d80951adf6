"""Settings tried: their Sharpe ratios, how many they are, whether the best is more than luck."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import SPA, StepM
from arch.covariance.kernel import Bartlett
from cases.backtest import SEED, reverting_pair

from analytics.backtest import (
    FREE,
    SYMMETRIC_RULES,
    deflated_sharpe,
    prepare_sweep,
    run_backtest,
    setting_returns,
    superiority,
    sweep_span,
)
from analytics.backtest.sharpe import (
    Independent,
    expected_best_sharpe,
    independent_trials,
    probabilistic_sharpe,
    psr,
    sharpe,
    sharpe_interval,
)
from analytics.errors import ParameterError
from analytics.pair import PairParams

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=40)
FREE_RULES = replace(SYMMETRIC_RULES, costs=FREE)
ENTRIES = [1.0, 1.5, 2.0]


# ---- Sharpe ratios


def test_deflated_sharpe_gives_the_published_example():
    # Bailey & López de Prado (2014), p. 9-10: 100 trials of variance 1/2 a year, 5 years of 250
    # days, Sharpe ratio 2.5 a year, skewness -3, kurtosis 10: 0.1132 a day, 0.9004.
    benchmark = expected_best_sharpe(0.5 / 250, 100)
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    found = psr(2.5 / math.sqrt(250), benchmark, 1_250, -3.0, 10.0)
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_expected_best_of_worthless_settings_is_what_simulation_gives():
    # The formula is asymptotic: 1 % too high at 100 trials.
    drawn = np.random.default_rng(SEED).normal(0, 0.02, (4_000, 100)).max(axis=1)
    assert expected_best_sharpe(0.02**2, 100) == pytest.approx(drawn.mean(), rel=0.015)
    assert expected_best_sharpe(0.02**2, 1) == 0.0
    between = [expected_best_sharpe(1.0, number) for number in (1.0, 1.5, 1.999, 2.0, 3.0)]
    assert between == sorted(between)


def test_more_settings_tried_deflate_more():
    rng = np.random.default_rng(SEED)
    returns = 1e-3 + 0.02 * rng.normal(size=2_000)
    few, many = (
        deflated_sharpe(returns, Independent(count, 0.0, count, 0.02**2)) for count in (5, 500)
    )
    assert probabilistic_sharpe(returns) > few.probability > many.probability


def ledoit_wolf(returns: np.ndarray, block: int, draws: int, seed: int) -> tuple[float, float]:
    """Take the interval by the paper's matrices (sections 3.1 and 3.2.2) for one Sharpe ratio."""
    rng = np.random.default_rng(seed)
    size = returns.size

    def figures(sample: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        mean, square = sample.mean(), (sample**2).mean()
        gradient = np.array([square, -0.5 * mean]) / (square - mean**2) ** 1.5
        centred = np.column_stack([sample - mean, sample**2 - square])
        return mean / math.sqrt(square - mean**2), gradient, centred

    ratio, gradient, centred = figures(returns)
    lags = min(2 * block, size) - 1
    psi = Bartlett(centred, bandwidth=lags, center=False).cov.long_run
    error = math.sqrt(gradient @ psi @ gradient / size)
    distances = []
    for _ in range(draws):
        begins = rng.integers(size, size=size // block)
        sample = returns[(begins[:, None] + np.arange(block)) % size].ravel()
        drawn, slope, moved = figures(sample)
        sums = moved.reshape(-1, block, 2).sum(axis=1) / math.sqrt(block)
        spread = slope @ (sums.T @ sums / len(sums)) @ slope
        distances.append(abs(drawn - ratio) / math.sqrt(spread / sample.size))
    reach = np.quantile(distances, 0.95) * error
    return ratio - reach, ratio + reach


def test_the_interval_is_that_of_the_paper():
    noise = np.random.default_rng(SEED).standard_t(5, size=1_003)
    returns = 0.05 + np.convolve(noise, [1, 0.6, 0.3], "same")
    ours = sharpe_interval(returns, draws=4_000, block=10.0)
    np.testing.assert_allclose(ours, ledoit_wolf(returns, 10, 4_000, seed=1), atol=0.004)
    assert ours == sharpe_interval(returns, draws=4_000, block=10.0)


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_the_interval_holds_the_truth_as_often_as_it_says(memory):
    rng = np.random.default_rng(SEED)
    inside = 0
    for _ in range(300):
        noise = rng.normal(size=450)
        for place in range(1, 450):
            noise[place] += memory * noise[place - 1]
        truth = 0.1 * math.sqrt(1 - memory**2)
        low, high = sharpe_interval(0.1 + noise[50:], draws=200)
        inside += low < truth < high
    # 95 %, less what is known to lack at this length; binomial error 1.3 %.
    assert 0.90 < inside / 300 < 0.98


def test_an_interval_of_nothing_is_not_known():
    assert all(math.isnan(edge) for edge in sharpe_interval(np.zeros(100)))
    assert all(math.isnan(edge) for edge in sharpe_interval(np.ones(10)))


# ---- how many settings that really is


def test_copies_of_a_setting_count_once():
    one = np.random.default_rng(SEED).normal(0.05, 1.0, 1_000)
    found = independent_trials(np.tile(one, (60, 1)))
    assert (found.distinct, found.number) == (1, 1.0)
    assert deflated_sharpe(one, found).probability == probabilistic_sharpe(one)


def test_unrelated_settings_count_each_and_related_ones_less():
    rng = np.random.default_rng(SEED)
    own, common = rng.normal(size=(20, 4_000)), rng.normal(size=4_000)
    assert independent_trials(own).number == pytest.approx(20, abs=0.3)
    half = independent_trials(own + common)
    assert half.correlation == pytest.approx(0.5, abs=0.03)
    assert half.number == pytest.approx(0.5 + 0.5 * 20, abs=0.6)
    assert independent_trials(own[:, :4], stretch=4.0).sharpe_variance == pytest.approx(
        independent_trials(own[:, :4]).sharpe_variance / 4
    )


def test_a_kalman_filter_tries_its_entries_only():
    y, x = reverting_pair(600)
    params = replace(PARAMS, spread="hedged", hedge="kalman")
    prepared = prepare_sweep(y, x, params, FREE_RULES, windows=[20, 40, 60], entries=ENTRIES)
    tried = setting_returns(prepared, 0, prepared.market.size)
    assert tried.tried == 9
    assert tried.independent.distinct == 3


# ---- what each setting earned


def test_a_setting_earned_what_its_own_backtest_books():
    y, x = reverting_pair(900)
    prepared = prepare_sweep(y, x, PARAMS, SYMMETRIC_RULES, windows=[20, 40], entries=ENTRIES)
    tried = setting_returns(prepared, 0, prepared.market.size)
    swept = sweep_span(prepared, 0, prepared.market.size)
    assert tried.stretch == 1.0
    pd.testing.assert_frame_equal(tried.swept.to_frame(), swept.to_frame(), rtol=1e-9, atol=1e-9)
    for earned, (row, column) in zip(tried.returns, tried.places, strict=True):
        assert earned.sum() * 10_000 == pytest.approx(swept.net[row, column])
        assert sharpe(earned) == pytest.approx(swept.sharpe[row, column])
        if row == 1:
            told = run_backtest(y, x, *swept.setting(row, column), draws=0)
            np.testing.assert_allclose(earned[-500:], told.returns.to_numpy()[-500:], atol=1e-12)


def test_long_runs_are_told_in_stretches_that_lose_nothing(monkeypatch):
    y, x = reverting_pair(900)
    prepared = prepare_sweep(y, x, PARAMS, SYMMETRIC_RULES, windows=[20], entries=ENTRIES)
    whole = setting_returns(prepared, 0, 860)
    monkeypatch.setattr("analytics.backtest.trials.MOST_STRETCHES", 100)
    told = setting_returns(prepared, 0, 860)
    assert told.returns.shape == (3, 100)
    assert told.stretch == 8.6
    np.testing.assert_allclose(told.returns.sum(axis=1), whole.returns.sum(axis=1))


# ---- whether the best is more than luck


def alike(edge: float, better: int) -> np.ndarray:
    """Thirty related settings of equal scale, a few of which earn; shape (30, 600)."""
    rng = np.random.default_rng(SEED)
    returns = rng.normal(size=(30, 600)) + 0.7 * rng.normal(size=600)
    returns[:better] += edge
    scaled: np.ndarray = returns / returns.std(axis=1, keepdims=True)
    return scaled


@pytest.mark.parametrize(("edge", "better"), [(0.0, 0), (0.15, 5), (0.3, 5)])
def test_superiority_is_that_of_arch(edge, better):
    returns = alike(edge, better)
    ours = superiority(returns, block=2.0, draws=2_000)
    # arch divides no setting by its error: of equal scale and without memory they need none.
    spa = SPA(np.zeros(600), -returns.T, block_size=2, reps=2_000, seed=1)
    spa.compute()
    for name, found in zip(("lower", "consistent", "upper"), (ours.lower, ours.pvalue, ours.upper),
                           strict=True):  # fmt: skip
        assert found == pytest.approx(spa.pvalues[name], abs=0.035)
    kept = StepM(np.zeros(600), -returns.T, size=0.05, block_size=2, reps=2_000, seed=1)
    kept.compute()
    assert len(set(np.flatnonzero(ours.worth)) ^ set(kept.superior_models)) <= 1
    assert ours.lower <= ours.pvalue <= ours.upper


def test_the_best_of_worthless_settings_is_found_as_seldom_as_it_says():
    rng = np.random.default_rng(SEED)
    found = kept = 0
    for _ in range(200):
        returns = rng.normal(size=(25, 300)) * rng.uniform(0.1, 10.0, size=(25, 1))
        told = superiority(returns, draws=200, block=2.0)
        found += told.pvalue <= 0.05
        kept += bool(told.worth.any())
    # 5 % with a binomial error of 1.5 %.
    assert 0.01 <= found / 200 <= 0.10
    assert 0.01 <= kept / 200 <= 0.10


def test_settings_that_never_traded_are_worth_nothing():
    returns = np.zeros((3, 200))
    told = superiority(returns)
    assert math.isnan(told.pvalue)
    assert not told.worth.any()
    returns[1] = np.random.default_rng(SEED).normal(0.5, 1.0, 200)
    assert list(superiority(returns).worth) == [False, True, False]


def test_a_few_bars_of_training_say_nothing_of_luck():
    returns = np.random.default_rng(SEED).normal(0.5, 1.0, (3, 19))
    told = superiority(returns)
    assert math.isnan(told.pvalue)
    assert not told.worth.any()
    assert superiority(np.c_[returns, returns[:, :1]]).pvalue > 0


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"level": 1.0}, {"block": 0.5}])
def test_wrong_settings_of_the_test_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        superiority(np.ones((2, 50)), **wrong)
