"""The first start on a machine: what a page says while it waits, and that it waits no longer."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk.app_process import running_app

from analytics import warm
from analytics.warm import FUNCTIONS, PARTS, Progress
from pages.ui.server import compiling, warming

PATIENT_S = 30.0


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., threading.Thread]]:
    """Nothing is compiled yet; gives what begins a warm-up of parts that are a call each."""
    monkeypatch.setattr(warm, "_warm", set())
    monkeypatch.setattr(warm, "_under_way", set())
    monkeypatch.setattr(warm, "_wanted", ())
    monkeypatch.setattr(warm, "_compiled", dict.fromkeys(PARTS, 0))
    threads: list[threading.Thread] = []

    def begin(**calls: Callable[[], object]) -> threading.Thread:
        made = {part: calls.get(part, lambda: None) for part in PARTS}
        table = {part: lambda *_, call=call: [call] for part, call in made.items()}
        monkeypatch.setattr(warm, "_CALLS", table)
        threads.append(threading.Thread(target=warm.warm_up, daemon=True))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join(PATIENT_S)
        assert not thread.is_alive()


def compiled(part: str, count: int) -> None:
    warm._compiled[part] = count  # as numba's own events count it


def test_a_page_that_waits_is_told_how_far_it_is_and_goes_on_by_itself(cold):
    begun, may_end = threading.Event(), threading.Event()

    def compile_live() -> None:
        compiled("live", 9)
        begun.set()
        assert may_end.wait(PATIENT_S)

    cold(live=compile_live)
    assert begun.wait(PATIENT_S)
    told: list[Progress] = []

    def show(progress: Progress, left_s: float | None) -> None:
        told.append(progress)
        if len(told) == 1:
            compiled("live", 29)
        elif left_s is not None:
            assert left_s > 0
            may_end.set()

    warming.wait_for(("live",), show, look_every_s=0.01)
    assert told[0] == Progress(9, FUNCTIONS["live"])
    assert Progress(29, FUNCTIONS["live"]) in told
    assert warm.is_ready("live")


def test_what_a_page_waits_for_is_compiled_next_and_alone_counted(cold):
    begun, may_go_on, order = threading.Event(), threading.Event(), []

    def compile_live() -> None:
        compiled("live", 10)
        begun.set()
        assert may_go_on.wait(PATIENT_S)

    thread = cold(
        live=compile_live, gates=lambda: order.append("gates"),
        backtest=lambda: order.append("backtest"), scan=lambda: order.append("scan"),
    )  # fmt: skip
    assert begun.wait(PATIENT_S)
    assert not compiling.wait(("scan",), 0.0)
    assert warm.progress(("scan",)) == Progress(10, FUNCTIONS["live"] + FUNCTIONS["scan"])
    may_go_on.set()
    thread.join(PATIENT_S)
    assert order == ["scan", "gates", "backtest"]
    assert compiling.wait(PARTS, 0.0)


def test_where_all_comes_from_the_cache_nothing_is_said(cold):
    begun, may_end = threading.Event(), threading.Event()
    cold(live=lambda: (begun.set(), may_end.wait(PATIENT_S)))
    assert begun.wait(PATIENT_S)
    assert warm.progress(("live",)) is None
    may_end.set()
    warming.wait_for(("live",), lambda *_: pytest.fail("nothing was compiled"))


def test_a_warm_up_that_fails_lets_the_pages_go(cold, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # told on stderr elsewhere

    def fail() -> None:
        raise RuntimeError

    cold(live=fail)
    assert compiling.wait(PARTS, PATIENT_S)


def test_the_line_says_what_how_far_and_how_long():
    share, words = warming.line(Progress(9, 31), 20.4)
    assert share == pytest.approx(9 / 31)
    assert words == (
        "Preparing the compiled statistics, once on this machine: 9 of 31 · about 20 s"
    )
    assert warming.line(Progress(0, 31), None)[1].endswith("0 of 31")
    # A part that compiles more than was counted once is never more than complete.
    assert warming.line(Progress(31, 31), 0.0) == (
        1.0,
        f"{words.split(':')[0]}: 31 of 31 · about 1 s",
    )


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


def test_what_the_first_page_does_not_need_waits_until_it_is_shown(monkeypatch):
    monkeypatch.setattr(compiling, "_pages_drawn", 0)
    begun_s = time.monotonic()
    giver = threading.Thread(target=compiling.page_drawn)
    giver.start()
    compiling.let_a_page_go_first(PATIENT_S, 0.2)
    giver.join()
    assert 0.2 <= time.monotonic() - begun_s < PATIENT_S


def test_it_waits_for_no_page_once_one_waits_for_it(cold, monkeypatch):
    monkeypatch.setattr(compiling, "_pages_drawn", 1)  # its browser has long to show it

    begun = threading.Event()

    def compile_gates() -> None:
        begun.set()
        compiling.let_a_page_go_first(PATIENT_S, PATIENT_S)

    begun_s = time.monotonic()
    cold(gates=compile_gates)
    assert begun.wait(PATIENT_S)
    assert compiling.wait(("evidence",), PATIENT_S)
    assert time.monotonic() - begun_s < PATIENT_S
