"""Frames and trades that are not stored as they came: counted, and some of them kept."""

import logging
from collections.abc import Callable
from typing import Final

from ingest.counts import Counts
from ingest.errors import MalformedMessageError, printable
from ingest.event_queue import Call, EventQueue
from ingest.store import TickWriter
from ingest.tick import Event
from ingest.trade_times import CAUSE

_LOG: Final = logging.getLogger("pairdesk.recorder")

_KEPT_PER_S: Final = 20.0


class Quarantine:
    """Counts what is set aside; of a flood it keeps a few a second. In the event loop.

    Parameters
    ----------
    queue, counts
        Shared with the writing side.
    now_us
        Wall clock.
    """

    def __init__(self, queue: EventQueue, counts: Counts, now_us: Callable[[], int]) -> None:
        self._queue, self._counts, self._now_us = queue, counts, now_us
        self._allowance = _KEPT_PER_S
        self._allowance_at_us = 0

    def reject(self, error: MalformedMessageError) -> None:
        """Set a frame aside that is no known message."""
        self._counts.rejected += 1
        self._counts.last_rejected = str(error)
        _LOG.info("quarantine: a frame that is no known message: %s", error.reason)
        if self._may_keep():
            row = (self._now_us(), error.reason, error.excerpt)
            self._queue.put(Call(lambda writer: writer.quarantine([row])))

    def set_aside(self, event: Event, oddity: str) -> None:
        """Set a trade aside whose time cannot be; its id becomes a gap."""
        counts, key = self._counts.of(event.symbol), (event.market, event.symbol, event.stream)
        counts.rejected += 1
        self._counts.rejected += 1
        counts.last_rejected = oddity
        self._counts.last_rejected = f"{event.symbol} id {event.trade_id}: {oddity}"
        _LOG.info("quarantine: %s", self._counts.last_rejected)
        row = (event.received_us, oddity, printable(repr(event)))

        def keep(writer: TickWriter) -> None:
            writer.expect_gap(CAUSE, [key])
            writer.quarantine([row])

        if self._may_keep():
            self._queue.put(Call(keep))

    def take_back(self, event: Event) -> None:
        """Count a trade as not set aside: it is stored after all."""
        self._counts.of(event.symbol).rejected -= 1
        self._counts.rejected -= 1

    def _may_keep(self) -> bool:
        now_us = self._now_us()
        passed_s = max(0.0, (now_us - self._allowance_at_us) / 1e6)
        self._allowance_at_us = now_us
        self._allowance = min(_KEPT_PER_S, self._allowance + passed_s * _KEPT_PER_S)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
