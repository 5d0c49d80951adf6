"""Factors and residuals against their definitions, published values and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.factors import factor_scores, score_paths
from analytics.factors.eigenportfolios import (
    flipped_edges,
    marchenko_pastur_edge,
    spectrum,
    standing_out,
)
from analytics.factors.memory import unbiased_half_lives
from analytics.factors.reversion import centred_means, fit_reversion
from analytics.factors.white_residual import (
    null_stats,
    reversion_stats,
    sign_draws,
    simulated_pvalues,
)


def closes(bars=150, symbols=6, seed=1, market=1.0) -> pd.DataFrame:
    """Walks with one common factor."""
    rng = np.random.default_rng(seed)
    common = market * rng.normal(size=(bars, 1)) * rng.uniform(0.5, 2.0, symbols)
    returns = 1e-3 * (common + rng.normal(size=(bars, symbols)))
    index = pd.date_range("2024-01-01", periods=bars, freq="min", tz="UTC", name="time")
    names = [f"{letter}USDT" for letter in "ABCDEFGHIJKLMNOPQRST"[:symbols]]
    return pd.DataFrame(np.exp(np.cumsum(returns, axis=0)), index=index, columns=names)


def by_symbol(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("symbol").sort_index()


def test_a_spectrum_is_that_of_the_correlation_and_weights_are_eigenvector_over_volatility():
    returns = np.diff(np.log(closes().to_numpy()), axis=0)
    found = spectrum(returns)
    correlation = np.corrcoef(returns.T)
    for eigenvalue, weights in zip(found.eigenvalues, found.weights.T, strict=True):
        vector = weights * returns.std(axis=0, ddof=1)
        assert_allclose(correlation @ vector, eigenvalue * vector, atol=1e-12)
        assert np.abs(weights).sum() == pytest.approx(1.0)
    assert found.eigenvalues.sum() == pytest.approx(6.0)
    assert (np.diff(found.eigenvalues) <= 0).all()
    assert (found.weights[:, 0] > 0).all()  # the market: all on one side


def test_scores_follow_the_papers_definitions_symbol_by_symbol():
    """Avellaneda & Lee (2010), appendix A, by numpy's own least squares."""
    prices, window = closes(), 60
    found = factor_scores(prices, window=window, factors=2)
    returns = np.diff(np.log(prices.to_numpy()), axis=0)
    factor_returns = returns[-window:] @ found.weights
    levels, rows = [], []
    for column in range(6):
        design = np.column_stack([np.ones(window), factor_returns])
        beta = np.linalg.lstsq(design, returns[-window:, column], rcond=None)[0]
        walk = np.cumsum(returns[-window:, column] - design @ beta)
        slope, intercept = np.polyfit(walk[:-1], walk[1:], 1)
        noise = walk[1:] - intercept - slope * walk[:-1]
        kappa, level = -np.log(slope), intercept / (1 - slope)
        spread = np.sqrt(noise @ noise / (window - 3) / (1 - slope**2))
        levels.append(level)
        rows.append((*beta, kappa, level, spread, -level / spread, beta[0] / (kappa * spread)))
        assert_allclose(found.walks.iloc[:, column], walk, atol=1e-12)
    table = by_symbol(found.table)
    names = ["alpha", "beta_1", "beta_2", "kappa", "mean", "std_eq", "s_own"]
    expected = np.array(rows)
    assert_allclose(table[names], expected[:, :7], rtol=1e-8, atol=1e-12)
    centred = -(np.array(levels) - np.mean(levels)) / expected[:, 5]
    assert_allclose(table["s_score"], centred, rtol=1e-8)
    assert_allclose(table["s_drift"], centred - expected[:, 7], rtol=1e-8)
    assert_array_equal(table["passes"], 1 / expected[:, 3] < window / 2)


def test_a_process_without_noise_is_recovered_exactly():
    b, level = 0.8, 3.0
    walk = level + 5.0 * b ** np.arange(40)
    fit = fit_reversion(np.column_stack([walk, np.zeros(40), np.arange(40.0)]))
    assert fit.b[0] == pytest.approx(b)
    assert fit.kappa[0] == pytest.approx(-np.log(b))
    assert fit.mean[0] == pytest.approx(level)
    assert fit.std_eq[0] == pytest.approx(0.0, abs=1e-6)
    assert fit.half_life[0] == pytest.approx(np.log(2) / -np.log(b))
    assert np.isnan(fit.b[1])  # does not move
    assert np.isnan(fit.mean[2])  # a line returns to nothing
    assert not fit.passes(40)[1:].any()


def test_a_walk_that_turns_back_at_every_bar_is_quicker_than_a_bar_and_has_a_score():
    walk = np.cumsum([1.0, -1.9, 1.8, -1.7, 1.75, -1.9, 1.8, -1.85, 1.9, 0.1])[:, np.newaxis]
    fit = fit_reversion(walk)
    assert fit.b[0] < 0
    assert fit.kappa[0] == np.inf
    assert fit.half_life[0] == 0.0
    assert np.isfinite(fit.s_scores()[0])
    assert fit.drifting_s_scores(np.array([0.3]))[0] == fit.s_scores()[0]


def test_centring_leaves_out_what_is_not_known():
    assert_allclose(centred_means(np.array([1.0, np.nan, 3.0])), [-1.0, np.nan, 1.0])


def test_the_factors_take_out_what_is_common():
    found = factor_scores(closes(bars=400, symbols=8, market=3.0), window=200)
    assert found.explained[0] > 0.75
    assert found.standing_out == 1
    assert (found.table["r_squared"] > 0.6).all()
    assert np.abs(found.walks.iloc[-1]).max() < 1e-12


def test_no_factor_is_counted_where_volatility_is_all_that_symbols_share():
    """Calm and wild bars lift the first eigenvalue above Marchenko and Pastur's edge."""
    rng = np.random.default_rng(5)
    flips = edge = 0
    for _ in range(40):
        wild = np.where(rng.random((200, 1)) < 0.05, 8.0, 1.0)
        returns = wild * rng.normal(size=(200, 8))
        found = spectrum(returns)
        edge += found.eigenvalues[0] > marchenko_pastur_edge(8, 200)
        flips += standing_out(found, flipped_edges(returns, found))
    assert edge > 20
    assert flips <= 6


def test_marchenko_and_pasturs_edge():
    assert marchenko_pastur_edge(100, 400) == pytest.approx(2.25)  # (1 + 1/2)²


@pytest.mark.parametrize(
    ("bars", "ten", "five", "one"),
    [(50, -2.80, -3.11, -3.73), (100, -2.77, -3.06, -3.63), (500, -2.76, -3.04, -3.59)],
)
def test_without_factors_and_lags_the_values_are_schmidt_and_phillips(bars, ten, five, one):
    """Their table 1A (1992); it names levels, one more than changes. 40,000 of their draws."""
    rng = np.random.default_rng(9)
    changes = rng.normal(size=(bars - 1, 20_000))
    stats = reversion_stats(changes - changes.mean(axis=0), 0)
    assert_allclose(np.quantile(stats, [0.1, 0.05]), [ten, five], atol=0.03)
    assert np.quantile(stats, 0.01) == pytest.approx(one, abs=0.08)


def test_the_statistic_with_lags_is_that_of_a_regression():
    rng = np.random.default_rng(2)
    residuals = rng.normal(size=(60, 2))
    residuals -= residuals.mean(axis=0)
    walk = np.r_[0.0, np.cumsum(residuals[:, 1])]
    target, rows = residuals[2:, 1], 58
    design = np.column_stack(
        [walk[2:-1], residuals[1:-1, 1], residuals[:-2, 1], np.ones(rows)]
    )  # fmt: skip
    slopes, left, *_ = np.linalg.lstsq(design, target, rcond=None)
    variance = left[0] / (rows - 4) * np.linalg.inv(design.T @ design)[0, 0]
    assert reversion_stats(residuals, 2)[1] == pytest.approx(slopes[0] / np.sqrt(variance))
    assert np.isnan(reversion_stats(np.zeros((60, 1)), 2)[0])


@pytest.mark.parametrize("window", [60, 200, 500])
def test_five_in_a_hundred_symbols_with_nothing_to_return_to_are_below_five_percent(window):
    shares = [
        (factor_scores(closes(window + 1, 20, seed), window=window).table["pvalue"] < 0.05).mean()
        for seed in range(20)
    ]
    # 400 symbols, families of 20 that share a factor: three standard errors.
    assert np.mean(shares) == pytest.approx(0.05, abs=0.03)


def test_the_papers_filter_passes_nearly_all_symbols_with_nothing_to_return_to():
    found = factor_scores(closes(bars=241, symbols=20), window=120)
    assert found.white.passing > 18  # of 20
    assert found.white.passing_range[0] <= found.table["passes"].sum()
    assert 2 < found.white.extreme < 7
    assert (found.table["qvalue"] > 0.05).all()


def test_a_residual_that_returns_is_found_among_others():
    prices = closes(bars=400, symbols=12, market=2.0)
    market = np.log(prices.iloc[:, 1:]).mean(axis=1).to_numpy()
    rng = np.random.default_rng(4)
    walk = np.zeros(400)
    for bar in range(1, 400):
        walk[bar] = 0.7 * walk[bar - 1] + 2e-3 * rng.normal()
    prices["AUSDT"] = np.exp(market + walk)
    table = by_symbol(factor_scores(prices, window=300).table)
    numbers = table[["qvalue", "half_life_low", "half_life_high"]].to_numpy()
    qvalue, low, high = numbers[0]
    assert qvalue < 0.05
    assert low < np.log(2) / -np.log(0.7) < high
    assert (numbers[1:, 0] > 0.05).all()


def test_p_values_allow_for_a_residuals_own_volatility():
    """One in five bars eight times as wild: Gaussian draws alone reject too often."""
    rng = np.random.default_rng(11)
    by_draws, by_table = [], []
    for _ in range(12):
        wild = np.where(np.arange(200) < 160, 1.0, 8.0)[:, np.newaxis]
        returns = 1e-4 * (rng.normal(size=(200, 1)) + wild * rng.normal(size=(200, 15)))
        prices = pd.DataFrame(np.exp(np.vstack([np.zeros((1, 15)), returns.cumsum(axis=0)])))
        table = factor_scores(prices, window=200).table
        by_draws.append((table["pvalue"] < 0.05).mean())
        by_table.append((simulated_pvalues(table["stat"].to_numpy(), 200, 1) < 0.05).mean())
    assert np.mean(by_draws) < 0.09
    assert np.mean(by_table) > np.mean(by_draws)


def test_the_corrected_half_life_is_right_in_the_middle_where_the_plain_one_is_short():
    rng, life, bars = np.random.default_rng(6), 20.0, 120
    walk = rng.normal(size=(bars + 200, 600))
    for bar in range(1, len(walk)):
        walk[bar] += 0.5 ** (1 / life) * walk[bar - 1]
    changes = np.diff(walk[-bars - 1 :], axis=0)
    fit = fit_reversion(np.cumsum(changes - changes.mean(axis=0), axis=0))
    low, middle, high = unbiased_half_lives(fit.b, bars, 0)
    assert np.median(fit.half_life) < 0.6 * life
    assert np.median(middle) == pytest.approx(life, rel=0.25)
    assert ((low <= life) & (life <= high)).mean() == pytest.approx(0.95, abs=0.03)


def test_half_of_the_walks_have_no_half_life():
    changes = np.random.default_rng(7).normal(size=(100, 2_000))
    fit = fit_reversion(np.cumsum(changes - changes.mean(axis=0), axis=0))
    _, middle, high = unbiased_half_lives(fit.b, 100, 0)
    assert np.isinf(middle).mean() == pytest.approx(0.5, abs=0.06)
    assert np.isinf(high).mean() == pytest.approx(0.975, abs=0.02)
    assert np.isnan(unbiased_half_lives(np.array([np.nan]), 100, 0)).all()


def test_nothing_looks_ahead_and_the_last_of_a_path_is_the_score():
    prices = closes(bars=160)
    path = score_paths(prices, window=60, factors=1)
    assert len(path) == 159 - 60 + 1
    shorter = prices.iloc[:120]
    early = score_paths(shorter, window=60, factors=1)
    assert_allclose(path.loc[early.index], early, rtol=1e-9)
    for prefix in (prices, shorter):
        table = by_symbol(factor_scores(prefix, window=60, factors=1).table)
        assert_allclose(path.loc[prefix.index[-1]], table["s_score"], rtol=1e-9)


def test_no_return_reaches_over_a_missing_bar_and_late_symbols_cost_only_themselves():
    prices = closes(bars=200, symbols=6)
    prices.iloc[50:55, 0] = np.nan
    prices.iloc[:150, 5] = np.nan
    prices.insert(6, "FLATUSDT", 1.0)
    found = factor_scores(prices, window=100)
    assert found.names == tuple(prices.columns[:5])
    assert found.bars == 199 - 6
    assert found.left_out["FUSDT"] == "knows 49 of 193 returns that the others share"
    assert found.left_out["FLATUSDT"].startswith("constant")
    clean = prices.iloc[:, :5].drop(index=prices.index[50:55])
    returns = np.diff(np.log(clean.to_numpy()), axis=0)
    whole = np.delete(returns, 49, axis=0)  # the one over the hole
    assert_allclose(found.eigenvalues, np.linalg.eigvalsh(np.corrcoef(whole.T))[::-1])


def test_a_symbol_that_ended_costs_itself_not_the_last_bars_of_the_others():
    prices = closes(bars=200, symbols=6)
    prices.iloc[170:, 2] = np.nan
    prices.iloc[-10:, 4] = np.nan  # quiet of late, and still there
    found = factor_scores(prices.iloc[:-3], window=100)
    assert "CUSDT" not in found.names
    assert found.left_out == {"CUSDT": "its last return is 27 bars before the last of all"}
    assert found.walks.index[-1] == prices.index[-11]


def test_where_all_but_two_symbols_ended_the_ended_ones_are_scored_to_their_end():
    prices = closes(bars=200, symbols=6)
    prices.iloc[170:, 2:] = np.nan
    found = factor_scores(prices, window=100)
    assert len(found.names) == 6
    assert found.walks.index[-1] == prices.index[169]


def test_one_symbol_that_is_older_than_all_others_costs_itself():
    prices = closes(bars=1_000, symbols=10)
    prices.iloc[800:, 0] = np.nan  # ended, and knows the most
    prices.iloc[:345, 1:] = np.nan
    found = factor_scores(prices, window=100)
    assert found.names == tuple(prices.columns[1:])
    assert found.bars == 654
    prices.iloc[:, 0] = closes(bars=1_000, symbols=1, seed=3).to_numpy()[:, 0]
    prices.iloc[700:990, 0] = np.nan  # not ended, and full of a hole
    found = factor_scores(prices, window=100)
    assert found.names == tuple(prices.columns[1:])
    assert found.left_out == {"AUSDT": "knows 363 of 654 returns that the others share"}


def test_a_symbol_that_does_not_fit_keeps_no_later_one_out():
    prices = closes(bars=1_000, symbols=5)
    prices.iloc[100:280, 2] = np.nan
    prices.iloc[400:590, 3] = np.nan
    prices.iloc[95:290, 4] = np.nan  # knows fewer than the fourth, and costs the others less
    found = factor_scores(prices, window=100)
    assert found.names == ("AUSDT", "BUSDT", "CUSDT", "EUSDT")
    assert found.bars == 999 - 196


def test_names_do_not_matter_and_prices_only_by_their_ratios():
    prices = closes(bars=150, symbols=6)
    found = by_symbol(factor_scores(prices, window=100).table)
    scaled = by_symbol(factor_scores(prices.iloc[:, ::-1] * 37.0, window=100).table)
    numbers = ["beta_1", "r_squared", "s_score", "stat", "half_life"]
    assert_allclose(scaled[numbers], found[numbers], rtol=1e-6)


def test_a_copy_of_a_factor_has_no_score_and_says_why():
    prices = closes(bars=150, symbols=3)
    prices["AUSDT"] = prices["BUSDT"] = prices["CUSDT"]
    table = factor_scores(prices, window=60).table
    assert set(table["reason"]) == {"moves with the factors alone"}
    assert table[["s_score", "pvalue", "qvalue", "half_life"]].isna().all().all()


@pytest.mark.parametrize(("movers", "factors"), [(0, 1), (1, 2), (2, 3)])
def test_a_window_in_which_too_few_symbols_move_is_refused_and_has_no_path(movers, factors):
    prices = closes(bars=150, symbols=6)
    prices.iloc[119:, movers:] = prices.iloc[119, movers:].to_numpy()
    with pytest.raises(DegenerateSeriesError, match="too few symbols move in these bars"):
        factor_scores(prices, window=30, factors=factors)
    path = score_paths(prices, window=30, factors=factors)
    assert path.iloc[-1].isna().all()
    assert path.iloc[0].notna().any()
    early = score_paths(prices.iloc[:100], window=30, factors=factors)
    assert_allclose(path.loc[early.index[-1]], early.iloc[-1], rtol=1e-9)


def test_a_path_begins_where_fewer_symbols_moved_than_there_are_factors():
    prices = closes(bars=60, symbols=6)
    prices.iloc[:40, 1:] = prices.iloc[0, 1:].to_numpy()
    path = score_paths(prices, window=30, factors=3)
    assert path.iloc[:10].isna().all().all()
    assert path.iloc[-1].notna().any()


def test_as_many_factors_as_asked_for_explained_or_found():
    prices = closes(bars=300, symbols=12, market=2.0)
    assert factor_scores(prices, window=100, factors=3).factors == 3
    assert factor_scores(prices, window=100, factors=None).factors == 1
    some = factor_scores(prices, window=100, explained=0.8)
    assert some.explained[: some.factors].sum() >= 0.8
    assert some.explained[: some.factors - 1].sum() < 0.8


def test_too_little_and_impossible_settings_are_refused_in_words():
    with pytest.raises(NotEnoughDataError, match="factors needs 3 symbols, had 2"):
        factor_scores(closes(symbols=2))
    with pytest.raises(NotEnoughDataError, match="needs 3 symbols that move"):
        factor_scores(closes().iloc[:0])
    with pytest.raises(NotEnoughDataError, match=r"window of 200 returns .* needs 200 .*had 149"):
        factor_scores(closes(), window=200)
    with pytest.raises(ParameterError, match="window"):
        factor_scores(closes(), window=29)
    with pytest.raises(ParameterError, match="factors = 5: must be 1 to 4"):
        factor_scores(closes(), window=60, factors=5)
    with pytest.raises(ParameterError, match="explained"):
        factor_scores(closes(), window=60, explained=1.5)


def test_a_long_window_takes_fewer_sign_draws_so_that_they_fit_in_memory():
    assert sign_draws(60, 20) == sign_draws(2_000, 20) == 499
    assert sign_draws(2_000, 400) == 199
    assert max(bars * sign_draws(bars, 20) for bars in range(30, 10_001, 10)) <= 1_000_000
    assert sign_draws(10**6, 20) == 99


def test_the_same_null_is_drawn_each_time():
    first = null_stats(60, 1)
    null_stats.cache_clear()
    assert_array_equal(null_stats(60, 1), first)
    assert_allclose(
        simulated_pvalues(np.array([np.median(first), np.nan]), 60, 1), [0.5, np.nan], atol=1e-3
    )
