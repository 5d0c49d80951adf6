"""Waiting for a writer that is far behind: what comes meanwhile stays in the socket."""

import asyncio
from typing import Final

from ingest.event_queue import EventQueue

_LOOK_EVERY_S: Final = 0.005
_STALLED_S: Final = 1.0


class Backpressure:
    """Holds the receiver up while the queue is deep and being worked off. In the event loop.

    A writer that makes no progress is not waited for: the queue refuses what it cannot hold, and
    that is a gap with its name. A connection that nobody reads for as long would be lost.
    """

    def __init__(self, queue: EventQueue) -> None:
        self._queue = queue
        self._stalled_at: int | None = None  # what a writer without progress had taken

    async def room(self) -> None:
        """Wait until there is room, or the writer makes no progress."""
        queue = self._queue
        if len(queue) <= queue.deep or queue.taken == self._stalled_at:
            return
        time = asyncio.get_running_loop().time
        taken, since_s = queue.taken, time()
        while len(queue) > queue.deep:
            await asyncio.sleep(_LOOK_EVERY_S)
            if queue.taken != taken:
                taken, since_s = queue.taken, time()
            elif time() - since_s > _STALLED_S:
                self._stalled_at = taken
                return
