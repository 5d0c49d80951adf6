"""The first start on a machine: what a page says while it waits, and that it waits no longer."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk.app_process import running_app

from analytics.warm import Part
from pages.ui.server import warming
from pages.ui.server.compiling import Preparation, Progress

PATIENT_S = 30.0


class Compiler:
    """The other process: its answers come as they are given."""

    def __init__(self) -> None:
        self._answers: queue.Queue[str] = queue.Queue()

    def answer(self) -> None:
        self._answers.put("compiled")

    def __iter__(self) -> Iterator[str]:
        while True:
            yield self._answers.get(timeout=PATIENT_S)


def nothing(_: object) -> None:
    """Do nothing after a part."""


@contextmanager
def running(
    preparation: Preparation,
    compiled: Iterator[str] | None = None,
    after_each: Callable[[Part], object] = nothing,
) -> Iterator[None]:
    """Prepare in a thread, which ends with the block."""
    run = threading.Thread(target=preparation.run, args=(compiled, after_each), daemon=True)
    run.start()
    yield
    run.join(PATIENT_S)
    assert not run.is_alive()


def test_a_page_that_waits_is_told_how_far_it_is_and_goes_on_by_itself():
    other, begun = Compiler(), threading.Event()
    preparation = Preparation({"live": [begun.set, int, int], "scan": [int], "evidence": [int] * 2})
    seen: list[Progress] = []
    waited: list[float] = []

    def show(progress: Progress, waited_s: float) -> None:
        if progress not in seen:
            other.answer()
        seen.append(progress)
        waited.append(waited_s)

    with running(preparation, iter(other)):
        other.answer()
        assert begun.wait(PATIENT_S)
        warming.wait_for(preparation, "scan", show, look_every_s=0.01)
        assert preparation.is_ready("scan")
        assert preparation.progress("evidence") == Progress(4, 6)
        other.answer()
        other.answer()
    assert {each.total for each in seen} == {4}  # not what other pages need
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert seen[-1] == Progress(3, 4)
    assert 0.0 < waited[0] < waited[-1] < PATIENT_S


def test_a_call_is_made_here_after_the_other_process_has_compiled_it():
    steps: list[str] = []

    def answers() -> Iterator[str]:
        while True:
            steps.append("compiled")
            yield "compiled"

    preparation = Preparation({"live": [lambda: steps.append("made")] * 2})
    preparation.run(answers(), steps.append)
    assert steps == ["compiled", "made"] * 2 + ["live"]


def test_what_the_other_process_fails_in_is_made_here():
    made: list[str] = []
    preparation = Preparation({"live": [lambda: made.append("a")] * 3, "scan": [int]})
    preparation.run(iter(["compiled"]), nothing)
    assert made == ["a"] * 3
    assert preparation.wait("scan", 0.0)


def test_where_all_comes_from_the_cache_nothing_is_said(monkeypatch):
    begun, may_end = threading.Event(), threading.Event()
    preparation = Preparation({"live": [begun.set, lambda: may_end.wait(PATIENT_S)]})
    look = preparation.wait

    def wait(part: Part | None, timeout_s: float) -> bool:
        ready = look(part, timeout_s)
        may_end.set()  # after a first look at what is not ready
        return ready

    monkeypatch.setattr(preparation, "wait", wait)
    with running(preparation):
        assert begun.wait(PATIENT_S)
        warming.wait_for(preparation, "live", lambda *_: pytest.fail("nothing is compiled"), 0.01)
    assert preparation.is_ready("live")


def test_before_anything_is_prepared_no_page_waits():
    preparation = Preparation({"live": [int]})
    assert preparation.is_ready("live")
    assert preparation.is_ready(None)


def test_a_preparation_that_fails_lets_the_pages_go():
    preparation = Preparation({"live": [int, lambda: 1 // 0], "scan": [int]})
    with pytest.raises(ZeroDivisionError):
        preparation.run(None, nothing)
    assert preparation.wait("scan", 0.0)


def test_the_line_says_what_and_how_far():
    words = "Preparing the compiled statistics, once on this machine"
    share, line = warming.line(Progress(9, 31), 12.4)
    assert share == pytest.approx(9 / 31)
    assert line == f"{words}: 9 of 31 after 12 s"
    assert warming.line(Progress(0, 1), 125.0) == (0.0, f"{words}: 0 of 1 after 2 min")


@pytest.mark.browser
def test_on_a_new_machine_the_first_page_says_so_and_comes_by_itself(
    browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from desk.chromium import until

    # What is compiled is kept elsewhere, where nothing is yet.
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    options = ("--no-ingest", "--db", tmp_path / "ticks.db")
    with running_app(tmp_path, *options) as app:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{app.url}/?mode=NDJSON+File")
        line = page.get_by_text("Preparing the compiled statistics, once on this machine")
        line.wait_for(timeout=120_000)
        until(
            page,
            "() => /: [1-9][0-9]* of [0-9]+/.test("
            "document.querySelector('[data-testid=stProgress]')?.innerText ?? '')",
            timeout=120_000,
        )
        page.wait_for_selector(".pd-word", timeout=300_000)
        assert line.count() == 0
        page.close()


def test_what_the_first_page_does_not_need_waits_until_it_is_shown():
    preparation = Preparation({"live": [int]})
    begun_s = time.monotonic()
    giver = threading.Thread(target=preparation.page_drawn)
    giver.start()
    preparation.let_a_page_go_first(PATIENT_S, 0.2)
    giver.join()
    assert 0.2 <= time.monotonic() - begun_s < PATIENT_S


def test_it_waits_for_no_page_once_one_waits_for_it():
    preparation = Preparation({"live": [int], "scan": [int]})
    preparation.page_drawn()  # its browser has long to show it
    begun = threading.Event()

    def after_each(part: Part) -> None:
        begun.set()
        if part == "live":
            preparation.let_a_page_go_first(PATIENT_S, PATIENT_S)

    begun_s = time.monotonic()
    with running(preparation, after_each=after_each):
        assert begun.wait(PATIENT_S)
        assert preparation.wait("scan", PATIENT_S)
    assert time.monotonic() - begun_s < PATIENT_S
