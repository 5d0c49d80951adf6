"""Readings: each content once, others beside it, ended when nobody waits, bounded in memory."""

import io
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import pytest

from ingest.errors import FileError
from pages.ui.desk import file_reading
from pages.ui.desk.file_reading import Progress, Readings

FRAME = pd.DataFrame({"price": [1.0]})


class ClickError(Exception):
    """What Streamlit raises in a session that has been asked to run again."""


def quiet(done: int, size: int) -> None:
    """Show nothing."""


@pytest.fixture
def held() -> Iterator["Held"]:
    reading = Held()
    yield reading
    reading.let_go.set()


class Held:
    """A reading that goes on until it is let go, telling its progress as a file does."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.ended = threading.Event()
        self.times = 0

    def __call__(self, progress: Progress) -> pd.DataFrame:
        self.times += 1
        self.begun.set()
        try:
            while not self.let_go.wait(0.01):
                progress(1, 2)
        finally:
            self.ended.set()
        return FRAME


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_sessions_with_one_content_share_one_reading(held: Held) -> None:
    readings = Readings()
    waiting = [in_thread(lambda: readings.get("a", 1, held, quiet)) for _ in range(3)]
    assert held.begun.wait(10)
    held.let_go.set()
    for thread, found in waiting:
        thread.join(10)
        assert found[0] is FRAME
    assert held.times == 1


def test_another_content_does_not_wait(held: Held) -> None:
    readings = Readings()
    thread, _ = in_thread(lambda: readings.get("a", 10, held, quiet))
    assert held.begun.wait(10)
    assert readings.get("b", 10, lambda _: FRAME, quiet) is FRAME
    assert thread.is_alive()
    held.let_go.set()
    thread.join(10)


def test_beyond_the_memory_allowed_one_waits_for_the_other(held: Held) -> None:
    readings = Readings(most_reading_bytes=100)
    thread, _ = in_thread(lambda: readings.get("a", 60, held, quiet))
    assert held.begun.wait(10)
    second = Held()
    other, found = in_thread(lambda: readings.get("b", 60, second, quiet))
    third = readings.get("c", 30, lambda _: FRAME, quiet)
    assert third is FRAME
    assert not second.begun.is_set()
    held.let_go.set()
    assert second.begun.wait(10)
    second.let_go.set()
    for each in (thread, other):
        each.join(10)
    assert found[0] is FRAME


def test_a_file_larger_than_all_memory_allowed_is_read_alone(held: Held) -> None:
    readings = Readings(most_reading_bytes=100)
    assert readings.get("a", 10**12, lambda _: FRAME, quiet) is FRAME


def test_a_click_ends_the_wait_and_the_next_run_finds_the_reading_further_on(held: Held) -> None:
    readings = Readings()

    def click(done: int, size: int) -> None:
        raise ClickError

    with pytest.raises(ClickError):
        readings.get("a", 1, held, click)
    held.let_go.set()
    assert readings.get("a", 1, held, quiet) is FRAME
    assert held.times == 1


def test_a_reading_that_nobody_waits_for_ends_and_a_later_session_begins_anew(held: Held) -> None:
    readings = Readings(abandoned_after_s=0.2)

    def click(done: int, size: int) -> None:
        raise ClickError

    with pytest.raises(ClickError):
        readings.get("a", 1, held, click)
    assert held.ended.wait(10)
    held.let_go.set()
    assert readings.get("a", 1, held, quiet) is FRAME
    assert held.times == 2


def test_a_file_that_cannot_be_read_is_not_read_again() -> None:
    readings, times = Readings(), []

    def fail(progress: Progress) -> pd.DataFrame:
        times.append(1)
        raise FileError("a.csv is empty")

    errors = []
    for _ in range(3):
        with pytest.raises(FileError, match=r"a\.csv is empty") as caught:
            readings.get("a", 1, fail, quiet)
        errors.append(caught.value)
    assert len(times) == 1
    assert len(set(map(id, errors))) == 3


def test_a_fault_of_ours_is_raised_and_tried_again() -> None:
    readings, times = Readings(), []

    def fail(progress: Progress) -> pd.DataFrame:
        times.append(1)
        raise MemoryError

    for _ in range(2):
        with pytest.raises(MemoryError):
            readings.get("a", 1, fail, quiet)
    assert len(times) == 2


def test_frames_are_kept_by_their_memory_and_the_newest_always() -> None:
    large = pd.DataFrame({"price": range(1000)})
    readings = Readings(max_bytes=20_000)
    for key in "abcdef":
        readings.get(key, 1, lambda _: large, quiet)
    assert len(readings) == 2
    again: list[int] = []

    def read_again() -> pd.DataFrame:
        again.append(1)
        return large

    assert readings.get("f", 1, lambda _: read_again(), quiet) is large
    assert not again
    readings = Readings(max_bytes=1)
    readings.get("a", 1, lambda _: large, quiet)
    assert len(readings) == 1


def frame_beside(_source: object, _told: object) -> pd.DataFrame:
    return FRAME


def test_what_was_read_from_is_not_held_after_it() -> None:
    import gc
    import weakref

    readings, source = Readings(), io.BytesIO(b"x")
    kept = weakref.ref(source)
    readings.get("a", 1, partial(frame_beside, source), quiet)
    del source
    gc.collect()
    assert kept() is None


def test_progress_is_shown_while_it_is_waited_for(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_reading, "_LOOK_EVERY_S", 0.02)
    shown: list[tuple[int, int]] = []

    def show(done: int, size: int) -> None:
        shown.append((done, size))
        if (1, 2) in shown:
            held.let_go.set()

    assert Readings().get("a", 1, held, show) is FRAME
    assert shown[-1] == (1, 2)
