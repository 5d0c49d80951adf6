"""Several connections of one kind: as many as the symbols need, each with its own life."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic

from ingest.feed.feed import FeedState, StreamFeed
from ingest.feed.link import Received

# The state of several is the one that stands first here.
_WORST_FIRST: Final[tuple[FeedState, ...]] = (
    "blocked", "reconnecting", "connecting", "live", "off",
)  # fmt: skip


class FeedGroup(Generic[Received]):
    """Carries symbols over connections of at most `most` streams each.

    A symbol stays with the connection that has it; a connection without symbols is closed, and
    taken up again when there are more. All of it runs in one event loop.

    Parameters
    ----------
    make_feed
        Makes one more connection's feed; all should share one budget of attempts.
    most
        Streams a connection carries.
    """

    def __init__(self, make_feed: Callable[[], StreamFeed[Received]], most: int) -> None:
        self.feeds: list[StreamFeed[Received]] = []
        self._make_feed: Callable[[], StreamFeed[Received]] = make_feed
        self._most = most
        self._changed = asyncio.Event()

    @property
    def state(self) -> FeedState:
        """The state of the connection that is worst off; safe from any thread."""
        states = {feed.state for feed in list(self.feeds) if feed.symbols}
        return next((each for each in _WORST_FIRST if each in states), "off")

    @property
    def last_error(self) -> str | None:
        """Why a connection is lost, while one is; safe from any thread."""
        return next((feed.last_error for feed in list(self.feeds) if feed.last_error), None)

    @property
    def connected(self) -> tuple[int, int]:
        """Connections that are open, and how many are wanted; safe from any thread."""
        wanted = [feed for feed in list(self.feeds) if feed.symbols]
        return sum(feed.state == "live" for feed in wanted), len(wanted)

    async def set_symbols(self, symbols: Iterable[str], reason: str) -> None:
        """Carry just these from now on; `reason` is why connections end that have none left."""
        shares = spread([feed.symbols for feed in self.feeds], symbols, self._most)
        while len(self.feeds) < len(shares):
            self.feeds.append(self._make_feed())
        self._changed.set()
        changes = (
            feed.set_symbols(share, reason)
            for feed, share in zip(self.feeds, shares, strict=True)
            if set(share) != set(feed.symbols)
        )
        await asyncio.gather(*changes)

    async def run(self) -> None:
        """Keep the connections until cancelled."""
        tasks: list[asyncio.Task[None]] = []
        try:
            while True:
                self._changed.clear()
                tasks += [asyncio.create_task(each.run()) for each in self.feeds[len(tasks) :]]
                changed = asyncio.create_task(self._changed.wait())
                done, _ = await asyncio.wait({*tasks, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()

    async def drain(self) -> None:
        """Close the connections and return once all they had received is in the sink."""
        await asyncio.gather(*(feed.drain() for feed in self.feeds))

    async def break_off(self, reason: str) -> None:
        """Close the connections without waiting for what they have received."""
        for feed in self.feeds:
            if feed.link is not None:
                await feed.link.break_off(reason)

    async def reconnect(self, reason: str) -> None:
        """Give the present connections up."""
        await asyncio.gather(*(feed.reconnect(reason) for feed in self.feeds))


def spread(
    carried: Sequence[Sequence[str]], wanted: Iterable[str], most: int
) -> list[tuple[str, ...]]:
    """Spread symbols over connections of at most `most`, where each stays that is carried.

    Gives what each is to carry, those there are first; new ones go where there is room.
    """
    left = dict.fromkeys(wanted)
    shares = [[symbol for symbol in each if symbol in left] for each in carried]
    for share in shares:
        for symbol in share:
            left.pop(symbol, None)
    new = list(left)
    for share in shares:
        room = max(0, most - len(share))
        share.extend(new[:room])
        del new[:room]
    shares += [new[first : first + most] for first in range(0, len(new), most)]
    return [tuple(share) for share in shares]
