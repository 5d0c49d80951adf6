"""The live chart in a browser, as its tests and its benchmark look at it."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playwright.sync_api import Locator, Page, Response
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from desk.chromium import until

PLOT = ".pairdesk-plot"
AT = ".pairdesk-at"
READY_MS = 60_000
# A busy page may miss a pointer that moves but once.
POINTINGS, POINTING_MS = 20, 1_500
STATE = """() => {
  const stream = document.querySelector('.pairdesk-bar')?.parentElement.pairdeskStream;
  if (!stream?.meta || !stream.plot._fullLayout) return {};  // put away, not yet made anew
  const { range, follow, whole, detail, plot } = stream;
  return {
    range, follow, utc: range && range.map((edge) => edge - whole.head.offset_ms),
    version: whole.head.version, told: stream.told.version,
    span: whole.head.span, bucket_ms: whole.head.bucket_ms, rows: whole.tables.bars.time.length,
    detail: detail && { bucket_ms: detail.head.bucket_ms, rows: detail.tables.bars.time.length },
    draws: Number(plot.dataset.draws), drawn: plot._fullLayout.xaxis.range.map(String),
    hidden: [...stream.hidden],
    unseen: plot._fullData.filter((t) => !t.visible).map((t) => t.uid),
    bar_ms: whole.head.bar_ms, view: stream.view, zone: stream.meta.picture.zone,
    prices: plot.data.filter((t) => t.uid.startsWith('leg-')).map((t) => t.uid),
    newest: whole.tables.bars.time.at(-1),
  };
}"""
# Keeps the page's sockets where a test can cut them.
KEEP_SOCKETS = """
  window.pairdeskSockets = [];
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...all) { super(...all); window.pairdeskSockets.push(this); }
  };
"""


@dataclass
class ChartPage:
    """A page that shows the pair's live chart."""

    page: Page

    def ready(self) -> "ChartPage":
        """Wait until it is drawn."""
        self.page.wait_for_selector(f"{PLOT} .main-svg", timeout=READY_MS)
        until(
            self.page,
            f"() => Number(document.querySelector('{PLOT}').dataset.draws) >= 1",
            timeout=READY_MS,
        )
        return self

    def state(self) -> dict[str, Any]:
        """Give what the chart holds and shows."""
        found: dict[str, Any] = self.page.evaluate(STATE)
        return found

    def wait(self, condition: str, timeout_ms: int = 20_000) -> dict[str, Any]:
        """Wait until a condition on the `state`, as JavaScript over `s`, holds."""
        until(
            self.page, f"() => {{ const s = ({STATE})(); return {condition}; }}", timeout=timeout_ms
        )
        return self.state()

    def wait_for_versions(self, more: int) -> dict[str, Any]:
        """Wait until so many new states of the data have been drawn or passed over."""
        return self.wait(f"s.version >= {self.state()['version'] + more}", READY_MS)

    def box(self) -> tuple[float, float, float]:
        """Give left edge, width and the height's middle of the first panel."""
        found = self.page.locator(f"{PLOT} .nsewdrag").first.bounding_box()
        assert found is not None
        return found["x"], found["width"], found["y"] + found["height"] / 2

    def drag(self, begin: float, end: float, *, drops: bool = True) -> None:
        """Drag over these shares of the width."""
        left, width, middle = self.box()
        self.page.mouse.move(left + width * begin, middle)
        self.page.mouse.down()
        self.page.mouse.move(left + width * end, middle, steps=5)
        if drops:
            self.page.mouse.up()

    def hovered_time(self, share: float) -> datetime:
        """Point at this share of the width; gives the time that the legend says, on its clock."""
        left, width, middle = self.box()
        said = f"document.querySelector('{AT}').textContent"
        self.page.mouse.move(0, 0)
        until(self.page, f"() => {said}.startsWith('Latest')")
        read = f"() => /^\\d{{4}}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d/.exec({said})?.[0]"
        for _ in range(POINTINGS):
            self.page.mouse.move(left + width * share - 3, middle)
            self.page.mouse.move(left + width * share, middle)
            with suppress(PlaywrightTimeoutError):
                found = until(self.page, read, timeout=POINTING_MS)
                return datetime.fromisoformat(str(found.json_value()))
        message = "the chart said no time where it was pointed at"
        raise AssertionError(message)

    def entry(self, key: str) -> Locator:
        """Give an entry of the legend."""
        return self.page.locator(f".pairdesk-entry[data-key='{key}']")

    def zoom(self, begin: float = 0.3, end: float = 0.6) -> dict[str, Any]:
        """Zoom in by dragging; gives the state once the finer rows are there."""
        self.drag(begin, end)
        self.wait("s.range !== null")
        self.page.wait_for_timeout(400)  # the finer rows are asked for once the hand is still
        return self.state()


def answered_bytes(response: Response) -> int:
    """Give how many bytes an answer took on the wire, its headers too."""
    sizes = response.request.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]
