"""A page whose server is gone looks it: grey, its ages count on, and nothing is covered."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk.app_process import AppProcess, free_port, running_app
from desk.chromium import READY_MS, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


pytestmark = pytest.mark.browser

DEAD_WITHIN_MS = 5_000
DEAD = "() => document.documentElement.dataset.pairdesk === 'dead'"
ALIVE = "() => document.documentElement.dataset.pairdesk === undefined"
# How grey the signal, the prices and the chart are.
GREY = """() => ['.pd-top', '.pd-head', '.pairdesk-plot'].map(
  (name) => getComputedStyle(document.querySelector(name)).filter)"""
AGE_S = "() => parseFloat(document.querySelector('.pd-age').innerText)"


@pytest.fixture(scope="module")
def exchange() -> Iterator[ThreadedExchange]:
    with ThreadedExchange(feed=LiveFeed(10.0, after_clients=1, history_s=600)) as running:
        yield running


def options(exchange: ThreadedExchange, folder: Path) -> tuple[str, ...]:
    urls = ("--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url)
    return (*urls, "--symbols", "BTCUSDT,ETHUSDT", "--db", str(folder / "ticks.db"))


def opened(browser, url: str):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/?window=5")
    page.wait_for_selector(".pd-age", timeout=READY_MS)
    page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
    return page


def check_it_looks_dead(page) -> None:
    until(page, DEAD, timeout=DEAD_WITHIN_MS)
    assert page.evaluate(GREY) == ["grayscale(1)"] * 3
    before = page.evaluate(AGE_S)
    until(page, f"before => ({AGE_S})() > before + 2", arg=before)
    # Streamlit's own dialog comes a few seconds later, and has been closed by then.
    until(page, "() => document.querySelectorAll('[role=dialog]').length === 0")
    assert "has not answered since" in page.inner_text(".pd-dead")
    assert "internet" not in page.inner_text("body")


def stop_it(app: AppProcess, number: signal.Signals) -> None:
    os.kill(app.process.pid, number)


# The page's own thread is held up right after each question of the pill, for longer than a dead
# server is waited for; notes whether the page said so, and how often it was held.
HOLD_UP = """heldMs => {
  const asked = window.fetch;
  window.held = 0;
  window.saidDead = false;
  const { documentElement } = document;
  const note = () => { window.saidDead ||= documentElement.dataset.pairdesk === 'dead'; };
  new MutationObserver(note).observe(documentElement, { attributeFilter: ['data-pairdesk'] });
  window.fetch = (url, options) => {
    const answer = asked(url, options);
    if (String(url).endsWith('/pill')) {
      const end = performance.now() + heldMs;
      while (performance.now() < end);
      window.held += 1;
    }
    return answer;
  };
}"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no process")
def test_a_server_that_hangs_greys_the_page_and_wakes_it_again(browser, exchange, tmp_path):
    with running_app(tmp_path, *options(exchange, tmp_path)) as app:
        page = opened(browser, app.url)
        stop_it(app, signal.SIGSTOP)
        try:
            check_it_looks_dead(page)
        finally:
            stop_it(app, signal.SIGCONT)
        until(page, ALIVE, timeout=READY_MS)
        assert page.locator(".pd-dead").count() == 0
        assert page.evaluate(GREY) == ["none"] * 3
        page.close()


def test_a_killed_server_greys_the_page_and_its_next_start_wakes_it(browser, exchange, tmp_path):
    port = free_port()
    with running_app(tmp_path, *options(exchange, tmp_path), port=port) as app:
        page = opened(browser, app.url)
        app.process.kill()
        check_it_looks_dead(page)
    with running_app(tmp_path, *options(exchange, tmp_path), port=port):
        # Another server knows nothing of this page: it is loaded again.
        fresh = f"() => document.querySelector('.pd-age') && ({ALIVE})() && ({AGE_S})() < 2"
        until(page, fresh, timeout=READY_MS)
        page.wait_for_selector(".pairdesk-plot .main-svg", timeout=READY_MS)
        assert page.evaluate(GREY) == ["none"] * 3
        assert "window=5" in page.url
        page.close()


def test_a_page_that_stood_still_itself_does_not_call_the_server_dead(browser, exchange, tmp_path):
    with running_app(tmp_path, *options(exchange, tmp_path)) as app:
        page = opened(browser, app.url)
        page.evaluate(HOLD_UP, 4_000)
        until(page, "() => window.held >= 3", timeout=READY_MS)
        assert page.evaluate("() => window.saidDead") is False
        page.close()
