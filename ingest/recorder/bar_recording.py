"""Bars as they close, from the exchange's kline streams into the database."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from ingest.binance import MAX_STREAMS, BarUpdate, Kline
from ingest.counts import Counts
from ingest.errors import MalformedMessageError
from ingest.event_queue import Call, EventQueue, Item
from ingest.feed import Address, BarFeed, FeedGroup, Sink
from ingest.quantiles import quantiles
from ingest.repair import LENGTHS_US, BarGaps, tell
from ingest.rest import RestClient
from ingest.settings import Settings
from ingest.store import TickWriter
from ingest.tick import StreamKey
from ingest.universe import BAR_STREAM_OF, BarLength

# A market's bars close together: those that come within this go into one transaction.
_GATHER_S: Final = 0.1
_WATCH_EVERY_S: Final = 1.0
_SILENT_S: Final[dict[BarLength, float]] = {"1m": 90.0, "1s": 30.0}
_SAMPLES: Final = 2000
_LIVE_US: Final = 60_000_000  # a bar that came later than this was not live

MakeBarFeed = Callable[[Address, Sink[BarUpdate]], BarFeed]


class BarRecording:
    """Records closed bars of symbols: what the streams bring, and over REST what they did not.

    Made in the event loop it runs in; it is the sink of its connections.

    Parameters
    ----------
    settings
        Market, and the kind under which bars are stored.
    length
        Of a bar.
    rest, queue, counts
        Shared with what records trades.
    make_feed
        Makes a connection's feed.
    reject, room
        As a `Sink` has them.
    now_us
        Wall clock.
    """

    def __init__(
        self,
        settings: Settings,
        length: BarLength,
        *,
        rest: RestClient,
        queue: EventQueue,
        counts: Counts,
        make_feed: MakeBarFeed,
        reject: Callable[[MalformedMessageError], None],
        room: Callable[[], Awaitable[None]],
        now_us: Callable[[], int],
    ) -> None:
        self.length = length
        self.received = 0
        self.newest_us: int | None = None
        self.last_received_us: int | None = None
        self._settings, self._queue, self._counts = settings, queue, counts
        self._reject, self._room, self._now_us = reject, room, now_us
        self.gaps = BarGaps(rest, self._put, settings.stream, now_us=now_us)
        address = Address(settings.ws_base, settings.market, BAR_STREAM_OF[length])
        most = MAX_STREAMS[settings.market]
        self.group: FeedGroup[BarUpdate] = FeedGroup(lambda: make_feed(address, self), most)
        self._length_us = LENGTHS_US[length]
        self._latencies_us: deque[int] = deque(maxlen=_SAMPLES)
        self._pending: dict[str, list[Kline]] = {}
        self._loop = asyncio.get_running_loop()
        self._symbols: tuple[str, ...] = ()

    async def set_symbols(self, symbols: tuple[str, ...], reason: str) -> None:
        """Record bars of just these from now on."""
        for symbol in set(self._symbols) - set(symbols):
            self.gaps.remove(symbol)
        for symbol in symbols:
            self.gaps.add(symbol, self.length)
        self._symbols = symbols
        await self.group.set_symbols(symbols, reason)

    async def pause(self, reason: str) -> None:
        """Receive and ask for nothing until `set_symbols`."""
        self.gaps.is_paused = True
        await self.group.set_symbols((), reason)

    async def resume(self) -> None:
        """Go on, and fetch what was missed."""
        self.gaps.is_paused = False
        await self.group.set_symbols(self._symbols, "")

    async def run(self) -> None:
        """Record until cancelled."""
        await asyncio.gather(self.group.run(), self.gaps.run(), self._watch())

    async def drain(self) -> None:
        """Close the connections, with all they had received in the queue."""
        await self.group.drain()
        self._flush()

    # Read from other threads.

    def behind(self) -> tuple[str, ...]:
        """Symbols whose newest bar that could be here is not."""
        return tuple(each for each in self._symbols if self.gaps.behind(each, self.length))

    def latencies_ms(self) -> tuple[float | None, float | None]:
        """Median and 99th percentile from a bar's end to its commit, by our clock."""
        p50, p99 = quantiles(list(self._latencies_us), 0.5, 0.99)
        return (None if p50 is None else p50 / 1000, None if p99 is None else p99 / 1000)

    # What the connections call.

    def event(self, event: BarUpdate) -> None:
        """Take what a stream says of its bar; it is kept once it is closed."""
        self.last_received_us = event.received_us
        kline = event.kline
        if kline is None or not self.gaps.closed(event.symbol, self.length, kline.open_us):
            return
        self.received += 1
        if not self._pending:
            self._loop.call_later(_GATHER_S, self._flush)
        self._pending.setdefault(event.symbol, []).append(kline)

    def reject(self, error: MalformedMessageError) -> None:
        """Set aside a frame that is no known message."""
        self._reject(error)

    async def room(self) -> None:
        """Wait as long as it is better not to bring more."""
        await self._room()

    def connected(self, where: str) -> None:
        """Note that a connection is open."""
        self._counts.note(self._now_us(), "connected", f"{where}, for bars")

    def lost(self, reason: str) -> None:
        """Note that one ended; what is missed is asked for."""
        self._counts.note(self._now_us(), "lost", f"bars: {reason}")

    def _flush(self) -> None:
        """Have what came stored, in one transaction."""
        bars, self._pending = self._pending, {}
        if not bars:
            return
        market, kind = self._settings.market, self._settings.stream
        rows: dict[StreamKey, list[Kline]] = {
            (market, symbol, kind): klines for symbol, klines in bars.items()
        }
        length_s = self._length_us // 1_000_000

        def store(writer: TickWriter) -> None:
            """Write the bars, then note it in the feed's loop."""
            writer.add_all_klines(length_s, rows)
            stored_us = self._now_us()
            tell(self._loop, lambda: self._note_stored(rows, stored_us))

        self._queue.put(Call(store))

    def _note_stored(self, rows: dict[StreamKey, list[Kline]], stored_us: int) -> None:
        ends_us = [each.open_us + self._length_us for klines in rows.values() for each in klines]
        self.newest_us = max(self.newest_us or 0, *ends_us)
        self._latencies_us.extend(
            stored_us - end_us for end_us in ends_us if stored_us - end_us < _LIVE_US
        )

    async def _watch(self) -> None:
        """Give up a connection that is open and brings nothing: the market always has some bar."""
        silent_s = _SILENT_S[self.length]
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            now_s = self._loop.time()
            for feed in self.group.feeds:
                link = feed.link
                if link is not None and now_s - link.last_frame_s > silent_s:
                    await feed.reconnect(f"no bar for {silent_s:g} s")

    def _put(self, item: Item) -> bool:
        """Queue what is fetched; half of the room is kept for what is live."""
        return len(self._queue) < self._queue.capacity // 2 and self._queue.put(item)
