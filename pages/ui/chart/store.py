"""Charts that browsers fetch for themselves: what each session shows, and what it has of it.

A refresh of the page only says that there is something new; the browser then asks for what it
lacks, naming the frame it has. So a message that is lost, merged or late costs nothing, a hidden
tab asks for nothing, and a reader who zooms gets that span finer without a run of the page.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from pages.charts import theme
from pages.charts.frame import Frame, Table, packed
from pages.charts.plain_text import plain_figure

PX_A_BUCKET: Final = 3
MIN_PX, MAX_PX = 120, 6_000
# Frames that a session's browser may still build upon: the whole and the zoomed span, twice over.
MAX_FRAMES: Final = 6


class Chart(Protocol):
    """A figure that is sent once and then fed with tables."""

    def figure_key(self) -> Hashable:
        """Return what `figure` depends on."""

    def figure(self) -> dict[str, Any]:
        """Return traces that say what they draw, and the layout."""

    def tables(
        self, start_ms: float, end_ms: float, buckets: int, decimals: dict[str, int]
    ) -> tuple[Mapping[str, Table], dict[str, Any]]:
        """Return the tables of a span of time, and the few numbers that go with them."""


@dataclass(frozen=True)
class ChartRequest:
    """What a browser asks for: a span of time, ms, for so many pixels, and what it has."""

    start_ms: float
    end_ms: float
    width_px: int
    had: int | None
    figure_number: int | None


class ServedChart:
    """One chart of one session; safe to publish and to answer from several threads."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self.version = 0
        self._lock = threading.Lock()
        self._chart: Chart | None = None
        self._source: object = None
        self._figure_number = 0
        self._frame_number = 0
        self._decimals: dict[bool, dict[str, int]] = {True: {}, False: {}}
        self._frames: OrderedDict[int, Frame] = OrderedDict()

    def publish(self, source: object, figure_key: Hashable, make: Callable[[], Chart]) -> int:
        """Show another state of the data, unless it is the same.

        Parameters
        ----------
        source
            The result that is drawn; the same object is the same state.
        figure_key
            What `Chart.figure_key` of it will be.
        make
            Makes the chart; called only where something changed.

        Returns
        -------
        int
            Rises with each change.
        """
        with self._lock:
            is_same_figure = self._chart is not None and self._chart.figure_key() == figure_key
            if is_same_figure and source is self._source:
                return self.version
            self._chart, self._source = make(), source
            self._figure_number += not is_same_figure
            self.version += 1
            return self.version

    def answer(self, request: ChartRequest) -> bytes | None:
        """Pack what brings the browser from what it has to what there is; None before any."""
        with self._lock:
            if self._chart is None:
                return None
            width_px = min(max(request.width_px, MIN_PX), MAX_PX)
            is_whole = request.start_ms == float("-inf")
            tables, numbers = self._chart.tables(
                request.start_ms, request.end_ms, width_px // PX_A_BUCKET, self._decimals[is_whole]
            )
            self._frame_number += 1
            frame = Frame(self._frame_number, tables)
            had = self._frames.get(request.had) if request.had is not None else None
            self._frames[frame.number] = frame
            while len(self._frames) > MAX_FRAMES:
                self._frames.popitem(last=False)
            return packed(frame, had, self._head(request, numbers))

    def _head(self, request: ChartRequest, numbers: dict[str, Any]) -> dict[str, Any]:
        head = {**numbers, "version": self.version, "told": self._figure_number}
        if request.figure_number != self._figure_number and self._chart is not None:
            head["figure"] = plain_figure(self._chart.figure())
            head["css_variables"] = theme.CSS_VARIABLES
        return head


# Sessions hold their charts; a session that ends takes them along.
_SERVED: WeakValueDictionary[str, ServedChart] = WeakValueDictionary()


def new_chart() -> ServedChart:
    """Make a chart that can be found by its token, which cannot be guessed."""
    served = ServedChart()
    _SERVED[served.token] = served
    return served


def find_chart(token: str) -> ServedChart | None:
    """Find a chart of a session that still lives."""
    return _SERVED.get(token)
