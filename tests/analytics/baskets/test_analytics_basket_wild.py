"""A basket's test by draws of its own bars: what the tables miss where volatility changes."""

import numpy as np
import pytest
from cases.baskets import NAMES, frames, logs_frame, related, walks

from analytics.baskets import (
    METHODS,
    BasketMethod,
    BasketParams,
    analyse_basket,
    fit_basket,
    wild,
    wild_basket_test,
)
from analytics.baskets.judge import basket_adf, basket_test
from analytics.baskets.notes import volatility_notes
from analytics.baskets.weights import find_direction
from analytics.baskets.wild import default_draws
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.stationarity import SpreadTest


def stepped(seed: int, symbols: int = 6) -> np.ndarray:
    """Unrelated walks, four times as restless in their second half."""
    shocks = np.random.default_rng(seed).standard_normal((300, symbols)) * 1e-3
    shocks[150:] *= 4.0
    return 5.0 + shocks.cumsum(axis=0)


def test_a_step_of_volatility_passes_the_table_and_not_the_draws():
    plain, wild = [], []
    for seed in range(20):
        logs = logs_frame(stepped(seed))
        fit = fit_basket(logs, "johansen")
        plain.append(basket_test(basket_adf(fit.spread(logs), fit), fit).pvalue)
        wild.append(wild_basket_test(logs, "johansen", 99).pvalue)
    assert sum(each < 0.05 for each in plain) >= 8
    assert sum(each < 0.05 for each in wild) <= 4


@pytest.mark.parametrize("method", METHODS)
def test_a_relation_is_still_seen(method: BasketMethod):
    found = [wild_basket_test(logs_frame(related(400, 4, seed)), method, 99) for seed in range(5)]
    assert max(each.pvalue for each in found) <= 0.02
    assert all("volatility allowed for" in each.verdict() for each in found)


@pytest.mark.parametrize("method", METHODS)
def test_the_statistic_is_the_tests_and_the_draws_the_same_each_time(method: BasketMethod):
    values = related(300, 4, seed=1)
    values[100, 2] = np.nan
    logs = logs_frame(values)
    fit = fit_basket(logs, method)
    plain = basket_test(basket_adf(fit.spread(logs), fit), fit)
    one, other = wild_basket_test(logs, method, 99), wild_basket_test(logs, method, 99)
    assert one.stat == plain.stat
    assert one.pvalue == other.pvalue
    assert one.critical_values == other.critical_values
    order = [one.critical_values[level] for level in ("1%", "5%", "10%")]
    assert order == sorted(order, reverse=method == "johansen")


def test_the_scale_of_the_prices_plays_no_part():
    values = stepped(3)
    one = wild_basket_test(logs_frame(values), "box_tiao", 99)
    other = wild_basket_test(logs_frame(100.0 * values - 7.0), "box_tiao", 99)
    assert one.pvalue == other.pvalue


def test_the_larger_p_counts():
    params, counted = BasketParams(NAMES[:6], "1min"), set()
    for seed in range(20):
        values = walks(300, 6, seed) if seed % 2 else stepped(seed)
        found = analyse_basket(frames(values), params)
        table, draws = found.by_table, found.by_draws
        assert isinstance(table, SpreadTest)
        assert isinstance(draws, SpreadTest)
        assert found.pvalue == max(table.pvalue, draws.pvalue)
        assert isinstance(found.test, SpreadTest)
        counted.add(found.test.name)
        if len(counted) == 2:
            break
    assert counted == {"Johansen trace", "Johansen trace, wild bootstrap"}


def test_the_notes_say_when_volatility_made_the_difference():
    params = BasketParams(NAMES[:6], "1min")
    said = "Shocks of one size would pass it for a return"
    for seed in range(20):
        found = analyse_basket(frames(stepped(seed)), params)
        assert isinstance(found.by_table, SpreadTest)
        made_it = found.by_table.pvalue < 0.05 <= found.pvalue
        assert any(said in note for note in found.notes) == made_it
        if made_it:
            return
    pytest.fail("volatility never made the difference")


def test_without_draws_the_table_counts():
    found = analyse_basket(frames(stepped(1)), BasketParams(NAMES[:6], "1min"), draws=0)
    assert found.by_draws is None
    assert found.test is found.by_table
    assert "Volatility that comes and goes is not allowed for" in found.notes[-1]
    assert default_draws(5_000) == 199
    assert default_draws(5_001) == 0


def test_too_few_bars_are_counted():
    found = analyse_basket(frames(stepped(1)[:12]), BasketParams(NAMES[:6], "1min"))
    assert isinstance(found.by_draws, NotEnough)
    assert found.test is found.by_table
    assert "had 12" in found.by_draws.reason


@pytest.mark.parametrize("method", METHODS)
def test_draws_of_a_leg_that_moves_in_its_last_bars_only_have_no_answer(method: BasketMethod):
    values = related(300, 4, seed=1)
    values[:-1, 1] = values[0, 1]
    values[-1, 1] += 0.1
    direction = attempt(lambda: find_direction(values, method, "a draw"))
    assert isinstance(direction, Degenerate)
    assert np.isnan(wild._stat(values, method))


def test_draws_that_fail_are_said():
    table = wild_basket_test(logs_frame(walks(300, 4, seed=1)), "johansen", 99)
    failed = Degenerate("the wild bootstrap of AAA+BBB", "most draws have no answer")
    (note,) = volatility_notes(table, failed)
    assert "failed (the wild bootstrap of AAA+BBB: most draws have no answer)" in note
    assert "not allowed for" in note
