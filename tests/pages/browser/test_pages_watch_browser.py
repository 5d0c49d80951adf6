"""The Watch page in a real Chromium: the same as Live, sorted and filtered here, few bytes."""

import re
from collections.abc import Iterator
from itertools import combinations, islice
from statistics import median
from typing import Any

import pytest
from desk.app_process import AppProcess, running_app
from desk.chromium import READY_MS, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from test_pages_desk_browser import axe_findings, opened

pytestmark = pytest.mark.browser

COINS = ["BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOGE", "TRX", "AVAX", "LINK", "DOT", "LTC",
         "BCH", "NEAR", "UNI", "ATOM", "ETC", "XLM", "FIL", "APT", "ARB"]  # fmt: skip
SYMBOLS = [f"{name}USDT" for name in COINS]
ROWS = ".pd-watch tr[data-row]"
MOST_BYTES = 60_000
MOST_LAYOUTS = 3.0  # what a sort may cost, in layouts of the whole table: however slow a machine is
# What stands in a row and on Live, in the same words: z, signal, correlation.
ROW = """() => {
  const row = document.querySelector('.pd-watch tr[data-row]');
  const text = (of) => row.querySelector(of)?.innerText.trim() ?? '';
  return [text('.zscore b'), text('.signal b').split(' ').pop(), text('.correlation')];
}"""
HEADED = "text=/^Basket: BTCUSDT, ETHUSDT, SOLUSDT$/"
LIVE = """() => {
  const figure = [...document.querySelectorAll('.pd-figure')]
    .find((each) => each.querySelector('dt').innerText === 'Correlation');
  const words = document.querySelector('.pd-word').innerText.split(' ');
  return [words[3], words[1], figure.querySelector('.pd-value').innerText];
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app that records many symbols from a scripted exchange, ten minutes of them before."""
    feed = LiveFeed(2.0, after_clients=1, history_s=600)
    with ThreadedExchange(symbols=SYMBOLS, feed=feed) as exchange:
        folder = tmp_path_factory.mktemp("watch")
        options = ("--symbols", ",".join(SYMBOLS), "--ws-url", exchange.ws_url, "--rest-url",
                   exchange.rest_url, "--db", str(folder / "ticks.db"))  # fmt: skip
        with running_app(folder, *options) as running:
            yield running


def in_new_list(page, name: str, text: str) -> None:
    """Make a list of these pairs, by its first use or beside others; wait for its first figures."""
    page.wait_for_selector(".st-key-watch_lists, [data-testid=stAlert]", timeout=READY_MS)
    if page.locator(".st-key-watch_lists").count():
        page.click(".st-key-watch_lists button")
        page.fill("input[aria-label='New list']", name)
        page.get_by_role("button", name="Make").click()
        page.wait_for_selector("[data-testid=stAlert] :text('No pair is watched here yet')")
        page.keyboard.press("Escape")
    page.fill("textarea[aria-label='Pairs, S1 before S2']", text)
    page.get_by_role("button", name="Watch these").click()
    page.wait_for_selector(f"{ROWS} .zscore b", timeout=READY_MS)


def pairs_of(page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(ROWS, "rows => rows.map(r => r.dataset.pair)")
    return found


def test_typed_pairs_have_live_s_figures_and_a_click_opens_live_with_them(browser, app):
    with opened(browser, f"{app.url}/watch") as page:
        in_new_list(page, "few", "eth-usdt btc-usdt, SOL/USDT BTC/USDT\nBNBUSDT ETHUSDT")
        assert pairs_of(page) == ["ETHUSDT/BTCUSDT", "SOLUSDT/BTCUSDT", "BNBUSDT/ETHUSDT"]
        with opened(browser, f"{app.url}/?s1=ETHUSDT&s2=BTCUSDT") as live:
            live.wait_for_selector(".pd-word", timeout=READY_MS)
            looks = []
            for _ in range(60):
                looks.append((page.evaluate(ROW), live.evaluate(LIVE)))
                if looks[-1][0] == looks[-1][1]:
                    break
                page.wait_for_timeout(250)  # both follow the market, each at its own refresh
            assert looks[-1][0] == looks[-1][1], looks[-4:]
            assert looks[-1][0][0] not in {"", "–"}
        page.click(f"{ROWS}[data-pair='SOLUSDT/BTCUSDT'] .correlation")
        page.wait_for_url(lambda url: "/watch" not in url, timeout=READY_MS)
        until(page, "() => location.search.includes('s1=SOLUSDT')", timeout=READY_MS)
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        assert "window=60" in page.url
        assert page.locator(".st-key-watch_pair button").inner_text().startswith("✓ Watched")


def test_settings_of_a_row_are_those_that_live_opens_with(browser, app):
    with opened(browser, f"{app.url}/?s1=ADAUSDT&s2=XRPUSDT&window=30&spread=log") as page:
        page.click(".st-key-watch_pair button", timeout=READY_MS)
        page.get_by_role("button", name="Watch this pair").click()
        page.get_by_role("link", name="Open the Watch page").click()
        row = f"{ROWS}[data-pair='ADAUSDT/XRPUSDT']"
        page.wait_for_selector(row, timeout=READY_MS)
        assert "log, ols, 30 bars" in page.inner_text(f"{row} .pair")
        page.focus(f"{row} a")
        link = page.evaluate("document.activeElement.href")
        for part in ("s1=ADAUSDT", "s2=XRPUSDT", "window=30", "spread=log", "lookback=auto"):
            assert part in link
        assert "watch_" not in link
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/watch" not in url, timeout=READY_MS)
        until(page, "() => location.search.includes('spread=log')", timeout=READY_MS)


def test_the_address_names_the_list_and_back_from_live_leads_to_it(browser, app):
    with opened(browser, f"{app.url}/watch") as page:
        in_new_list(page, "first", "ETHUSDT BTCUSDT")
        in_new_list(page, "last", "SOLUSDT BTCUSDT, BNBUSDT ETHUSDT")
        until(page, "() => location.search.includes('watch_list=')")
        page.goto(f"{app.url}/watch?watch_list=last")
        page.click(f"{ROWS}[data-pair='SOLUSDT/BTCUSDT'] .correlation", timeout=READY_MS)
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        until(page, "() => !location.search.includes('watch_list')")
        page.go_back()
        page.wait_for_selector(f"{ROWS}[data-pair='SOLUSDT/BTCUSDT']", timeout=READY_MS)
        assert "watch_list=last" in page.url
        page.goto(f"{app.url}/watch")
        page.wait_for_selector(ROWS, timeout=READY_MS)
        until(page, "() => location.search.includes('watch_list=')")


def test_pair_z_and_signal_are_in_sight_on_a_narrow_screen(browser, app):
    with opened(browser, f"{app.url}/watch", width=390) as page:
        in_new_list(page, "narrow", "ETHUSDT BTCUSDT")
        box = page.locator(f"{ROWS} .signal b").first.bounding_box()
        assert box["x"] + box["width"] < 380


def test_a_basket_is_typed_followed_and_opened_on_its_page_with_its_settings(browser, app):
    row = f"{ROWS}[data-pair='BTCUSDT/ETHUSDT+SOLUSDT']"
    with opened(browser, f"{app.url}/watch") as page:
        in_new_list(page, "baskets", "BTCUSDT+ETHUSDT+SOLUSDT, ETHUSDT BTCUSDT")
        assert pairs_of(page) == ["ETHUSDT/BTCUSDT", "BTCUSDT/ETHUSDT+SOLUSDT"]
        page.wait_for_selector(f"{row} .zscore b", timeout=READY_MS)
        tested = page.locator(f"{row} .pvalue", has_text=re.compile(r"0\.\d"))
        tested.wait_for(timeout=READY_MS)
        page.focus(f"{row} a")
        link = page.evaluate("document.activeElement.href")
        assert "/baskets?" in link
        assert "basket_symbols=BTCUSDT&basket_symbols=ETHUSDT&basket_symbols=SOLUSDT" in link
        with opened(browser, link) as other:
            other.wait_for_selector(HEADED, timeout=READY_MS)
        page.click(f"{row} .correlation")
        page.wait_for_url(lambda url: "/baskets" in url, timeout=READY_MS)
        page.wait_for_selector(HEADED, timeout=READY_MS)
        until(page, "() => location.search.includes('basket_interval=1s')")
        page.wait_for_selector(".st-key-watch_basket button", timeout=READY_MS)
        assert page.locator(".st-key-watch_basket button").inner_text().startswith("✓ Watched")


def test_a_basket_in_sight_is_watched_by_two_clicks(browser, app):
    asked = "&".join(f"basket_symbols={name}" for name in ("ADAUSDT", "XRPUSDT", "TRXUSDT"))
    with opened(browser, f"{app.url}/baskets?{asked}&basket_interval=1s") as page:
        page.click(".st-key-watch_basket button", timeout=READY_MS)
        page.get_by_role("button", name="Watch this basket").click()
        page.get_by_role("link", name="Open the Watch page").click()
        page.wait_for_selector(f"{ROWS}[data-pair='ADAUSDT/XRPUSDT+TRXUSDT']", timeout=READY_MS)


def refreshed(page) -> None:
    """Wait until what moves has come anew."""
    page.evaluate("() => addEventListener('pairdesk-moves', () => { window.moved = true; })")
    page.evaluate("() => { window.moved = false; }")
    until(page, "() => window.moved", timeout=READY_MS)


def test_sorting_filter_and_groups_last_over_refreshes_and_another_tab_s_rows_come(browser, app):
    with opened(browser, f"{app.url}/watch") as page:
        in_new_list(page, "sorted", "ETHUSDT BTCUSDT, SOLUSDT BTCUSDT, BNBUSDT ETHUSDT")
        page.click(".pd-watch thead button >> text=Pair")
        page.click(".pd-watch thead button >> text=Pair")
        backwards = ["SOLUSDT/BTCUSDT", "ETHUSDT/BTCUSDT", "BNBUSDT/ETHUSDT"]
        assert pairs_of(page) == backwards
        page.fill(".pd-watch input[type=search]", "btc")
        assert pairs_of(page) == backwards[:2]
        assert page.inner_text(".pd-watch-count") == "2 of 3 pairs"
        refreshed(page)
        assert pairs_of(page) == backwards[:2]
        page.fill(".pd-watch input[type=search]", "")
        page.click(f"{ROWS}[data-pair='BNBUSDT/ETHUSDT'] .pin")
        page.wait_for_selector(f"{ROWS}[data-pair='BNBUSDT/ETHUSDT'] .pin[aria-pressed=true]")
        assert pairs_of(page)[0] == "BNBUSDT/ETHUSDT"
        page.mouse.move(5, 5)
        with opened(browser, page.url) as other:
            other.wait_for_selector(ROWS, timeout=READY_MS)
            assert other.locator(".pd-watch .pin[aria-pressed=true]").count() == 1
            other.click(".st-key-watch_adding button")
            other.fill("textarea[aria-label='Pairs, S1 before S2']", "XRPUSDT ADAUSDT")
            other.get_by_role("button", name="Watch these").click()
            other.wait_for_selector(f"{ROWS}[data-pair='XRPUSDT/ADAUSDT']")
        page.wait_for_selector(f"{ROWS}[data-pair='XRPUSDT/ADAUSDT']", timeout=READY_MS)
        assert pairs_of(page) == ["BNBUSDT/ETHUSDT", "XRPUSDT/ADAUSDT", *backwards[:2]]
        page.select_option(".pd-watch-by", "interval")
        assert page.inner_text(".pd-watch tr.heading") == "1s (4)"


def test_rows_are_reached_by_keyboard_picked_and_compared(browser, app):
    with opened(browser, f"{app.url}/watch") as page:
        in_new_list(page, "keys", "ETHUSDT BTCUSDT, SOLUSDT BTCUSDT, BNBUSDT ETHUSDT")
        page.focus(f"{ROWS} a[tabindex='0']")
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        active = "document.activeElement.closest('tr').dataset.pair"
        assert page.evaluate(active) == "SOLUSDT/BTCUSDT"
        page.keyboard.press("Space")
        page.wait_for_selector("text=2 rows picked")
        until(
            page,
            "() => document.querySelectorAll('.pairdesk-plot .main-svg').length >= 2",
            timeout=READY_MS,
        )
        assert page.evaluate(active) == "SOLUSDT/BTCUSDT"
        page.keyboard.press("End")
        assert page.evaluate(active) == "BNBUSDT/ETHUSDT"
        assert page.locator(f"{ROWS} a[tabindex='0']").count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_anyone_can_read_and_use_the_page(browser, app, width, scheme):
    with opened(browser, f"{app.url}/watch", width=width, scheme=scheme) as page:
        in_new_list(page, f"{width}", "ETHUSDT BTCUSDT, DASHUSDT BTCUSDT")
        page.wait_for_selector("text=DASHUSDT is not recorded")
        assert axe_findings(page) == []
        main = "() => document.querySelector('[data-testid=stMain]').scrollWidth"
        assert page.evaluate(main) <= width


def counted_bytes(page) -> list[int]:
    """What the page's WebSocket brings from now on, message by message."""
    sizes: list[int] = []

    def follow(socket: Any) -> None:
        socket.on("framereceived", lambda data: sizes.append(len(data)))

    page.on("websocket", follow)
    return sizes


SORT = """async (name) => {
  document.querySelector(`.pd-watch thead th.${name} button`).click();
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}"""
LAY_OUT = """async () => {
  const table = document.querySelector('.pd-watch table');
  table.style.display = 'none';
  table.getBoundingClientRect();
  table.style.display = '';
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}"""


def worked_ms(page, script: str, *names: str) -> list[float]:
    """How long the page's own thread works for a script, with each of the names."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def so_far_ms() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1_000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    took = []
    for name in names:
        begun_ms = so_far_ms()
        page.evaluate(script, name)
        took.append(so_far_ms() - begun_ms)
    return took


def test_two_hundred_pairs_sort_at_once_and_a_refresh_is_few_bytes(browser, app):
    with opened(browser, "about:blank") as page:
        sizes = counted_bytes(page)
        page.goto(f"{app.url}/watch")
        pairs = [f"{y} {x}" for y, x in islice(combinations(SYMBOLS, 2), 200)]
        in_new_list(page, "many", "\n".join(pairs))
        assert len(pairs_of(page)) == 200
        until(
            page,
            "() => document.querySelectorAll('.pd-watch tr[data-row].lacks').length < 20",
            timeout=READY_MS,
        )
        refreshed(page)
        brought = []
        for _ in range(5):
            sizes.clear()
            refreshed(page)
            page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
            brought.append(sum(sizes))
        names = ("zscore", "pair", "signal", "pvalue", "alert")
        sort_ms, layout_ms = (median(worked_ms(page, each, *names)) for each in (SORT, LAY_OUT))
        print(f"bytes a refresh {brought}, ms to sort {sort_ms:.0f}, to lay out {layout_ms:.0f}")
        assert median(brought) <= MOST_BYTES, brought
        assert sort_ms <= MOST_LAYOUTS * layout_ms
