"""The live chart in a real Chromium: what the reader did to it lasts, and little is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from desk.app_process import AppProcess, running_app
from desk.chart_page import AT, KEEP_SOCKETS, PLOT, ChartPage, answered_bytes
from desk.chromium import until
from exchange.feeds import LiveFeed
from exchange.server import ThreadedExchange
from msgspec.structs import replace

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
from desk.script_page import store, ticks_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SYMBOLS = ("BTCUSDT", "ETHUSDT")
QUERY = "/?interval=1s&window=30&every=1"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """A running app with two hours of history and a market that goes on."""
    folder = tmp_path_factory.mktemp("chart")
    feed = LiveFeed(5.0, history_s=7_300, after_clients=1)
    with ThreadedExchange(SYMBOLS, feed=feed) as exchange:
        options = ["--db", folder / "ticks.db", "--symbols", ",".join(SYMBOLS)]
        options += ["--ws-url", exchange.ws_url, "--rest-url", exchange.rest_url]
        with running_app(folder, *options) as running:
            yield running
            assert running.stop() == 0, running.log()


def opened(browser, app: AppProcess, errors: list[str], query: str = QUERY, **options) -> ChartPage:
    page = browser.new_page(**{"viewport": {"width": 1440, "height": 1100}, **options})
    page.add_init_script(KEEP_SOCKETS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(app.url + query)
    return ChartPage(page).ready()


@pytest.fixture
def chart(browser, app: AppProcess) -> Iterator[ChartPage]:
    """The page with its chart drawn; fails on any error in the browser's console."""
    errors: list[str] = []
    shown = opened(browser, app, errors)
    yield shown
    shown.page.close()
    assert errors == []


def test_zoom_a_hidden_trace_and_hover_survive_refreshes(chart):
    chart.wait("s.span[1] - s.span[0] > 1_200_000")
    zoomed = chart.zoom()
    chart.entry("leg-BTCUSDT").click()
    chart.wait("s.unseen.length === 1")
    left, width, middle = chart.box()
    chart.page.mouse.move(left + width / 2, middle)
    hovered = chart.page.locator(AT)
    until(chart.page, f"() => !document.querySelector('{AT}').textContent.includes('L')")
    said = hovered.inner_text()
    later = chart.wait_for_versions(3)
    assert later["range"] == zoomed["range"]
    assert later["drawn"] == zoomed["drawn"]
    assert later["hidden"] == later["unseen"] == ["leg-BTCUSDT"]
    assert not later["follow"]
    assert hovered.inner_text() == said


def test_zooming_brings_finer_rows_and_a_double_click_all_of_it(chart):
    whole = chart.wait("s.span[1] - s.span[0] > 1_200_000")
    assert whole["bucket_ms"] > 1_000
    assert chart.zoom(0.4, 0.5)["detail"]["bucket_ms"] == 1_000
    left, width, middle = chart.box()
    chart.page.mouse.dblclick(left + width / 2, middle)
    again = chart.wait("s.range === null && !s.detail")
    assert again["follow"]


def test_a_refresh_is_a_few_kilobytes_and_the_first_draw_not_many(browser, app):
    sizes: list[int] = []

    def note(response) -> None:
        if "/pairdesk/chart/" in response.url:
            response.finished()
            sizes.append(answered_bytes(response))

    chart = opened(browser, app, [])
    chart.page.on("response", note)
    chart.page.reload()
    chart.ready().wait_for_versions(5)
    chart.page.close()
    assert sizes[0] < 120_000
    assert sorted(sizes[1:])[len(sizes[1:]) // 2] < 4_000


def test_a_drag_in_progress_is_not_disturbed(chart):
    chart.drag(0.4, 0.7, drops=False)
    before = chart.state()
    later = chart.wait(f"s.version >= {before['version'] + 2}")
    assert later["draws"] == before["draws"]
    assert later["drawn"] == before["drawn"]
    chart.page.mouse.up()
    assert chart.wait(f"s.range !== null && s.draws > {before['draws']}")["follow"] is False


def test_the_latest_is_followed_until_the_reader_pans_away(chart):
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    chart.page.locator(PLOT).focus()
    chart.page.keyboard.press("+")
    begun = chart.wait("s.range !== null && s.follow")
    width = begun["range"][1] - begun["range"][0]
    slid = chart.wait(f"s.range[1] > {begun['range'][1]}")
    assert slid["range"][1] == slid["span"][1]
    assert slid["range"][1] - slid["range"][0] == pytest.approx(width)
    chart.page.get_by_role("button", name="Drag to pan").click()
    chart.drag(0.4, 0.7)
    away = chart.wait("!s.follow")
    assert chart.wait_for_versions(2)["range"] == away["range"]
    follow = chart.page.get_by_role("button", name="Follow latest")
    assert follow.get_attribute("aria-pressed") == "false"
    follow.click()
    back = chart.wait("s.follow && s.range[1] === s.span[1]")
    assert back["range"][1] - back["range"][0] == pytest.approx(width)


def test_keys_move_zoom_and_return(chart):
    whole = chart.wait("s.span[1] - s.span[0] > 1_000_000")
    chart.page.locator(PLOT).focus()
    chart.page.keyboard.press("+")
    nearer = chart.wait("s.range !== null")
    assert nearer["range"][1] - nearer["range"][0] < whole["span"][1] - whole["span"][0]
    chart.page.keyboard.press("ArrowLeft")
    chart.wait(f"s.range[0] < {nearer['range'][0]} && !s.follow")
    chart.page.keyboard.press("End")
    chart.wait("s.follow && s.range[1] === s.span[1]")
    chart.page.keyboard.press("Home")
    chart.wait("s.range === null")


def test_zoom_survives_a_dropped_connection(browser, app):
    chart = opened(browser, app, [])  # the browser itself says that the connection is gone
    zoomed = chart.zoom()
    chart.page.route("**/pairdesk/chart/**", lambda route: route.abort())
    chart.page.evaluate("() => window.pairdeskSockets.forEach((socket) => socket.close())")
    chart.page.wait_for_timeout(1_500)
    chart.page.unroute("**/pairdesk/chart/**")
    later = chart.wait_for_versions(2)
    assert later["range"] == zoomed["range"]
    assert later["newest"] > zoomed["newest"]
    chart.page.close()


def test_zoom_survives_a_reload_of_the_page(chart):
    zoomed = chart.zoom()
    chart.page.reload()
    assert chart.ready().state()["range"] == zoomed["range"]


def test_a_hidden_tab_fetches_and_draws_nothing_and_catches_up(chart):
    hide = "Object.defineProperty(document, 'hidden', {{configurable: true, get: () => {}}})"
    asked: list[str] = []
    before = chart.wait_for_versions(1)
    chart.page.evaluate(hide.format("true"))
    chart.page.wait_for_timeout(300)  # what was under way comes to its end
    before = chart.state()
    chart.page.on("request", lambda each: asked.append(each.url))
    chart.wait(f"s.told >= {before['told'] + 2}")
    assert not [url for url in asked if "/pairdesk/chart/" in url]
    assert chart.state()["draws"] == before["draws"]
    chart.page.evaluate(hide.format("false"))
    chart.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    chart.wait(f"s.version >= {before['told'] + 2} && s.draws > {before['draws']}")


def spoken_span(chart: ChartPage) -> list[datetime]:
    """Give the ends of what is in sight, whole seconds."""
    ends = chart.state()["drawn"]
    return [datetime.fromisoformat(end).replace(microsecond=0) for end in ends]


def test_the_figure_can_be_saved_as_a_picture(chart, tmp_path: Path):
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    chart.zoom()  # a span that stands still
    with chart.page.expect_download() as waiting:
        chart.page.get_by_role("button", name="PNG").click()
    begun, ended = (f"{moment:%Y%m%d-%H%M%S}" for moment in spoken_span(chart))
    name = f"BTCUSDT-ETHUSDT_1s_{begun}_{ended}_UTC_Live-database.png"
    assert waiting.value.suggested_filename == name
    waiting.value.save_as(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("zone", "shown_zone"),
    [
        ("UTC", "UTC"),
        ("Europe/Berlin", "UTC"),
        ("Europe/Berlin", "Local"),
        ("America/New_York", "Local"),
    ],
)
def test_times_are_what_the_axis_says_wherever_the_browser_is(browser, app, zone, shown_zone):
    errors: list[str] = []
    chart = opened(browser, app, errors, query=f"{QUERY}&zone={shown_zone}", timezone_id=zone)
    chart.wait("s.span[1] - s.span[0] > 1_000_000")
    clock = ZoneInfo(zone if shown_zone == "Local" else "UTC")
    now = datetime.now(clock).replace(tzinfo=None)
    assert abs(now - chart.hovered_time(0.999)) < timedelta(minutes=1)
    first, last = chart.state()["span"]
    zoomed = chart.zoom(0.4, 0.5)
    assert zoomed["range"] == pytest.approx(
        [first + 0.4 * (last - first), first + 0.5 * (last - first)], abs=0.02 * (last - first)
    )
    assert [as_ms(edge) for edge in zoomed["drawn"]] == pytest.approx(zoomed["range"], abs=1)
    finer = chart.wait("s.detail !== null")["detail"]
    assert finer["bucket_ms"] == 1_000
    assert finer["rows"] > 0.1 * (last - first) / 1_000
    middle = as_ms(chart.hovered_time(0.5).isoformat())
    assert zoomed["range"][0] < middle < zoomed["range"][1]
    chart.page.close()
    assert errors == []


def as_ms(words: str) -> float:
    """Read a time as it is written, ms since the epoch."""
    return datetime.fromisoformat(words).replace(tzinfo=UTC).timestamp() * 1e3


# The labels of the time axis as they are drawn, with the times on it that they stand at.
TICKS = f"""() => {{
  const texts = [...document.querySelectorAll('{PLOT} .xaxislayer-above .xtick text')];
  return texts.map((text) => [text.__data__.x, text.textContent]);
}}"""


@pytest.fixture
def changing_clocks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AppProcess]:
    """A database of three hours, in the middle of which the clocks of Europe change."""
    change_us = round(datetime.fromisoformat(request.param).timestamp()) * 1_000_000
    legs = [ticks_of("BTCUSDT", 60_000.0, 540), ticks_of("ETHUSDT", 2_500.0, 540, seed=6)]
    begin_us = change_us - 5_400_000_000
    moved = [
        [
            replace(tick, time_us=begin_us + 20_000_000 * n, received_us=begin_us + 20_000_000 * n)
            for n, tick in enumerate(leg)
        ]
        for leg in legs
    ]
    store(tmp_path / "ticks.db", *moved)
    with running_app(tmp_path, "--no-ingest", "--db", tmp_path / "ticks.db") as running:
        yield running


@pytest.mark.parametrize(
    "changing_clocks", ["2026-10-25T01:00+00:00", "2026-03-29T01:00+00:00"], indirect=True
)
def test_where_the_clocks_change_ticks_and_hover_are_the_walls(browser, changing_clocks):
    errors: list[str] = []
    query = "/?interval=1min&window=5&lookback=4h&zone=Local"
    chart = opened(browser, changing_clocks, errors, query, timezone_id="Europe/Berlin")
    berlin, ahead = ZoneInfo("Europe/Berlin"), {10: 1, 3: 2}

    def walls(axis_ms: float) -> datetime:
        """The wall's time where the axis, which has the offset of its end, says so."""
        said = datetime.fromtimestamp(axis_ms / 1e3, UTC)
        true = said - timedelta(hours=ahead[said.month])
        return true.astimezone(berlin).replace(tzinfo=None)

    def agrees() -> None:
        first, last = (as_ms(edge) for edge in chart.state()["drawn"])
        ticks = chart.page.evaluate(TICKS)
        assert len(ticks) >= 3
        assert [text[:5] for _, text in ticks] == [f"{walls(at):%H:%M}" for at, _ in ticks]
        assert ticks[0][1].endswith(f"{walls(ticks[0][0]):%b %-d, %Y}")
        for share in (0.1, 0.4, 0.6, 0.9):
            said = chart.hovered_time(share)
            assert abs(said - walls(first + share * (last - first))) <= timedelta(minutes=1)

    agrees()
    chart.zoom(0.3, 0.7)
    agrees()
    chart.page.close()
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_the_screen_in_the_readers_colours(browser, app, width, scheme):
    errors: list[str] = []
    size = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    chart = opened(browser, app, errors, **size)
    chart.wait("s.rows > 2")
    page = chart.page
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    )
    drawn = page.evaluate(
        f"""() => [...document.querySelectorAll('{PLOT} .scatterlayer path.js-line')]
            .map((path) => path.style.stroke)"""
    )
    leg = "rgb(0, 121, 107)" if scheme == "light" else "rgb(61, 191, 174)"
    assert leg in drawn
    assert chart.state()["rows"] <= 9 * max(width, 120)
    page.close()
    assert errors == []
