"""The feed page: tables and timeline from statuses and ledgers, and the page by AppTest."""

import gc
import time
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from cases.status import NOW_US, status_of
from exchange.server import ThreadedExchange
from streamlit.testing.v1 import AppTest

from ingest.recorder import Recorder, current_recorder, install_recorder
from ingest.settings import Settings, install_settings
from ingest.status import DiskStatus, HistoryEntry, Progress, RecorderStatus
from ingest.store import TickReader, TickWriter
from ingest.tick import StreamKey, Tick
from pages.charts.coverage_figure import (
    CoverageState,
    Stretches,
    coverage_figure,
    coverage_height_px,
)
from pages.ui.desk import recording
from pages.ui.desk.pill_route import current_pill
from pages.ui.desk.recording import status_at_moment
from pages.ui.feed import ledger, tables
from pages.ui.parts import notices

KEY: StreamKey = ("spot", "BTCUSDT", "aggTrade")


def tick(trade_id: int, second: int, symbol: str = "BTCUSDT") -> Tick:
    return Tick(
        market="spot",
        symbol=symbol,
        stream="aggTrade",
        trade_id=trade_id,
        price=60_000.0 + trade_id,
        quantity=0.5,
        time_us=NOW_US + second * 1_000_000,
        received_us=NOW_US + second * 1_000_000 + 40_000,
        buyer_is_maker=False,
    )


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    install_settings(Settings())
    install_recorder(None)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with an open, a filled, an absent and a given-up gap of BTCUSDT, one of ETH's."""
    path = tmp_path / "ticks.db"
    install_settings(Settings(db=path, ingest=False))
    writer = TickWriter(path)
    writer.expect_gap("connection lost")
    for trade_id, second in ((1, 0), (5, 10), (10, 20), (20, 30), (40, 40), (41, 50)):
        writer.write([tick(trade_id, second)])
    writer.write([tick(number, 5) for number in (2, 3, 4)])
    writer.close_gap(KEY, 6, 9, "absent", "the exchange has no such ids")
    writer.close_gap(KEY, 11, 19, "expired", "=older than 6 hours")
    writer.write([tick(1, 0, "ETHUSDT"), tick(2, 50, "ETHUSDT")])
    writer.quarantine([(NOW_US, "no JSON", "<oops")])
    writer.close()
    return path


def run_feed(project_root: Path) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.switch_page(str(project_root / "pages" / "feed.py")).run()
    assert not page.exception, page.exception
    return page


def shown(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def said(page: AppTest) -> str:
    return "\n".join(box.value for box in (*page.error, *page.warning, *page.info, *page.success))


# What is computed for it.


def test_gaps_are_counted_by_state_with_their_ids(database):
    counts = ledger.gap_counts(ledger.read_ledger(database, 10).gaps, "BTCUSDT")
    assert counts == {"open": (1, 19), "filled": (1, 3), "absent": (1, 4), "expired": (1, 9)}


def test_the_timeline_covers_what_no_gap_takes_out(database):
    stretches = ledger.coverage(ledger.read_ledger(database, 10), ["BTCUSDT", "ETHUSDT"])
    by_state = {each.state: each for each in stretches}
    assert set(by_state) == {"covered", "open", "absent", "expired"}
    start_ms = NOW_US / 1_000
    covered = by_state["covered"]
    pieces = list(
        zip(covered.start_ms - start_ms, covered.end_ms - start_ms, covered.row, strict=True)
    )
    # Gaps lie between seconds 10 and 40; the filled one before them is covered.
    assert pieces[0] == (0.0, 10_000.0, 0)
    assert pieces[-2:] == [(40_000.0, 50_000.0, 0), (0.0, 50_000.0, 1)]
    assert sum(end - start for start, end, row in pieces if row == 0) == 20_000.0
    assert "19 ids missing" in by_state["open"].hover_texts[0]
    assert "older than 6 hours" in by_state["expired"].hover_texts[0]


def test_overlapping_cuts_in_any_order_leave_what_is_between_them():
    starts, ends = np.array([50.0, 20.0, 30.0]), np.array([60.0, 40.0, 35.0])
    assert ledger.without(0.0, 100.0, starts, ends) == [(0, 20), (40, 50), (60, 100)]
    assert ledger.without(0.0, 100.0, np.empty(0), np.empty(0)) == [(0, 100)]


def test_the_ledger_as_csv_has_every_gap_and_no_formula(database):
    lines = ledger.ledger_csv(database).decode().splitlines()
    names = "symbol,first_id,last_id,from_id,to_id,missing,after,before,cause,state,reason"
    assert lines[0] == f"{names},klines_from_s"
    assert len(lines) == 5
    assert any(line.endswith(",expired,'=older than 6 hours,0") for line in lines)
    assert any("2025-07-31T22:13:50.000000Z" in line for line in lines)


def test_a_figure_draws_each_state_with_a_mark_of_its_own_and_rows_from_the_top():
    def stretches(state: CoverageState) -> Stretches:
        return Stretches(
            state, np.array([1.0, 5.0]), np.array([2.0, 9.0]), np.array([0, 1]), ("", "")
        )

    figure = coverage_figure([stretches("open"), stretches("covered")], ["AAA", "BBB"])
    assert [trace.uid for trace in figure.data] == ["line-covered", "line-open", "mark-open"]
    line = figure.data[0]
    np.testing.assert_array_equal(line.x, [1, 2, np.nan, 5, 9, np.nan])
    np.testing.assert_array_equal(line.y, [0, 0, np.nan, 1, 1, np.nan])
    assert list(figure.data[2].x) == [1.5, 7.0]
    assert list(figure.layout.yaxis.ticktext) == ["AAA", "BBB"]
    low, high = figure.layout.yaxis.range
    assert low > high
    assert coverage_height_px(3) > coverage_height_px(2)
    assert coverage_figure([], []).data == ()


def test_a_symbol_s_row_tells_state_age_rate_latency_and_gaps(database):
    read = ledger.read_ledger(database, 10)
    rows = tables.symbols_table(status_of(), read, ["BTCUSDT", "ETHUSDT", "XUSDT"], NOW_US)
    for words in ("● live", "0.3 s ago", "12.3", "41 ms", "1.2 s", "1,234", "1 (19 ids)",
                  "1 (3 ids)", "1 (4 ids)", "1 (9 ids)", ">28<", "○ waiting",
                  "not recorded"):  # fmt: skip
        assert words in rows, words


def test_a_symbol_is_not_called_live_while_the_feed_is_not(database):
    read = ledger.read_ledger(database, 10)
    rows = tables.symbols_table(status_of(state="paused"), read, ["BTCUSDT"], NOW_US)
    assert "live" not in rows
    assert "paused" in rows


def test_the_recorder_s_figures_have_units_and_limits():
    items = {each.label: each for each in tables.all_recorder_figures(status_of())}
    told = {label: " ".join((each.value, *each.notes)) for label, each in items.items()}
    assert told["Queue"] == "12 of 200,000 3 refused when full"
    assert told["Commit p50"] == "1.3 ms p99 115 ms"
    assert told["Database"] == "2.5 GB +4.1 GB a day"
    assert told["Write-ahead log"].startswith("3.3 MB")
    assert told["Free disk"] == "82.0 GB full in 20 days at this growth"
    assert told["Clock skew"].startswith("−3.4 ms")
    assert told["Reconnects"] == "5 1 planned rotation 7 attempts"
    assert all(each.tip for each in items.values())


def test_a_growth_that_is_not_known_yet_says_what_it_waits_for():
    status = status_of(disk=DiskStatus(2_500_000_000, 3_300_000, 82_000_000_000, None))
    items = {each.label: each for each in tables.all_recorder_figures(status)}
    assert items["Database"].notes == ("growth is known after 5 min of live trades",)
    assert items["Free disk"].notes == ("on the database's disk",)


def test_figures_not_measured_yet_are_dashes():
    status = status_of(commit_p50_ms=None, commit_p99_ms=None, skew_ms=None, disk=DiskStatus())
    told = " ".join(each.value for each in tables.all_recorder_figures(status))
    assert told.count("–") == 2


def test_history_is_newest_first_and_bounded():
    entries = [HistoryEntry(NOW_US + n * 1_000_000, "lost", f"reason {n}") for n in range(80)]
    rows = tables.history_table(entries)
    assert rows.index("Reason 79") < rows.index("Reason 78")
    assert "Reason 29" not in rows
    assert "(50 of 80)" in rows


def test_progress_says_what_how_far_what_for_and_how_long():
    work = Progress("BTCUSDT", "the last 24 hours", 12_000, 86_400, waiting_s=7.0, eta_s=20.0)
    assert notices.progress_text(work) == (
        "BTCUSDT: the last 24 hours, 12,000 of 86,400, waiting 7.0 s as the exchange asks, "
        "about 20 s left"
    )
    assert notices.progress_text(Progress("X", "y", 1, 2)) == "X: y, 1 of 2"


def test_symbols_that_do_the_same_share_a_bar():
    works = [
        Progress(name, "bars", done, 10, eta_s=done * 2.0) for name, done in (("A", 3), ("B", 5))
    ]
    works.append(Progress("A", "ids", 1, 4, unit="ids"))
    assert notices.together(works) == [
        Progress("A, B", "bars", 8, 20, eta_s=10.0), Progress("A", "ids", 1, 4, unit="ids"),
    ]  # fmt: skip
    many = notices.together([Progress(str(n), "bars", n, 10, waiting_s=None) for n in range(6)])
    assert many == [Progress("6 symbols", "bars", 15, 60)]


def test_a_backup_is_named_by_its_utc_time_beside_the_database(tmp_path):
    now = pd.Timestamp("2025-07-31 22:13:20", tz="UTC")
    path = recording.backup_path(tmp_path / "tick_data.db", now)
    assert path == tmp_path / "backups" / "tick_data_20250731T221320Z.db"


# The page.


def test_without_a_recorder_the_page_shows_what_is_stored(project_root, database):
    page = run_feed(project_root)
    body = shown(page)
    assert "does not record" in said(page)
    for words in ("BTCUSDT", "Latest gaps (4 of 4)", "absent at the exchange", "given up",
                  "&lt;oops", "no JSON"):  # fmt: skip
        assert words in body, words
    steers = {"pause_recording", "resume", "repair", "backup"}
    assert not steers & {each.key for each in page.button}


def test_without_a_database_there_is_a_cause(project_root, tmp_path):
    install_settings(Settings(db=tmp_path / "none.db", ingest=False))
    assert "o database at" in said(run_feed(project_root))


@pytest.fixture
def exchange() -> Iterator[ThreadedExchange]:
    with ThreadedExchange(["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"]) as running:
        yield running


@pytest.fixture
def recorder(exchange: ThreadedExchange, tmp_path: Path) -> Iterator[Recorder]:
    """This process's recorder, with a trade of each symbol stored."""
    settings = Settings(
        symbols=("BTCUSDT", "ETHUSDT"), db=tmp_path / "ticks.db",
        ws_url=exchange.ws_url, rest_url=exchange.rest_url,
    )  # fmt: skip
    install_settings(settings)
    running = Recorder(settings)
    install_recorder(running)
    running.start()
    exchange.wait_for_subscribers(1)
    for number in range(3):
        exchange.push("BTCUSDT", 60_000 + number, "0.5")
        exchange.push("ETHUSDT", 2_500 + number, "0.5")
    assert settled(running)
    yield running
    assert running.stop()


def settled(running: Recorder) -> bool:
    """Wait until all six trades are stored and noticed; no event of another thread tells."""
    end_s = time.monotonic() + 10
    while time.monotonic() < end_s:
        status = running.status()
        if status.stored == 6 and {each.state for each in status.per_symbol.values()} == {"live"}:
            return True
        time.sleep(0.01)
    return False


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception, page.exception
    return page


def test_a_live_recorder_shows_its_health_rows_and_figures(project_root, recorder):
    body = shown(run_feed(project_root))
    for words in ("LIVE", "Binance spot, aggTrade", "● live", "Queue", "of 200,000", "Connected"):
        assert words in body or words.lower() in body, words


def test_recording_pauses_and_goes_on_by_a_button(project_root, recorder):
    page = press(run_feed(project_root), "pause_recording")
    assert recorder.status().state == "paused"
    assert current_pill().word == "PAUSED"
    assert "Recording is paused" in said(page)
    press(page, "resume")
    assert recorder.status().state != "paused"
    assert "Recording goes on" in said(page)


def test_a_backup_is_written_and_said(project_root, recorder):
    page = press(run_feed(project_root), "backup")
    assert "Backed up to backups/ticks_" in said(page)
    copies = list((recorder.settings.db.parent / "backups").glob("ticks_*.db"))
    assert len(copies) == 1
    with TickReader(copies[0]) as reader:
        assert reader.symbols() == ["BTCUSDT", "ETHUSDT"]


def test_repair_is_asked_for_and_said(project_root, recorder):
    assert "missing id" in said(press(run_feed(project_root), "repair"))


def test_a_repair_of_given_up_trades_shows_its_bar_and_can_be_stopped(
    project_root, database, monkeypatch
):
    work = Progress(
        "BTCUSDT", "900 given-up trades to be fetched", 3, 12, eta_s=20, unit="requests"
    )
    standing = StandingStill(status_of(requested_repair=work))
    monkeypatch.setattr("pages.ui.state.source.current_recorder", lambda: standing)
    page = run_feed(project_root)
    (bar,) = page.get("progress")
    assert bar.proto.text == (
        "BTCUSDT: 900 given-up trades to be fetched, 3 of 12 requests, about 20 s left"
    )
    page = press(page, "stop_repair")
    assert standing.stopped == 1
    assert "given up again" in said(page)
    monkeypatch.setattr(
        "pages.ui.state.source.current_recorder", lambda: StandingStill(status_of())
    )
    assert "stop_repair" not in {each.key for each in run_feed(project_root).button}


def open_page(project_root, page_name: str) -> AppTest:
    page = AppTest.from_file(str(project_root / "pages" / "router.py"), default_timeout=30)
    page.switch_page(str(project_root / "pages" / page_name))
    page.session_state[recording.BOX] = True
    return page.run()


@pytest.mark.parametrize("page_name", ["live.py", "feed.py"])
def test_a_symbol_is_added_and_removed_from_the_sidebar(project_root, recorder, page_name):
    until_listed(recorder)
    page = open_page(project_root, page_name)
    assert add_box(page).options == ["BNBUSDT", "SOLUSDT"]  # not those that are recorded
    press_add(page, "sol/usdt")
    assert not page.exception, page.exception
    assert "Recording SOLUSDT." in said(page)
    assert recorder.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    page = open_page(project_root, page_name)
    remove = next(each for each in page.sidebar.selectbox if each.label == "Remove a symbol")
    remove.select("ETHUSDT")
    next(each for each in page.sidebar.button if each.label == "Remove").click().run()
    assert "No longer recording ETHUSDT" in said(page)
    assert recorder.symbols == ("BTCUSDT", "SOLUSDT")


def test_a_symbol_that_is_none_costs_a_line(project_root, recorder):
    page = run_feed(project_root)
    press_add(page, "no symbol!")
    assert len(page.error) == 1
    assert "\n" not in page.error[0].value
    assert recorder.symbols == ("BTCUSDT", "ETHUSDT")


def test_a_symbol_the_exchange_does_not_list_is_said_at_once(project_root, recorder):
    until_listed(recorder)
    page = run_feed(project_root)
    assert add_box(page).options == []  # a closed box is sent no list
    press_add(page, "zzzzusdt")
    (told,) = [each.value for each in page.error]
    assert told.startswith("ZZZZUSDT is not listed on Binance spot")
    assert not page.success
    assert recorder.symbols == ("BTCUSDT", "ETHUSDT")


def test_without_the_exchanges_list_a_symbol_is_taken_with_a_note(project_root, recorder, exchange):
    until_listed(recorder)
    exchange.faults.answer_rest(503, path="/api/v3/exchangeInfo", times=None)
    page = press_add(run_feed(project_root), "ZZZZUSDT")
    assert "list could not be had" in said(page)
    assert not page.success
    assert recorder.symbols == ("BTCUSDT", "ETHUSDT", "ZZZZUSDT")


def add_box(page: AppTest):
    return next(each for each in page.sidebar.selectbox if each.label == "Add a symbol")


def press_add(page: AppTest, symbol: str) -> AppTest:
    box = add_box(page)
    box.options.append(symbol)  # typed, as AppTest cannot say otherwise
    box.set_value(symbol)
    return next(each for each in page.sidebar.button if each.label == "Add").click().run()


def until_listed(recorder: Recorder) -> None:
    end_s = time.monotonic() + 10
    while not recorder.listed():
        assert time.monotonic() < end_s
        time.sleep(0.01)


class StandingStill:
    """A recorder whose status is given; what pages ask of a real one in a state hard to reach."""

    settings = Settings()
    symbols: tuple[str, ...] = ()

    def __init__(self, status: RecorderStatus) -> None:
        self._status = status
        self.stopped = 0

    def stop_repair(self) -> None:
        self.stopped += 1

    def status(self) -> RecorderStatus:
        return self._status

    def clock_us(self) -> int:
        return time.time_ns() // 1_000


def test_notices_errors_and_long_work_stand_before_the_figures(project_root, database, monkeypatch):
    status = status_of(
        state="blocked", last_error="HTTP 451", notices=("Only 700 MB free.",),
        warm_start=(Progress("BTCUSDT", "24 hours", 5, 10), Progress("ETHUSDT", "done", 3, 3)),
    )  # fmt: skip
    monkeypatch.setattr("pages.ui.state.source.current_recorder", lambda: StandingStill(status))
    page = run_feed(project_root)
    told = said(page)
    for words in ("refuses this address", "HTTP 451", "Only 700 MB free."):
        assert words in told
    bars = page.get("progress")
    assert [bar.proto.text for bar in bars] == ["BTCUSDT: 24 hours, 5 of 10"]
    assert current_recorder() is None


def test_what_a_status_comes_to_is_found_once_for_all_who_look_at_it():
    works = [Progress(f"S{number}", "24 hours", number % 10, 10) for number in range(200)]
    status = status_of(warm_start=tuple(works))
    (work,) = notices.unfinished(status)
    assert (work.symbol, work.done, work.total) == ("200 symbols", 900, 2_000)
    assert notices.unfinished(status) is notices.unfinished(status)
    later = status_of(warm_start=tuple(works[:1]))
    assert [each.symbol for each in notices.unfinished(later)] == ["S0"]


@pytest.mark.parametrize(
    ("from_s", "words"),
    [
        (0, "too old"),
        (1, "too old. Bars there are the exchange's own klines."),
        (60, "too old. Bars of 1 min and longer there are the exchange's own klines."),
    ],
)
def test_a_gap_says_what_its_bars_are_made_of(from_s, words):
    gap = {
        "symbol": "BTCUSDT", "cause": "stopped", "reason": "too old", "missing": 3,
        "after": pd.Timestamp(0, tz="UTC"), "before": pd.Timestamp(1, tz="UTC"),
        "klines_from_s": from_s,
    }  # fmt: skip
    assert ledger.why_words(gap) == words
    assert ("klines" in ledger._gap_label(gap)) == (from_s > 0)


def test_trades_dated_in_the_future_are_said_where_nothing_is_recorded(project_root, database):
    """And the ledger and its timeline end at the newest real trade."""
    far = msgspec.structs.replace(tick(3, 60, "ETHUSDT"), time_us=4_080_000_000_000_000)
    with closing(TickWriter(database)) as writer:
        writer.write([far])
    page = run_feed(project_root)
    assert "1 stored trade is dated far in the future (ETHUSDT, 2099-04-16" in said(page)
    assert "2099" not in shown(page)


class Counted:
    """A recorder of which only the looks at its status are counted."""

    def __init__(self) -> None:
        self.looks, self.state = 0, "live"
        self.symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")

    def status(self) -> RecorderStatus:
        self.looks += 1
        return status_of(state=self.state, symbols=self.symbols)


def test_sessions_share_a_look_at_the_status_for_a_moment_and_no_act_is_late(monkeypatch):
    seconds = iter([10.01, 10.24, 10.24, 10.24, 10.26])
    monkeypatch.setattr("pages.ui.desk.recording.time.monotonic", lambda: next(seconds))
    counted = Counted()
    recorder = cast("Recorder", counted)
    assert status_at_moment(recorder) is status_at_moment(recorder)
    counted.state = "paused"
    assert status_at_moment(recorder).state == "paused"
    counted.symbols = ("BTCUSDT",)
    assert status_at_moment(recorder).symbols == ("BTCUSDT",)
    assert counted.looks == 3
    status_at_moment(recorder)
    assert counted.looks == 4


def test_a_recorder_that_ended_is_not_held_by_what_it_said_last() -> None:
    ended = Counted()
    status_at_moment(cast("Recorder", ended))
    alive = weakref.ref(ended)
    del ended
    gc.collect()
    assert alive() is None
