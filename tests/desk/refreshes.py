"""Hundreds of refreshes of a zoomed live chart: is the zoom equal, do browser and server grow?

    python tests/desk/refreshes.py [--refreshes 400] [--every-ms 1000]

The app records from the scripted exchange on the loopback, and a real Chromium shows its Live page
at the fastest refresh, zoomed in. Prints the span in sight, the browser's heap after a collection,
its nodes and listeners, and the app's memory at each quarter. Ends with 1 where the zoom moved, or
where the last quarter is bigger than the first by more than the limits below.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = map(str, Path(__file__).resolve().parents[1:3])

from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from playwright.sync_api import CDPSession, Page, sync_playwright

from desk.app_process import AppProcess, running_app
from desk.chart_page import ChartPage

QUERY = "/?interval=1s&window=60&lookback=1h"
HISTORY_S = 3_700
HEAP_LIMIT_MB = 5.0
SERVER_LIMIT_MB = 20.0
PATIENCE_MS = 10_000  # a refresh, on a machine that is very busy
# The refresh timer of the page at another pace than its fastest, one second.
HURRY = """every => {
  const plain = window.setInterval;
  window.setInterval = (call, ms, ...more) => plain(call, ms === 1000 ? every : ms, ...more);
}"""
# A refresh writes the ages of the two newest trades anew.
COUNT = """() => {
  window.pairdeskRefreshes = 0;
  let before = '';
  new MutationObserver(() => {
    const words = document.querySelector('.pd-head')?.innerText ?? before;
    if (words !== before) window.pairdeskRefreshes += 1;
    before = words;
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


@dataclass(frozen=True)
class Reading:
    """What stood after so many refreshes."""

    refreshes: int
    span_ms: tuple[float, float]
    heap_mb: float
    nodes: int
    listeners: int
    server_mb: float
    draws: int

    def line(self) -> str:
        """Write it as a row."""
        width_s = (self.span_ms[1] - self.span_ms[0]) / 1e3
        return (
            f"{self.refreshes:>9} {self.span_ms[0] / 1e3:>15.3f} {width_s:>9.3f} "
            f"{self.heap_mb:>8.1f} {self.nodes:>7} {self.listeners:>9} {self.server_mb:>9.1f} "
            f"{self.draws:>6}"
        )


HEAD = "refreshes  zoom from (s)  zoom (s)  heap MB   nodes listeners server MB  draws"


def main(words: Sequence[str] | None = None) -> int:
    """Run it, print each reading as it is taken, and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--refreshes", type=int, default=400)
    parser.add_argument("--every-ms", type=int, default=1_000, help="pace of the page's timer")
    chosen = parser.parse_args(words)
    print(HEAD)
    readings = []
    with zoomed_page(chosen.every_ms) as (app, chart):
        for reading in watched(app, chart, chosen.refreshes):
            print(reading.line(), flush=True)
            readings.append(reading)
    faults = judged(readings)
    print("; ".join(faults) if faults else "zoom equal, heap and server flat")
    return int(bool(faults))


@contextmanager
def zoomed_page(every_ms: int) -> Iterator[tuple[AppProcess, ChartPage]]:
    """Run the app beside an exchange that trades, and look at a part of its chart."""
    feed = LiveFeed(20.0, history_s=HISTORY_S, after_clients=1)
    named = os.environ.get("PAIRDESK_CHROMIUM") or shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadedExchange(feed=feed) as exchange,
        sync_playwright() as engine,
    ):
        options = ["--db", Path(folder, "ticks.db"), "--symbols", "BTCUSDT,ETHUSDT"]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        browser = engine.chromium.launch(executable_path=named, args=["--no-sandbox"])
        with running_app(Path(folder), *options) as app:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(f"({HURRY})({every_ms})")
            page.goto(app.url + QUERY)
            chart = ChartPage(page).ready()
            page.get_by_role("slider", name="Refresh every (seconds)").press("Home")
            page.get_by_test_id("stSlider").get_by_text("1", exact=True).first.wait_for()
            chart.wait_for_versions(5)
            chart.zoom(0.3, 0.6)
            yield app, chart
            browser.close()
            app.stop()


def watched(app: AppProcess, chart: ChartPage, refreshes: int) -> Iterator[Reading]:
    """Let it refresh so often; gives a reading at the start and at each quarter."""
    session = chart.page.context.new_cdp_session(chart.page)
    session.send("Performance.enable")
    chart.page.evaluate(COUNT)
    yield _reading(app, chart, session, 0)
    for quarter in range(1, 5):
        target = refreshes * quarter // 4
        _wait_for_refreshes(chart.page, target)
        yield _reading(app, chart, session, target)


def _wait_for_refreshes(page: Page, target: int) -> None:
    page.wait_for_function(
        f"() => window.pairdeskRefreshes >= {target}",
        timeout=60_000 + target * PATIENCE_MS, polling=200,
    )  # fmt: skip


def _reading(app: AppProcess, chart: ChartPage, session: CDPSession, refreshes: int) -> Reading:
    session.send("HeapProfiler.collectGarbage")
    told = session.send("Performance.getMetrics")["metrics"]
    known = {each["name"]: each["value"] for each in told}
    state = chart.state()
    return Reading(
        refreshes, tuple(state["range"]), known["JSHeapUsedSize"] / 1e6, int(known["Nodes"]),
        int(known["JSEventListeners"]), (app.memory_bytes() or 0) / 1e6, state["draws"],
    )  # fmt: skip


def judged(readings: Sequence[Reading]) -> list[str]:
    """Say what is not as it was; the first quarter settles, the others are held to it."""
    begun, settled, end = readings[0], readings[1], readings[-1]
    faults = []
    if end.span_ms != begun.span_ms:
        faults.append(f"the zoom went from {begun.span_ms} to {end.span_ms}")
    if end.heap_mb - settled.heap_mb > HEAP_LIMIT_MB:
        faults.append(f"the heap grew by {end.heap_mb - settled.heap_mb:.1f} MB")
    if end.server_mb - settled.server_mb > SERVER_LIMIT_MB:
        faults.append(f"the app grew by {end.server_mb - settled.server_mb:.1f} MB")
    return faults


if __name__ == "__main__":
    sys.exit(main())
