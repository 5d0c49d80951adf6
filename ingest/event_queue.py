"""From the receiving thread to the writing one: bounded, in order, never blocking the giver."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ingest.store import TickWriter
from ingest.tick import Event


@dataclass(frozen=True, slots=True)
class Cause:
    """In its place among the events: the next gap of any stream has this cause."""

    cause: str


@dataclass(frozen=True, slots=True)
class Call:
    """In its place among the events: something else the writing thread is to do."""

    do: Callable[[TickWriter], None]


Item = Event | Cause | Call
_DEEP = 0.25  # of the capacity: what is fetched has room up to the half


class EventQueue:
    """A bounded queue that hands out batches.

    `put` returns False for an event when the queue is full: it is then lost to the queue, and the
    jump in its stream's ids makes the ledger open a gap. `refused` counts such events, `taken`
    those that went on. Beyond `deep` the giver had better wait while `taken` grows: both sides need
    the one interpreter, and what is put only to be refused keeps the taker from its work.

    Parameters
    ----------
    capacity
        Most items held.
    clock
        Monotonic seconds, for the batch wait.
    """

    def __init__(
        self, capacity: int = 200_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.capacity = capacity
        self.deep = max(1, int(capacity * _DEEP))
        self.refused = self.taken = 0
        self._clock = clock
        self._items: deque[Item] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._wanted = 1

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> bool:
        """Append an item, or refuse an event when full. Never waits.

        A cause or a call is always taken: they are few, and nothing else would tell of them.
        """
        if len(self._items) >= self.capacity and not isinstance(item, Cause | Call):
            self._name_the_gap()
            self.refused += 1
            return False
        self._items.append(item)
        if len(self._items) == self._wanted:
            with self._wake:
                self._wake.notify()
        return True

    def _name_the_gap(self) -> None:
        try:
            is_named = isinstance(self._items[-1], Cause)
        except IndexError:  # the taker was quicker
            is_named = False
        if not is_named:
            self._items.append(Cause("queue full"))

    def take(self, most: int, wait_s: float) -> list[Item]:
        """Up to `most` items: as soon as there are that many, or `wait_s` after the first one.

        Returns an empty list only when the queue is closed and empty.
        """
        self._wait_for(1, None)
        self._wait_for(most, self._clock() + wait_s)
        items = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        self.taken += len(items)
        return items

    def close(self) -> None:
        """Wake the taker; what is inside can still be taken."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: what is put now may not be taken any more."""
        return self._closed

    def _wait_for(self, count: int, until_s: float | None) -> None:
        with self._wake:
            self._wanted = count
            # A put between the check and the wait is caught by the time limit, 0.25 s at the most.
            while len(self._items) < count and not self._closed:
                left_s = 0.25 if until_s is None else until_s - self._clock()
                if left_s <= 0:
                    return
                self._wake.wait(left_s)
