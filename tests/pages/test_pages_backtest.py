"""The backtest page through AppTest: verdict, sections, emptiness, files, a trade in focus."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from cases.backtest import reverting_pair
from desk.script_page import store, ticks_of
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.testing.v1 import AppTest, local_script_runner

from analytics.backtest import (
    FUTURES,
    LEAST_TRADES,
    PAYING_RULES,
    RULE_PRESETS,
    SYMMETRIC_RULES,
    deflated_sharpe,
    prepare_sweep,
    run_backtest,
    setting_returns,
    split_backtest,
    superiority,
)
from analytics.pair import PairParams
from analytics.signals import SYMMETRIC
from pages.charts.backtest_heatmap import null_figure, sweep_heatmap
from pages.ui.backtest import body as backtest_body
from pages.ui.backtest import charts, data, files
from pages.ui.backtest import controls as backtest_controls
from pages.ui.backtest import words as backtest_words
from pages.ui.backtest.data import Runs
from pages.ui.parts import annual
from pages.ui.state import choices

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=60)
SAMPLE = {"mode": choices.FILE, "interval": "5s", "spread": "log"}


@pytest.fixture(scope="module")
def found() -> Runs:
    """A run over synthetic bars, as the page's data module puts it together."""
    y, x = reverting_pair(1_500)
    train, test = split_backtest(y, x, PARAMS, SYMMETRIC_RULES, 0.6, draws=50)
    prepared = prepare_sweep(
        y, x, PARAMS, SYMMETRIC_RULES, windows=[30, 60], entries=[1.5, 2.0, 2.5]
    )
    training = prepared.market.part(0.6)
    tried = setting_returns(prepared, *training)
    whole = run_backtest(y, x, PARAMS, SYMMETRIC_RULES, draws=50)
    deflated = deflated_sharpe(train.returns.to_numpy(), tried.independent)
    best = superiority(tried.returns)
    return Runs(whole, train, test, tried.swept, deflated, best)


def run_page(project_root: Path, **query: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=100)
    page.switch_page(str(project_root / "pages" / "backtest.py"))
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def shown(page: AppTest) -> str:
    bodies = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if "pd-" in body and "light-dark" not in body)


def said(page: AppTest) -> str:
    boxes = (*page.error, *page.info, *page.warning)
    return "\n".join([box.value for box in boxes] + [caption.value for caption in page.caption])


def test_a_link_opens_the_verdict_with_costs_train_and_test(project_root, database):
    page = run_page(project_root, **SAMPLE)
    body = shown(page)
    assert "After costs the rule lost" in body
    assert "before costs +" in body
    assert "It pays 7.50 bps a fill and breaks even at" in body
    assert "In the 576 bars kept for testing:" in body
    for label in ("Deflated Sharpe", "Break-even cost", "Deepest drawdown", "Turnover", "Capacity"):
        assert label in body
    assert "n = 1,440 bars" in body
    assert "Training, test, all" in body
    assert "would know the future" in body
    assert "Rolling OLS (causal)" in body
    assert "Trades, newest first (28 of 28)" in said(page)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            "Settings tried",
            "settings that traded earned more than their costs in 864 bars of training",
        ),
        ("Walk-forward", "blocks traded with what the bars before had chosen"),
        ("Unrelated legs", "60 runs with 60-bar blocks"),
    ],
)
def test_every_section_says_what_it_stands_on(project_root, database, section, words):
    page = run_page(project_root, **SAMPLE, bt_section=section, bt_rule=SYMMETRIC.name)
    assert words in shown(page)


def test_slippage_funding_and_vwap_from_a_link(project_root, database):
    page = run_page(
        project_root, **SAMPLE, bt_costs="futures", bt_impact="square root", bt_fill="vwap",
        bt_sizing="dollar", bt_stop="4", hedge="kalman",
    )  # fmt: skip
    body = shown(page)
    assert "slippage" in body
    assert "of the capital" in body
    assert "would know the future" not in body


@pytest.mark.parametrize(("taker", "words"), [("0.2", "An entry pays by"), ("50", "No entry pays")])
def test_entries_that_pay_are_a_rule_that_a_link_names(project_root, database, taker, words):
    page = run_page(project_root, **SAMPLE, bt_rule="entries that pay", bt_costs="custom",
                    bt_taker=taker)  # fmt: skip
    body = shown(page)
    assert words in body
    assert "Entries that pay" in body  # explained
    assert page.selectbox(key="bt_rule").value == "entries that pay"
    assert "would know the future" not in body  # it fits a line of its own
    assert page.number_input(key="bt_stop").label == "Stop at entries"
    assert ("No trade: by these costs no entry paid" in said(page)) == (taker == "50")


def test_choosing_entries_that_pay_computes_once(project_root, database, monkeypatch):
    ran: list[tuple[object, str | None]] = []
    compute = data.runs

    def counted(*args: Any) -> Runs:
        ran.append((choices.value_of("bt_rule"), ThreadState.get().fragment_id))
        return compute(*args)

    monkeypatch.setattr(data, "runs", counted)
    page = run_page(project_root, **SAMPLE)
    ((_, part),) = ran
    # As in a browser: the control runs its own part of the page alone.
    monkeypatch.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id=part))
    page.selectbox(key="bt_rule").select("entries that pay").run()
    assert not page.exception
    assert [rule for rule, _ in ran[1:]] == ["entries that pay"]
    assert page.selectbox(key="bt_rule").value == "entries that pay"
    assert "Entries that pay" in shown(page)


def test_few_bars_for_a_fit_are_said_once_and_no_window_is_blamed(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0, 40), ticks_of("ETHUSDT", 2_500.0, 40, seed=6))
    page = run_page(project_root, window="60", spread="ratio", bt_rule="entries that pay")
    assert "never traded" in shown(page)
    assert "Nothing is fitted yet" in shown(page)
    assert "never filled" not in shown(page)
    assert "No trade: nothing is fitted in these bars" in said(page)
    assert "needs" not in said(page)


def test_the_report_names_no_hedge_where_the_rule_fits_its_own_line(found):
    fitted = replace(found.whole, rules=PAYING_RULES)
    tables = [str(files.settings_table(each)) for each in (found.whole, fitted)]
    assert ["rolling_ols" in each for each in tables] == [True, False]


def test_with_entries_that_pay_the_figure_and_the_ledger_say_so(found):
    y, x = reverting_pair(1_500)
    result = run_backtest(y, x, PARAMS, PAYING_RULES, draws=0)
    runs = replace(found, whole=result, test=result)
    assert charts.figure_of(runs).layout.yaxis3.title.text == "z ÷ entry"
    marks = charts.marks_of(result)
    assert (np.abs(marks.entry_z) > 0).all()
    ledger = backtest_body.ledger_frame(result)
    assert (ledger["z in"].abs() > ledger["Entry from"]).all()
    assert "entry_level" in pd.read_csv(io.BytesIO(files.trades_csv(result)))
    swept = replace(found.swept, rules=PAYING_RULES)
    assert "multiples of the one that pays" in backtest_words.sweep_caption(swept, "net")


def test_values_that_do_not_go_together_give_one_line(project_root, database):
    page = run_page(project_root, **SAMPLE, bt_rule="custom", bt_sell="-1", bt_buy="1")
    assert "SELL above is −1.0: it must be not below BUY below (1)" in said(page)
    assert "After costs" not in shown(page)


def test_without_data_it_says_what_to_do(project_root, database):
    page = run_page(project_root)
    assert said(page)
    assert "After costs" not in shown(page)
    assert not page.dataframe


def test_a_live_database_is_walked_and_may_be_taken_anew(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0, 900), ticks_of("ETHUSDT", 2_500.0, 900, seed=6))
    page = run_page(project_root, window="30", spread="ratio")
    body = shown(page)
    assert "After costs the rule lost" in body
    assert "This page waits for you." in body
    page.button(key="bt_recompute").click().run()
    assert not page.exception


def test_few_bars_trade_nothing_and_say_why(project_root, database):
    store(database, ticks_of("BTCUSDT", 60_000.0, 40), ticks_of("ETHUSDT", 2_500.0, 40, seed=6))
    page = run_page(project_root, window="60", spread="ratio")
    assert "never traded" in shown(page)
    assert "never filled" in shown(page)


# ---- what is drawn


def test_the_figure_draws_equity_drawdown_z_and_the_border(found):
    figure = charts.figure_of(found)
    names = [trace.name for trace in figure.data]
    assert names[:4] == ["AUSDT held", "BUSDT held", "Before costs", "After costs"]
    assert {"Drawdown", "z", "Sold", "Bought", "Left"} <= set(names)
    net = next(trace for trace in figure.data if trace.name == "After costs")
    told = found.whole.performance
    assert net.y[-1] == pytest.approx(100 * told.total_return)
    assert len(figure.layout.shapes) == 1
    border = found.test.y.index[0].timestamp() * 1_000
    assert figure.layout.shapes[0].x0 == border
    assert [note.text for note in figure.layout.annotations] == ["train", "test"]
    sold = next(trace for trace in figure.data if trace.name == "Sold")
    assert len(sold.x) == int(found.whole.trades["side"].eq("SELL").sum())


def test_a_row_of_the_ledger_brings_its_trade_into_sight(found):
    trade = found.whole.trades.iloc[3]
    focus = charts.focus_on(found.whole, 3)
    assert focus is not None
    figure = charts.figure_of(found, 3)
    z = next(trace for trace in figure.data if trace.name == "z")
    entry, left = (trade[name].timestamp() * 1_000 for name in ("entry_time", "exit_time"))
    assert z.x[0] < entry < left < z.x[-1]
    assert z.x[-1] - z.x[0] < 0.5 * len(found.whole.y) * 60_000
    assert figure.layout.uirevision != charts.figure_of(found).layout.uirevision
    held = figure.layout.shapes[-1]
    assert (held.x0, held.x1) == (entry, left)
    assert charts.focus_on(found.whole, None) is None
    assert charts.focus_on(found.whole, 10_000) is None


def test_the_selected_row_is_counted_from_the_newest(found, monkeypatch):
    key = backtest_body.ledger_key(found.whole)
    state = {key: {"selection": {"rows": [0]}}}
    monkeypatch.setattr(st, "session_state", state)
    assert backtest_body._selected(found.whole) == len(found.whole.trades) - 1
    state[key] = {"selection": {"rows": []}}
    assert backtest_body._selected(found.whole) is None
    frame = backtest_body.ledger_frame(found.whole)
    assert frame["Net"].iloc[0] == found.whole.trades["net"].iloc[-1]


def test_the_heatmap_frames_the_chosen_setting_and_the_best(found):
    figure = charts.heatmap_of(found.swept, found.whole, "net")
    assert figure.data[0].x == ("1.5", "2", "2.5")
    assert figure.data[0].y == ("30", "60")
    np.testing.assert_allclose(figure.data[0].z, found.swept.net / 100)
    assert len(figure.layout.shapes) == 2
    chosen = figure.layout.shapes[1]
    assert (chosen.x0, chosen.y0) == (0.5, 0.5)
    empty = sweep_heatmap(
        [10], [2.0], np.array([[np.nan]]), chosen=None, best=None, title="net %",
        number_format=".2f", view_id="",
    )  # fmt: skip
    assert len(empty.layout.shapes) == 0


def test_the_heatmaps_sharpe_is_a_years_only_where_the_span_allows_one(found):
    swept = found.swept
    short = charts.heatmap_of(swept, found.whole, "Sharpe")
    enough = np.where(swept.trades >= LEAST_TRADES, swept.sharpe, np.nan)
    np.testing.assert_allclose(short.data[0].z, enough * np.sqrt(swept.bars), rtol=1e-6)
    assert "too short to annualise" in backtest_words.sweep_caption(swept, "Sharpe")
    long = replace(swept, bars=3 * 1_440)
    yearly = charts.heatmap_of(long, found.whole, "Sharpe")
    np.testing.assert_allclose(yearly.data[0].z, enough * np.sqrt(525_600), rtol=1e-6)
    assert "365 days of 24 hours" in backtest_words.sweep_caption(long, "Sharpe")
    assert "earned over 900 bars of training (15.0 h)" in backtest_words.sweep_caption(swept, "net")


def test_what_never_traded_is_left_empty_and_what_seldom_did_is_not_the_best(found):
    trades = np.array([[0.0, 1.0, 4.0], [12.0, 5.0, 4.0]])
    net = np.array([[0.0, 90.0, 80.0], [-20.0, -10.0, 70.0]])
    swept = replace(found.swept, trades=trades, net=net, sharpe=net / 1_000)
    figure = charts.heatmap_of(swept, found.whole, "net")
    assert np.isnan(figure.data[0].z).tolist() == [[True, False, False], [False, False, False]]
    assert figure.data[0].text[0] == ["0 trades", "1 trade", "4 trades"]
    best = figure.layout.shapes[0]
    assert (best.x0, best.y0) == (0.5, 0.5)
    words = " ".join(backtest_words.sweep_words(swept, found.whole))
    assert "3 of 5 settings that traded earned more than their costs" in words
    assert "entry 2, −0.10 % net in 5 trades" in words
    seldom = backtest_words.sweep_words(replace(swept, trades=trades / 100), found.whole)
    assert "No setting traded 5 times in training: none is called the best." in seldom


def test_the_null_figure_counts_every_run():
    runs = np.array([-2.0, -1.0, -1.0, 0.5])
    figure = null_figure(runs, runs + 1, (1.0, 2.0), view_id="")
    assert sum(figure.data[0].y) == sum(figure.data[1].y) == 4
    assert [shape.x0 for shape in figure.layout.shapes] == [1.0, 2.0]


# ---- words and files


def test_figures_say_their_samples_and_what_is_not_known(found):
    items = {item.label: item for item in backtest_words.main_figures(found)}
    assert items["Sharpe ratio"].notes == ("too short to annualise (n = 1,500 bars)",)
    assert items["Sharpe ratio"].about == "sharpe"
    assert items["Capacity"].value == "–"
    assert items["Deflated Sharpe"].notes == ("in training, 6 settings tried, as 4 unrelated ones",)
    assert backtest_words.percent(float("nan")) == "–"
    assert backtest_words.percent(-0.0123) == "−1.23 %"
    assert backtest_words.percent(0.5, signed=False) == "50.00 %"


def test_a_years_rate_is_told_from_two_days_on():
    step = pd.Timedelta(minutes=1)
    assert annual.is_too_short(2 * 1_440 - 1, step)
    assert not annual.is_too_short(2 * 1_440, step)


def test_the_ledger_as_csv_reads_back_with_every_digit(found):
    back = pd.read_csv(io.BytesIO(files.trades_csv(found.whole)))
    trades = found.whole.trades
    assert len(back) == len(trades)
    for name in ("net", "gross", "entry_y", "quantity_x", "beta"):
        np.testing.assert_array_equal(back[name], trades[name])
    assert back["entry_time"].iloc[0] == f"{trades['entry_time'].iloc[0]:%Y-%m-%dT%H:%M:%SZ}"
    bars = pd.read_csv(io.BytesIO(files.bars_csv(found.whole)))
    assert len(bars) == 1_500
    np.testing.assert_array_equal(bars["equity"], found.whole.equity)


def test_the_report_needs_nothing_but_itself(found):
    text = files.report(found, "a test", ["One note."]).decode()
    assert "Backtest: AUSDT / BUSDT" in text
    assert "Training, test, all" in text
    assert "One note." in text
    head, _, rest = text.partition("</script></head>")
    assert "<script src" not in text
    assert "<link" not in text
    assert "https://" not in rest.replace("https://plot.ly", "")
    assert "SYNTHETIC" not in head[:200]
    assert f"Trades ({len(found.whole.trades):,} of" in text


def test_windows_and_entries_around_hold_the_chosen_ones(monkeypatch):
    assert 60 in data.windows_around(60, 1_440)
    assert all(5 <= each <= 720 for each in data.windows_around(60, 1_440))
    assert 2.1 in data.entries_around(2.1)
    assert data.entries_around(2.0) == data.ENTRIES
    tiny = data.windows_around(5, 10)
    assert len(set(tiny)) == len(tiny)
    asked = replace(PARAMS, window=60, lookback=1_440)
    assert data.longest_window(asked) == 240
    assert data.longest_window(replace(asked, lookback=300)) == 150
    # A fit looks at ten windows, and holds for one.
    assert data.bars_to_read(asked) == 240
    monkeypatch.setattr(data, "is_fitted", lambda: True)
    assert data.bars_to_read(asked) == 11 * 240


@pytest.mark.parametrize("size", [500, 1_797, 1_801])
def test_walk_forward_has_no_rest_of_a_few_bars_as_a_block(size):
    y, x = reverting_pair(size)
    material: Any = SimpleNamespace(bars=SimpleNamespace(y_bars=y, x_bars=x))
    plan = backtest_controls.Plan(PARAMS, SYMMETRIC_RULES, 0.6, "")
    told: list[tuple[int, int]] = []
    walked = data._walk(material, plan, lambda *step: told.append(step))
    assert len(walked.blocks) == data.WALK_BLOCKS == len(told)
    assert len(walked.returns) == size - round(0.6 * size)


def test_a_link_of_an_earlier_version_still_names_the_backtests_rule(project_root):
    page = run_page(project_root, **SAMPLE, bt_rule="mission")
    assert page.selectbox(key="bt_rule").value == "above 2 or below 0"


def test_cost_presets_are_named_and_explained():
    assert set(backtest_controls.COST_WORDS) == set(backtest_controls.COSTS)
    assert set(backtest_controls.RULE_WORDS) == set(RULE_PRESETS)
    assert replace(FUTURES, liquidity="maker").fee_bps == 2.0


def test_the_page_says_whether_the_best_setting_is_luck(found):
    lucky = replace(found.best, pvalue=0.31, worth=np.zeros(6, dtype=np.bool_))
    assert "None of 6 settings" in backtest_words.best_words(lucky, found.swept)
    real = replace(found.best, pvalue=0.01, worth=np.array([True, True, False]))
    said = backtest_words.best_words(real, found.swept)
    assert said.startswith("2 of 3 settings earn")
    assert "p = 0.01" in said
    idle = replace(found.best, pvalue=float("nan"))
    assert "900 bars of training are too few" in backtest_words.best_words(idle, found.swept)
    never = replace(found.swept, trades=np.zeros_like(found.swept.trades))
    assert "No setting traded" in backtest_words.best_words(idle, never)


def test_a_card_counts_settings_that_are_copies_once(found):
    trials = found.deflated.trials
    said = backtest_words.tried_words(replace(trials, distinct=13, number=7.4))
    assert said == "in training, 13 settings tried, as 7 unrelated ones"
    assert "1 setting" in backtest_words.tried_words(replace(trials, distinct=1))


def test_an_interval_from_few_trades_says_so(found):
    year = replace(PARAMS, interval="1h").bar.timedelta
    few, many = (replace(found.whole.performance, trades=count) for count in (7, 20))
    notes = [" ".join(backtest_words._sharpe_figure(each, year).notes) for each in (few, many)]
    assert "from 7 trades: too few to trust" in notes[0]
    assert "too few" not in notes[1]
