"""Fetches the exchange's own bars for the gaps of the trades that are not filled."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ingest.binance import UNKNOWN_SYMBOL_CODE, Kline
from ingest.clock import now_us as wall_clock_us
from ingest.errors import RestBlockedError, RestFailedError, RestRefusedError
from ingest.event_queue import Call, Item
from ingest.repair.delivery import Delivery, tell
from ingest.repair.exchange_clock import ExchangeClock
from ingest.repair.gap_seed import (
    Page,
    done_after,
    joined,
    next_page,
    not_requested,
    remembered,
    text_of,
    wanted,
)
from ingest.repair.kline_seed import LENGTHS_US, SETTLED_US, KlineName, finest_of, intervals
from ingest.rest import SEED_SHARE, RestClient
from ingest.status import Progress
from ingest.store import PublishedGaps, Spans, TickWriter
from ingest.tick import StreamKey, StreamKind

_AT_ONCE: Final = 4
_POLL_S: Final = 1.0
_LOOK_AGAIN_S: Final = 5.0  # while a bar that holds an end of a gap is not closed
_LOOK_ANYWAY_S: Final = 600.0  # what was fetched may have been lost with the writing thread
_ANSWER_WITHIN_S: Final = 60.0  # then the question was lost with the writing thread
_FAILED_WAIT_S: Final = 1.0
_REFUSED_WAIT_S: Final = 600.0


@dataclass(slots=True)
class _Symbol:
    """What one symbol lacks, by length; times are those of the loop."""

    look_at_s: float
    asked_until_s: float = 0.0
    seen: int = -1  # changes of the published gaps
    missing: dict[KlineName, Spans] = field(default_factory=dict)
    total: dict[KlineName, int] = field(default_factory=dict)
    not_before_s: float = 0.0
    note: str = ""


class GapKlines:
    """Sees to it that bars over gaps that stay are known: a page at a time, coarse lengths first.

    Asked for is what the ledger lists and was not asked for yet: that is remembered with the bars,
    so that a restart asks for nothing twice. A gap that is found, given up or filled meanwhile
    changes what is missing at the next look.

    Parameters
    ----------
    rest
        Asks the exchange, at the share of the weight that seeding has.
    put
        Appends to the queue, or returns False when it has no room.
    stream
        The kind recorded.
    published
        Tells by its gaps when the ledger has changed.
    now_us
        Wall clock.
    """

    def __init__(
        self,
        rest: RestClient,
        put: Callable[[Item], bool],
        stream: StreamKind,
        published: PublishedGaps,
        *,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._rest, self._put, self._published, self._now_us = rest, put, published, now_us
        self._stream: StreamKind = stream
        self._finest = finest_of(rest.market)
        self._delivery = Delivery(put)
        self._symbols: dict[str, _Symbol] = {}
        self._clock = ExchangeClock(rest)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def progress(self) -> tuple[Progress, ...]:
        """What is being fetched, in bars; safe from any thread."""
        return tuple(
            self._progress(symbol, state, name, spans)
            for symbol, state in list(self._symbols.items())
            for name, spans in list(state.missing.items())
            if spans
        )

    def add(self, symbol: str) -> None:
        """Look after a symbol. From the loop."""
        if symbol not in self._symbols:
            self._symbols[symbol] = _Symbol(self._loop.time())
            self._wake.set()

    def remove(self, symbol: str) -> None:
        """Leave a symbol alone. From the loop."""
        self._symbols.pop(symbol, None)

    async def run(self) -> None:
        """Look and fetch until cancelled."""
        while True:
            for symbol, state in list(self._symbols.items()):
                self._look(symbol, state)
            if not await self._fetch_some():
                await self._wait()

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(_POLL_S if self._symbols else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def _look(self, symbol: str, state: _Symbol) -> None:
        """Ask the writing thread where the ledger may say something new, or a bar has closed."""
        now_s, seen = self._loop.time(), self._published.changes
        if now_s < state.asked_until_s or (state.seen == seen and now_s < state.look_at_s):
            return
        key, names = self._key(symbol), intervals(self._rest.market)
        now_us = self._now_us()

        def look(writer: TickWriter) -> None:
            """Find the gaps' spans without bars, in the writing thread."""
            ledger = writer.streams().get(key)
            rows = list(ledger.gaps) if ledger else []
            missing: dict[KlineName, Spans] = {}
            for name in names:
                spans = wanted(rows, name, now_us, is_finest=name == self._finest)
                done = remembered(writer.setting(self._setting(symbol, name)))
                missing[name] = not_requested(spans, done)
            newest_us = max((gap.before_us for gap in rows), default=0)
            tell(self._loop, lambda: self._answered(symbol, state, seen, missing, newest_us))

        if self._put(Call(look)):
            state.asked_until_s = now_s + _ANSWER_WITHIN_S
        else:
            state.asked_until_s = now_s + _FAILED_WAIT_S

    def _answered(
        self,
        symbol: str,
        state: _Symbol,
        seen: int,
        missing: dict[KlineName, Spans],
        newest_us: int,
    ) -> None:
        if self._symbols.get(symbol) is not state:
            return  # removed meanwhile
        state.asked_until_s, state.seen = 0.0, seen
        for name, spans in missing.items():
            state.missing[name] = spans
            state.total[name] = max(state.total.get(name, 0), _bars(spans, name))
            if not spans:
                state.total[name] = 0
        # Until the longest bar that holds the newest end is closed and fetched.
        age_us = self._now_us() - newest_us
        is_young = age_us < 3 * max(LENGTHS_US[name] for name in missing)
        again_s = _LOOK_AGAIN_S if is_young else _LOOK_ANYWAY_S
        state.look_at_s = self._loop.time() + again_s
        self._wake.set()

    async def _fetch_some(self) -> bool:
        """Fetch a page of the coarsest bars for a few symbols, if any is due."""
        now_s = self._loop.time()
        for name in intervals(self._rest.market):
            due = [
                (symbol, state, name, page)
                for symbol, state in list(self._symbols.items())
                if now_s >= max(state.not_before_s, state.asked_until_s)
                and (page := next_page(state.missing.get(name, []), name)) is not None
            ][:_AT_ONCE]
            if due:
                await asyncio.gather(*(self._fetch(*each) for each in due))
                return True
        return False

    async def _fetch(self, symbol: str, state: _Symbol, name: KlineName, page: Page) -> None:
        try:
            open_us = page.high_us - await self._clock.now_us() + SETTLED_US
            if open_us > 0:  # our clock is ahead of the exchange's
                state.not_before_s = self._loop.time() + open_us / 1e6
                return
            klines = await self._rest.klines(
                symbol, name, page.low_us, end_us=page.high_us - 1, share=SEED_SHARE
            )
        except RestRefusedError as error:
            is_unknown = error.code == UNKNOWN_SYMBOL_CODE
            self._later(state, error, float("inf") if is_unknown else _REFUSED_WAIT_S)
        except RestBlockedError as error:
            self._later(state, error, error.wait_s)
        except RestFailedError as error:
            self._later(state, error, _FAILED_WAIT_S)
        else:
            state.note = ""
            state.missing[name] = not_requested(state.missing[name], [(page.low_us, page.high_us)])
            inside = [each for each in klines if page.low_us <= each.open_us < page.high_us]
            await self._store(symbol, name, page, inside)

    def _later(self, state: _Symbol, error: RestFailedError, wait_s: float) -> None:
        state.note, state.not_before_s = str(error), self._loop.time() + wait_s

    async def _store(self, symbol: str, name: KlineName, page: Page, klines: list[Kline]) -> None:
        key, setting, now_us = self._key(symbol), self._setting(symbol, name), self._now_us()

        def add(writer: TickWriter) -> None:
            """Write a page of bars and how far they are, in one transaction."""
            if klines:
                writer.add_klines(key, LENGTHS_US[name] // 1_000_000, klines)
            done = done_after(remembered(writer.setting(setting)), page, now_us)
            writer.remember(setting, text_of(done))

        await self._delivery.room()
        await self._delivery.call(add)

    def _key(self, symbol: str) -> StreamKey:
        return (self._rest.market, symbol, self._stream)

    def _setting(self, symbol: str, name: KlineName) -> str:
        return f"gap klines {self._rest.market} {symbol} {self._stream} {name}"

    def _progress(self, symbol: str, state: _Symbol, name: KlineName, spans: Spans) -> Progress:
        note = f" ({state.note})" if state.note else ""
        missing = _bars(spans, name)
        total = max(state.total.get(name, 0), missing)
        until_s = self._rest.blocked_until_s
        waiting_s = None if until_s is None else max(0.0, until_s - self._loop.time())
        return Progress(symbol, f"{name} bars over gaps{note}", total - missing, total, waiting_s)


def _bars(spans: Spans, name: KlineName) -> int:
    return sum(high - low for low, high in joined(spans)) // LENGTHS_US[name]
