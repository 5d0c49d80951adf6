"""Alerts in a real Chromium: a rule is tried and saved, fires, is told, sent, opened, silenced."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from desk.app_process import running_app
from desk.chromium import READY_MS, open_when_up, until
from desk.webhook import Webhook
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = pytest.mark.browser

# A view, and words that stand in it alone.
VIEWS = {
    "Rules": "New rule", "Log": "Alerts (CSV)", "Silences": "What fires during a silence",
    "Channels": "How to set up a channel", "Watch file": "Take up a watch file",
}  # fmt: skip
PAIR = {"y": "ETHUSDT", "x": "BTCUSDT", "interval": "1s", "window": 5}


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with Webhook().serving() as running:
        yield running


@pytest.fixture(scope="module")
def address(hook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running app that records a market with ten minutes of history, and watches one pair."""
    folder = tmp_path_factory.mktemp("alerts")
    watched = {
        "lists": [{"name": "majors", "pairs": [PAIR]}],
        "channels": [{"name": "desk", "url": hook.url}],
    }
    (folder / "watch.json").write_text(json.dumps(watched))
    feed = LiveFeed(10.0, history_s=600, after_clients=1)
    with ThreadedExchange(feed=feed) as exchange:
        options = ("--db", folder / "ticks.db", "--symbols", "BTCUSDT,ETHUSDT", "--ws-url",
                   exchange.ws_url, "--rest-url", exchange.rest_url,
                   "--watch", folder / "watch.json")  # fmt: skip
        with running_app(folder, *options) as app:
            yield app.url
            assert app.stop() == 0, app.log()
        assert "/hook" not in app.log()


@pytest.fixture
def tabs(browser: "Browser") -> Iterator[Callable[[str], "Page"]]:
    """Opens pages of one visitor; none may say an error."""
    visitor = browser.new_context(viewport={"width": 1440, "height": 1100})
    errors: list[str] = []

    def watch(page: "Page") -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)

    visitor.on("page", watch)

    def opened(url: str) -> "Page":
        page = visitor.new_page()
        open_when_up(page, url)
        return page

    yield opened
    visitor.close()
    assert errors == []


def alerts(open_tab: Callable[[str], "Page"], address: str, view: str) -> "Page":
    page = open_tab(f"{address}/alerts?alerts_view={view}")
    page.wait_for_selector("h1:has-text('Alerts')", timeout=READY_MS)
    return page


def row(page: "Page", words: str) -> "Locator":
    return page.locator(".pd-table tbody tr", has_text=words).first


def test_a_rule_is_tried_saved_and_told_of_on_every_page(tabs, address, hook):
    live = tabs(f"{address}/?s1=BTCUSDT&s2=ETHUSDT")
    live.wait_for_selector(".pd-bell", timeout=READY_MS)
    live.get_by_text("Pause", exact=True).first.click()
    page = alerts(tabs, address, "Rules")
    page.get_by_role("button", name="New rule").click()
    level = page.get_by_label("Level", exact=True)
    level.fill("1")
    level.press("Tab")
    page.get_by_label("Again once back past").fill("0.5")
    page.get_by_label("Again once back past").press("Tab")
    page.get_by_text("z leaves ±1, again once inside ±0.5").wait_for()
    page.get_by_role("combobox", name="Sent to").click()
    page.get_by_role("option", name="desk").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="What would it have told me").click()
    page.get_by_text("It would have fired").wait_for(timeout=READY_MS)
    page.get_by_text("Noise alone").wait_for()
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    page.get_by_role("button", name="Save", exact=True).click()
    row(page, "z leaves ±1, again once inside ±0.5").wait_for()

    sent = hook.wait_for(1, lambda each: each.get("rule") == "wide", READY_MS / 1e3)[0]
    assert (sent["y"], sent["x"], sent["repeated"]) == ("ETHUSDT", "BTCUSDT", False)
    assert abs(sent["zscore"]) >= 1
    # The page that is paused, and not the one in front, tells of it too.
    toast = live.locator(".pd-toast", has_text="wide: ETHUSDT / BTCUSDT")
    toast.first.wait_for(timeout=READY_MS)
    until(live, "() => /^\\(\\d+\\+?\\) /.test(document.title)")
    assert int(live.locator(".pd-bell-count").inner_text().rstrip("+")) > 0
    # A look at the log in one tab is one for all of them.
    page.get_by_role("radio", name="Log").click()
    row(page, "desk: delivered").wait_for(timeout=READY_MS)
    until(live, "() => !document.querySelector('.pd-bell').hasAttribute('data-rings')")
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="ETHUSDT / BTCUSDT").first.click()
    opened = opening.value
    opened.wait_for_selector(".pd-leg-y:has-text('ETHUSDT')", timeout=READY_MS)
    until(
        opened,
        "() => document.querySelector(`input[aria-label='Rolling window (bars)']`)?.value === '5'",
    )


def test_a_reload_loses_no_alert_and_tells_none_twice(tabs, address):
    page = tabs(f"{address}/methods")
    page.wait_for_selector(".pd-toast", timeout=READY_MS)
    count = page.locator(".pd-bell-count")
    before = int(count.inner_text().rstrip("+"))
    told = page.evaluate("() => Object.entries(sessionStorage).find(([k]) => k.endsWith('.told'))")
    page.reload()
    page.wait_for_selector(".pd-bell[data-rings]", timeout=READY_MS)
    assert int(count.inner_text().rstrip("+")) >= before
    after = page.evaluate("([key]) => sessionStorage.getItem(key)", told)
    assert int(after) >= int(told[1])


def test_a_channel_is_tested_with_the_service_s_answer(tabs, address, hook):
    before = len(hook.sent)
    page = alerts(tabs, address, "Channels")
    page.get_by_role("button", name="Send a test").click()
    answer = page.get_by_text("Test of desk: delivered")
    answer.wait_for(timeout=READY_MS)
    assert "200" in answer.inner_text()
    assert len(hook.sent) > before
    assert "/hook" not in page.content()


def test_a_silence_keeps_alerts_in_the_log_alone(tabs, address, hook):
    page = alerts(tabs, address, "Silences")
    page.get_by_role("button", name="Silence", exact=True).click()
    page.get_by_text("left, until").wait_for(timeout=READY_MS)
    page.get_by_role("radio", name="Log").click()
    row(page, "not sent: ").wait_for(timeout=READY_MS)
    newest = hook.sent[-1]["id"]
    quiet = page.locator(".pd-table tbody tr", has_text="not sent: ")
    count = quiet.count()
    until(
        page,
        "count => [...document.querySelectorAll('.pd-table tbody tr')].filter("
        "row => row.innerText.includes('not sent: ')).length > count",
        arg=count,
        timeout=READY_MS,
    )
    assert hook.sent[-1]["id"] == newest


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_each_view_fits_the_screen(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    open_when_up(page, f"{address}/alerts")
    page.wait_for_selector("h1:has-text('Alerts')", timeout=READY_MS)
    for view, words in VIEWS.items():
        page.get_by_role("radio", name=view, exact=True).click()
        page.get_by_text(words).first.wait_for(timeout=READY_MS)
        wide = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= width, view
    page.close()
