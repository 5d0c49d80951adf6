"""Trades that come again long after they came first: known ones are duplicates, others are odd."""

from collections import deque
from collections.abc import Callable
from typing import Final

from ingest.counts import Counts
from ingest.event_queue import Call, EventQueue
from ingest.store import TickWriter
from ingest.tick import Event

_MOST: Final = 100_000  # beyond, they would fill the memory while no writer works


class LateTrades:
    """Tells trades sent again from odd ones, in the writing thread: it knows what is stored.

    All that wait are looked up in one call: a call each would divide the writer's batches.

    Parameters
    ----------
    queue, counts
        Of the recording.
    set_aside
        Takes an event that is not stored as it came, and why its time is odd. Any thread.
    """

    def __init__(
        self, queue: EventQueue, counts: Counts, set_aside: Callable[[Event, str], None]
    ) -> None:
        self._queue, self._counts, self._set_aside = queue, counts, set_aside
        self._waiting: deque[tuple[Event, str]] = deque()
        self._is_called = False

    def take(self, event: Event, oddity: str) -> bool:
        """Have an event looked up; False where too many wait already."""
        if len(self._waiting) >= _MOST:
            return False
        self._waiting.append((event, oddity))
        if not self._is_called:
            self._is_called = True
            self._queue.put(Call(self._look_up))
        return True

    def _look_up(self, writer: TickWriter) -> None:
        self._is_called = False  # what comes from now on is called for again
        while self._waiting:
            event, oddity = self._waiting[0]
            if writer.is_stored(event):
                self._counts.of(event.symbol).duplicates += 1
            else:
                self._set_aside(event, oddity)
            self._waiting.popleft()  # after: a database that refuses is asked once more
