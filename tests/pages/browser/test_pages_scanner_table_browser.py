"""The scanner's table in a real Chromium: a row opens its pair, by mouse and by keyboard."""

from collections.abc import Iterator

import pytest
from desk.app_process import AppProcess, running_app
from desk.chromium import READY_MS, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from test_pages_desk_browser import axe_findings, opened, settled

pytestmark = pytest.mark.browser

ROWS = ".pd-scan tbody tr"
SYMBOLS = "BNBUSDT,BTCUSDT,ETHUSDT"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app that records three symbols from a scripted exchange."""
    with ThreadedExchange(
        symbols=SYMBOLS.split(","), feed=LiveFeed(10.0, after_clients=1, history_s=600)
    ) as exchange:
        folder = tmp_path_factory.mktemp("scan")
        options = ("--symbols", SYMBOLS, "--ws-url", exchange.ws_url, "--rest-url",
                   exchange.rest_url, "--db", str(folder / "ticks.db"))  # fmt: skip
        with running_app(folder, *options) as running:
            yield running


def scanned(page) -> list[str]:
    """Wait for the table; give its pairs in order."""
    page.wait_for_selector(ROWS, timeout=READY_MS)
    settled(page)
    return list(page.eval_on_selector_all(ROWS, "rows => rows.map((row) => row.dataset.pair)"))


def opens(page, pair: str) -> None:
    """Wait for Live with a pair, the scan's settings kept."""
    y, x = pair.split("/")
    page.wait_for_url(lambda url: "scanner" not in url, timeout=READY_MS)
    until(page,
        """([y, x]) => [...document.querySelectorAll('.pd-leg > span:first-child')]
             .map((leg) => leg.innerText).join('/') === `${y}/${x}`""",
        arg=[y, x], timeout=READY_MS,
    )  # fmt: skip
    until(page, "() => location.search.includes('window=30')")


def test_a_click_anywhere_on_a_row_opens_its_pair_on_live(browser, app):
    with opened(browser, f"{app.url}/scanner?window=30&scan_interval=1s") as page:
        pair = scanned(page)[1]
        # A refresh may draw the rows anew at any moment, so the row is named by its pair.
        page.click(f"tr[data-pair='{pair}'] td:nth-child(4)")
        opens(page, pair)


def test_the_keyboard_moves_opens_and_sorts(browser, app):
    with opened(browser, f"{app.url}/scanner?window=30&scan_interval=1s") as page:
        scanned(page)
        page.click(".pd-scan thead button >> text=S1")
        assert page.get_attribute(".pd-scan thead th:first-child", "aria-sort") == "ascending"
        names = page.eval_on_selector_all(f"{ROWS} a", "links => links.map((a) => a.innerText)")
        assert names == sorted(names)
        page.focus(f"{ROWS} a[tabindex='0']")
        page.keyboard.press("ArrowDown")
        pair = page.evaluate("document.activeElement.closest('tr').dataset.pair")
        link = page.evaluate("document.activeElement.href")
        y, x = pair.split("/")
        assert f"s1={y}" in link
        assert f"s2={x}" in link
        assert "scan_" not in link
        assert pair == page.evaluate(f"document.querySelectorAll({ROWS!r})[1].dataset.pair")
        page.keyboard.press("Enter")
        opens(page, pair)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anyone_can_read_and_use_the_table(browser, app, scheme):
    with opened(browser, f"{app.url}/scanner?scan_interval=1s", scheme=scheme) as page:
        scanned(page)
        assert [found for found in axe_findings(page) if "pd-scan" in found] == []
