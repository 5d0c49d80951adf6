"""The basket's backtest on its page: its rule, costs of all legs, and when it is run anew."""

import re
from dataclasses import replace
from typing import Any

import pytest
from desk.script_page import store, ticks_of
from test_pages_baskets import SYMBOLS, bars_of, choice, legs, open_page, plain

from pages.ui.baskets import backtest, body, data
from pages.ui.baskets.data import BasketBars
from pages.ui.baskets.settings import BasketChoice


@pytest.fixture(autouse=True)
def fresh_runs() -> None:
    backtest._runs.clear()


def asked(**changes: Any) -> BasketChoice:
    return replace(choice(window=20, **changes), train_windows=5)


@pytest.fixture
def bars(database) -> BasketBars:
    store(database, *legs())
    return bars_of(database, asked())


@pytest.mark.parametrize(
    ("sell", "buy", "exits"),
    [(2.0, -2.0, (0.0, 0.0)), (2.0, 0.0, (0.0, 2.0)), (1.0, 0.5, (0.5, 1.0))],
)
def test_a_position_is_left_at_0_or_where_the_other_side_begins(sell, buy, exits):
    rules = backtest.rules_of(asked(sell_above=sell, buy_below=buy))
    assert (rules.sell_above, rules.buy_below) == (sell, buy)
    assert (rules.exit_short, rules.exit_long) == exits


def test_costs_are_those_of_all_legs(bars):
    free = backtest.run_of(bars, replace(asked(), fee_bps=0.0))
    paid = backtest.run_of(bars, replace(asked(), fee_bps=10.0))
    assert free.performance.fees == 0
    assert free.performance.gross == pytest.approx(paid.performance.gross)
    # All legs together are worth the capital at each of the two fills of a trade, about.
    trades = len(paid.trades)
    assert trades > 3
    assert paid.performance.fees == pytest.approx(trades * 2 * 10_000.0 * 1e-3, rel=0.01)
    assert paid.performance.net == pytest.approx(paid.performance.gross - paid.performance.fees)


def test_nothing_is_traded_on_bars_that_the_first_weights_are_from(bars):
    run = backtest.run_of(bars, asked())
    assert run.train_bars == 100
    first = bars.frames[0].index[run.train_bars]
    assert run.closes.index[0] >= first
    assert run.trades["decided_time"].min() >= first


def test_a_run_stays_for_a_minute_while_newer_bars_come(bars):
    run = backtest.run_of(bars, asked())
    for later_s, stays in ((10, True), (59, True), (61, False)):
        newer = replace(bars, key=("newer", later_s), end_us=bars.end_us + later_s * 1_000_000)
        assert (backtest.run_of(newer, asked()) is run) is stays
    other = replace(asked(), capital=5_000.0)
    assert backtest.run_of(bars, other).rules.capital == 5_000.0


def test_another_database_of_the_same_name_has_its_own_run(bars, tmp_path):
    first = backtest.run_of(bars, asked())
    other = tmp_path / "other.db"
    store(other, *[ticks_of(name, 5_000.0, 400, seed=70 + n) for n, name in enumerate(SYMBOLS)])
    found = bars_of(other, asked())
    assert found.name == bars.name
    assert found.end_us == bars.end_us
    assert backtest.run_of(found, asked()) is not first


def test_bars_to_fit_on_are_read_for_the_backtest_alone(project_root, database, monkeypatch):
    store(database, *legs())
    read = []
    plain_bars = data.live_bars

    def noted(path, wanted, *args, **options):
        read.append(wanted.bars_to_read - wanted.params.reach)
        return plain_bars(path, wanted, *args, **options)

    monkeypatch.setattr(data, "live_bars", noted)
    open_page(project_root, basket_window="20", basket_train="5")
    assert read[-1] == 0
    open_page(project_root, basket_view="Backtest", basket_window="20", basket_train="5")
    assert read[-1] == 100


def test_the_analysis_of_one_view_is_that_of_the_other(bars, database):
    tried = replace(asked(), with_backtest=True)
    others = bars_of(database, tried)
    assert others.key != bars.key
    assert body.analysed(others, tried) is body.analysed(bars, asked())


def test_the_page_says_what_was_earned_and_with_which_weights(project_root, database):
    store(database, *legs())
    page = open_page(
        project_root, basket_view="Backtest", basket_window="20", basket_train="5",
        basket_sell="1", basket_buy="-1",
    )  # fmt: skip
    text = plain(page)
    assert re.search(r"−?\d+\.\d\d % of the capital after costs in \d+ trades", text)
    assert "by weights of the 100 bars before each" in text
    assert "7.5 bps a fill, 4 legs" in text
    assert len(page.dataframe) == 1
    assert set(page.dataframe[0].value.columns) >= {"Side", "Net", "AUSDT", "DUSDT"}


def test_too_few_bars_for_a_first_fit_are_counted(project_root, database):
    store(database, *legs(150))
    page = open_page(project_root, basket_view="Backtest")
    assert re.search(r"needs 603 \w+, had \d+", "".join(each.value for each in page.info))


def test_a_ledger_reads_newest_first(bars):
    run = backtest.run_of(bars, asked())
    frame = backtest.ledger_frame(run)
    assert frame["Entry"].is_monotonic_decreasing
    file = backtest._trades_csv(run, "")
    assert file.content.decode().count("\n") == len(run.trades) + 1
    assert "_1s_trades_" in file.name
