"""Open gaps and last ids, as the writing thread publishes them for the receiving one."""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.store.requested_repairs import RequestedRepairs
from ingest.tick import StreamKey


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A run of ids still to be fetched; times are those of its known neighbours, in µs."""

    key: StreamKey
    from_id: int
    to_id: int
    after_us: int
    before_us: int
    cause: str

    @property
    def missing(self) -> int:
        """How many ids."""
        return self.to_id - self.from_id + 1


def first_from(gaps: Sequence[OpenGap], trade_id: int) -> int:
    """Index of the first of a stream's gaps that reaches to an id or beyond."""
    return bisect_left(gaps, trade_id, key=lambda gap: gap.to_id)


class PublishedGaps:
    """The newest state of every ledger. Published by one thread, read in one event loop.

    Attributes
    ----------
    gaps
        All open gaps, a stream's in the order of their ids.
    by_key
        The same, stream by stream. Read, do not change.
    changes
        How often the gaps became others than before.
    requested
        Ids the reader asks for beyond the limits; filled before the gaps are published.
    """

    def __init__(self) -> None:
        self.gaps: tuple[OpenGap, ...] = ()
        self.by_key: dict[StreamKey, list[OpenGap]] = {}
        self.changes = 0
        self.requested = RequestedRepairs()
        self._edges: dict[StreamKey, tuple[int, int]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()

    def attach(self) -> None:
        """Wake the tasks of the running event loop from now on."""
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()

    def last(self, key: StreamKey) -> tuple[int, int] | None:
        """Last stored id and its trade time in µs; None before the first."""
        return self._edges.get(key)

    def publish(self, gaps: tuple[OpenGap, ...], edges: dict[StreamKey, tuple[int, int]]) -> None:
        """Replace what is known; tasks wake when the gaps are others than before."""
        self._edges = edges
        if gaps is self.gaps or gaps == self.gaps:
            return
        by_key: dict[StreamKey, list[OpenGap]] = {}
        for gap in gaps:
            by_key.setdefault(gap.key, []).append(gap)
        self.gaps, self.by_key = gaps, by_key
        self.changes += 1
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def changed(self) -> None:
        """Wait until the open gaps change."""
        await self._news.wait()
        self._news.clear()
