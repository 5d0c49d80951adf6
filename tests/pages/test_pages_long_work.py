"""Long work on a page: done once a key, told step by step, ended by Cancel and by nothing else."""

import time
from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.backtest import data
from pages.ui.parts import long_work, notices
from pages.ui.parts.long_work import LongWork
from pages.ui.parts.notices import Notice
from pages.ui.scanner import run

WORK = LongWork("test", "Working", "steps", Notice("It was cancelled", "Again."), "Work again")


class Clicked(BaseException):
    """What Streamlit raises inside a call to it once a button was clicked, as far as we see."""


class Bar:
    """A progress bar that keeps what it was told, and is left at a step."""

    def __init__(self, clicked_at: int | None = None) -> None:
        self.told: list[str] = []
        self.clicked_at = clicked_at

    def progress(self, share: float, text: str) -> None:
        assert 0.0 <= share <= 1.0
        self.told.append(text)
        if len(self.told) == self.clicked_at:
            raise Clicked


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    st.cache_resource.clear()
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    yield state
    st.cache_resource.clear()


def steps_of(done: list[int], steps: int = 5) -> Callable[[long_work.Progress], str]:
    def work(progress: long_work.Progress) -> str:
        for step in range(1, steps + 1):
            done.append(step)
            progress(step, steps)
        return f"result {len(done)}"

    return work


def with_bar(monkeypatch: pytest.MonkeyPatch, bar: Bar) -> Bar:
    monkeypatch.setattr(long_work, "TELL_EVERY_S", 0.0)  # each step is told
    monkeypatch.setattr(st, "progress", lambda *_: bar)
    return bar


def test_work_is_told_step_by_step_and_done_once_a_key(monkeypatch, session):
    bar = with_bar(monkeypatch, Bar())
    done: list[int] = []
    assert WORK.run("a", steps_of(done)) == "result 5"
    assert bar.told[0] == "Working: 1 of 5 steps"
    assert bar.told[-1] == "Working: 5 of 5 steps"
    assert WORK.run("a", steps_of(done)) == "result 5"
    assert len(done) == 5
    assert WORK.run("b", steps_of(done)) == "result 10"


def test_a_click_on_cancel_ends_the_work_at_its_step_and_keeps_nothing(monkeypatch, session):
    bar = with_bar(monkeypatch, Bar(clicked_at=2))
    done: list[int] = []
    with pytest.raises(Clicked):
        WORK.run("a", steps_of(done))
    assert done == [1, 2]
    WORK.cancel("a")  # what the click calls before the next run
    assert WORK.run("a", steps_of(done)) is None
    assert done == [1, 2]
    bar.clicked_at = None
    assert WORK.run("b", steps_of(done)) == "result 7"  # other data are other work
    WORK.forget_cancel()
    assert session == {}
    assert WORK.run("a", steps_of(done)) == "result 12"


def test_steps_that_follow_fast_are_told_now_and_then_and_the_last_one_always(monkeypatch, session):
    bar = with_bar(monkeypatch, Bar())
    done: list[int] = []
    monkeypatch.setattr(long_work, "TELL_EVERY_S", 3600.0)
    monkeypatch.setattr(time, "monotonic", lambda: 7200.0)
    WORK.run("a", steps_of(done))
    assert len(done) > 2
    assert len(bar.told) == 2


def test_a_click_that_waits_for_a_fragment_ends_the_work_too(monkeypatch, session):
    with_bar(monkeypatch, Bar())
    shown: list[Notice] = []
    monkeypatch.setattr(notices, "show", shown.append)
    done: list[int] = []
    monkeypatch.setattr(long_work, "is_click_waiting", lambda _: len(done) == 3)
    assert WORK.run("a", steps_of(done)) is None
    assert done == [1, 2, 3]
    assert shown == [WORK.cancelled]
    assert WORK.run("a", steps_of(done)) is None
    assert done == [1, 2, 3]


def test_live_work_stays_cancelled_until_something_else_is_asked_for(monkeypatch, session):
    with_bar(monkeypatch, Bar())
    WORK.cancel("these settings")
    assert WORK.run("bar 1", steps_of([]), asked="these settings") is None
    assert WORK.run("bar 2", steps_of([]), asked="these settings") is None
    assert WORK.run("bar 2", steps_of([]), asked="others") == "result 5"


def test_a_later_stage_counts_what_it_counts_in_its_own_words(monkeypatch, session):
    bar = with_bar(monkeypatch, Bar())

    def work(progress: long_work.Progress) -> str:
        progress(2, 4)
        progress(1, 3, "Looking again, of the pairs left")
        return "done"

    WORK.run("stages", work)
    assert bar.told == ["Working: 2 of 4 steps", "Looking again, of the pairs left: 1 of 3"]


def test_the_newest_few_results_are_kept_and_each_kind_has_its_own(monkeypatch, session):
    with_bar(monkeypatch, Bar())
    other = LongWork("other", "Working", "steps", WORK.cancelled, "Again")
    for key in range(long_work.MAX_RESULTS + 1):
        WORK.run(key, steps_of([]))
    done: list[int] = []
    WORK.run(long_work.MAX_RESULTS, steps_of(done))
    assert done == []
    WORK.run(0, steps_of(done))
    assert len(done) == 5
    other.run(long_work.MAX_RESULTS, steps_of(done))
    assert len(done) == 10


def test_cancelled_work_says_so_and_runs_again_at_a_click():
    def page() -> None:
        import streamlit as st

        from pages.ui.parts.long_work import LongWork, Progress
        from pages.ui.parts.notices import Notice

        work = LongWork(
            "test",
            "Working",
            "steps",
            Notice("It was cancelled", "Go.", is_fault=False),
            "Once more",
        )
        if "begun" not in st.session_state:
            st.session_state["begun"] = True
            work.cancel("key")

        def done(progress: Progress) -> str:
            progress(1, 1)
            return "done"

        st.write(work.run("key", done))

    shown = AppTest.from_function(page).run()
    assert "It was cancelled" in shown.info[0].value
    shown.button(key="test_again").click().run()
    assert not shown.info
    assert shown.markdown[0].value == "done"


def test_every_long_work_has_a_name_and_words_of_its_own():
    works = (run.WORK, data.WALK, data.NULL)
    for field in ("name", "doing", "again"):
        assert len({getattr(work, field) for work in works}) == len(works)
    assert not any(work.cancelled.is_fault for work in works)
