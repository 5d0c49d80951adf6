"""Given-up ids that the reader asks for all the same: whatever the limits, until told to stop."""

import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from ingest.store.id_ranges import IdRange, merged
from ingest.tick import StreamKey

STOPPED = "the repair was stopped by the user; Repair now asks for them again"


class GapWriter(Protocol):
    """What is asked of the writer."""

    def reopen_gaps(self, wanted: Iterable[StreamKey]) -> dict[StreamKey, list[IdRange]]:
        """Make given-up gaps open again; returns the ids of each stream."""

    def close_gap(
        self,
        key: StreamKey,
        from_id: int,
        to_id: int,
        state: Literal["absent", "expired"],
        reason: str,
    ) -> int:
        """Mark what is still missing of a range of ids; returns how many ids."""


class RequestedRepairs:
    """Ranges of ids, by stream. Filled by the writing thread, read by the receiving one.

    Attributes
    ----------
    requests
        Spent on them since the newest were asked for.
    begun_s
        Loop time of the first of these; None before.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.begun_s: float | None = None
        self._lock = threading.Lock()
        self._ranges: dict[StreamKey, list[IdRange]] = {}

    @property
    def ranges(self) -> Mapping[StreamKey, Sequence[IdRange]]:
        """All of them; a stream's in order and apart. Read, do not change."""
        return self._ranges

    def add(self, ranges: Mapping[StreamKey, Sequence[IdRange]]) -> None:
        """Ask for more."""
        with self._lock:
            old = self._ranges
            self._ranges = old | {
                key: merged((*old.get(key, ()), *more)) for key, more in ranges.items() if more
            }
            self.requests, self.begun_s = 0, None

    def count(self, now_s: float) -> None:
        """Count a request made for them."""
        with self._lock:
            self.requests += 1
            self.begun_s = now_s if self.begun_s is None else self.begun_s

    def reopen(self, writer: GapWriter, streams: Iterable[StreamKey]) -> int:
        """Reopen these streams' given-up gaps and ask for them; returns how many ids.

        In the writing thread: what is asked for must be known before its gaps are published.
        """
        reopened = writer.reopen_gaps(streams)
        self.add(reopened)
        return sum(each.size for ranges in reopened.values() for each in ranges)

    def give_up(self, writer: GapWriter) -> int:
        """Give up again what has not come yet; returns how many ids. In the writing thread."""
        missing = sum(
            writer.close_gap(key, each.from_id, each.to_id, "expired", STOPPED)
            for key, ranges in self._ranges.items()
            for each in ranges
        )
        with self._lock:
            self._ranges = {}
        return missing

    def covers(self, key: StreamKey, from_id: int, to_id: int) -> bool:
        """Whether all ids from one to another, both inclusive, are asked for."""
        ranges = self._ranges.get(key, ())
        at = bisect_right(ranges, from_id, key=lambda each: each.from_id) - 1
        return at >= 0 and to_id <= ranges[at].to_id
