"""What a reader does with the live chart in a real Chromium: it lasts, it reads, it fits."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from desk.chart_page import AT, PLOT, ChartPage
from desk.chromium import until

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
from test_pages_chart_browser import app as app  # noqa: PLC0414 - the fixture
from test_pages_chart_browser import chart as chart  # noqa: PLC0414 - the fixture
from test_pages_chart_browser import opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

STRIP, WINDOW = ".pairdesk-strip", ".pairdesk-window"
ORDER = ["leg-BTCUSDT", "leg-ETHUSDT", "spread", "mean", "band", "zscore", "SELL", "BUY"]
ORDER += ["volume-BTCUSDT", "volume-ETHUSDT"]
KEYS = "() => [...document.querySelectorAll('.pairdesk-entry')].map((each) => each.dataset.key)"


def choose(label: str, option: str) -> Callable[[ChartPage], None]:
    def act(chart: ChartPage) -> None:
        chart.page.locator(f"[role=combobox][aria-label*='{label}']").first.click()
        chart.page.get_by_role("option", name=re.compile(f"^{option}")).first.click()

    return act


def press(role: Any, name: str) -> Callable[[ChartPage], None]:
    return lambda chart: chart.page.get_by_role(role, name=name, exact=True).first.click()


def narrow_window(chart: ChartPage) -> None:
    box = chart.page.locator("input[aria-label='Rolling window (bars)']")
    box.fill("40")
    box.press("Enter")


def test_zoom_and_hidden_lines_survive_every_choice_and_a_reload(browser, app):
    errors: list[str] = []
    chart = opened(browser, app, errors, timezone_id="Asia/Tokyo")
    chart.wait("s.span[1] - s.span[0] > 1_200_000")
    for key in ("leg-BTCUSDT", "mean", "SELL"):
        chart.entry(key).click()
    zoomed = chart.zoom(0.4, 0.6)
    unseen = {"leg-BTCUSDT", "mean", "marker-SELL", "held-SELL"}
    acts = {
        "s.bar_ms === 5000": choose("Interval", "5s"),
        "true": narrow_window,
        "s.prices[0] === 'leg-ETHUSDT'": press("button", "Swap"),
        "s.zone === 'Asia/Tokyo'": press("radio", "Local"),
        "s.prices.length === 3": press("radio", "candles"),
    }
    for arrived, act in acts.items():
        version = chart.state()["version"]
        act(chart)
        chart.wait(arrived)
        later = chart.wait(f"s.version > {version}")
        assert later["utc"] == pytest.approx(zoomed["utc"], abs=1), arrived
        assert set(later["hidden"]) == {"leg-BTCUSDT", "mean", "SELL"}, arrived
        assert set(later["unseen"]) >= unseen, arrived
    chart.page.reload()
    chart.ready()
    later = chart.state()
    assert later["utc"] == pytest.approx(zoomed["utc"], abs=1)
    assert set(later["hidden"]) == {"leg-BTCUSDT", "mean", "SELL"}
    chart.page.get_by_text("NDJSON File", exact=True).first.click()
    other = chart.wait(f"s.view && s.view !== '{later['view']}'", 40_000)
    assert (other["range"], other["hidden"], other["follow"]) == (None, [], True)
    chart.page.close()
    assert errors == []


def test_the_legend_keeps_its_order_and_place_whatever_is_hidden_or_grows(chart):
    assert chart.page.evaluate(KEYS) == ORDER
    places = "() => [...document.querySelectorAll('.pairdesk-entry')].map((e) => e.offsetLeft)"
    before = chart.page.evaluate(places)
    for key in ("leg-BTCUSDT", "band", "leg-BTCUSDT"):
        chart.entry(key).click()
        assert chart.page.evaluate(KEYS) == ORDER
    assert chart.page.evaluate(places) == before
    assert chart.entry("band").get_attribute("aria-pressed") == "false"
    assert chart.entry("leg-BTCUSDT").get_attribute("aria-pressed") == "true"


def value(chart: ChartPage, key: str) -> float:
    words = chart.entry(key).locator("b").inner_text()
    return float(words.split()[0].replace(",", "").replace("−", "-"))


def test_the_legend_says_the_newest_values_and_those_at_the_crosshair(chart):
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    newest = "Object.fromEntries(['price_y', 'spread', 'zscore'].map((n) => [n, bars[n].at(-1)]))"
    at_end = chart.page.evaluate(
        f"""() => {{
          const stream = document.querySelector('.pairdesk-chart').pairdeskStream;
          const {{ bars }} = stream.whole.tables;
          stream.isClosed = true;  // so that both are of one moment
          return {newest};
        }}"""
    )
    for key, column in (("leg-BTCUSDT", "price_y"), ("spread", "spread"), ("zscore", "zscore")):
        assert value(chart, key) == pytest.approx(at_end[column], abs=0.006)
    assert chart.page.inner_text(AT).startswith("Latest 20")
    moment = chart.hovered_time(0.5)
    row = chart.page.evaluate(
        """words => {
          const { tables } = document.querySelector('.pairdesk-chart').pairdeskStream;
          const row = tables.bars.time.indexOf(Date.parse(words + 'Z'));
          return { price: tables.bars.price_x[row], mean: tables.bars.mean[row] };
        }""",
        moment.isoformat(),
    )
    assert value(chart, "leg-ETHUSDT") == row["price"]
    assert value(chart, "mean") == pytest.approx(row["mean"], abs=0.006)
    # A line across all panels, and nothing that covers them.
    cross = chart.page.locator(".pairdesk-cross").bounding_box()
    panels = chart.page.evaluate(
        f"""() => [...document.querySelectorAll('{PLOT} .nsewdrag')]
            .map((each) => each.getBoundingClientRect())
            .reduce(([top, foot], box) =>
              [Math.min(top, box.top), Math.max(foot, box.bottom)], [1e9, 0])"""
    )
    assert cross["y"] == pytest.approx(panels[0], abs=2)
    assert cross["y"] + cross["height"] == pytest.approx(panels[1], abs=2)
    assert chart.page.locator(f"{PLOT} .hoverlayer").text_content() == ""


def test_entries_that_a_triangle_stands_for_add_up_to_those_in_all(chart):
    counted = chart.page.evaluate(
        """() => {
          const { marks } = document.querySelector('.pairdesk-chart').pairdeskStream.whole.tables;
          const { entries } = document.querySelector('.pairdesk-chart').pairdeskStream.whole.head;
          const sum = (kind) => marks.held.reduce(
            (all, held, i) => all + (held === kind ? marks.entries[i] : 0), 0);
          return [[sum(-1), sum(1)], [entries.SELL, entries.BUY]];
        }"""
    )
    assert counted[0] == counted[1]
    assert chart.entry("BUY").inner_text().endswith("in all")


def test_keys_read_values_bar_by_bar_and_say_them(chart):
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    chart.page.locator(PLOT).focus()
    for _ in range(3):
        chart.page.keyboard.press("Shift+ArrowLeft")
    said = chart.page.inner_text(".pairdesk-said")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, BTCUSDT [\d,.]+, ETHUSDT", said)
    chart.page.keyboard.press("Escape")
    assert chart.page.inner_text(AT).startswith("Latest")


def test_a_finger_reads_values_too(browser, app):
    errors: list[str] = []
    phone: dict[str, Any] = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
    }
    chart = opened(browser, app, errors, **phone)
    chart.wait("s.rows > 2")
    chart.page.locator(PLOT).scroll_into_view_if_needed()
    left, width, middle = chart.box()
    chart.page.touchscreen.tap(left + width / 2, middle)
    until(chart.page, f"() => !document.querySelector('{AT}').textContent.includes('L')")
    chart.page.close()
    assert errors == []


def dragged(chart: ChartPage, begin: float, end: float) -> None:
    """Drag on the strip from one share of its width to another."""
    box = chart.page.locator(STRIP).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    chart.page.mouse.move(box["x"] + box["width"] * begin, middle)
    chart.page.mouse.down()
    chart.page.mouse.move(box["x"] + box["width"] * end, middle, steps=6)
    chart.page.mouse.up()


def test_the_strip_chooses_moves_widens_and_brings_finer_rows(chart):
    first, last = chart.wait("s.span[1] - s.span[0] > 1_200_000")["span"]
    length = last - first
    dragged(chart, 0.4, 0.5)
    chosen = chart.wait("s.range !== null && s.detail && s.detail.bucket_ms === 1000")
    assert chosen["range"] == pytest.approx(
        [first + 0.4 * length, first + 0.5 * length], abs=0.01 * length
    )
    dragged(chart, 0.45, 0.65)
    moved = chart.wait(f"s.range[0] > {chosen['range'][1]}")
    width = chosen["range"][1] - chosen["range"][0]
    assert moved["range"][1] - moved["range"][0] == pytest.approx(width)
    edge = chart.page.locator(f"{WINDOW} [data-edge=to]").bounding_box()
    strip = chart.page.locator(STRIP).bounding_box()
    dragged(chart, (edge["x"] + edge["width"] / 2 - strip["x"]) / strip["width"], 0.9)
    wider = chart.wait(f"s.range[1] > {moved['range'][1] + length * 0.1}")
    assert wider["range"][0] == pytest.approx(moved["range"][0])
    assert chart.wait_for_versions(2)["range"] == wider["range"]
    said = chart.page.locator(WINDOW).get_attribute("aria-valuetext")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d to [\d :-]+ UTC", said)
    chart.page.locator(WINDOW).press("Home")
    assert chart.wait("s.range === null && !s.detail")["follow"]


FOOT = f"() => document.querySelector('{STRIP}').getBoundingClientRect().bottom <= innerHeight"


@pytest.mark.parametrize(("width", "height", "least"), [(1440, 900, 400), (2560, 1440, 850)])
def test_the_figure_takes_the_height_that_the_screen_has(browser, app, width, height, least):
    errors: list[str] = []
    chart = opened(browser, app, errors, viewport={"width": width, "height": height})
    until(chart.page, FOOT)
    drawn = f"() => document.querySelector('{PLOT}').layout.height"
    assert chart.page.evaluate(drawn) >= least
    chart.page.close()
    assert errors == []


def test_the_figure_fills_the_screen_and_comes_back(chart):
    height = f"() => document.querySelector('{PLOT}').layout.height"
    before = chart.page.evaluate(height)
    button = chart.page.get_by_role("button", name="Full screen")
    button.click()
    until(chart.page, f"() => ({height})() > {before} * 1.2")
    assert chart.page.evaluate("() => document.fullscreenElement.className") == "pairdesk-chart"
    assert button.get_attribute("aria-pressed") == "true"
    assert chart.page.evaluate(FOOT)
    chart.wait_for_versions(2)
    chart.page.evaluate("() => document.exitFullscreen()")
    # A line that came or went above meanwhile moves it by no more.
    until(chart.page, f"() => Math.abs(({height})() - {before}) < 30")
    assert button.get_attribute("aria-pressed") == "false"


def test_a_picture_says_pair_interval_span_zone_and_source(chart):
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    chart.zoom()
    said = chart.page.evaluate(
        """async () => {
          const stream = document.querySelector('.pairdesk-chart').pairdeskStream;
          let saved;
          const downloadImage = async (figure) => { saved = figure; };
          stream.Plotly = { ...stream.Plotly, downloadImage };
          await stream.bar.download();
          return [saved.layout.title.text, saved.layout.showlegend, saved.data.length];
        }"""
    )
    span = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d to [\d :-]+ UTC"
    assert re.fullmatch(rf"BTCUSDT / ETHUSDT · 1s bars · {span} · Live database", said[0])
    assert said[1]
    assert said[2] > 8


def test_candles_are_drawn_as_the_server_joins_them(browser, app):
    errors: list[str] = []
    chart = opened(browser, app, errors, "/?interval=1s&window=30&every=1&prices=candles")
    found = chart.page.evaluate(
        """() => {
          const stream = document.querySelector('.pairdesk-chart').pairdeskStream;
          const { candles } = stream.tables;
          const known = [...candles.close].filter((each) => !Number.isNaN(each)).length;
          const drawn = stream.traces.filter((trace) => trace.legendgroup === 'leg-BTCUSDT');
          return {
            known, points: drawn.map((trace) => trace.x.length),
            fills: drawn.map((trace) => trace.fill ?? ''),
            high: Math.max(...drawn.flatMap((trace) => trace.y).filter((each) => each > 0)),
            highest: Math.max(...[...candles.high].filter((each) => each > 0)),
          };
        }"""
    )
    assert sum(found["points"]) == 11 * found["known"]
    assert found["fills"] == ["", "toself"]
    assert found["high"] == found["highest"]
    assert 20 < found["known"] < 300
    chart.entry("leg-BTCUSDT").click()
    assert {"leg-BTCUSDT", "leg-BTCUSDT-falling"} <= set(chart.wait("s.unseen.length")["unseen"])
    chart.page.close()
    assert errors == []
