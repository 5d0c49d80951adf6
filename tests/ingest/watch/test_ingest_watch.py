"""The watch as the app holds it: rows follow the lists, with and without a recorder."""

import time
from collections.abc import Callable

import pytest

from ingest.settings import Settings
from ingest.watch import Watch, WatchedPair, WatchList, current_watch, install_watch

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
