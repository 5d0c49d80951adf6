"""A new symbol's last 24 hours from the exchange's own bars, newest first."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ingest.delivery import Delivery, tell
from ingest.endpoints import FINEST_KLINE, MAX_REST_ROWS, UNKNOWN_SYMBOL_CODE
from ingest.event_queue import Call, Item
from ingest.gap_board import Progress, StreamKey
from ingest.link import now_us as wall_clock_us
from ingest.rest import (
    SEED_SHARE,
    RestBlockedError,
    RestClient,
    RestFailedError,
    RestRefusedError,
)
from ingest.rest_rows import Kline
from ingest.tick import StreamKind
from ingest.writer import TickWriter

SPAN_US = 24 * 3600 * 1_000_000
_LENGTHS_S = {"1s": 1, "1m": 60}
_FAILED_WAIT_S = 1.0
_FIRST_TRADE_WITHIN_S = 10.0
_POLL_S = 0.25
_LONGEST_BAR_S = 2.0  # waited for so that the bar of the first trade is closed
_ASK_AGAIN_S = 60.0  # a question that has no answer by then was lost with the writing thread


@dataclass(slots=True)
class _Seed:
    """One symbol's work: bars from `start_us` on are still to come up to `next_us`, downwards."""

    start_us: int
    end_us: int
    next_us: int
    begin_s: float | None = None  # loop time from which the first page may be asked for
    heard: bool = False

    def text(self) -> str:
        """The form in which it is remembered across a restart."""
        return f"{self.start_us} {self.end_us} {self.next_us}"


class WarmStart:
    """Seeds bars of symbols that have none of the last 24 hours.

    Whether a symbol is new is asked of the database, in the queue's order: `add` has to be called
    before the feed subscribes it. How far it has come is stored with the bars, so a restart goes
    on where it stopped.

    Parameters
    ----------
    rest
        Asks the exchange, at a smaller share of the weight than backfill has.
    put
        Appends to the queue, or returns False when it has no room.
    stream
        The kind recorded.
    now_us
        Wall clock; used only until the exchange's is known.
    heard
        Whether a symbol's feed has brought a trade: bars are to reach up to the first one.
    """

    def __init__(
        self,
        rest: RestClient,
        put: Callable[[Item], bool],
        stream: StreamKind,
        *,
        now_us: Callable[[], int] = wall_clock_us,
        heard: Callable[[str], bool] = lambda _symbol: True,
    ) -> None:
        self._heard = heard
        self._rest = rest
        self._put = put
        self._stream: StreamKind = stream
        self._now_us = now_us
        self._interval = FINEST_KLINE[rest.market]
        self._length_us = _LENGTHS_S[self._interval] * 1_000_000
        self._delivery = Delivery(put)
        self._asked: dict[str, float] = {}
        self._seeds: dict[str, _Seed] = {}
        self._notes: dict[str, str] = {}
        self._notices: deque[str] = deque(maxlen=20)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on symbols that could not be seeded, oldest first."""
        return tuple(self._notices)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """Symbols being seeded, in bars; safe from any thread."""
        return tuple(self._progress(symbol, seed) for symbol, seed in list(self._seeds.items()))

    def add(self, symbol: str) -> None:
        """See to it that the symbol has its last 24 hours. From the loop."""
        if symbol not in self._seeds and symbol not in self._asked:
            self._ask_database(symbol)
            self._wake.set()

    def remove(self, symbol: str) -> None:
        """Leave a symbol alone, in the midst of it too. From the loop."""
        self._asked.pop(symbol, None)
        self._seeds.pop(symbol, None)
        self._notes.pop(symbol, None)

    async def run(self) -> None:
        """Seed symbols until cancelled, a page of each in turn."""
        while True:
            ready = [each for each in self._seeds.items() if self._is_ready(*each)]
            for symbol, seed in ready:
                if self._seeds.get(symbol) is seed:
                    await self._next_page(symbol, seed)
            if not self._seeds:
                await self._wait_for_work()
            elif not ready:
                await asyncio.sleep(_POLL_S)

    def _is_ready(self, symbol: str, seed: _Seed) -> bool:
        """Whether to ask: at first only once the first trade is in, if it comes soon.

        The bars then reach the second in which the ticks begin, and nothing lies between.
        """
        now_s = self._loop.time()
        if seed.begin_s is None:
            seed.begin_s = now_s + _FIRST_TRADE_WITHIN_S
        if not seed.heard and self._heard(symbol):
            seed.heard, seed.begin_s = True, now_s + min(self._length_us / 1e6, _LONGEST_BAR_S)
        return seed.next_us != 0 or now_s >= seed.begin_s

    async def _wait_for_work(self) -> None:
        self._wake.clear()
        now_s = self._loop.time()
        again_s = min(self._asked.values(), default=None)
        try:
            async with asyncio.timeout(None if again_s is None else max(0.0, again_s - now_s)):
                await self._wake.wait()
        except TimeoutError:
            for symbol, due_s in list(self._asked.items()):
                if due_s <= self._loop.time():
                    self._ask_database(symbol)

    def _ask_database(self, symbol: str) -> None:
        """Ask the writing thread what it has; the answer arrives at `_answered`."""
        key = self._key(symbol)

        def look(writer: TickWriter) -> None:
            ledger = writer.streams().get(key)
            first_us, last_us = (ledger.first_us, ledger.last_us) if ledger else (0, 0)
            remembered = writer.setting(self._setting(symbol))
            tell(self._loop, lambda: self._answered(symbol, first_us, last_us, remembered))

        taken = self._put(Call(look))
        self._asked[symbol] = self._loop.time() + (_ASK_AGAIN_S if taken else _FAILED_WAIT_S)

    def _answered(self, symbol: str, first_us: int, last_us: int, remembered: str | None) -> None:
        if self._asked.pop(symbol, None) is None:
            return  # removed meanwhile
        seed = seed_for(first_us, last_us, remembered, self._now_us(), self._length_us)
        if seed is not None:
            self._seeds[symbol] = seed
        self._wake.set()

    async def _next_page(self, symbol: str, seed: _Seed) -> None:
        try:
            if seed.next_us == 0:
                await self._begin(seed)
            klines = await self._fetch(symbol, seed)
        except RestRefusedError as error:
            self._drop(symbol, error)
        except RestBlockedError as error:
            await self._hold_back(symbol, error, error.wait_s)
        except RestFailedError as error:
            await self._hold_back(symbol, error, _FAILED_WAIT_S)
        else:
            self._notes.pop(symbol, None)
            if self._seeds.get(symbol) is seed:
                await self._store(symbol, seed, klines)

    async def _begin(self, seed: _Seed) -> None:
        """Closed bars only, by the exchange's clock."""
        server_us = await self._rest.server_time_us()
        seed.end_us = seed.next_us = server_us // self._length_us * self._length_us
        seed.start_us = seed.end_us - SPAN_US

    async def _fetch(self, symbol: str, seed: _Seed) -> list[Kline]:
        page_us = self._page_start(seed)
        klines = await self._rest.klines(
            symbol, self._interval, page_us, end_us=seed.next_us - 1, share=SEED_SHARE
        )
        # A symbol younger than the page is answered with bars after it.
        return [bar for bar in klines if page_us <= bar.open_us < seed.next_us]

    async def _store(self, symbol: str, seed: _Seed, klines: list[Kline]) -> None:
        key, length_s = self._key(symbol), self._length_us // 1_000_000
        seed.next_us = self._page_start(seed)
        setting, text = self._setting(symbol), seed.text()

        def add(writer: TickWriter) -> None:
            if klines:
                writer.add_klines(key, length_s, klines)
            writer.remember(setting, text)

        await self._delivery.room()
        await self._delivery.call(add)
        if seed.next_us <= seed.start_us and self._seeds.get(symbol) is seed:
            del self._seeds[symbol]

    def _page_start(self, seed: _Seed) -> int:
        return max(seed.start_us, seed.next_us - MAX_REST_ROWS * self._length_us)

    async def _hold_back(self, symbol: str, error: RestFailedError, wait_s: float) -> None:
        self._notes[symbol] = str(error)
        await asyncio.sleep(wait_s)

    def _drop(self, symbol: str, error: RestRefusedError) -> None:
        unknown = error.code == UNKNOWN_SYMBOL_CODE
        why = "the exchange does not know this symbol" if unknown else str(error)
        self._notices.append(f"{symbol}: no bars of the last 24 h: {why}")
        self.remove(symbol)

    def _key(self, symbol: str) -> StreamKey:
        return (self._rest.market, symbol, self._stream)

    def _setting(self, symbol: str) -> str:
        return f"klines {self._rest.market} {symbol} {self._stream}"

    def _progress(self, symbol: str, seed: _Seed) -> Progress:
        total = SPAN_US // self._length_us
        done = (seed.end_us - seed.next_us) // self._length_us
        note = self._notes.get(symbol)
        what = f"{self._interval} bars of the last 24 h" + (f" ({note})" if note else "")
        until_s = self._rest.blocked_until_s
        waiting_s = None if until_s is None else max(0.0, until_s - self._loop.time())
        return Progress(symbol, what, done, total, waiting_s)


def seed_for(
    first_us: int, last_us: int, remembered: str | None, now_us: int, length_us: int
) -> _Seed | None:
    """What a symbol needs, from its ledger's edges (0: none) and what was remembered.

    Work begun within the last 24 hours goes on. Otherwise a symbol is new when it has no trade of
    the last 24 hours, or none older and was never seeded. ``next_us`` 0: not begun.
    """
    old = _remembered(remembered, length_us)
    fresh_us = now_us - SPAN_US
    if old is not None and old.end_us > fresh_us:
        return old if old.next_us > old.start_us else None
    if last_us < fresh_us or (first_us > fresh_us and old is None):
        return _Seed(0, 0, 0)
    return None


def _remembered(text: str | None, length_us: int) -> _Seed | None:
    words = (text or "").split()
    if len(words) != 3 or not all(word.isdecimal() and len(word) < 19 for word in words):
        return None
    start_us, end_us, next_us = map(int, words)
    whole = all(each % length_us == 0 for each in (start_us, end_us, next_us))
    return _Seed(start_us, end_us, next_us) if whole and start_us <= next_us <= end_us else None
