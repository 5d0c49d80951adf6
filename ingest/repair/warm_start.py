"""A new symbol's last day, week and month from the exchange's own bars: the newest first."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ingest.binance import MAX_REST_ROWS, UNKNOWN_SYMBOL_CODE, Kline
from ingest.clock import now_us as wall_clock_us
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.event_queue import Call, Item
from ingest.repair.delivery import Delivery, tell
from ingest.repair.exchange_clock import ExchangeClock
from ingest.repair.kline_seed import (
    LENGTHS_US,
    SPANS_US,
    KlineName,
    KlineSeed,
    Known,
    finest_of,
    intervals,
    seed_for,
)
from ingest.rest import SEED_SHARE, RestClient
from ingest.status import Progress
from ingest.store import TickWriter
from ingest.tick import StreamKey, StreamKind

_FAILED_WAIT_S: Final = 1.0
_FIRST_TRADE_WITHIN_S: Final = 3.0
_POLL_S: Final = 0.25
_ASK_AGAIN_S: Final = 60.0  # a question without an answer by then was lost with the writing thread
_NO_TRADE_YET_S: Final = 1.0  # received, but not stored: the queue was full
_LAG_WAIT_S: Final = 0.5  # for what REST does not know yet; then longer
_LONGEST_LAG_WAIT_S: Final = 4.0
_AT_ONCE: Final = 4


@dataclass(slots=True)
class _Symbol:
    """One symbol's work: what is to be seeded, and the first trade, up to which bars are to reach.

    `first_us` is 0 until that trade is stored; `begin_s` is when the finest bars are asked for
    without it; `asked_until_s` when a question to the database counts as lost, None without one.
    """

    begin_s: float
    first_us: int = 0
    asked_until_s: float | None = None
    ask_after_s: float = 0.0
    is_known: bool = False
    seeds: dict[KlineName, KlineSeed] = field(default_factory=dict)


class WarmStart:
    """Seeds bars of symbols that have none of the time before their first trade.

    Every length that the market has (`intervals`), the coarse ones first, since a page of those
    reaches furthest: the newest page of each for all symbols, then what lies further back. Whether
    a symbol is new is asked of the database, in the queue's order: `add` has to be called before
    the feed subscribes it. Once its first trade is stored, the finest bars are asked for once more
    up to the end of the bar that holds it, so that nothing lies between. How far it has come is
    stored with the bars, so a restart goes on where it stopped.

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
    is_received
        Whether a symbol's feed has brought a trade: the database is then asked for the first.
    """

    def __init__(
        self,
        rest: RestClient,
        put: Callable[[Item], bool],
        stream: StreamKind,
        *,
        now_us: Callable[[], int] = wall_clock_us,
        is_received: Callable[[str], bool] = lambda _symbol: True,
    ) -> None:
        self._is_received = is_received
        self._rest = rest
        self._put = put
        self._stream: StreamKind = stream
        self._now_us = now_us
        self._finest = finest_of(rest.market)
        self._delivery = Delivery(put)
        self._symbols: dict[str, _Symbol] = {}
        self._spans_us: dict[tuple[str, KlineName], int] = {}  # asked for beyond the usual ones
        self._notes: dict[str, str] = {}
        self._notices: deque[str] = deque(maxlen=20)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._clock = ExchangeClock(rest)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on symbols that could not be seeded, oldest first."""
        return tuple(self._notices)

    @property
    def progress(self) -> tuple[Progress, ...]:
        """Symbols being seeded, in bars; safe from any thread."""
        until_s = self._rest.blocked_until_s
        waiting_s = None if until_s is None else max(0.0, until_s - self._loop.time())
        return tuple(
            self._progress(symbol, name, seed, waiting_s)
            for symbol, state in list(self._symbols.items())
            for name, seed in list(state.seeds.items())
        )

    def add(self, symbol: str) -> None:
        """See to it that the symbol has its bars. From the loop."""
        if symbol not in self._symbols:
            self._symbols[symbol] = _Symbol(self._loop.time() + _FIRST_TRADE_WITHIN_S)
            self._ask_database(symbol)
            self._wake.set()

    def remove(self, symbol: str) -> None:
        """Leave a symbol alone, in the midst of it too. From the loop."""
        self._symbols.pop(symbol, None)
        self._notes.pop(symbol, None)

    def fetch(self, symbol: str, name: KlineName, span_us: int) -> None:
        """See to it that bars of a length reach so far back from now. From the loop.

        Nothing where they do, or where the symbol is not one of those added.
        """
        state = self._symbols.get(symbol)
        if state is None or span_us <= self._span_us(symbol, name):
            return
        self._spans_us[symbol, name] = span_us
        seed = state.seeds.get(name)
        if seed is not None and seed.end_us:
            further_us = (self._now_us() - span_us) // seed.length_us * seed.length_us
            seed.start_us = min(seed.start_us, further_us)
        elif seed is None:
            self._ask_database(symbol)
        self._wake.set()

    async def run(self) -> None:
        """Seed symbols until cancelled, a page of each in turn."""
        while True:
            self._ask_for_first_trades()
            due = self._due()
            if due:
                await asyncio.gather(*(self._next_page(*each) for each in due))
            else:
                await self._wait()

    async def _wait(self) -> None:
        """Wait for news; while a trade or a time is waited for, not long."""
        self._wake.clear()
        is_idle = all(
            each.first_us and not each.seeds and each.asked_until_s is None
            for each in self._symbols.values()
        )
        timeout_s = _POLL_S if not is_idle else None
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def _due(self) -> list[tuple[str, KlineName, KlineSeed]]:
        """A few pages to ask for now: the most urgent kind, symbols in turn."""
        now_s = self._loop.time()
        ready = []
        for number, (symbol, state) in enumerate(self._symbols.items()):
            for name, seed in state.seeds.items():
                way = seed.next_way(now_s)
                if way is not None and not self._waits_for_trade(state, name, seed, now_s):
                    urgency = 2 * (way == "down") + (name == self._finest)
                    ready.append((urgency, seed.pages, number, (symbol, name, seed)))
        ready.sort(key=lambda each: each[:3])
        return [each[3] for each in ready[:_AT_ONCE] if each[0] == ready[0][0]]

    def _waits_for_trade(
        self, state: _Symbol, name: KlineName, seed: KlineSeed, now_s: float
    ) -> bool:
        """Whether the finest bars had better wait for the first trade, if it comes soon."""
        return name == self._finest and seed.until_us == 0 and now_s < state.begin_s

    def _ask_for_first_trades(self) -> None:
        """Ask the database again where a trade has come, or where an answer did not."""
        now_s = self._loop.time()
        for symbol, state in self._symbols.items():
            if state.asked_until_s is not None:
                is_due = now_s >= state.asked_until_s
            else:
                is_waiting = not state.is_known or (
                    not state.first_us and self._is_received(symbol)
                )
                is_due = is_waiting and now_s >= state.ask_after_s
            if is_due:
                self._ask_database(symbol)

    def _ask_database(self, symbol: str) -> None:
        """Ask the writing thread what it has; the answer arrives at `_answered`."""
        key, names = self._key(symbol), intervals(self._rest.market)

        def look(writer: TickWriter) -> None:
            """Find what is stored, in the writing thread."""
            ledger = writer.streams().get(key)
            first_us = ledger.first_us if ledger else 0
            known = {
                name: Known(
                    first_us,
                    writer.setting(self._setting(symbol, name)),
                    writer.has_klines(key, LENGTHS_US[name] // 1_000_000),
                )
                for name in names
            }
            tell(self._loop, lambda: self._answered(symbol, state, first_us, known))

        state, now_s = self._symbols[symbol], self._loop.time()
        if self._put(Call(look)):
            state.asked_until_s = now_s + _ASK_AGAIN_S
        else:
            state.asked_until_s, state.ask_after_s = None, now_s + _FAILED_WAIT_S

    def _answered(
        self, symbol: str, state: _Symbol, first_us: int, known: dict[KlineName, Known]
    ) -> None:
        if self._symbols.get(symbol) is not state:
            return  # removed meanwhile
        state.asked_until_s, state.ask_after_s = None, self._loop.time() + _NO_TRADE_YET_S
        state.is_known, state.first_us = True, first_us
        for name, each in known.items():
            length_us, is_finest = LENGTHS_US[name], name == self._finest
            seed = state.seeds.get(name)
            if seed is not None and first_us:
                seed.reach(first_us, is_finest=is_finest)
            elif seed is None:
                span_us = self._span_us(symbol, name)
                seed = seed_for(each, self._now_us(), length_us, span_us, is_finest=is_finest)
                if seed is not None:
                    state.seeds[name] = seed
        self._wake.set()

    async def _next_page(self, symbol: str, name: KlineName, seed: KlineSeed) -> None:
        try:
            now_us = await self._clock.now_us()
            if seed.until_us == 0 or seed.end_us == 0:
                seed.begin(now_us, self._span_us(symbol, name))
            if seed.next_way(self._loop.time()) == "up":
                klines = await self._page_up(symbol, name, seed, now_us)
            else:
                klines = await self._page_down(symbol, name, seed)
        except RestRefusedError as error:
            self._drop(symbol, name, error)
        except RestBlockedError as error:
            self._hold_back(symbol, seed, error, error.wait_s)
        except RestFailedError as error:
            self._hold_back(symbol, seed, error, _FAILED_WAIT_S)
        else:
            self._notes.pop(symbol, None)
            if self._is_wanted(symbol, name, seed):
                await self._store(symbol, name, seed, klines)

    async def _page_up(
        self, symbol: str, name: KlineName, seed: KlineSeed, now_us: int
    ) -> list[Kline]:
        """Newer bars, as far as they are closed; the rest is asked for again soon."""
        low_us, high_us = seed.page_up()
        bars = await self._ask(symbol, name, low_us, high_us)
        newest_us = bars[-1].open_us if bars else 0
        stop_us = seed.closed_up_to(newest_us, now_us)
        if stop_us < min(seed.until_us, high_us):
            lag_s = min(_LAG_WAIT_S * 2**seed.lagged, _LONGEST_LAG_WAIT_S)
            closes_s = (min(seed.until_us, stop_us + seed.length_us) - now_us) / 1e6
            seed.not_up_before_s = self._loop.time() + max(lag_s, closes_s)
            seed.lagged += 1
        seed.end_us = stop_us
        return [bar for bar in bars if low_us <= bar.open_us < stop_us]

    async def _page_down(self, symbol: str, name: KlineName, seed: KlineSeed) -> list[Kline]:
        """Older bars; where there are none, and none further back, it is done."""
        low_us, high_us = seed.page_down()
        bars = await self._ask(symbol, name, low_us, high_us)
        if not bars and low_us > seed.start_us:
            oldest = await self._ask(symbol, name, seed.start_us, None)
            if not oldest or oldest[0].open_us >= high_us:  # a symbol younger than that
                low_us = seed.start_us
        seed.next_us = low_us
        return bars

    async def _ask(
        self, symbol: str, name: KlineName, low_us: int, high_us: int | None
    ) -> list[Kline]:
        """Bars that open in ``low_us … high_us``; without an upper bound the first one."""
        end_us, limit = (None, 1) if high_us is None else (high_us - 1, MAX_REST_ROWS)
        klines = await self._rest.klines(
            symbol, name, low_us, end_us=end_us, limit=limit, share=SEED_SHARE
        )
        # Some answer with bars after those asked for where there are none.
        return [
            bar
            for bar in klines
            if low_us <= bar.open_us and (high_us is None or bar.open_us < high_us)
        ]

    async def _store(
        self, symbol: str, name: KlineName, seed: KlineSeed, klines: list[Kline]
    ) -> None:
        key, length_s = self._key(symbol), seed.length_us // 1_000_000
        setting, text = self._setting(symbol, name), seed.text()
        seed.pages += 1

        def add(writer: TickWriter) -> None:
            """Write a page of bars and how far they are, in one transaction."""
            if klines:
                writer.add_klines(key, length_s, klines)
            writer.remember(setting, text)

        await self._delivery.room()
        await self._delivery.call(add)
        if seed.is_done and self._is_wanted(symbol, name, seed):
            del self._symbols[symbol].seeds[name]

    def _is_wanted(self, symbol: str, name: KlineName, seed: KlineSeed) -> bool:
        state = self._symbols.get(symbol)
        return state is not None and state.seeds.get(name) is seed

    def _hold_back(
        self, symbol: str, seed: KlineSeed, error: RestFailedError, wait_s: float
    ) -> None:
        self._notes[symbol] = str(error)
        seed.not_before_s = self._loop.time() + wait_s

    def _drop(self, symbol: str, name: KlineName, error: RestRefusedError) -> None:
        if error.code == UNKNOWN_SYMBOL_CODE:  # which the exchange's list says
            self.remove(symbol)
            return
        what = _summary(name, self._span_us(symbol, name))
        self._notices.append(f"{symbol}: no {what}: {error}")
        if symbol in self._symbols:
            self._symbols[symbol].seeds.pop(name, None)

    def _key(self, symbol: str) -> StreamKey:
        return (self._rest.market, symbol, self._stream)

    def _setting(self, symbol: str, name: KlineName) -> str:
        return kline_setting(self._key(symbol), name)

    def _span_us(self, symbol: str, name: KlineName) -> int:
        return self._spans_us.get((symbol, name), SPANS_US[name])

    def _progress(
        self, symbol: str, name: KlineName, seed: KlineSeed, waiting_s: float | None
    ) -> Progress:
        total_us = span_us = self._span_us(symbol, name)
        if seed.end_us:
            total_us = max(seed.until_us, seed.end_us) - seed.start_us
        note = self._notes.get(symbol)
        what = _summary(name, span_us) + (f" ({note})" if note else "")
        done = (seed.end_us - max(seed.next_us, seed.start_us)) // seed.length_us
        return Progress(symbol, what, done, total_us // seed.length_us, waiting_s)


@lru_cache(maxsize=16)
def _summary(name: KlineName, span_us: int) -> str:
    hours = span_us / 3.6e9
    span = f"{hours:g} h" if hours <= 48 else f"{hours / 24:g} days"
    return f"{name} bars of the last {span}"


def kline_setting(key: StreamKey, name: KlineName) -> str:
    """Name under which it is remembered how far the bars of a stream have come."""
    market, symbol, stream = key
    finest = finest_of(market)
    return f"klines {market} {symbol} {stream}" + ("" if name == finest else f" {name}")
