"""The feed page in a real Chromium: health, pause and resume, kept tab, zoom and view."""

import csv
import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from desk.app_process import usual_port
from desk.chromium import DeskBrowser, open_when_up, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from places import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = pytest.mark.browser

READY_MS = 40_000


@pytest.fixture(scope="module")
def exchange() -> Iterator[ThreadedExchange]:
    with ThreadedExchange(feed=LiveFeed(10.0, after_clients=1)) as running:
        yield running


@pytest.fixture(scope="module")
def address(exchange: ThreadedExchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records from a scripted exchange."""
    folder = tmp_path_factory.mktemp("feed")
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
    """The feed page, reached from the live page by its link; fails on errors in the console."""
    page = browser.new_page(viewport={"width": 1440, "height": 1100})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    open_when_up(page, address + "/?window=25")
    page.get_by_role("link", name="Feed", exact=True).click()
    page.wait_for_selector("h1:has-text('Feed')", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    yield page
    page.close()
    assert errors == []


def stored(page: "Page") -> int:
    row = page.locator("tr", has=page.locator("td:text-is('BTCUSDT')")).first
    return int(row.locator("td").nth(6).inner_text().replace(",", ""))


def health(address: str) -> tuple[int, dict[str, Any]]:
    with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
        return answer.status, json.load(answer)


def test_the_page_moves_by_itself_and_a_monitor_is_told_the_same(page, address):
    page.wait_for_selector(".pd-state:has-text('LIVE')", timeout=READY_MS)
    before = stored(page)
    until(
        page,
        """before => [...document.querySelectorAll('tr')].some(row =>
            row.cells[0].innerText === 'BTCUSDT'
            && Number(row.cells[6].innerText.replace(',', '')) > before)""",
        arg=before,
    )
    status, told = health(address)
    assert (status, told["state"], told["cause"]) == (200, "live", None)
    assert set(told["symbols"]) == {"BTCUSDT", "ETHUSDT"}


def test_pause_and_resume_leave_a_gap_in_the_timeline_and_the_tab_stays_open(page, address):
    page.get_by_role("tab", name="History").click()
    page.get_by_role("button", name="Pause recording").click()
    page.wait_for_selector(".pd-state:has-text('PAUSED')")
    assert health(address)[1]["state"] == "paused"
    # The market goes on meanwhile: what is missed then is the gap.
    page.wait_for_timeout(2_500)
    page.get_by_role("button", name="Resume recording").click()
    page.wait_for_selector(".pd-state:has-text('LIVE')", timeout=READY_MS)
    page.wait_for_selector("td:text-is('resumed')")
    assert page.get_by_role("tab", name="History").get_attribute("aria-selected") == "true"
    # A symbol's gap opens with its first trade after the pause: open, filled, absent or given up.
    until(
        page,
        """() => ['BTCUSDT', 'ETHUSDT'].every(symbol => [...document.querySelectorAll('tr')].some(
            row => row.cells[0].innerText === symbol && row.cells.length > 12
            && [9, 10, 11, 12].some(cell => row.cells[cell].innerText !== '0')))""",
        timeout=READY_MS,
    )
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Ledger of gaps (CSV)").click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    gaps = list(csv.DictReader(io.StringIO(text)))
    assert {gap["symbol"] for gap in gaps} == {"BTCUSDT", "ETHUSDT"}
    assert all(gap["cause"] for gap in gaps)


def test_a_zoom_of_the_timeline_survives_three_refreshes(page):
    plot = page.locator(".pairdesk-plot")
    box = plot.locator(".nsewdrag").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    until(
        page, "() => document.querySelector('.pairdesk-plot')._fullLayout.xaxis.autorange === false"
    )
    zoomed = plot.evaluate("plot => plot.layout.xaxis.range.map(String)")
    rows = plot.evaluate("plot => plot._fullLayout.yaxis.range")
    until(
        page,
        "least => Number(document.querySelector('.pairdesk-plot').dataset.draws) >= least",
        arg=int(plot.get_attribute("data-draws")) + 3,
        timeout=READY_MS,
    )
    assert plot.evaluate("plot => plot.layout.xaxis.range.map(String)") == zoomed
    assert plot.evaluate("plot => plot._fullLayout.yaxis.range") == rows == [1.5, -0.5]


def test_what_the_figures_mean_opens_by_keyboard_and_stays_through_a_refresh(page):
    page.get_by_role("button", name="What the figures mean").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".pd-explained:has-text('Write-ahead log')")
    page.wait_for_timeout(2_500)
    assert page.locator(".pd-explained").is_visible()


def test_the_view_in_the_url_is_kept_over_a_visit_to_this_page(page):
    page.get_by_role("link", name="Live", exact=True).click()
    page.wait_for_selector(".pd-word, .stAlert", timeout=READY_MS)
    until(page, "() => location.search.includes('window=25')")


def test_a_narrow_dark_screen_holds_the_page_without_sideways_scrolling(browser, address):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_when_up(page, address + "/feed")
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    width = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390
    page.close()
