"""The desk in a real Chromium: what a link opens, what a refresh leaves alone, who can use it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from desk.app_process import AppProcess, running_app
from desk.chromium import READY_MS, STEP_MS, until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe_library = pytest.importorskip("axe_playwright_python.base", reason="needs axe-core")


pytestmark = pytest.mark.browser

AXE = Path(axe_library.__file__).parent / "axe.min.js"
SAMPLE = "mode=NDJSON+File"
PAGES = ("", "evidence", "scanner", "backtest", "feed", "methods")
SERIOUS = {"serious", "critical"}
PLOT = ".pairdesk-plot"
# Width -> height of a laptop's and of a phone's screen, px.
SCREEN = {1440: 900, 390: 844}
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}
SIDEBAR_CLOSE = "[data-testid=stSidebarCollapseButton] button"


@pytest.fixture(scope="module")
def exchange() -> Iterator[ThreadedExchange]:
    with ThreadedExchange(feed=LiveFeed(10.0, after_clients=1, history_s=600)) as running:
        yield running


@pytest.fixture(scope="module")
def app(
    exchange: ThreadedExchange, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppProcess]:
    """An app that records from a scripted exchange."""
    options = ["--symbols", "BTCUSDT,ETHUSDT", "--ws-url", exchange.ws_url]
    folder = tmp_path_factory.mktemp("desk")
    options += ["--rest-url", exchange.rest_url, "--db", str(folder / "ticks.db")]
    with running_app(folder, *options) as running:
        yield running


@contextmanager
def opened(
    browser, url: str, *, width: int = 1440, scheme: str = "light", expects: str = "", **more
) -> Iterator[Any]:
    """A page in a visit of its own; fails on any error in the console but the one expected."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
    page.set_default_timeout(STEP_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(url)
    try:
        yield page
    finally:
        browser.end(page)
    assert [error for error in errors if not (expects and expects in error)] == []


def settled(page) -> None:
    """Wait until the page has ended a run and shows its content."""
    page.wait_for_selector(".pd-head, [data-testid=stAlert]", timeout=READY_MS)
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]', timeout=READY_MS)
    until(page, "() => !document.querySelector('[data-testid=stSkeleton]')")


def refreshed(page, times: int = 1) -> None:
    """Wait until the live part was drawn anew, so many times."""
    for _ in range(times):
        before = page.inner_text(".pd-head")
        until(page, "before => document.querySelector('.pd-head').innerText !== before", arg=before)


def axe_findings(page) -> list[str]:
    """Everything serious that axe-core finds, with the element it is in."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


def turned(page, width: int, scheme: str) -> None:
    """Give the page another width and the other colours, once the page has followed both."""
    page.set_viewport_size({"width": width, "height": SCREEN[width]})
    page.emulate_media(color_scheme=scheme)
    until(
        page,
        """paper => getComputedStyle(document.querySelector('.stApp')).backgroundColor === paper""",
        arg=PAPER[scheme],
    )
    until(
        page,
        """() => [...document.querySelectorAll('.pairdesk-plot .main-svg')].every((svg) =>
            svg.clientWidth <= document.querySelector('[data-testid=stMain]').clientWidth)""",
    )
    # What a run has not drawn anew yet is faded, and comes back slowly.
    until(
        page,
        """() => [...document.querySelectorAll('[data-testid=stElementContainer]')].every(
            (each) => getComputedStyle(each).opacity === '1')""",
        timeout=READY_MS,
    )


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_in_any_colours_at_any_width(browser, app, path):
    # One visit for all four: what costs is the page, not the look at it.
    with opened(browser, f"{app.url}/{path}?{SAMPLE}") as page:
        settled(page)
        for width, scheme in ((1440, "light"), (1440, "dark"), (390, "dark"), (390, "light")):
            if width < 600 and page.locator(SIDEBAR_CLOSE).is_visible():
                page.locator(SIDEBAR_CLOSE).click()
                page.wait_for_selector("[data-testid=stExpandSidebarButton]")
            turned(page, width, scheme)
            assert axe_findings(page) == [], (width, scheme)
            main = "() => document.querySelector('[data-testid=stMain]').scrollWidth"
            assert page.evaluate(main) <= width


# What is asked of a desk by one who never saw it -> where the answer stands, and a word of it.
ANSWERS = {
    "what is the signal": (".pd-word", "z"),
    "why": (".pd-signal .pd-note", "z"),
    "on how much data": (".pd-figure", "n = 5 bars"),
    "can I trust the feed": (".pd-state", "LIVE"),
    "is anything missing": (".pd-covered", "open gaps"),
    "where does the signal come from": (".pd-signal a[href='methods#signal']", "SELL above"),
    "where does z come from": (".pd-figure a[href='methods#z-score']", "z-score"),
}
# The question stays open while no such words are on the first screen.
UNANSWERED = """answers => Object.entries(answers).filter(([_, [selector, words]]) => {
  const place = document.querySelector(selector);
  return !place?.innerText.includes(words) || place.getBoundingClientRect().bottom > innerHeight;
}).map(([question]) => question)"""


@pytest.mark.parametrize("width", [1440, 390])
def test_the_first_screen_has_signal_reason_sample_trust_and_origin(browser, app, width):
    with opened(browser, f"{app.url}/?window=5", width=width) as page:
        page.set_viewport_size({"width": width, "height": SCREEN[width]})
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        page.wait_for_selector("[data-testid=stProgress]", state="detached", timeout=READY_MS)
        try:
            answered = f"answers => ({UNANSWERED})(answers).length === 0"
            until(page, answered, arg=ANSWERS, timeout=READY_MS)
        except playwright.TimeoutError:
            pytest.fail(f"not answered: {page.evaluate(UNANSWERED, ANSWERS)}")
        assert page.locator(".pd-figure").count() == 6
        assert page.locator(".pd-figure:has-text('n =')").count() == 6
        assert re.search(r"LIVE\s+\d", page.inner_text(".pd-pill"))


@pytest.mark.parametrize("selector", [".pd-state", ".pd-figure a[href='methods#z-score']"])
def test_one_click_on_a_phone_opens_the_feed_and_the_origin_of_a_number(browser, app, selector):
    with opened(browser, f"{app.url}/?window=5", width=390) as page:
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        with page.context.expect_page() as opening:
            page.locator(selector).first.click()
        name = "Feed" if selector == ".pd-state" else "Methods"
        opening.value.wait_for_selector(f"h1:has-text('{name}')", timeout=READY_MS)


def test_the_view_goes_along_through_the_feed_page_of_another_tab(browser, app):
    with opened(browser, f"{app.url}/?window=5&interval=5s") as page:
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        with page.context.expect_page() as opening:
            page.locator(".pd-state").first.click()
        feed = opening.value
        feed.wait_for_selector("h1:has-text('Feed')", timeout=READY_MS)
        feed.get_by_role("link", name="Live", exact=True).click()
        feed.wait_for_selector(".pd-figure:has-text('n = 5 bars')", timeout=READY_MS)
        assert "interval=5s" in feed.url


# The foot of the figure, with the times, is on the first screen.
FITS = """() => {
  const drawn = document.querySelector('.pairdesk-plot .main-svg');
  return drawn.getBoundingClientRect().bottom <= innerHeight;
}"""
# Prices, spread, z and volume by their axes, with their heights, from the top.
PANELS = """() => [...document.querySelectorAll('.pairdesk-plot .nsewdrag')]
  .map((panel) => [panel.dataset.subplot, panel.getBoundingClientRect()])
  .sort(([, a], [, b]) => a.top - b.top)
  .map(([name, box]) => [name, box.height])"""


def test_all_four_panels_are_on_the_first_screen_of_a_laptop(browser, app):
    with opened(browser, f"{app.url}/?window=5") as page:
        page.wait_for_selector(f"{PLOT} .nsewdrag", timeout=READY_MS)
        page.wait_for_selector("[data-testid=stProgress]", state="detached", timeout=READY_MS)
        until(page, FITS)
        panels = page.evaluate(PANELS)
        assert [name for name, _ in panels] == ["xy", "xy3", "xy4", "xy6"]
        assert min(height for _, height in panels) >= 50
        assert min(panels, key=lambda panel: panel[1])[0] == "xy6"  # the volume
        page.set_viewport_size({"width": 1440, "height": 1200})
        until(page, f"() => ({PANELS})()[2][1] > {panels[2][1] * 1.2}")
        until(page, FITS)


# Which pieces of text and lines of the figures' grid touch, and what of the chart's two rows of
# buttons; text by its own box, not its paragraph's.
TOUCHING = """() => {
  const textBoxes = (place) => {
    const range = document.createRange();
    range.selectNodeContents(place);
    return [...range.getClientRects()];
  };
  const meets = (a, b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const found = [];
  for (const figure of document.querySelectorAll('.pd-figure')) {
    const line = figure.querySelector('.pd-spark')?.getBoundingClientRect();
    const words = [...figure.querySelectorAll('dt, .pd-value, .pd-note')].flatMap(textBoxes);
    if (line && words.some((box) => meets(box, line))) found.push(figure.innerText);
    const edge = figure.getBoundingClientRect();
    if (words.some((box) => box.right > edge.right)) found.push('too wide: ' + figure.innerText);
  }
  const bar = [...document.querySelectorAll('.pairdesk-bar button')];
  const choices = [...document.querySelectorAll('.st-key-chart_choices button')];
  for (const a of bar) for (const b of choices) {
    if (meets(a.getBoundingClientRect(), b.getBoundingClientRect())) found.push(a.innerText);
  }
  return found;
}"""


@pytest.mark.parametrize("spread", ["price+difference", "log"])
def test_nothing_in_the_figures_or_above_the_chart_overlaps_at_any_width(browser, app, spread):
    with opened(browser, f"{app.url}/?window=5&spread={spread}&hedge=kalman") as page:
        page.wait_for_selector(f"{PLOT} .main-svg", timeout=READY_MS)
        page.wait_for_selector(".pd-spark")
        for width in (1440, 1280, 1100, 1000, 800, 600, 390, 360):
            page.set_viewport_size({"width": width, "height": 900})
            until(page, f"() => innerWidth === {width}")
            assert page.evaluate(TOUCHING) == [], width


def test_the_pill_moves_without_a_run_of_the_page(browser, app):
    with opened(browser, app.url, expects="ERR_FAILED") as page:
        page.wait_for_selector(".pd-state:has-text('LIVE')", timeout=READY_MS)
        before = page.inner_text(".pd-pill")
        until(page, "before => document.querySelector('.pd-pill').innerText !== before", arg=before)
        page.route("**/pairdesk/pill", lambda route: route.abort())
        page.wait_for_selector(".pd-state:has-text('OFFLINE retry 2')")
        page.unroute("**/pairdesk/pill")
        page.wait_for_selector(".pd-state:has-text('LIVE')")


def test_a_copied_link_opens_the_same_view(browser, app):
    link = f"{app.url}/?{SAMPLE}&interval=15s&window=30&spread=log&rule=beyond+2+either+way&span=1h"
    with opened(browser, link, timezone_id="Asia/Tokyo") as page:
        settled(page)
        page.get_by_role("tab", name="Correlation").click()
        page.get_by_role("radio", name="Local").click()
        page.get_by_role("button", name="Swap").click()
        page.wait_for_selector(".pd-signal:has-text('GMT+9'), .pd-signal:has-text('JST')")
        until(page, "() => location.search.includes('file_s1=SYNBUSDT')")
        # The address changes before the run that shows the pair has ended.
        page.wait_for_selector(".pd-leg > .pd-leg-y:has-text('SYNBUSDT')")
        until(page, "() => location.search.includes('tab=Correlation')")
        copied, signal = page.url, page.inner_text(".pd-signal")
    with opened(browser, copied, timezone_id="Asia/Tokyo") as page:
        settled(page)
        page.wait_for_selector(".pd-signal")
        assert page.inner_text(".pd-signal") == signal
        assert page.get_by_role("tab", name="Correlation").get_attribute("aria-selected") == "true"
        assert "zone=Local" in page.url


def test_choices_go_along_from_page_to_page(browser, app):
    with opened(browser, f"{app.url}/?{SAMPLE}&interval=15s&window=30") as page:
        settled(page)
        for name in ("Evidence", "Methods", "Live"):
            page.get_by_role("link", name=name, exact=True).click()
            until(
                page,
                "wanted => wanted.every((each) => location.search.includes(each))",
                arg=[] if name == "Methods" else ["interval=15s", "window=30", "mode=NDJSON"],
            )
        settled(page)
        assert page.locator("input[aria-label='Rolling window (bars)']").input_value() == "30"


def test_a_refresh_leaves_scroll_tab_popover_and_half_typed_text_alone(browser, app):
    with opened(browser, f"{app.url}/?window=5") as page:
        page.wait_for_selector(".pd-word", timeout=READY_MS)
        page.get_by_role("tab", name="Correlation").click()
        page.wait_for_selector("text=Pearson correlation of log returns in")
        page.get_by_text("Saved views").click()
        page.get_by_label("Save what is shown as").fill("half a na")
        page.get_by_role("button", name="What the figures mean").click()
        page.wait_for_selector(".pd-explained")
        main = page.locator("[data-testid=stMain]")
        main.evaluate("main => main.scrollTo(0, 200)")
        refreshed(page, 3)
        assert main.evaluate("main => main.scrollTop") == 200
        assert page.locator(".pd-explained").is_visible()
        assert page.get_by_label("Save what is shown as").input_value() == "half a na"
        assert page.get_by_role("tab", name="Correlation").get_attribute("aria-selected") == "true"


def test_the_report_opens_without_a_network_and_draws(browser, app, tmp_path):
    with opened(browser, f"{app.url}/?{SAMPLE}") as page:
        settled(page)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Report (HTML)").click()
        target = tmp_path / "report.html"
        waiting.value.save_as(target)
        shown = page.inner_text(".pd-word")
    with opened(browser, target.as_uri(), offline=True) as page:
        page.wait_for_selector(".main-svg")
        assert page.inner_text(".pd-word") == shown
        assert page.locator(".js-plotly-plot").count() >= 3
        assert axe_findings(page) == []


def test_the_first_run_without_data_shows_what_to_do_and_one_click_opens_the_sample(
    browser, tmp_path
):
    options = ("--no-ingest", "--db", tmp_path / "ticks.db")
    with running_app(tmp_path, *options) as empty, opened(browser, empty.url) as page:
        page.get_by_role("button", name="Open the bundled sample").click(timeout=READY_MS)
        page.wait_for_selector(".pd-badge:has-text('SYNTHETIC')", timeout=READY_MS)
        page.wait_for_selector(".pd-state:has-text('FILE')")
        settled(page)
        box = page.locator("input[aria-label='Rolling window (bars)']")
        box.fill("25")
        box.press("Enter")
        page.wait_for_selector(".pd-figure:has-text('n = 25 bars')")
        page.get_by_text("Saved views").click()
        page.get_by_label("Save what is shown as").fill("narrow")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_selector("text=Saved narrow")
        with opened(browser, empty.url) as again:
            again.get_by_role("button", name="Open the bundled sample").click(timeout=READY_MS)
            again.wait_for_selector(".pd-figure:has-text('n = 25 bars')", timeout=READY_MS)
        with opened(browser, f"{empty.url}/?window=90&{SAMPLE}") as linked:
            linked.wait_for_selector(".pd-figure:has-text('n = 90 bars')", timeout=READY_MS)
            linked.get_by_text("Saved views").click()
            linked.locator(".st-key-open_view button").click()
            linked.wait_for_selector(".pd-figure:has-text('n = 25 bars')")
            assert "window=25" in linked.url


def test_the_desk_is_worked_by_keyboard(browser, app):
    with opened(browser, f"{app.url}/?{SAMPLE}") as page:
        settled(page)
        page.get_by_role("button", name="Swap").focus()
        page.keyboard.press("Enter")
        until(page, "() => location.search.includes('file_s1=SYNBUSDT')")
        # The address changes before the run that shows the pair has ended.
        page.wait_for_selector(".pd-leg > .pd-leg-y:has-text('SYNBUSDT')")
        page.get_by_role("tab", name="Statistics").focus()
        page.keyboard.press("ArrowRight")
        until(page, "() => location.search.includes('tab=')")
