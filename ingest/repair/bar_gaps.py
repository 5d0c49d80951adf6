"""Fetches the exchange's bars that are missing of symbols recorded in bars only.

One rule for all of it: bars of the last days are wanted up to now, and what is neither stored nor
came over the stream is asked for, the newest first. So a first start, a restart after days, a lost
connection, and a close that the stream never sent are the same to it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from ingest.binance import UNKNOWN_SYMBOL_CODE, Kline
from ingest.clock import now_us as wall_clock_us
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.event_queue import Call, Item
from ingest.repair.delivery import Delivery, tell
from ingest.repair.exchange_clock import ExchangeClock
from ingest.repair.gap_seed import Page
from ingest.repair.kline_seed import DAY_US, LENGTHS_US, KlineName
from ingest.repair.known_bars import KnownBars
from ingest.rest import REPAIR_SHARE, SEED_SHARE, RestClient
from ingest.status import Progress
from ingest.store import TickWriter
from ingest.tick import StreamKey, StreamKind

# How far back bars are fetched of a symbol that is new: 11 pages of minutes, 8 of seconds.
WARM_US: Final[dict[KlineName, int]] = {"1m": 7 * DAY_US, "1s": 7_200_000_000, "5m": 35 * DAY_US}
_AT_ONCE: Final = 8
_POLL_S: Final = 1.0
_ASK_AGAIN_S: Final = 60.0  # a question without an answer by then was lost with the writing thread
_FAILED_WAIT_S: Final = 1.0
_REFUSED_WAIT_S: Final = 600.0
# After an answer about the newest bars: a quiet symbol's may come over REST alone, and a request a
# second for each of 400 would take up the weight.
_NEWEST_WAIT_S: Final = 10.0
_LONGEST_NEWEST_WAIT_S: Final = 60.0

_Key = tuple[str, KlineName]


class BarGaps:
    """Sees to it that each symbol has its bars. Made in the event loop it runs in.

    Parameters
    ----------
    rest
        Asks the exchange: at the repairs' share of the weight for what is missing since the start,
        at the seeds' for what lies further back.
    put
        Appends to the queue, or returns False when it has no room.
    stream
        The kind under which bars are stored.
    now_us
        Wall clock; used where the exchange's is not known.

    Attributes
    ----------
    fetched
        Bars that came over REST.
    is_paused
        Whether to ask for nothing.
    """

    def __init__(
        self,
        rest: RestClient,
        put: Callable[[Item], bool],
        stream: StreamKind,
        *,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self.fetched = 0
        self.is_paused = False
        self._rest, self._put, self._now_us = rest, put, now_us
        self._stream: StreamKind = stream
        self._delivery = Delivery(put)
        self._bars: dict[_Key, KnownBars] = {}
        self._asked_until_s: dict[_Key, float] = {}
        self._notices: deque[str] = deque(maxlen=20)
        self._clock = ExchangeClock(rest)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._begun_us = now_us()
        self._ahead_us = 0  # of the exchange's clock to ours

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on symbols of which the exchange gives no bars, oldest first."""
        return tuple(self._notices)

    @property
    def missing(self) -> int:
        """Bars that are wanted and not there yet; safe from any thread."""
        now_us = self._now_us() + self._ahead_us
        bars = list(self._bars.values())
        return sum(_count(each, now_us) for each in bars if each.has_looked)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """How far the bars of each symbol are that lacks some; safe from any thread."""
        now_us = self._now_us() + self._ahead_us
        found = []
        for (symbol, name), bars in list(self._bars.items()):
            left = _count(bars, now_us)
            if left and bars.has_looked:
                total = max(left, (bars.top_us(now_us) - bars.from_us) // bars.length_us)
                what = f"{name} bars" + (f" ({bars.note})" if bars.note else "")
                found.append(Progress(symbol, what, total - left, total))
        return tuple(found)

    def behind(self, symbol: str, name: KlineName) -> bool:
        """Whether the newest bar of a symbol that could be here is not; safe from any thread."""
        bars = self._bars.get((symbol, name))
        if bars is None:
            return False
        top_us = bars.top_us(self._now_us() + self._ahead_us)
        return not any(low < top_us <= high for low, high in bars.known[-1:])

    def add(self, symbol: str, name: KlineName, span_us: int | None = None) -> None:
        """See to it that a symbol has its bars, up to now and from now on. From the loop."""
        if (symbol, name) not in self._bars:
            from_us = self._now_us() - (WARM_US[name] if span_us is None else span_us)
            self._bars[symbol, name] = KnownBars(name, from_us)
            self._wake.set()

    def fetch(self, symbol: str, name: KlineName, span_us: int) -> None:
        """See to it that bars of a length reach so far back from now. From the loop."""
        now_us = self._now_us()
        bars = self._bars.get((symbol, name))
        if bars is None:
            self._bars[symbol, name] = KnownBars(name, now_us - span_us, until_us=now_us)
        elif now_us - span_us < bars.from_us:
            bars.from_us, bars.has_looked = now_us - span_us, False
        self._wake.set()

    def remove(self, symbol: str) -> None:
        """Leave a symbol alone. From the loop."""
        for key in [key for key in self._bars if key[0] == symbol]:
            del self._bars[key]

    def closed(self, symbol: str, name: KlineName, open_us: int) -> bool:
        """Take a bar that the stream brought; False where it is known or not wanted."""
        bars = self._bars.get((symbol, name))
        if bars is None or any(low <= open_us < high for low, high in bars.known[-1:]):
            return False
        bars.add(open_us, open_us + bars.length_us)
        return True

    def look_again(self) -> None:
        """Forget what is stored: the database is another. From the loop."""
        for bars in self._bars.values():
            bars.known, bars.has_looked = [], False
        self._asked_until_s.clear()
        self._wake.set()

    async def run(self) -> None:
        """Look and fetch until cancelled, a page of each symbol in turn."""
        while True:
            self._ask_database()
            if not await self._fetch_some():
                await self._wait()

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(_POLL_S if self._bars else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def _ask_database(self) -> None:
        """Ask the writing thread what is stored, of symbols that were not looked at."""
        now_s = self._loop.time()
        for key, bars in self._bars.items():
            if not bars.has_looked and self._asked_until_s.get(key, 0.0) <= now_s:
                is_asked = self._put(Call(self._look(key, bars)))
                self._asked_until_s[key] = now_s + (_ASK_AGAIN_S if is_asked else _FAILED_WAIT_S)

    def _look(self, key: _Key, bars: KnownBars) -> Callable[[TickWriter], None]:
        length_s = bars.length_us // 1_000_000
        span = (bars.from_us // 1_000_000, 2**62)

        def look(writer: TickWriter) -> None:
            """Find what is stored, in the writing thread; the loop goes on with it."""
            stored = writer.kline_spans(self._stream_key(key[0]), length_s, span)
            tell(self._loop, lambda: self._answered(key, bars, stored))

        return look

    def _answered(self, key: _Key, bars: KnownBars, stored: list[tuple[int, int]]) -> None:
        self._asked_until_s.pop(key, None)
        for low, high in stored:
            bars.add(low * 1_000_000, high * 1_000_000)
        bars.has_looked = True
        self._wake.set()

    async def _fetch_some(self) -> bool:
        if self.is_paused:
            return False
        now_us = await self._exchange_time_us()
        due = self._due(now_us)
        await asyncio.gather(*(self._fetch(*each, now_us) for each in due))
        return bool(due)

    async def _exchange_time_us(self) -> int:
        if any(each.has_looked for each in self._bars.values()):
            try:
                self._ahead_us = await self._clock.now_us() - self._now_us()
            except RestFailedError:
                return self._now_us() + self._ahead_us
        return self._now_us() + self._ahead_us

    def _due(self, now_us: int) -> list[tuple[_Key, KnownBars, Page]]:
        """A few pages to ask for now: what is missing since the start first, symbols in turn."""
        now_s = self._loop.time()
        ready = []
        for number, (key, bars) in enumerate(self._bars.items()):
            page = bars.next_page(now_us, now_s) if bars.has_looked else None
            if page is not None:
                is_old = page.high_us <= self._begun_us
                ready.append((is_old, bars.pages, number, (key, bars, page)))
        ready.sort(key=lambda each: each[:3])
        return [each[3] for each in ready[:_AT_ONCE] if each[0] == ready[0][0]]

    async def _fetch(self, key: _Key, bars: KnownBars, page: Page, now_us: int) -> None:
        try:
            klines = await self._ask(key, page)
            low_us = page.low_us
            if not klines and low_us > bars.from_us and await self._begins_after(key, bars, page):
                low_us = bars.from_us
        except RestRefusedError as error:
            self._refused(key, bars, error)
        except RestBlockedError as error:
            self._hold_back(bars, str(error), error.wait_s)
        except RestFailedError as error:
            self._hold_back(bars, str(error), _FAILED_WAIT_S)
        else:
            if self._bars.get(key) is bars:  # not removed meanwhile
                await self._store(key, bars, klines)
                self._settle(bars, Page(low_us, page.high_us), klines, now_us)

    async def _ask(self, key: _Key, page: Page) -> list[Kline]:
        symbol, name = key
        is_old = page.high_us <= self._begun_us
        klines = await self._rest.klines(
            *(symbol, name, page.low_us),
            end_us=page.high_us - 1,
            share=SEED_SHARE if is_old else REPAIR_SHARE,
        )
        # Some answer with bars after those asked for where there are none.
        return [each for each in klines if page.low_us <= each.open_us < page.high_us]

    async def _begins_after(self, key: _Key, bars: KnownBars, page: Page) -> bool:
        """Whether the exchange has nothing further back: a symbol that is younger."""
        symbol, name = key
        oldest = await self._rest.klines(symbol, name, bars.from_us, limit=1, share=SEED_SHARE)
        return not oldest or oldest[0].open_us >= page.high_us

    async def _store(self, key: _Key, bars: KnownBars, klines: list[Kline]) -> None:
        if not klines:
            return
        stream, length_s = self._stream_key(key[0]), bars.length_us // 1_000_000
        await self._delivery.room()
        await self._delivery.call(lambda writer: writer.add_klines(stream, length_s, klines))
        self.fetched += len(klines)

    def _settle(self, bars: KnownBars, page: Page, klines: list[Kline], now_us: int) -> None:
        newest_us = klines[-1].open_us if klines else None
        high_us = bars.known_after(page, newest_us, now_us)
        if high_us > page.low_us:
            bars.add(page.low_us, high_us)
        bars.pages, bars.note = bars.pages + 1, ""
        lacks_some = high_us < page.high_us
        bars.lagged = bars.lagged + 1 if lacks_some else 0
        if lacks_some or (bars.name == "1s" and page.high_us >= bars.top_us(now_us)):
            wait_s = min(_NEWEST_WAIT_S * 2 ** max(0, bars.lagged - 1), _LONGEST_NEWEST_WAIT_S)
            bars.newest_from_us, bars.newest_not_before_s = high_us, self._loop.time() + wait_s

    def _refused(self, key: _Key, bars: KnownBars, error: RestRefusedError) -> None:
        if error.code == UNKNOWN_SYMBOL_CODE:  # which the exchange's list says
            self._hold_back(bars, str(error), _REFUSED_WAIT_S)
            return
        self._notices.append(f"{key[0]}: no {key[1]} bars over REST: {error}")
        self._hold_back(bars, str(error), _REFUSED_WAIT_S)

    def _hold_back(self, bars: KnownBars, note: str, wait_s: float) -> None:
        bars.note, bars.not_before_s = note, self._loop.time() + wait_s

    def _stream_key(self, symbol: str) -> StreamKey:
        return (self._rest.market, symbol, self._stream)


def _count(bars: KnownBars, now_us: int) -> int:
    return sum(high - low for low, high in bars.missing(now_us)) // LENGTHS_US[bars.name]
