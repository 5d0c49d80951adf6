"""Research: the grid, one pair's search against `walk_forward`, and what is made of all of it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cases.research import BARS, SYMBOLS, closes, spec_of, walks
from scipy import stats

from analytics.backtest import (
    SYMMETRIC_RULES,
    Costs,
    block_spans,
    prepare_sweep,
    run_backtest,
    setting_returns,
    sweep_span,
    sweep_stretches,
    walk_forward,
)
from analytics.errors import FrameError, NotEnoughDataError, ParameterError
from analytics.research import Closes, Grid, ResearchSpec, TaskResult, combine, run_task, tasks
from analytics.research import grid as grid_module
from analytics.research.search import Search
from analytics.research.significance import mean_above_zero
from analytics.research.work import FIGURES, edges_of_stretches
from analytics.scanner import benjamini_hochberg, coarser_closes, scan_pairs

SPEC = spec_of()
NINE = ("ADA", "BCH", "BTC", "DASH", "EOS", "ETH", "LTC", "XMR", "XRP")


@pytest.fixture(scope="module")
def panel() -> Closes:
    return closes()


@pytest.fixture(scope="module")
def results(panel: Closes) -> list[TaskResult]:
    return [run_task(task, SPEC, panel) for task in tasks(SPEC, panel.grid)]


def figures_of(result: TaskResult) -> pd.DataFrame:
    return pd.DataFrame(result.arrays["figures"], columns=list(FIGURES))


def search_of(panel: Closes, spec: ResearchSpec, y: str = "AUSDT", x: str = "BUSDT") -> Search:
    return Search.of(spec, panel.bars(y), panel.bars(x), (y, x))


@pytest.mark.parametrize("symbols", [2, 3, 8, 9, 20, 33])
def test_each_pair_is_in_one_task_and_no_task_reads_more_symbols_than_two_tiles(symbols):
    names = tuple(f"S{number}USDT" for number in range(symbols))
    spec = spec_of(names, scan=False)
    made = tasks(spec, Grid(0, 300_000_000, 5_000))
    pairs = [pair for task in made for pair in task.pairs]
    assert sorted(pairs) == [(i, j) for i in range(symbols) for j in range(i + 1, symbols)]
    assert [task.number for task in made] == list(range(len(made)))
    assert max(len(task.symbols(spec)) for task in made) <= 2 * grid_module.TILE


def test_months_are_those_of_the_calendar_and_short_ones_are_left_out(panel):
    spans = [(task.low, task.high) for task in tasks(SPEC, panel.grid) if task.kind == "scan"]
    # 20 January 00:00 to 30 January 09:55 in bars of 5 minutes: one month.
    assert spans == [(0, BARS)]
    year = Grid(panel.grid.start_us, 3_600_000_000, 366 * 24)
    months = [high - low for low, high in grid_module.months(year)]
    assert months[:3] == [12 * 24, 29 * 24, 31 * 24]
    assert len(months) == 13


def test_a_question_comes_back_from_json_and_has_the_same_name():
    asked = spec_of(rules=replace(SYMMETRIC_RULES, stop=4.0, costs=Costs(5.0, 1.0)))
    again = ResearchSpec.from_json(json.loads(json.dumps(asked.to_json())))
    assert again == asked
    assert again.fingerprint == asked.fingerprint != SPEC.fingerprint


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"windows": ()}, "windows"),
        ({"windows": (30, 30)}, "windows"),
        ({"hedges": ("ols",)}, "hedge"),
        ({"holdout_share": 1.0}, "holdout_share"),
        ({"train_bars": 2}, "train_bars"),
        ({"null_runs": -1}, "null_runs"),
        ({"rules": replace(SYMMETRIC_RULES, fill="vwap")}, "fill"),
        ({"rules": replace(SYMMETRIC_RULES, costs=Costs(impact="linear"))}, "impact"),
        ({"interval": "7min"}, "interval"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_no_task_could_do_is_refused_by_name(changes, named):
    with pytest.raises(ParameterError, match=named):
        spec_of(**changes)


def test_too_few_bars_say_how_many_are_needed():
    with pytest.raises(NotEnoughDataError, match="603"):
        tasks(SPEC, Grid(0, 300_000_000, 602))


def test_closes_that_are_no_prices_are_refused():
    with pytest.raises(FrameError, match="BUSDT"):
        Closes.of_frame(walks().assign(BUSDT=0.0))


@pytest.mark.parametrize(
    "changes",
    [{}, {"criterion": "net"}, {"only_if_paid": True}, {"hedges": ("kalman",)}],
    ids=["sharpe", "net", "only-if-paid", "kalman"],
)
def test_a_search_is_the_walk_forward_of_backtest(panel, changes):
    spec = spec_of(**changes)
    searched = search_of(panel, spec).walk()
    plain = walk_forward(
        panel.bars("AUSDT"), panel.bars("BUSDT"),
        spec.params("AUSDT", "BUSDT", spec.hedges[0], 30), spec.rules,
        windows=spec.windows, entries=spec.entries, train_bars=600, test_bars=200,
        criterion=spec.criterion, only_if_paid=spec.only_if_paid, draws=0,
    )  # fmt: skip
    np.testing.assert_array_equal(searched.net, plain.returns.to_numpy())
    np.testing.assert_array_equal(searched.chosen[:, 1:], plain.blocks[["window", "entry"]])
    assert searched.trades == plain.performance.trades > 0
    assert searched.gross.sum() == pytest.approx(plain.performance.gross / 10_000, rel=1e-9)


def test_stretches_swept_together_are_those_swept_one_by_one(panel):
    prepared = prepare_sweep(
        panel.bars("AUSDT"), panel.bars("BUSDT"), SPEC.params("AUSDT", "BUSDT", "rolling_ols", 30),
        SPEC.rules, windows=SPEC.windows, entries=SPEC.entries,
    )  # fmt: skip
    starts = [0, 200, 1_333]
    for start, swept in zip(starts, sweep_stretches(prepared, starts, 600), strict=True):
        alone = sweep_span(prepared, start, start + 600)
        for name in ("trades", "gross", "net", "traded", "sharpe"):
            np.testing.assert_array_equal(getattr(swept, name), getattr(alone, name))


def test_the_best_of_several_hedges_is_chosen_by_training_alone(panel):
    hedges = ("rolling_ols", "expanding_ols")
    both, *alone = (
        search_of(panel, spec_of(hedges=each), "CUSDT", "DUSDT").walk()
        for each in (hedges, *((name,) for name in hedges))
    )
    starts = [low for low, _ in block_spans(600, BARS, 200)]
    for place, begin in enumerate(starts):
        hedge = int(both.chosen[place, 0])
        inside = slice(begin - 600, begin - 400)
        np.testing.assert_array_equal(both.net[inside], alone[hedge].net[inside])
    assert set(both.chosen[:, 0]) == {0.0, 1.0}


def test_the_future_changes_nothing_of_the_past(panel):
    later = walks()
    later.iloc[2_000:, 1] *= np.linspace(1.0, 3.0, BARS - 2_000)
    before, after = (search_of(each, SPEC).walk() for each in (panel, Closes.of_frame(later)))
    # The last stretch that ends before bar 2,000 ends at 1,999.
    np.testing.assert_array_equal(before.net[:1_399], after.net[:1_399])
    assert (before.net[1_400:] != after.net[1_400:]).any()


def test_no_stretch_reaches_over_the_border_of_what_is_held_out():
    edges, before, border = edges_of_stretches(SPEC, BARS)
    assert edges[before] == border == 2_400 - int(2_400 * 0.3)
    assert (np.diff(edges) > 0).all()
    edges, before, border = edges_of_stretches(spec_of(holdout_share=0.0), BARS)
    assert (before, border) == (edges.size, 2_400)


def test_figures_of_a_pair_are_those_of_its_profits(panel, results):
    row = figures_of(results[0]).iloc[0]
    net = search_of(panel, SPEC).walk().net
    border = edges_of_stretches(SPEC, BARS)[2]
    series = pd.Series(net)
    assert row["net"] == pytest.approx(net.sum())
    assert row["first_net"] + row["held_net"] == pytest.approx(row["net"])
    assert row["held_net"] == pytest.approx(net[border:].sum())
    assert row["sharpe"] == pytest.approx(series.mean() / series.std())
    assert row["skew"] == pytest.approx(stats.skew(net))
    assert row["kurtosis"] == pytest.approx(stats.kurtosis(net, fisher=False))
    equity = 1.0 + series.cumsum()
    peak = equity.cummax().clip(lower=1.0)
    assert row["drawdown"] == pytest.approx((equity / peak - 1.0).min())


def test_closes_alone_fill_a_whole_bar_after_the_decision(panel):
    result = run_backtest(
        panel.bars("AUSDT"), panel.bars("BUSDT"), SPEC.params("AUSDT", "BUSDT", "rolling_ols", 30),
        SPEC.rules, draws=0,
    )  # fmt: skip
    trade = result.trades.iloc[0]
    entered = pd.Timestamp(trade["entry_time"])
    assert trade["entry_y"] == panel.frame(("AUSDT",), 0, BARS)["AUSDT"].loc[entered]


def test_the_mean_is_judged_as_statsmodels_does():
    import statsmodels.api as sm

    profits = np.random.default_rng(5).normal(0.01, 0.1, 250)
    profits[1:] += 0.4 * profits[:-1]
    lags = int(4 * (250 / 100) ** (2 / 9))
    fit = sm.OLS(profits, np.ones(250)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    ratio, pvalue = mean_above_zero(profits)
    assert ratio == pytest.approx(float(fit.tvalues[0]), rel=1e-9)
    assert pvalue == pytest.approx(float(stats.t.sf(ratio, 249)), rel=1e-9)


def test_a_true_null_is_rejected_about_as_often_as_said():
    """5 % nominal, profits with memory: 400 series, so that 95 % lie within 2.9 to 7.2 %."""
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(400, 501))
    profits = noise[:, 1:] + 0.3 * noise[:, :-1]
    share = np.mean([mean_above_zero(each)[1] < 0.05 for each in profits])
    assert 0.029 <= share <= 0.08


def test_the_pair_that_returns_is_found_and_the_unrelated_ones_are_not(panel, results):
    table = combine(SPEC, panel.grid, results).table
    first = table.iloc[0]
    assert (first["y"], first["x"]) == ("AUSDT", "BUSDT")
    assert first["qvalue"] < 0.05
    assert first["verdict"] == "holds"
    assert first["pvalue_null"] <= 1 / 7
    assert first["months_found"] == first["months"] == 1
    # The second symbol swings by itself, against whatever it is held.
    unrelated = table[(table["y"] != "BUSDT") & (table["x"] != "BUSDT")]
    assert len(unrelated) == 3
    assert (unrelated["qvalue"] > 0.05).all()


def test_the_table_counts_every_pair_and_every_setting(panel, results):
    combined = combine(SPEC, panel.grid, results[::-1])
    facts, table = combined.facts, combined.table
    assert (facts["pairs"], facts["settings"], facts["tried"]) == (6, 6, 36)
    assert len(table) == 6
    expected = benjamini_hochberg(table["pvalue"].to_numpy())
    np.testing.assert_allclose(table["qvalue"], expected)
    assert facts["null_runs"] == 6
    assert facts["paid"] == int((table["net"] > 0).sum())
    np.testing.assert_allclose(table["gross"] - table["costs"], table["net"], atol=1e-15)


def test_a_month_scanned_is_the_scan_of_scanner(panel, results):
    scanned = results[-1].arrays
    plain = scan_pairs(panel.frame(SYMBOLS, 0, BARS))
    by_pair = {
        frozenset(pair): row for pair, row in zip(zip(plain["y"], plain["x"], strict=True),
                                                  plain["qvalue"], strict=True)
    }  # fmt: skip
    for (y, x), qvalue in zip(scanned["pairs"], scanned["qvalue"], strict=True):
        assert qvalue == by_pair[frozenset((SYMBOLS[y], SYMBOLS[x]))]


def test_results_do_not_depend_on_how_the_work_is_cut(panel, results, monkeypatch):
    whole = combine(SPEC, panel.grid, results)
    monkeypatch.setattr(grid_module, "_STEPS_A_TASK", 1)
    monkeypatch.setattr(grid_module, "TILE", 3)
    small = [run_task(task, SPEC, panel) for task in tasks(SPEC, panel.grid)]
    assert len(small) > len(results)
    again = combine(SPEC, panel.grid, small)
    pd.testing.assert_frame_equal(again.table, whole.table, check_exact=True)


def test_a_pair_without_bars_says_why_and_counts_all_the_same(panel):
    dead = walks().assign(CUSDT=np.nan)
    lacking = Closes.of_frame(dead)
    spec = spec_of(scan=False, null_runs=0)
    done = [run_task(task, spec, lacking) for task in tasks(spec, lacking.grid)]
    table = combine(spec, lacking.grid, done).table
    of_dead = table[(table["y"] == "CUSDT") | (table["x"] == "CUSDT")]
    assert len(of_dead) == 3
    assert (of_dead["trades"].fillna(0) == 0).all()
    assert of_dead["qvalue"].isna().all()
    # Six were tried, so the smallest p counts six times at most.
    first = table.iloc[0]
    assert first["qvalue"] == pytest.approx(min(1.0, first["pvalue"] * 6), rel=1e-9)


@pytest.mark.parametrize(
    ("first_net", "held_net", "held_p", "verdict"),
    [
        (0.1, 0.1, 0.01, "holds"),
        (0.1, 0.1, 0.20, "unproven"),
        (-0.1, 0.1, 0.01, "unproven"),  # of 190 pairs of walks a few come to that by luck
        (0.1, -0.1, 0.99, "lost"),
    ],
)
def test_only_what_earned_in_both_parts_holds(
    panel, results, first_net: float, held_net: float, held_p: float, verdict: str
):
    told = {"first_net": first_net, "held_net": held_net, "held_p": held_p}
    changed = []
    for each in results:
        arrays = dict(each.arrays)
        if "figures" in arrays:
            arrays["figures"] = arrays["figures"].copy()
            for name, value in told.items():
                arrays["figures"][:, FIGURES.index(name)] = value
        changed.append(replace(each, arrays=arrays))
    assert set(combine(SPEC, panel.grid, changed).table["verdict"]) == {verdict}


def test_a_missing_task_is_named(panel, results):
    with pytest.raises(ParameterError, match="one of each of the"):
        combine(SPEC, panel.grid, results[1:])


def test_real_months_leave_no_pair_once_all_are_counted(shared_data):
    """9 symbols of 2021 in bars of 15 minutes: every step, on what really happened."""
    closes_1m = pd.read_csv(
        shared_data / "binance_spot_closes_1m_20symbols_202104.csv.gz", index_col="open_time_ms"
    )
    closes_1m = closes_1m[[f"{name}USDT" for name in NINE]]
    closes_1m.index = pd.DatetimeIndex(pd.to_datetime(closes_1m.index, unit="ms", utc=True))
    real = Closes.of_frame(coarser_closes(closes_1m, "15min"))
    asked = spec_of(
        tuple(closes_1m.columns), interval="15min", windows=(24, 48, 96, 192, 384),
        entries=(1.5, 2.0, 2.5, 3.0, 3.5), train_bars=672, test_bars=96, null_runs=0, scan=False,
    )  # fmt: skip
    done = [run_task(task, asked, real) for task in tasks(asked, real.grid)]
    combined = combine(asked, real.grid, done)
    assert (combined.facts["pairs"], combined.facts["tried"]) == (36, 900)
    assert 1 < combined.facts["effective_pairs"] < 36
    assert (combined.table["reason"] == "").all()
    # What is chosen on bars before cannot look as good as the best of all settings after the fact.
    best = max(
        float(np.nanmax(setting_returns(Search.of(asked, real.bars("ETHUSDT"), real.bars(x),
                                                  ("ETHUSDT", x)).prepared[0], 672,
                                        real.grid.bars).swept.net)) / 10_000
        for x in ("BTCUSDT", "LTCUSDT")
    )  # fmt: skip
    walked = [search_of(real, asked, "ETHUSDT", x).walk().net.sum() for x in ("BTCUSDT", "LTCUSDT")]
    assert best > max(walked)
    assert (combined.table["qvalue"] > 0.05).all()
