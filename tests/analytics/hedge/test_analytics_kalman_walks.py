"""Kalman hedges on walks: Chan's published strategy, textbook oracles, health of the errors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox

from analytics.errors import NotEnoughDataError
from analytics.hedge import HedgeFit, fit_hedge
from analytics.hedge.innovations import check_innovations
from analytics.kernels.kalman import kalman_likelihood
from analytics.spread import zscore
from analytics.stationarity import half_life, johansen_test

SEED = 20240808


def drifting_pair(
    n: int = 3_000, drift: float = 0.003
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    x = 100 + rng.normal(size=n).cumsum() * 0.3
    beta = 1.5 + drift * rng.normal(size=n).cumsum()
    return 3 + beta * x + rng.normal(size=n) * 0.5, x, beta


def matrix_filter(
    y: np.ndarray, x: np.ndarray, delta: float, ve: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chan's loop as printed, in matrices: the oracle."""
    state, covariance = np.zeros(2), np.zeros((2, 2))
    wander = delta / (1 - delta) * np.eye(2)
    states, errors, variances = [], [], []
    for t, price in enumerate(y):
        row = np.array([x[t], 1.0])
        if t:
            covariance = covariance + wander
        variance = row @ covariance @ row + ve
        error = price - row @ state
        gain = covariance @ row / variance
        state = state + gain * error
        covariance = covariance - np.outer(gain, row) @ covariance
        states.append(state)
        errors.append(error)
        variances.append(variance)
    return np.array(states), np.array(errors), np.array(variances)


def test_the_filter_equals_the_textbook_loop_in_matrices():
    y, x, _ = drifting_pair(500)
    states, errors, variances = matrix_filter(y, x, 1e-4, 1e-3)
    fit = fit_hedge(y, x, "kalman_chan")
    assert fit.beta_path is not None
    assert fit.alpha_path is not None
    assert fit.forecast_error is not None
    assert fit.forecast_variance is not None
    np.testing.assert_allclose(fit.beta_path, states[:, 0], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(fit.alpha_path, states[:, 1], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fit.forecast_error, errors, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fit.forecast_variance, variances, rtol=1e-7)


def test_without_state_noise_it_is_recursive_least_squares():
    y, x, _ = drifting_pair(500, drift=0.0)
    fit = fit_hedge(y, x, "kalman_walks")
    assert dict(fit.settings)["beta noise ratio"] < 1e-6
    plain = fit_hedge(y, x)
    assert fit.beta == pytest.approx(plain.beta, abs=1e-3 * plain.beta_stderr)
    recursive = fit_hedge(y, x, "expanding_ols").beta_path
    assert fit.beta_path is not None
    assert recursive is not None
    np.testing.assert_allclose(fit.beta_path[400:], recursive[400:], rtol=1e-4)
    assert fit.beta_stderr == pytest.approx(plain.beta_stderr, rel=0.1)


def test_a_drifting_beta_is_followed_better_than_by_any_fixed_one():
    y, x, beta = drifting_pair()
    fit = fit_hedge(y, x, "kalman_walks")
    assert fit.beta_path is not None
    assert fit.beta_stderr_path is not None
    late = slice(500, None)
    error = np.sqrt(np.mean((fit.beta_path.to_numpy() - beta)[late] ** 2))
    fixed = np.sqrt(np.mean((fit_hedge(y, x).beta - beta)[late] ** 2))
    assert error < fixed / 2
    # What it calls one standard error holds the truth about two times in three.
    inside = np.abs(fit.beta_path - beta)[late] < fit.beta_stderr_path[late]
    assert 0.4 < inside.mean() < 0.9


def test_maximum_likelihood_finds_the_noise_that_was_put_in():
    rng = np.random.default_rng(SEED)
    n = 6_000
    x = rng.normal(size=n)
    beta, alpha = 1.5 + 0.05 * rng.normal(size=(2, n)).cumsum(axis=1)
    y = alpha + beta * x + 0.5 * rng.normal(size=n)
    fit = fit_hedge(y, x, "kalman_walks", noise="whole")
    found = dict(fit.settings)
    assert found["ve"] == pytest.approx(0.25, rel=0.1)
    # x has unit variance, so the filter's unit of beta is that of the prices.
    for name in ("beta noise ratio", "alpha noise ratio"):
        assert found[name] * found["ve"] == pytest.approx(0.05**2, rel=0.3)
    assert fit.innovations is not None
    assert fit.innovations.verdict(0.01).startswith("healthy")


def test_alpha_takes_up_what_the_residual_remembers_and_beta_stands_still():
    rng = np.random.default_rng(SEED)
    n = 2_000
    x = 100 + rng.normal(size=n).cumsum()
    gap = np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n - 1), start=1):
        gap[t] = 0.9 * gap[t - 1] + shock
    fit = fit_hedge(3 + 1.5 * x + gap, x, "kalman_walks")
    found = dict(fit.settings)
    assert found["beta noise ratio"] < 1e-5 < found["alpha noise ratio"]
    assert fit.beta == pytest.approx(1.5, abs=0.05)
    assert "the first 200 bars and anew at every doubling, up to 1,600" in fit.looks_back
    assert "beta stands still" in fit.looks_back


def test_the_noise_is_estimated_anew_without_touching_what_was_said():
    y, x, _ = drifting_pair(900)
    whole = fit_hedge(y, x, "kalman_walks")
    # Just before, at and after the bars at which the noise is estimated anew.
    for cut in (399, 400, 401, 799, 800, 801):
        early = fit_hedge(y[:cut], x[:cut], "kalman_walks")
        for name in ("beta", "alpha", "beta_stderr", "forecast_error", "forecast_variance"):
            np.testing.assert_array_equal(whole.paths[name][:cut], early.paths[name])


def test_each_forecast_stands_on_the_state_of_the_bar_before():
    y, x, _ = drifting_pair(900)
    y[500:520] = np.nan
    fit = fit_hedge(y, x, "kalman_walks")
    beta, alpha = (fit.paths[name] for name in ("beta", "alpha"))
    before = pd.DataFrame({"beta": beta, "alpha": alpha}).ffill().shift()
    forecast = before["alpha"] + before["beta"] * x
    known = ~np.isnan(fit.paths["forecast_error"])
    np.testing.assert_allclose((y - forecast)[known], fit.paths["forecast_error"][known], atol=1e-9)


def test_the_likelihood_is_that_of_the_matrix_form():
    y, x, _ = drifting_pair(300)
    y, x = y - y.mean(), x - x.mean()
    cost, noise = kalman_likelihood(y, x, np.array([1.0, 0.0, 9.0, 1.0, 4.0]), -3.0, -1.0)
    state, covariance = np.array([1.0, 0.0]), np.array([[9.0, 1.0], [1.0, 4.0]])
    squares, logs = [], []
    for t, price in enumerate(y):
        row = np.array([x[t], 1.0])
        if t:
            covariance = covariance + np.diag(np.exp([-3.0, -1.0]))
        variance = row @ covariance @ row + 1.0
        error = price - row @ state
        squares.append(error**2 / variance)
        logs.append(np.log(variance))
        gain = covariance @ row / variance
        state = state + gain * error
        covariance = covariance - np.outer(gain, row) @ covariance
    assert noise == pytest.approx(np.mean(squares), rel=1e-10)
    assert cost == pytest.approx(y.size * np.log(np.mean(squares)) + np.sum(logs), rel=1e-10)


def test_too_few_bars_for_the_burn_in_say_so():
    y, x, _ = drifting_pair(200)
    with pytest.raises(NotEnoughDataError, match="needs 201 complete rows, had 200"):
        fit_hedge(y, x, "kalman_walks")
    y, x, _ = drifting_pair(210)
    fit = fit_hedge(y, x, "kalman_walks")
    assert fit.innovations is None
    assert fit.beta_path is not None
    assert fit.forecast_error is not None
    assert fit.beta_path.notna().sum() == 10
    assert fit.forecast_error.notna().sum() == 9


# ---- the forecast errors


def test_ljung_box_equals_statsmodels():
    errors = np.random.default_rng(SEED).normal(size=400)
    check = check_innovations(errors, np.ones(400))
    oracle = acorr_ljungbox(errors, lags=[10])
    assert check.ljung_box == pytest.approx(oracle["lb_stat"].iloc[0], rel=1e-10)
    assert check.ljung_box_pvalue == pytest.approx(oracle["lb_pvalue"].iloc[0], rel=1e-10)
    assert check.verdict(0.001).startswith("healthy: nothing in 400 forecast errors")


def test_each_broken_promise_is_told_in_words():
    errors = np.random.default_rng(SEED).normal(size=400)
    shifted = check_innovations(errors + 1, np.ones(400)).verdict()
    assert "mean is +" in shifted
    assert "too sure of itself" in check_innovations(errors * 2, np.ones(400)).verdict()
    assert "less sure" in check_innovations(errors / 2, np.ones(400)).verdict()
    smooth = np.convolve(errors, np.ones(5), "same") / np.sqrt(5)
    assert "remember the past" in check_innovations(smooth, np.ones(400)).verdict()
    flat = check_innovations(np.zeros(400), np.ones(400))
    assert flat.ljung_box == 0
    with pytest.raises(NotEnoughDataError, match="needs 30 bars, had 29"):
        check_innovations(errors[:29], np.ones(29))


# ---- Chan (2013), Algorithmic Trading: published figures of the strategies


def held(entry: np.ndarray, leave: np.ndarray, units: int) -> np.ndarray:
    position = pd.Series(np.nan, index=range(entry.size))
    position.iloc[0] = 0
    position[entry] = units
    position[leave] = 0
    return position.ffill().to_numpy()


def performance(positions: np.ndarray, prices: np.ndarray) -> tuple[float, float]:
    """APR and Sharpe ratio by Chan's formulas: 252 days, returns on the gross of the day before."""
    before = pd.DataFrame(positions).shift().to_numpy()
    earned = np.nansum(before * pd.DataFrame(prices).pct_change().to_numpy(), axis=1)
    gross = np.nansum(np.abs(before), axis=1)
    returns = np.divide(earned, gross, out=np.zeros_like(earned), where=gross > 0)
    apr = float(np.prod(1 + returns) ** (252 / returns.size) - 1)
    return apr, float(np.sqrt(252) * returns.mean() / returns.std(ddof=1))


@pytest.fixture(scope="module")
def chan(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "reference/epchan/inputData_EWA_EWC_IGE.csv")


def kalman_positions(fit: HedgeFit, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    assert fit.forecast_error is not None
    assert fit.forecast_variance is not None
    assert fit.beta_path is not None
    error, scale = fit.forecast_error.to_numpy(), np.sqrt(fit.forecast_variance.to_numpy())
    units = held(error < -scale, error > -scale, 1) + held(error > scale, error < scale, -1)
    return np.asarray(units[:, np.newaxis] * np.column_stack([-fit.beta_path.to_numpy() * x, y]))


@pytest.mark.real_data
def test_chans_kalman_strategy_on_ewa_and_ewc(chan: pd.DataFrame):
    y, x = chan["EWC"].to_numpy(), chan["EWA"].to_numpy()
    fit = fit_hedge(y, x, "kalman", delta=1e-4, ve=1e-3)
    apr, sharpe = performance(kalman_positions(fit, y, x), np.column_stack([x, y]))
    # Printed with 6 decimals.
    assert apr == pytest.approx(0.262252, abs=5e-7)
    assert sharpe == pytest.approx(2.361162, abs=5e-7)


@pytest.mark.real_data
def test_chans_johansen_portfolio_with_its_half_life_as_lookback(chan: pd.DataFrame):
    names = ["EWA", "EWC", "IGE"]
    prices = chan[names].to_numpy()
    weights = johansen_test(chan[names]).eigenvectors[:, 0]
    portfolio = pd.Series(prices @ weights)
    lookback = round(float(half_life(portfolio)))
    assert lookback == 23
    units = -zscore(portfolio, lookback).to_numpy()
    apr, sharpe = performance(units[:, np.newaxis] * weights * prices, prices)
    # Printed with 6 decimals.
    assert apr == pytest.approx(0.125739, abs=5e-7)
    assert sharpe == pytest.approx(1.391310, abs=5e-7)
