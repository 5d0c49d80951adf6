"""The whole app in a real Chromium: live figures, kept zoom, both modes, a download that agrees."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from desk.app_process import usual_port
from desk.chromium import READY_MS, DeskBrowser, open_when_up, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from places import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = pytest.mark.browser

PLOT = ".pairdesk-plot"
# What REST has of before fills the short window below: a market ahead of our clock is set aside.
HISTORY_S = 120
QUICK = "/?window=5&interval=1s"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records from a scripted exchange."""
    folder = tmp_path_factory.mktemp("browser")
    with ThreadedExchange(feed=LiveFeed(10.0, history_s=HISTORY_S, after_clients=1)) as exchange:
        port = usual_port()
        command = [sys.executable, "app.py", "--no-browser", "--port", str(port)]
        command += ["--db", str(folder / "ticks.db"), "--symbols", "BTCUSDT,ETHUSDT"]
        command += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        log = folder / "app.log"
        with log.open("wb") as output, subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        ) as process:  # fmt: skip
            yield f"http://127.0.0.1:{port}"
            process.terminate()
            status = process.wait(timeout=15)
        assert status == 0, log.read_text(encoding="utf-8")


@pytest.fixture
def page(browser: DeskBrowser, address: str) -> Iterator["Page"]:
    """The live page with its chart drawn; fails on any error in the browser's console."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    open_when_up(page, address + QUICK)
    drawn(page)
    yield page
    page.close()
    assert errors == []


def drawn(page: "Page") -> None:
    page.wait_for_selector(f"{PLOT} .main-svg", timeout=READY_MS)
    page.wait_for_selector(".pd-word", timeout=READY_MS)


def paused(page: "Page") -> None:
    """Wait until the last run has ended and its chart, which comes after its words, is drawn."""
    page.wait_for_selector("text=Paused")
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    page.wait_for_timeout(500)


def draws(page: "Page") -> int:
    return int(page.eval_on_selector(PLOT, "plot => plot.dataset.draws"))


def wait_for_draws(page: "Page", more: int) -> None:
    """Wait until the chart has been given that many new figures."""
    until(
        page,
        f"least => Number(document.querySelector('{PLOT}').dataset.draws) >= least",
        arg=draws(page) + more,
        timeout=READY_MS,
    )


def figure(page: "Page", label: str) -> str:
    card = page.locator(".pd-figure", has=page.locator(f"dt:has-text('{label}')")).first
    return card.locator(".pd-value").inner_text()


def wait_for_price(page: "Page", symbol: str) -> None:
    """Wait until a leg's price reads other than now."""
    read = """symbol => [...document.querySelectorAll('.pd-leg')]
        .find(leg => leg.innerText.startsWith(symbol))?.querySelector('b')?.innerText"""
    page.wait_for_selector(f".pd-leg:has-text('{symbol}')")
    before = page.evaluate(read, symbol)
    until(
        page,
        f"([symbol, before]) => ![undefined, before].includes(({read})(symbol))",
        arg=[symbol, before],
        timeout=READY_MS,
    )


def test_prices_move_and_a_zscore_and_a_signal_appear(page):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        wait_for_price(page, symbol)
    until(
        page, "() => /z [+−]\\d+\\.\\d\\d/.test(document.querySelector('.pd-signal-z').innerText)"
    )
    shown = page.inner_text(".pd-word")
    assert any(word in shown for word in ("SELL", "BUY", "NEUTRAL")), shown
    page.wait_for_selector(".pd-pill-word:has-text('LIVE')")


# What is to come at once comes later than the next refresh: so both are told in one turn.
SLOW_TURNS = """() => {
  const later = window.setTimeout;
  window.setTimeout = (act, ms, ...rest) => later(act, ms || 1200, ...rest);
}"""


def test_what_is_chosen_in_the_moment_of_a_refresh_is_shown(page):
    page.get_by_role("slider", name="Refresh every (seconds)").press("Home")
    wait_for_draws(page, 1)
    page.evaluate(SLOW_TURNS)
    field = page.get_by_role("spinbutton", name="Rolling window (bars)")
    for bars in (7, 9):
        field.fill(str(bars))
        field.press("Enter")
        page.wait_for_selector(f".pd-figure:has-text('n = {bars} bars')", timeout=READY_MS)


def test_pause_stops_the_redrawing_and_only_that(page):
    toggle = page.locator("label", has_text="Pause").first
    toggle.click()
    paused(page)
    before = draws(page)
    # That nothing happens can only be seen by watching for two refreshes.
    page.wait_for_timeout(4_500)
    assert draws(page) == before
    toggle.click()
    wait_for_draws(page, 1)


def test_ndjson_mode_shows_the_synthetic_sample_and_the_way_back_is_live(page):
    page.locator("label", has_text="NDJSON File").click()
    page.wait_for_selector("text=SYNTHETIC", timeout=READY_MS)
    page.wait_for_selector(".pd-pill-word:has-text('FILE')", timeout=READY_MS)
    drawn(page)
    page.locator("label", has_text="Live Database").click()
    page.wait_for_selector(".pd-pill-word:has-text('LIVE')", timeout=READY_MS)
    wait_for_price(page, "BTCUSDT")


def test_the_last_row_of_the_downloaded_csv_is_what_the_page_shows(page):
    page.locator("label", has_text="Pause").first.click()
    paused(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Analytics (CSV)").click()
    path = Path(waiting.value.path())
    last = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))[-1]
    shown = page.inner_text(".pd-signal-z").removeprefix("z ").replace("−", "-")
    assert f"{float(last['zscore']):+.2f}" == shown
    assert last["signal"] in page.inner_text(".pd-word")
    assert waiting.value.suggested_filename.startswith("BTCUSDT-ETHUSDT_1s_")
    spread = figure(page, "Spread").replace(",", "").replace("−", "-")
    assert float(spread) == pytest.approx(float(last["spread"]), abs=0.006)


def test_a_narrow_screen_holds_the_page_without_sideways_scrolling(browser, address):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_when_up(page, address + QUICK)
    drawn(page)
    width = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390
    page.close()
