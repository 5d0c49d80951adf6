"""Which span of time the live chart shows in other data: its script alone, in a real Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest

from pages.ui.chart.script import FILES, HERE

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

pytestmark = pytest.mark.browser

HOUR = 3_600_000
DAY = [0, 24 * HOUR]
VIEW = "Live|BTCUSDT|ETHUSDT"
# A chart that had a day of a pair, as far as carrying a span over looks at it.
CARRIED = """([had, head, view]) => {
  const kept = [];
  const stream = Object.create(Stream.prototype);
  Object.assign(stream, {
    hidden: new Set(['leg-BTCUSDT']), view: 'Live|BTCUSDT|ETHUSDT', offset: 0, told: { key: 'a' },
    legend: { at: 1 }, keep: () => kept.push(stream.range), ...had,
    whole: { head: { offset_ms: 0, ...head } },
    figure: { figure: { layout: { uirevision: view } } },
  });
  stream.carry();
  return { range: stream.range, follow: stream.follow, hidden: [...stream.hidden] };
}"""


@pytest.fixture(scope="module")
def script(browser) -> Iterator[Any]:
    """A page that has the chart's script and nothing else."""
    page = browser.new_page()
    text = "\n".join((HERE / name).read_text(encoding="utf-8") for name in FILES["stream"])
    page.evaluate("text => (0, eval)(text)", plain(text))
    yield page
    page.close()


def plain(text: str) -> str:
    """Make a module's text a script's: its classes are then found by name."""
    text = text.replace("export default function", "function main").replace("export ", "")
    return (
        text + "\nwindow.Stream = Stream; Object.assign(window, { spanWithin, spanMovedInside });"
    )


def carried(script, had: dict[str, Any], view: str = VIEW, **head: Any) -> dict[str, Any]:
    found: dict[str, Any] = script.evaluate(CARRIED, [had, head, view])
    return found


@pytest.mark.parametrize(
    ("zoom", "span", "shown"),
    [
        ([2 * HOUR, 3 * HOUR], DAY, [2 * HOUR, 3 * HOUR]),  # another interval of the same day
        ([2 * HOUR, 3 * HOUR], [0, 30 * 24 * HOUR], [2 * HOUR, 3 * HOUR]),  # the range grew
        ([2 * HOUR, 4 * HOUR], [3 * HOUR, 24 * HOUR], [3 * HOUR, 4 * HOUR]),  # and shrank
        ([2 * HOUR, 4 * HOUR], [20 * HOUR, 24 * HOUR], None),  # nothing of it is there
        ([2 * HOUR, 4 * HOUR], [2.5 * HOUR, 3 * HOUR], None),  # no more than it is there
    ],
)
def test_a_zoom_is_kept_wherever_the_new_data_has_it(script, zoom, span, shown):
    found = carried(script, {"range": zoom, "follow": False}, span=span)
    assert found == {"range": shown, "follow": shown is None, "hidden": ["leg-BTCUSDT"]}


def test_without_a_zoom_the_whole_of_a_new_range_is_shown(script):
    found = carried(script, {"range": None, "follow": True}, span=[0, 30 * 24 * HOUR])
    assert found["range"] is None
    assert found["follow"]


def test_a_span_that_follows_keeps_its_width_at_the_new_end(script):
    found = carried(script, {"range": [23 * HOUR, 24 * HOUR], "follow": True}, span=[0, 25 * HOUR])
    assert found["range"] == [24 * HOUR, 25 * HOUR]
    assert found["follow"]


def test_in_another_zone_the_same_instants_are_shown(script):
    berlin = {"span": [HOUR, 25 * HOUR], "offset_ms": HOUR}
    found = carried(script, {"range": [2 * HOUR, 3 * HOUR], "follow": False}, **berlin)
    assert found["range"] == [3 * HOUR, 4 * HOUR]


@pytest.mark.parametrize("view", ["Live|BNBUSDT|BTCUSDT", "ticks.ndjson|BTCUSDT|ETHUSDT"])
def test_another_pair_or_source_begins_with_all_of_it_and_nothing_hidden(script, view):
    found = carried(script, {"range": [2 * HOUR, 3 * HOUR], "follow": False}, view, span=DAY)
    assert found == {"range": None, "follow": True, "hidden": []}


def test_before_there_are_two_bars_a_zoom_waits(script):
    for span in ([], [HOUR, HOUR]):
        found = carried(script, {"range": [2 * HOUR, 3 * HOUR], "follow": False}, span=span)
        assert found["range"] == [2 * HOUR, 3 * HOUR]


def test_a_span_moved_beyond_an_end_stands_at_it_as_wide_as_it_was(script):
    moved = "([span, whole]) => spanMovedInside(span, whole)"
    assert script.evaluate(moved, [[-5, 10], [0, 100]]) == [0, 15]
    assert script.evaluate(moved, [[95, 110], [0, 100]]) == [85, 100]
    assert script.evaluate(moved, [[20, 30], [0, 100]]) == [20, 30]
