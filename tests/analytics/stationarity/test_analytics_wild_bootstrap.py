"""The wild bootstrap: each draw tested as a pair is, its size under volatile shocks, its power."""

from collections.abc import Callable

import numpy as np
import pytest

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.stationarity import (
    LEAST_DRAWS,
    WildDraws,
    engle_granger_test,
    graded_pvalues,
    wild_bootstrap_test,
)
from analytics.stationarity.mackinnon import mackinnon_pvalue

LEVEL = 0.05


def walks(rng: np.random.Generator, bars: int) -> FloatArray:
    return np.asarray(rng.normal(size=(2, bars)).cumsum(axis=1))


def stepping_walks(rng: np.random.Generator, bars: int) -> FloatArray:
    """Volatility four times as large after three quarters."""
    size = np.where(np.arange(bars) < 3 * bars // 4, 1.0, 4.0)
    return np.asarray((rng.normal(size=(2, bars)) * size).cumsum(axis=1))


def related(rng: np.random.Generator, bars: int) -> FloatArray:
    x = rng.normal(size=bars).cumsum()
    gap = np.zeros(bars)
    for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
        gap[t] = 0.8 * gap[t - 1] + shock
    return np.array([1.5 * x + gap, x])


def drawn_by_hand(leg: FloatArray, signs: np.ndarray) -> FloatArray:
    """Join the known bars, turn the signs of their changes, put the missing ones back."""
    known = np.flatnonzero(~np.isnan(leg))
    out = np.full(leg.size, np.nan)
    out[known] = np.concatenate([[0.0], (np.diff(leg[known]) * signs[known[1:]]).cumsum()])
    return out


def with_holes(leg: FloatArray) -> FloatArray:
    holed = leg.copy()
    holed[[40, *range(150, 163)]] = np.nan
    return holed


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(("max_lags", "autolag"), [(9, "aic"), (3, None), (0, None), (6, "bic")])
def test_each_draw_is_tested_as_a_pair_is(max_lags, autolag, holes):
    y, x = walks(np.random.default_rng(1), 300)
    if holes:
        # Both miss the same bars, as both legs are drawn over those known to both.
        y, x = with_holes(y), with_holes(x)
    draws = WildDraws.exactly(11, 300)
    stats = draws.null_stats(y, x, max_lags, autolag)
    for signs, (one, two) in zip(draws.signs, stats, strict=True):
        legs = drawn_by_hand(y, signs), drawn_by_hand(x, signs)
        options = {"max_lags": max_lags, "autolag": autolag}
        assert one == pytest.approx(engle_granger_test(*legs, **options).stat, abs=1e-8)
        assert two == pytest.approx(engle_granger_test(*legs[::-1], **options).stat, abs=1e-8)


def test_bars_that_one_leg_misses_are_left_out_of_both():
    y, x = walks(np.random.default_rng(2), 300)
    draws = WildDraws.exactly(5, 300)
    one = draws.null_stats(with_holes(y), x, 4, "aic")
    both = draws.null_stats(with_holes(y), with_holes(x), 4, "aic")
    np.testing.assert_array_equal(one, both)


def test_the_pvalue_is_the_share_of_draws_at_or_below_the_statistic():
    y, x = related(np.random.default_rng(3), 120)
    test = wild_bootstrap_test(y, 0.3 * x + y, draws=49)
    drawn = WildDraws.exactly(49, 120).null_stats(y, 0.3 * x + y, 13, "aic")[:, 0]
    assert test.stat == engle_granger_test(y, 0.3 * x + y).stat
    assert test.pvalue == (1 + sum(stat <= test.stat for stat in drawn)) / 50
    assert test.critical_values["10%"] == pytest.approx(np.quantile(drawn, 0.1))


def test_the_scale_and_level_of_the_legs_change_nothing():
    y, x = walks(np.random.default_rng(4), 200)
    plain, moved = wild_bootstrap_test(y, x), wild_bootstrap_test(1e5 + 7 * y, -3e-6 * x)
    assert moved.pvalue == plain.pvalue
    assert moved.stat == pytest.approx(plain.stat, abs=1e-6)


def test_draws_of_the_table_itself_give_the_tables_pvalue():
    grid = np.linspace(-9.0, 0.9, 20_001)
    pvalues = np.array([mackinnon_pvalue(stat, "c", 2) for stat in grid])
    even = np.interp((np.arange(4_000) + 0.5) / 4_000, pvalues, grid)
    for stat in (-6.0, -4.5, -3.3, -2.0):
        (graded,) = graded_pvalues(np.array([stat]), even[:, np.newaxis])
        assert np.log(graded / mackinnon_pvalue(stat, "c", 2)) == pytest.approx(0, abs=0.1)


def test_without_half_of_the_draws_there_is_no_pvalue():
    drawn = np.random.default_rng(5).normal(-2.0, 1.0, size=(100, 2))
    drawn[:51, 1] = np.nan
    known, lacking = graded_pvalues(np.array([-3.0, -3.0]), drawn)
    assert 0 < known < 1
    assert np.isnan(lacking)


def share_rejected(make: Callable[..., FloatArray], pairs: int) -> tuple[float, float]:
    """By MacKinnon's table and by the wild bootstrap."""
    rng = np.random.default_rng(6)
    by_table = by_draws = 0
    for _ in range(pairs):
        y, x = make(rng, 300)
        test = wild_bootstrap_test(y, x, draws=LEAST_DRAWS)
        by_table += mackinnon_pvalue(test.stat, "c", 2) < LEVEL
        by_draws += test.pvalue < LEVEL
    return by_table / pairs, by_draws / pairs


def test_a_step_in_volatility_fools_the_table_and_not_the_bootstrap():
    by_table, by_draws = share_rejected(stepping_walks, 400)
    assert by_table > 0.10
    assert 0.025 < by_draws < 0.075


def test_calm_walks_are_rejected_as_often_as_promised():
    _, by_draws = share_rejected(walks, 400)
    assert 0.025 < by_draws < 0.075


def test_a_relation_is_found_as_the_table_finds_it():
    by_table, by_draws = share_rejected(related, 100)
    assert by_draws >= 0.9 * by_table > 0.8


def test_wrong_input_is_refused_as_by_the_plain_test():
    y, x = walks(np.random.default_rng(7), 100)
    with pytest.raises(DegenerateSeriesError, match="collinear"):
        wild_bootstrap_test(y, 2 * y)
    with pytest.raises(NotEnoughDataError):
        wild_bootstrap_test(y[:15], x[:15])
