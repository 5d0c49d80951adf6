"""What is known of each watched pair just now: written by the engine, read by pages."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from analytics.pair import PairReading, PairTestsReading
from ingest.watch.model import Alert, Watched


@dataclass(frozen=True, slots=True)
class WatchRow:
    """A watched pair or basket with its latest figures. Never changed after it is made.

    Attributes
    ----------
    pair
        The pair or the basket with its settings.
    reading
        At its latest closed bar of both legs; None before there is one.
    evaluated_us
        When that was made, on our clock.
    signal_since_us
        Bar since which the signal is what it is, as far as it was followed.
    zscores
        The latest z-scores, oldest first, NaN where there was none: for a sparkline.
    tests
        The latest tests; None before there are any.
    y_age_s, x_age_s
        Seconds of market time since each leg traded; of a basket, S1 and the longest of the others.
    last_alert
        The newest of this pair.
    problem
        Why there are no figures, in a user's words; "" where there are.
    weights, closes
        Of each symbol of a basket at that bar; empty of a pair, and before there are any.
    """

    pair: Watched
    reading: PairReading | None = None
    evaluated_us: int = 0
    signal_since_us: int = 0
    zscores: tuple[float, ...] = ()
    tests: PairTestsReading | None = None
    y_age_s: float = float("nan")
    x_age_s: float = float("nan")
    last_alert: Alert | None = None
    problem: str = ""
    weights: tuple[float, ...] = ()
    closes: tuple[float, ...] = ()


class Board:
    """The rows by list and place. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Mapping[str, tuple[WatchRow, ...]] = {}

    def publish(self, rows: Mapping[str, tuple[WatchRow, ...]]) -> None:
        """Show these from now on; the mapping is not changed afterwards."""
        with self._lock:
            self._rows = rows

    def rows(self) -> Mapping[str, tuple[WatchRow, ...]]:
        """Rows of each list, in the reader's order."""
        with self._lock:
            return self._rows
