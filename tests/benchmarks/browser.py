"""The dashboard in a real Chromium: bytes, time from a trade to changed pixels, memory zoomed in.

    python tests/benchmarks --only browser [--quick]

The scripted exchange trades on the loopback; the page shows 24 hours of 1-second bars and is drawn
anew each second. Chromium has no GPU here and shares the cores with exchange and app.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_row import Row, Samples, value_row
from desk.app_process import AppProcess, running_app
from desk.chart_page import ChartPage
from exchange.feeds import Feed, LiveFeed
from exchange.market import Trade
from exchange.server import Exchange, ThreadedExchange
from playwright.sync_api import CDPSession, Page, sync_playwright

from pages.ui.state import views

SYMBOLS = ("BTCUSDT", "ETHUSDT")
# The last settings, with which a visit without a query begins: the refresh is not in an address.
LAST: dict[str, str | int | float | bool] = {"interval": "1s", "lookback": "24h", "every": 1}
HISTORY_S = 90_000
REFRESHES = 12  # `tests/desk/refreshes.py` has four hundred
# Never a whole price: the page shows only the decimals that the closes need.
BASE_CENTS = 5_000_003
# The first leg's price as the page shows it, with the time of the frame that first had it.
WATCH = """() => {
  const seen = window.pairdeskSeen = [];
  let before = '';
  const look = () => {
    const words = document.querySelector('.pd-head')?.innerText ?? '';
    const found = /BTCUSDT[^0-9]*([0-9,]+\\.[0-9]{2})/.exec(words);
    if (found && found[1] !== before) {
      before = found[1];
      seen.push([Date.now(), Number(before.replaceAll(',', ''))]);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


class ClockFeed:
    """Trades whose price tells when they were made: a cent is a millisecond since `begin_ms`."""

    def __init__(self, rate_per_s: float) -> None:
        self._every_s = 1 / rate_per_s
        self.begin_ms = 0.0

    def prepare(self, exchange: Exchange) -> None:
        """Nothing happened before the exchange opens."""

    async def run(self, exchange: Exchange) -> None:
        """Trade both symbols evenly, without end."""
        await exchange.wait_for_subscribers(1, timeout_s=None)
        self.begin_ms = time.time() * 1e3
        made = 0
        while True:
            elapsed_s = time.time() - self.begin_ms / 1e3
            while made * self._every_s <= elapsed_s:
                self._trade(exchange, made)
                made += 1
            exchange.hub.flush()
            await asyncio.sleep(0.005)

    def _trade(self, exchange: Exchange, number: int) -> None:
        cents = BASE_CENTS + round(number * self._every_s * 1e3)
        moment_us = round(self.begin_ms * 1e3 + number * self._every_s * 1e6)
        for name, price_e8 in (("BTCUSDT", cents), ("ETHUSDT", 250_000 + number * 7 % 40)):
            tape = exchange.venue.tapes[name]
            sold = number % 2 == 0
            exchange.publish(
                Trade(name, tape.next_id, price_e8 * 10**6, 10**6, moment_us, moment_us, sold)
            )


@dataclass
class Traffic:
    """Bytes that reach the browser, counted by the browser."""

    total: int = 0

    def listen(self, session: CDPSession) -> None:
        """Count what comes by WebSocket and by HTTP from now on."""
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.loadingFinished", self._loaded)

    def _frame(self, event: dict[str, Any]) -> None:
        payload = event["response"]["payloadData"]
        is_text = event["response"]["opcode"] == 1
        self.total += len(payload) if is_text else len(payload) * 3 // 4

    def _loaded(self, event: dict[str, Any]) -> None:
        self.total += int(event["encodedDataLength"])


def rows(quick: bool) -> list[Row]:
    """Measure the dashboard in a browser."""
    refreshes = 5 if quick else REFRESHES
    history = LiveFeed(2.0, history_s=3_600 if quick else HISTORY_S, after_clients=1)
    with _dashboard(history) as (app, chart, traffic):
        first = traffic.total
        measured = [
            value_row(
                "bytes to the browser, first draw of the dashboard's data",
                first / 1e3, unit="kB", at_most=600,
                note="page, figures and chart; without Streamlit's and Plotly's own files",
            )
        ]  # fmt: skip
        measured.append(_refresh_bytes(chart, traffic, 3 if quick else 15))
        measured += _memory(app, chart, refreshes)
    feed = ClockFeed(50.0 if quick else 500.0)
    with _dashboard(feed) as (_, chart, _):
        measured.append(_latency(chart, feed, 5.0 if quick else 30.0))
    return measured


@contextmanager
def _dashboard(feed: Feed) -> Iterator[tuple[AppProcess, ChartPage, Traffic]]:
    """An app that records what the feed trades, and its live page in a browser."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadedExchange(SYMBOLS, feed=feed) as exchange,
        sync_playwright() as engine,
    ):
        database = Path(folder, "ticks.db")
        views.remember(views.file_beside(database), LAST)
        options = ["--db", database, "--symbols", ",".join(SYMBOLS)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        named = os.environ.get("PAIRDESK_CHROMIUM") or shutil.which("chromium")
        browser = engine.chromium.launch(executable_path=named, args=["--no-sandbox"])
        with running_app(Path(folder), *options) as app:
            _warm(browser.new_page(), app.url)
            page = browser.new_page(viewport={"width": 1440, "height": 1100})
            traffic = Traffic()
            page.goto(app.url + "/healthz")
            traffic.listen(page.context.new_cdp_session(page))
            page.goto(app.url)
            _without_files(traffic, page)
            yield app, ChartPage(page), traffic
            browser.close()
            app.stop()


def _warm(page: Page, url: str) -> None:
    """Let the compiled statistics be compiled and the history be read, as on any other day."""
    page.goto(url)
    chart = ChartPage(page).ready()
    chart.wait_for_versions(3)
    page.close()


def _without_files(traffic: Traffic, page: Page) -> None:
    """Take off what is the same for every page and kept by the browser: scripts, styles, fonts."""
    ChartPage(page).ready()
    page.wait_for_timeout(1_500)
    cached = page.evaluate(
        """() => performance.getEntriesByType('resource')
            .filter((each) => !each.name.includes('/pairdesk/chart/'))
            .reduce((sum, each) => sum + each.transferSize, 0)
            + performance.getEntriesByType('navigation')[0].transferSize"""
    )
    traffic.total -= int(cached)


def _refresh_bytes(chart: ChartPage, traffic: Traffic, refreshes: int) -> Row:
    sizes = []
    for _ in range(refreshes):
        before = traffic.total
        chart.wait_for_versions(1)
        chart.page.wait_for_timeout(250)  # the words come by another road than the chart
        sizes.append((traffic.total - before) / 1e3)
    return value_row(
        "bytes to the browser, live refresh of the dashboard", Samples.of(sizes), unit="kB",
        at_most=40, note="24 h of 1-s bars; WebSocket and chart",
    )  # fmt: skip


def _memory(app: AppProcess, chart: ChartPage, refreshes: int) -> list[Row]:
    """Zoom, then let it run: the zoom equal, heap and server where they were."""
    app.settle(within_s=30.0)
    zoomed = chart.zoom()
    session = chart.page.context.new_cdp_session(chart.page)
    settle = max(refreshes // 4, 1)
    begun = chart.state()["version"]
    chart.wait(f"s.version >= {begun + settle}", timeout_ms=60_000 + refreshes * 4_000)
    heap, server = _heap_mb(session), (app.memory_bytes() or 0) / 1e6
    target = begun + refreshes
    chart.wait(f"s.version >= {target}", timeout_ms=refreshes * 4_000)
    grown, grown_server = _heap_mb(session) - heap, (app.memory_bytes() or 0) / 1e6 - server
    note_of_growth = (
        f"{refreshes} refreshes with a zoomed chart; growth over the last three quarters"
    )
    same = chart.state()["range"] == zoomed["range"]
    return [
        value_row("browser heap, growth", grown, unit="MB", at_most=5, note=note_of_growth),
        value_row("app memory, growth", grown_server, unit="MB", at_most=20, note=note_of_growth),
        Row(
            "zoom equal after all refreshes",
            float(same),
            bar="equal",
            met=same,
            note=note_of_growth,
        ),
    ]


def _heap_mb(session: CDPSession) -> float:
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _latency(chart: ChartPage, feed: ClockFeed, seconds: float) -> Row:
    """Time from each trade to the first frame that shows it or a later one."""
    chart.page.evaluate(WATCH)
    chart.page.wait_for_timeout(seconds * 1_000)
    seen = chart.page.evaluate("() => window.pairdeskSeen")
    waits: list[float] = []
    for (_, before), (at_ms, price) in pairwise(seen):
        made_ms = feed.begin_ms - BASE_CENTS
        # A trade a millisecond: those between two prices shown wait for the later one.
        shown = range(round(before * 100) + 1, round(price * 100) + 1)
        waits.extend(at_ms - (made_ms + cents) for cents in shown)
    if not waits:
        message = f"the price on the page never changed in {seconds:g} s"
        raise RuntimeError(message)
    return _judged(sorted(waits))


def _judged(waits_ms: list[float]) -> Row:
    median, late = (waits_ms[int(len(waits_ms) * share)] / 1e3 for share in (0.5, 0.99))
    return Row(
        "trade at the exchange to changed pixel", median, unit="s",
        bar="p50 ≤ 1 s, p99 ≤ 2 s", met=median <= 1.0 and late <= 2.0,
        spread=(waits_ms[len(waits_ms) // 4] / 1e3, waits_ms[len(waits_ms) * 3 // 4] / 1e3),
        note=f"p99 {late:.2f} s; refresh 1 s, 1,000 trades/s of both legs",
    )  # fmt: skip
