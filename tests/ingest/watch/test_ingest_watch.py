"""The watch as the app holds it: rows follow the lists, with and without a recorder."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.outbox.receivers import hangs, receiving
from market_cases import idle_recorder

from analytics.alerts import RuleState
from ingest.errors import StoreError
from ingest.settings import Settings
from ingest.watch import Watch, WatchedPair, WatchList, current_watch, install_watch, watch_path

PAIR = WatchedPair("ETHUSDT", "BTCUSDT")


def wait_until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "not within the time"
        time.sleep(0.01)


@pytest.fixture
def shown(tmp_path):
    watch = Watch(Settings(db=tmp_path / "ticks.db"), None)
    yield watch
    watch.stop()


def test_rows_follow_the_lists_while_it_runs(shown):
    shown.store.save_list(WatchList("one", (PAIR,)))
    shown.start()
    assert [row.pair for row in shown.board.rows()["one"]] == [PAIR]
    shown.store.save_list(WatchList("two", (PAIR, PAIR)))
    wait_until(lambda: len(shown.board.rows().get("two", ())) == 2)
    shown.store.remove_list("one")
    wait_until(lambda: set(shown.board.rows()) == {"two"})


def test_without_a_recorder_each_row_says_that_nothing_is_evaluated(shown):
    shown.store.save_list(WatchList("one", (PAIR,)))
    shown.start()
    (row,) = shown.board.rows()["one"]
    assert "does not record" in row.problem
    assert not shown.status().is_evaluating
    assert shown.status().pairs == 1


def test_it_is_found_by_pages_while_it_is_installed(shown):
    install_watch(shown)
    try:
        found = current_watch()
    finally:
        install_watch(None)
    assert found is shown
    assert current_watch() is None


def test_it_may_be_stopped_twice(shown):
    shown.start()
    assert shown.stop()
    assert shown.stop()


def test_each_database_has_a_watch_of_its_own():
    names = ("ticks.db", "ticks.sqlite", "desk.2025", "desk.2026", "desk.2026.sqlite")
    assert len({watch_path(Path(name)) for name in names}) == len(names)
    assert watch_path(Path("data/ticks.db")) == Path("data/ticks.watch.db")
    assert watch_path(Path("data/desk.2025")) == Path("data/desk.2025.watch.db")


def test_a_second_one_shows_and_forgets_nothing(tmp_path, caplog):
    settings = Settings(db=tmp_path / "ticks.db")
    first = Watch(settings, idle_recorder())
    first.store.save_list(WatchList("one", (PAIR,)))
    first.store.record((), {("wide", "pair"): RuleState("firing")}, {"pair": 1})
    second = Watch(Settings(db=settings.db, replay=tmp_path / "played.db"), idle_recorder())
    try:
        second.start()
        assert not second.status().is_evaluating
        assert "another process" in second.status().why_not
        assert "another process" in second.board.rows()["one"][0].problem
        assert first.store.states()
        assert first.store.evaluated()
        assert len(caplog.records) == 1
    finally:
        assert second.stop()
        assert first.stop()
    third = Watch(settings, idle_recorder())
    assert third.status().is_evaluating
    assert third.stop()


def test_a_heartbeat_that_hangs_takes_nobody_elses_time_to_stop(tmp_path, monkeypatch):
    goes_on = threading.Event()
    well = idle_recorder(last_received_us=time.time_ns() // 1000, write_error=None)
    with receiving() as receiver:
        receiver.does.append(hangs(goes_on))
        monkeypatch.setenv("PAIRDESK_HEARTBEAT_URL", f"http://127.0.0.1:{receiver.port}/")
        watch = Watch(Settings(db=tmp_path / "ticks.db"), well)
        watch.start()
        receiver.wait_for(lambda: bool(receiver.requests))
        assert not watch.stop(0.5)
        goes_on.set()
    with pytest.raises(StoreError):
        watch.store.lists()
