"""The first start on a machine: what a page says while it waits, and that it waits no longer."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from desk.app_process import running_app

from analytics.warm import PARTS, Part, calls_of
from pages.ui.server import warming
from pages.ui.server.compiling import Preparation, Progress

PATIENT_S = 30.0
CALLS = {part: len(calls_of(part)) for part in PARTS}
Begin = Callable[..., threading.Thread]


@pytest.fixture
def preparation() -> Preparation:
    return Preparation()


@pytest.fixture
def cold(preparation: Preparation) -> Iterator[Begin]:
    """Nothing is compiled yet; gives what begins a preparation of parts that are a call each."""
    threads: list[threading.Thread] = []

    def begin(**calls: Callable[[], object]) -> threading.Thread:
        def prepare(part: Part) -> None:
            calls.get(part, lambda: None)()

        run = threading.Thread(target=preparation.run, args=(prepare, lambda _: None), daemon=True)
        threads.append(run)
        run.start()
        return run

    yield begin
    for thread in threads:
        thread.join(PATIENT_S)
        assert not thread.is_alive()


def test_a_page_that_waits_is_told_how_far_it_is_and_goes_on_by_itself(cold, preparation):
    begun, may_end = threading.Event(), threading.Event()

    def compile_live() -> None:
        preparation.count("live", 0)
        begun.set()
        assert may_end.wait(PATIENT_S)

    cold(live=compile_live)
    assert begun.wait(PATIENT_S)
    seen: list[Progress] = []
    waited: list[float] = []

    def show(progress: Progress, waited_s: float) -> None:
        seen.append(progress)
        waited.append(waited_s)
        preparation.count("live", 9)
        if progress.done == 9:
            may_end.set()

    warming.wait_for(preparation, ("live",), show, look_every_s=0.01)
    assert seen[0] == Progress(0, CALLS["live"])
    assert Progress(9, CALLS["live"]) in seen
    assert 0.0 < waited[0] < waited[-1] < PATIENT_S
    assert preparation.is_ready(("live",))


def test_what_a_page_waits_for_is_compiled_next_and_alone_counted(cold, preparation):
    begun, may_go_on, order = threading.Event(), threading.Event(), []

    def compile_live() -> None:
        preparation.count("live", 10)
        begun.set()
        assert may_go_on.wait(PATIENT_S)

    thread = cold(
        live=compile_live, gates=lambda: order.append("gates"),
        backtest=lambda: order.append("backtest"), scan=lambda: order.append("scan"),
    )  # fmt: skip
    assert begun.wait(PATIENT_S)
    assert not preparation.wait(("scan",), 0.0)
    assert preparation.progress(("scan",)) == Progress(10, CALLS["live"] + CALLS["scan"])
    may_go_on.set()
    thread.join(PATIENT_S)
    assert order == ["scan", "gates", "backtest"]
    assert preparation.wait(PARTS, 0.0)


def begin_and_wait(begun: threading.Event, may_end: threading.Event) -> None:
    begun.set()
    may_end.wait(PATIENT_S)


def test_a_part_that_is_ready_is_complete_whatever_was_counted(cold, preparation):
    begun, may_end = threading.Event(), threading.Event()
    preparation.count("live", 3)
    cold(gates=partial(begin_and_wait, begun, may_end))
    assert begun.wait(PATIENT_S)
    total = CALLS["live"] + CALLS["gates"]
    assert preparation.progress(("live", "gates")) == Progress(CALLS["live"], total)
    may_end.set()


def test_where_all_comes_from_the_cache_nothing_is_said(cold, preparation):
    begun, may_end = threading.Event(), threading.Event()
    cold(live=partial(begin_and_wait, begun, may_end))
    assert begun.wait(PATIENT_S)
    assert preparation.progress(("live",)) is None
    may_end.set()
    warming.wait_for(preparation, ("live",), lambda *_: pytest.fail("nothing was compiled"))


def test_a_preparation_that_fails_lets_the_pages_go(cold, preparation, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # told on stderr elsewhere

    def fail() -> None:
        raise RuntimeError

    cold(live=fail)
    assert preparation.wait(PARTS, PATIENT_S)


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
    # What is compiled is kept elsewhere, where nothing is yet.
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    options = ("--no-ingest", "--db", tmp_path / "ticks.db")
    with running_app(tmp_path, *options) as app:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{app.url}/?mode=NDJSON+File")
        line = page.get_by_text("Preparing the compiled statistics, once on this machine")
        line.wait_for(timeout=120_000)
        page.wait_for_function(
            "() => /: [1-9][0-9]* of [0-9]+/.test("
            "document.querySelector('[data-testid=stProgress]')?.innerText ?? '')",
            timeout=120_000,
        )
        page.wait_for_selector(".pd-word", timeout=300_000)
        assert line.count() == 0
        page.close()


def test_what_the_first_page_does_not_need_waits_until_it_is_shown(preparation):
    begun_s = time.monotonic()
    giver = threading.Thread(target=preparation.page_drawn)
    giver.start()
    preparation.let_a_page_go_first(PATIENT_S, 0.2)
    giver.join()
    assert 0.2 <= time.monotonic() - begun_s < PATIENT_S


def test_it_waits_for_no_page_once_one_waits_for_it(cold, preparation):
    preparation.page_drawn()  # its browser has long to show it
    begun = threading.Event()

    def compile_gates() -> None:
        begun.set()
        preparation.let_a_page_go_first(PATIENT_S, PATIENT_S)

    begun_s = time.monotonic()
    cold(gates=compile_gates)
    assert begun.wait(PATIENT_S)
    assert preparation.wait(("evidence",), PATIENT_S)
    assert time.monotonic() - begun_s < PATIENT_S
