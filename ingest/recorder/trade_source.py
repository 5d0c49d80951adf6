"""Where a recorder's trades come from: the exchange, or a replay in its place."""

from collections.abc import Callable
from typing import Protocol

from ingest.counts import Counts
from ingest.event_queue import EventQueue
from ingest.feed import Feed
from ingest.repair import Repair
from ingest.status import RecorderState


class TradeSource(Protocol):
    """Puts trades into the recorder's queue, in a thread that runs `run`.

    Attributes
    ----------
    symbols
        What it gives trades of.
    """

    symbols: tuple[str, ...]

    @property
    def feed(self) -> Feed | None:
        """The connection; None where there is none."""

    @property
    def repair(self) -> Repair | None:
        """What fetches missing trades; None where nothing does."""

    def run(self) -> None:
        """Give trades until stopped."""

    def stop(self) -> None:
        """End `run` soon; safe from any thread, as is all below."""

    def set_symbols(self, symbols: tuple[str, ...], reason: str = ...) -> None:
        """Give trades of these from now on; `reason` where there are none."""

    def reconnect(self, reason: str) -> None:
        """Open the connection again."""

    def clock_jumped(self) -> None:
        """Measure again what depends on our clock."""

    def repair_now(self) -> None:
        """Look for missing trades now."""

    def skew_ms(self) -> float | None:
        """By how much the exchange's clock is ahead of ours; None where nobody knows."""

    def retry_in_s(self) -> float | None:
        """Seconds until the next attempt; None where none is waited for."""

    def state(self) -> RecorderState:
        """Say what it is doing."""


MakeTradeSource = Callable[[EventQueue, Counts], TradeSource]
