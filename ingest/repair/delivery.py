"""From the event loop's repair work to the writing thread: through the queue, losing nothing."""

import asyncio
from collections.abc import Callable

from ingest.event_queue import Call, Item
from ingest.store import TickWriter

FULL_WAIT_S = 0.1  # the queue says only that it is full, not when it has room again


class Delivery:
    """Puts items in order, and hears when the writing thread has come so far.

    Parameters
    ----------
    put
        Appends to the queue, or returns False when it has no room.
    window
        Deliveries on their way at most; the queue is the live feed's first.
    stall_s
        When nothing has landed for so long, what is on its way counts as lost with its thread.
    """

    def __init__(
        self, put: Callable[[Item], bool], *, window: int = 8, stall_s: float = 60.0
    ) -> None:
        self._put = put
        self._window = window
        self._stall_s = stall_s
        self._on_their_way = 0
        self._landed = asyncio.Event()

    async def put(self, item: Item) -> None:
        """Append an item, however long the queue is full."""
        while not self._put(item):
            await asyncio.sleep(FULL_WAIT_S)

    async def room(self) -> bool:
        """Wait until another delivery may go; False when those on their way seem to be lost."""
        while self._on_their_way >= self._window:
            self._landed.clear()
            try:
                async with asyncio.timeout(self._stall_s):
                    await self._landed.wait()
            except TimeoutError:
                self._on_their_way = 0
                return False
        return True

    async def call(
        self, do: Callable[[TickWriter], None], landed: Callable[[], None] | None = None
    ) -> None:
        """Have the writing thread do something, then call `landed` in this loop.

        What fails in the writing thread fails there: `landed` is then not called.
        """
        loop = asyncio.get_running_loop()

        on_its_way = [True]  # until it landed or failed: it may fail, be tried again, and land

        def arrive() -> None:
            """Count it as no longer on its way, once."""
            if on_its_way:
                on_its_way.clear()
                self._on_their_way = max(0, self._on_their_way - 1)
            self._landed.set()

        def land() -> None:
            """What the loop does once the work is committed."""
            arrive()
            if landed is not None:
                landed()

        def work(writer: TickWriter) -> None:
            """What the writing thread does."""
            try:
                do(writer)
            except BaseException:
                tell(loop, arrive)
                raise
            tell(loop, land)

        await self.put(Call(work))
        self._on_their_way += 1


def tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Call something in a loop from another thread, unless that loop is gone."""
    try:
        loop.call_soon_threadsafe(what)
    except RuntimeError:
        return  # it closed: the recorder is stopping, nobody waits for it
