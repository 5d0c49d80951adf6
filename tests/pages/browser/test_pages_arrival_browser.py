"""Arriving at the desk in a real Chromium: links, Back and Forward, a reload, a phone."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from desk.app_process import AppProcess, running_app
from desk.chromium import READY_MS, until
from desk.script_page import ticks_of, write_ndjson
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from test_pages_desk_browser import SAMPLE, opened, settled, turned

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

SYMBOLS = "ETHUSDT,BTCUSDT"  # not in the order of the alphabet


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app that records two symbols from a scripted exchange."""
    folder = tmp_path_factory.mktemp("arrival")
    feed = LiveFeed(10.0, after_clients=1, history_s=600)
    with ThreadedExchange(feed=feed) as exchange:
        options = ["--symbols", SYMBOLS, "--ws-url", exchange.ws_url]
        options += ["--rest-url", exchange.rest_url, "--db", str(folder / "ticks.db")]
        with running_app(folder, *options) as running:
            yield running


def choice(page, key: str) -> str:
    """What the address says of a choice."""
    return parse_qs(urlsplit(str(page.url)).query).get(key, [""])[0]


def said(page, **wanted: str) -> None:
    """Wait until the address says all of it, and the controls of the header agree."""
    until(
        page,
        """wanted => {
          const said = new URLSearchParams(location.search);
          return Object.entries(wanted).every(([key, value]) => said.get(key) === value);
        }""",
        arg=wanted,
        timeout=READY_MS,
    )
    labels = {"s1": "S1 (y)", "s2": "S2 (x)", "interval": "Interval"}
    for key, value in wanted.items():
        if key in labels:
            shown = f"[data-testid=stSelectbox]:has-text('{labels[key]}')"
            playwright.expect(page.locator(shown).first.locator("input")).to_have_value(
                value, timeout=READY_MS
            )


def live(page) -> None:
    page.wait_for_selector(".pd-word", timeout=READY_MS)
    until(page, "() => location.search.includes('tab=')", timeout=READY_MS)


def pick(page, label: str, option: str) -> None:
    page.locator(f"[data-testid=stSelectbox]:has-text('{label}') input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_bare_visit_says_all_of_it_in_the_address_and_adds_no_step(browser, app):
    with opened(browser, app.url) as page:
        live(page)
        said(page, mode="Live Database", s1="ETHUSDT", s2="BTCUSDT", interval="1s",
             lookback="auto", window="60", spread="price difference", hedge="ols")  # fmt: skip
        steps, link = page.evaluate("history.length"), page.url
        page.reload()
        live(page)
        assert page.url == link
        assert page.evaluate("history.length") == steps


def test_back_and_forward_go_through_pair_interval_range_and_page(browser, app):
    with opened(browser, f"{app.url}/?window=5") as page:
        live(page)
        page.get_by_role("button", name="Swap").click()
        said(page, s1="BTCUSDT", s2="ETHUSDT")
        pick(page, "Interval", "5s")
        said(page, interval="5s", s1="BTCUSDT")
        page.get_by_role("radio", name="4h", exact=True).click()
        said(page, lookback="4h")
        settled(page)
        page.get_by_role("link", name="Evidence", exact=True).click()
        until(page, "() => location.pathname.endsWith('/evidence')")
        said(page, interval="5s", lookback="4h", s1="BTCUSDT")
        settled(page)
        page.get_by_role("link", name="Scanner", exact=True).click()
        page.wait_for_selector("text=Bar interval", timeout=READY_MS)
        page.go_back()
        said(page, interval="5s", lookback="4h", s1="BTCUSDT")
        assert page.url.split("?")[0].endswith("/evidence")
        settled(page)
        page.go_back()
        live(page)
        said(page, lookback="4h", interval="5s")
        for wanted in (
            {"lookback": "auto", "interval": "5s", "s1": "BTCUSDT"},
            {"interval": "1s", "s1": "BTCUSDT", "s2": "ETHUSDT"},
            {"interval": "1s", "s1": "ETHUSDT", "s2": "BTCUSDT"},
        ):
            page.go_back()
            said(page, **wanted)
            settled(page)
        for wanted in ({"s1": "BTCUSDT", "interval": "1s"}, {"interval": "5s", "lookback": "auto"},
                       {"lookback": "4h"}):  # fmt: skip
            page.go_forward()
            said(page, **wanted)
            settled(page)
        chosen = page.get_by_role("radio", name="4h", exact=True)
        playwright.expect(chosen).to_be_checked()


def test_a_window_is_no_step_and_a_leg_chosen_twice_is_one(browser, app):
    with opened(browser, f"{app.url}/?window=5") as page:
        live(page)
        steps = page.evaluate("history.length")
        page.locator("[data-testid=stNumberInputStepUp]").first.click()
        said(page, window="10")
        assert page.evaluate("history.length") == steps
        pick(page, "S1 (y)", "BTCUSDT")
        said(page, s1="BTCUSDT", s2="ETHUSDT")
        assert page.evaluate("history.length") == steps + 1
        page.go_back()
        said(page, s1="ETHUSDT", s2="BTCUSDT", window="10")


def test_a_copied_link_shows_the_same_to_one_with_other_last_settings(browser, app):
    with opened(browser, f"{app.url}/") as page:
        live(page)
        pick(page, "Spread", "price difference")
        copied = page.url
        pick(page, "Spread", "log")  # the last settings from here on
        said(page, spread="log")
        settled(page)
    with opened(browser, f"{app.url}/") as page:
        live(page)
        assert choice(page, "spread") == "log"
        pick(page, "Spread", "price difference")
        said(page, spread="price difference")
        pick(page, "Spread", "ratio")
        said(page, spread="ratio")
        settled(page)
    with opened(browser, copied) as page:
        live(page)
        assert page.url == copied
        said(page, spread="price difference")
        pick(page, "Spread", "price difference")


def test_a_reload_keeps_an_uploaded_file_and_a_bare_visit_does_not(browser, app, tmp_path: Path):
    path = tmp_path / "mine.ndjson"
    write_ndjson(path, ticks_of("AAAUSDT", 60_000.0), ticks_of("BBBUSDT", 2_500.0, seed=6))
    with opened(browser, f"{app.url}/?mode=NDJSON+File&file=Upload+a+file") as page:
        page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
        live(page)
        until(page, "() => location.search.includes('upload=')")
        page.wait_for_selector(".pd-head:has-text('NDJSON file: mine.ndjson')")
        link = page.url
        page.reload()
        page.wait_for_selector(".pd-head:has-text('NDJSON file: mine.ndjson')", timeout=READY_MS)
        token = choice(page, "upload")
        page.get_by_role("link", name="Evidence", exact=True).click()
        said(page, file_s1="AAAUSDT", upload=token)
    with opened(browser, link) as page:
        page.wait_for_selector(".pd-head:has-text('NDJSON file: mine.ndjson')", timeout=READY_MS)
    with opened(browser, app.url) as page:
        live(page)
        said(page, mode="Live Database", s1="ETHUSDT", s2="BTCUSDT")


@pytest.mark.parametrize("path", ["evidence", "scanner", "backtest", "feed", "methods"])
def test_a_page_opened_by_its_address_has_nothing_to_say_in_the_console(browser, app, path):
    with opened(browser, f"{app.url}/{path}") as page:
        page.wait_for_selector(".pd-pill", timeout=READY_MS)
        page.wait_for_selector('.stApp[data-test-script-state="notRunning"]', timeout=READY_MS)


def test_and_none_under_a_base_path(browser, tmp_path):
    options = ("--no-ingest", "--db", tmp_path / "ticks.db")
    with (
        running_app(tmp_path, *options, base_path="feed") as based,
        opened(browser, f"{based.url}/evidence?{SAMPLE}") as page,
    ):
        settled(page)
        page.wait_for_selector(".pd-verdict, .pd-table", timeout=READY_MS)


LONG = "document.querySelector('[data-testid=stMain]').scrollHeight > 1900"
SLIM = "() => document.querySelector('.pd-slim')?.checkVisibility() === {0}"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_slim_head_stays_in_sight_while_the_page_is_scrolled(browser, app, width):
    with opened(browser, f"{app.url}/?window=5", width=width) as page:
        live(page)
        until(page, SLIM.format("false"))
        main = page.locator("[data-testid=stMain]")
        until(page, f"() => {LONG}")
        main.evaluate("main => main.scrollTo(0, 900)")
        until(page, SLIM.format("true"))
        words = page.inner_text(".pd-slim")
        assert re.search(r"ETHUSDT/BTCUSDT\s+\S\s+(SELL|BUY|NEUTRAL)\s+z ", words), words
        boxes = [page.locator(place).bounding_box() for place in (".pd-slim", ".pd-pill")]
        assert all(0 <= box["y"] < 80 and box["x"] + box["width"] <= width + 1 for box in boxes), (
            boxes
        )
        until(page,
            "before => document.querySelector('.pd-slim').innerText !== before", arg=words,
            timeout=READY_MS,
        )  # fmt: skip
        main.evaluate("main => main.scrollTo(0, 0)")
        until(page, SLIM.format("false"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_signal_comes_before_the_controls(browser, app, scheme):
    with opened(browser, f"{app.url}/?window=5", width=390) as page:
        live(page)
        turned(page, 390, scheme)
        order = [".pd-pill", ".pd-head", ".pd-signal", ".st-key-header", ".pairdesk-plot"]
        page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
        tops = [page.locator(place).first.bounding_box()["y"] for place in order]
        assert tops == sorted(tops)
        signal = page.locator(".pd-signal").bounding_box()
        assert signal["y"] + signal["height"] <= 844
        assert "ETHUSDT" in page.inner_text(".pd-head")
