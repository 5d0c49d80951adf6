"""How soon a reader sees something: from ``python app.py`` to the first figure, and after a choice.

    python tests/benchmarks --only opening [--quick]

A real Chromium. The start is that of a new process on the bundled sample, compiled code on disk as
at any start but the first; the choices are made on 24 hours and on half an hour of 1-second bars.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_row import Row, Samples, measured, value_row
from desk.app_process import running_app
from desk.chart_page import ChartPage
from long_store import DAY_TICKS, SYMBOLS, day_store, working_copy
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

SAMPLE = "?mode=NDJSON+File"
PAIR = f"?s1={SYMBOLS[0]}&s2={SYMBOLS[1]}&interval=1s"
# By the range as the address has it: its name, times a choice is made, longest wait, s.
RANGES = {"24h": ("24 h", 3, 1.0), "30min": ("30 min", 9, 0.3)}
SIZE: ViewportSize = {"width": 1440, "height": 900}
UP_WITHIN_S = 60.0


def rows(quick: bool) -> list[Row]:
    """Measure starts and choices."""
    times = 1 if quick else 3
    day = day_store(10_000, 2_000) if quick else day_store(DAY_TICKS)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as engine:
        named = os.environ.get("PAIRDESK_CHROMIUM") or shutil.which("chromium")
        browser = engine.chromium.launch(executable_path=named, args=["--no-sandbox"])
        starts = [_start(browser, Path(place, f"start{n}")) for n in range(times)]
        changed = _choices(browser, working_copy(day, Path(place)), quick=quick)
        browser.close()
    return [
        value_row(
            "python app.py to the first figure of the sample", Samples.of(starts), unit="s",
            at_most=4, note="process, server, page, signal and drawn chart",
        ),
        *(
            value_row(
                f"{name} changed to the new figure, {RANGES[span][0]} of 1-s bars",
                Samples.of(taken), unit="s", at_most=RANGES[span][2],
                note="signal, figures and chart",
            )
            for (span, name), taken in changed.items()
        ),
    ]  # fmt: skip


def _start(browser: Browser, folder: Path) -> float:
    """Start the app and open its page; seconds until it shows signal and chart."""
    folder.mkdir()
    page = browser.new_page(viewport=SIZE)
    begun_s = time.perf_counter()
    with running_app(folder, "--no-ingest", "--db", folder / "none.db") as app:
        page.goto(f"{app.url}/{SAMPLE}")
        page.wait_for_selector(".pd-word", timeout=UP_WITHIN_S * 1e3)
        ChartPage(page).ready()
        took_s = time.perf_counter() - begun_s
        app.stop()
    page.close()
    return took_s


def _choices(
    browser: Browser, database: Path, *, quick: bool
) -> dict[tuple[str, str], list[float]]:
    """Choose by turns; seconds until figures and chart are the new ones, by range and choice."""
    taken: dict[tuple[str, str], list[float]] = {}
    options = ("--no-ingest", "--db", database)
    with running_app(database.parent, *options) as app:
        for span, (_, times, _) in RANGES.items():
            page = browser.new_page(viewport=SIZE)
            page.goto(f"{app.url}/{PAIR}&lookback={span}")
            page.wait_for_selector(".pd-word", timeout=UP_WITHIN_S * 1e3)
            chart = ChartPage(page).ready()
            _choose_interval(page, "5s")  # the popup's own code is loaded
            for turn in range(1 if quick else times):
                for name, seconds in _turn(page, chart, turn).items():
                    taken.setdefault((span, name), []).append(seconds)
            page.close()
        app.stop()
    return taken


def _turn(page: Page, chart: ChartPage, turn: int) -> dict[str, float]:
    """Choose each once."""
    window = _drawn_after(chart, partial(_choose_window, page, 61 + turn))
    legs = _drawn_after(chart, page.get_by_role("button", name="Swap", exact=True).click)
    taken = {"window": measured(window)[0], "legs": measured(legs)[0]}
    page.get_by_role("combobox", name="Interval").click()
    option = page.get_by_role("option", name=("1s", "5s")[turn % 2], exact=True)
    option.wait_for()
    return {**taken, "interval": measured(_drawn_after(chart, option.click))[0]}


def _drawn_after(chart: ChartPage, act: Callable[[], object]) -> Callable[[], None]:
    """Act, and wait until the page has ended its run and the chart has drawn another state."""

    def done() -> None:
        before = chart.state()["told"], chart.state()["version"], chart.state()["draws"]
        act()
        chart.wait(f"s.version > {before[1]} && s.draws > {before[2]}", timeout_ms=30_000)

    return done


def _choose_window(page: Page, bars: int) -> None:
    box = page.locator("input[aria-label='Rolling window (bars)']")
    box.fill(str(bars))
    box.press("Enter")
    page.wait_for_selector(f".pd-figure:has-text('n = {bars} bars')")


def _choose_interval(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Interval").click()
    page.get_by_role("option", name=name, exact=True).click()
    page.wait_for_function(f"() => location.search.includes('interval={name}')")
