"""Entries that pay as a rule: fitted to the past alone, silent where nothing pays."""

import math
from dataclasses import replace

import numpy as np
import pytest
from cases.backtest import bars as bars_of
from cases.backtest import reverting_pair, walks

from analytics.backtest import (
    PAYING_RULES,
    SYMMETRIC_RULES,
    BacktestRules,
    Costs,
    best_entry,
    null_backtests,
    run_backtest,
    sweep_backtest,
)
from analytics.backtest.entries import SIDES, best_levels, levels_that_pay, trade_at
from analytics.backtest.market import prepare, signals
from analytics.backtest.paying import in_entries
from analytics.errors import ParameterError
from analytics.pair import PairParams
from analytics.spread import SPREAD_KINDS
from analytics.stationarity import engle_granger_test, half_life

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=60)
CHEAP = replace(PAYING_RULES, costs=Costs(1.0))


@pytest.mark.parametrize("sides", SIDES)
def test_many_levels_at_once_are_where_a_search_finds_them(sides):
    costs = np.array([0.02, 0.3, 1.0, 2.5, 6.0])
    for cost, level in zip(costs, best_levels(costs, sides), strict=True):
        grid = np.linspace(max(level - 0.05, 0.01), level + 0.05, 201)
        gains = [trade_at(each, 1.0, 1.0, cost, sides).mean for each in grid]
        assert grid[int(np.argmax(gains))] == pytest.approx(level, abs=6e-4)


def test_what_is_not_known_stays_so_and_costs_beyond_reach_never_pay():
    level = levels_that_pay(
        np.array([5.0, 5.0, math.nan, 5.0]),
        np.array([1.0, 1.0, 1.0, math.nan]),
        np.array([0.3, 9.0, 0.3, 0.3]),
        np.full(4, 500.0),
    )
    assert level[0] == pytest.approx(best_entry(5.0, 1.0, 0.3).level)
    assert math.isinf(level[1])
    assert np.isnan(level[2:]).all()
    # A cycle fits into the bars, or does not.
    length = best_entry(5.0, 1.0, 0.3).length
    for bars, pays in ((length + 1, True), (length - 1, False)):
        found = levels_that_pay(*(np.array([each]) for each in (5.0, 1.0, 0.3, bars)))
        assert np.isfinite(found[0]) == pays


def test_a_bar_is_measured_by_the_fit_before_it():
    y, x = reverting_pair(1_500)
    market = prepare(y, x, PARAMS, CHEAP)
    made = signals(market, PARAMS, CHEAP)
    # The fit of the 600 bars to row 1,139, in force up to the next, 60 bars on.
    rows, row = slice(540, 1_140), 1_150
    logs = [np.log(leg["close"].to_numpy()) for leg in (y, x)]
    line = engle_granger_test(logs[0][rows], logs[1][rows])
    assert line.rejects(0.05)
    rest = logs[0] - line.alpha - line.beta * logs[1]
    decay = half_life(rest[rows], on_estimated_line=True).median_unbiased
    deviation = rest[rows].std()
    paid = 2 * (1 + line.beta) * 1e-4
    assert made.zscore[row] == pytest.approx(rest[row] / deviation, rel=1e-9)
    assert made.beta[row] == pytest.approx(line.beta, rel=1e-12)
    assert made.level is not None
    assert made.level[row] == pytest.approx(best_entry(decay, deviation, paid).level, rel=1e-9)
    assert made.compared[row] == pytest.approx(made.zscore[row] / made.level[row])


@pytest.mark.parametrize("spread", SPREAD_KINDS)
def test_cut_anywhere_no_past_bar_changes(spread):
    y, x = reverting_pair(1_500, missing=((700, 720),))
    params = replace(PARAMS, spread=spread)
    made = signals(prepare(y, x, params, CHEAP), params, CHEAP)
    for cut in (300, 659, 661, 1_200):
        early = signals(prepare(y.iloc[:cut], x.iloc[:cut], params, CHEAP), params, CHEAP)
        for name in ("zscore", "level", "beta", "units"):
            np.testing.assert_array_equal(
                getattr(early, name), getattr(made, name)[..., :cut], f"{name}, {cut}"
            )


def test_the_range_begins_with_a_whole_fit_wherever_it_begins():
    y, x = reverting_pair(2_000)
    for lookback in (500, 777):
        params = replace(PARAMS, lookback=lookback)
        made = signals(prepare(y, x, params, CHEAP), params, CHEAP)
        whole = signals(prepare(y, x, PARAMS, CHEAP), PARAMS, CHEAP)
        np.testing.assert_array_equal(made.zscore[-lookback:], whole.zscore[-lookback:])


def test_a_return_earns_more_than_by_the_fixed_entry():
    y, x = reverting_pair()
    for cost in (1.0, 4.0):
        paying, fixed = (
            run_backtest(y, x, PARAMS, replace(rules, costs=Costs(cost)), draws=0)
            for rules in (PAYING_RULES, SYMMETRIC_RULES)
        )
        assert paying.performance.net > fixed.performance.net
        trades = paying.trades
        assert (trades["entry_z"].abs() > trades["entry_level"]).all()
        assert "An entry pays by" in paying.notes[0]
        assert "entry_level" in paying.to_frame()
        assert "entry_level" not in fixed.to_frame()


def test_where_no_entry_pays_it_does_not_trade_and_says_so():
    y, x = reverting_pair(1_500)
    dear = run_backtest(y, x, PARAMS, replace(PAYING_RULES, costs=Costs(200.0)), draws=0)
    assert dear.performance.trades == 0
    assert dear.notes[0].startswith("No entry pays: fitted 25 times, every 60 bars to the 600")
    assert not dear.zscore.isna().all()


@pytest.mark.parametrize("kind", ["flat", "as one"])
@pytest.mark.parametrize("spread", ["log", "ratio"])
def test_legs_that_cannot_be_fitted_are_named_and_no_window_is_blamed(kind, spread):
    x = bars_of(np.full(1_500, 7.0)) if kind == "flat" else reverting_pair(1_500)[1]
    y = bars_of(2 * x["close"].to_numpy())
    result = run_backtest(y, x, replace(PARAMS, window=30, spread=spread), CHEAP, draws=0)
    assert result.zscore.isna().all()
    assert result.notes[0].startswith("Nothing could be fitted, tried 50 times, every 30 bars")


@pytest.mark.parametrize("skipped", [1, 20, 59])
def test_before_the_first_fit_it_says_when_that_comes(skipped):
    y, x = (leg.iloc[skipped:] for leg in reverting_pair(300))
    # The first bar opens at the epoch, so that a fit ends with every 60th.
    first = 120 - skipped
    early = run_backtest(y.iloc[: first - 1], x.iloc[: first - 1], PARAMS, CHEAP, draws=0)
    assert "Nothing is fitted yet" in early.notes[0]
    assert early.notes[0].endswith("The first comes after 1 bar more.")
    few = run_backtest(y.iloc[:50], x.iloc[:50], PARAMS, CHEAP, draws=0)
    assert few.notes[0].endswith(f"The first comes after {first - 50} bars more.")
    then = run_backtest(y.iloc[:first], x.iloc[:first], PARAMS, CHEAP, draws=0)
    assert "fitted 1 time," in then.notes[0]


def test_of_unrelated_walks_few_are_traded():
    traded = [run_backtest(*walks(600, seed), PARAMS, CHEAP, draws=0).side for seed in range(40)]
    # Ten fits of 40 walks, 5 % each; overlapping ones agree.
    assert 0 < np.mean([(side != 0).mean() for side in traded]) < 0.1
    assert np.mean([(side != 0).any() for side in traded]) < 0.5


def test_what_is_held_waits_for_the_mean_while_no_entry_pays():
    measured = in_entries(np.array([3.0, 3.0, -0.2]), np.array([1.5, math.inf, math.inf]))
    rules = CHEAP
    assert measured[0] == 2.0
    assert 0 < measured[1] < rules.sell_above  # Nothing is entered, a short stays.
    assert measured[2] <= rules.exit_short


def test_a_sweep_tries_windows_of_the_fit_and_multiples_of_the_entry():
    y, x = reverting_pair(1_500)
    swept = sweep_backtest(y, x, PARAMS, CHEAP, windows=[30, 60], entries=[0.5, 1.0, 1.5])
    for row in range(2):
        for column in range(3):
            params, rules = swept.setting(row, column)
            assert rules.is_fitted
            told = run_backtest(y, x, params, rules, draws=0).performance
            assert swept.trades[row, column] == told.trades
            assert swept.net[row, column] == pytest.approx(told.net, rel=1e-9)


def test_unrelated_legs_earn_nothing_by_it_either():
    found = null_backtests(*reverting_pair(1_500), PARAMS, CHEAP, runs=19, block=20)
    assert found.pvalue == 1 / 20
    assert np.median(found.trades) < 10


@pytest.mark.parametrize("name", ["exit_short", "exit_long"])
@pytest.mark.parametrize("value", [-0.5, 0.5])
def test_an_exit_that_a_fit_without_an_entry_would_pass_is_refused(name, value):
    with pytest.raises(ParameterError, match="must be 0 with entries that pay") as refused:
        replace(PAYING_RULES, **{name: value})
    assert refused.value.name == name
    assert getattr(replace(SYMMETRIC_RULES, **{name: value}), name) == value


def test_it_needs_no_causal_hedge_and_only_two_scales_are_known():
    y, x = reverting_pair(800)
    assert run_backtest(y, x, replace(PARAMS, hedge="ols"), CHEAP, draws=0).performance.trades
    with pytest.raises(ParameterError, match="scale"):
        BacktestRules(scale="sigma")  # type: ignore[arg-type]
