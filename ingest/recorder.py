"""The recording threads: one receives, one writes. Started once per process."""

import asyncio
import sqlite3
import sys
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Literal

from filelock import FileLock, Timeout

from ingest.binance import MalformedMessageError
from ingest.endpoints import MAX_STREAMS, parse_symbols, valid_symbol
from ingest.event_queue import Call, Cause, EventQueue, Item
from ingest.feed import Feed, FeedLimits
from ingest.gap_board import StreamKey
from ingest.link import Address
from ingest.schema import StoreError
from ingest.settings import DEFAULT_SYMBOLS, Settings
from ingest.tick import Event, IngestError, NonTrade, Tick
from ingest.writer import TickWriter, Written

BATCH_ROWS = 1000
BATCH_WAIT_S = 0.25

RecorderState = Literal["off", "connecting", "live", "reconnecting", "stopped", "failed"]


class RecorderError(IngestError):
    """The recorder cannot start, or cannot do what was asked."""


@dataclass(slots=True)
class SymbolCounts:
    """What one symbol's stream has brought since the start. Written by the recording threads."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    last_trade_us: int | None = None
    last_received_us: int | None = None
    last_price: float | None = None


@dataclass(frozen=True, slots=True)
class SymbolStatus:
    """One symbol's counts at one moment; times in µs since the epoch."""

    received: int
    stored: int
    duplicates: int
    conflicts: int
    last_trade_us: int | None
    last_received_us: int | None
    last_price: float | None


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """The recorder at one moment.

    `retry_in_s` is the wait before the next attempt while `state` is ``reconnecting``;
    `last_received_us` is our clock at the newest trade of any symbol.
    """

    state: RecorderState
    market: str
    stream: str
    symbols: tuple[str, ...]
    received: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: int
    refused: int
    reconnects: int
    rotations: int
    attempts: int
    last_error: str | None
    last_rejected: str | None
    last_received_us: int | None
    queue_depth: int
    retry_in_s: float | None
    per_symbol: dict[str, SymbolStatus]


class Recorder:
    """Owns the feed, the queue and the writer, each in a daemon thread of this process.

    Parameters
    ----------
    settings
        Market, stream, symbols, endpoints, database.
    limits
        Of the feed; replaceable for tests.

    Raises
    ------
    RecorderError
        Another recorder has this database open.
    StoreError
        The database cannot be written.
    """

    def __init__(self, settings: Settings, *, limits: FeedLimits | None = None) -> None:
        self.settings = settings
        self._lock = _lock_database(settings)
        try:
            self._writer = TickWriter(settings.db)
        except StoreError:
            self._lock.release()
            raise
        self._limits = limits or FeedLimits()
        self._queue = EventQueue()
        self._counts: dict[str, SymbolCounts] = {}
        self._rejected = 0
        self._last_rejected: str | None = None
        self._write_error: str | None = None
        self._failure: str | None = None
        self._stopped = False
        self._stopping = asyncio.Event()
        self._symbols = self._first_symbols()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feed: Feed | None = None
        self._ready = threading.Event()
        self._receiving = threading.Thread(target=self._receive, name="pairdesk-feed", daemon=True)
        self._writing = threading.Thread(target=self._write, name="pairdesk-writer", daemon=True)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols being recorded."""
        return self._symbols

    def start(self) -> None:
        """Start both threads; returns once the feed is running."""
        self._remember_symbols()
        self._writing.start()
        self._receiving.start()
        self._ready.wait()

    def stop(self, timeout_s: float = 4.0) -> bool:
        """Close the connection, store what was received, close the database.

        Returns False when that took longer than `timeout_s`; a second call does nothing.
        """
        if self._stopped:
            return True
        self._stopped = True
        until_s = time.monotonic() + timeout_s
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop_feed)
        if self._receiving.ident is not None:
            self._receiving.join(max(0.0, until_s - time.monotonic()))
        self._queue.close()
        if self._writing.ident is not None:
            self._writing.join(max(0.0, until_s - time.monotonic()))
        else:
            self._writer.close()
        self._lock.release()
        return not (self._receiving.is_alive() or self._writing.is_alive())

    def add_symbol(self, text: str) -> str:
        """Record one more symbol, now and at the next start; returns its name.

        Raises
        ------
        SymbolError
            The text is no symbol.
        RecorderError
            One connection cannot carry more.
        """
        symbol = valid_symbol(text)
        most = MAX_STREAMS[self.settings.market]
        if symbol not in self._symbols and len(self._symbols) >= most:
            raise RecorderError(f"{most} symbols are recorded: the exchange allows no more")
        self._set_symbols((*self._symbols, symbol))
        return symbol

    def remove_symbol(self, symbol: str) -> None:
        """Stop recording a symbol; what is stored stays."""
        self._set_symbols(tuple(each for each in self._symbols if each != symbol))

    def status(self) -> RecorderStatus:
        """What is happening; safe from any thread, never waits."""
        per_symbol = {symbol: _frozen(self._counts_of(symbol)) for symbol in self._symbols}
        every = [_frozen(counts) for counts in list(self._counts.values())]
        feed = self._feed
        return RecorderStatus(
            state=self._state(),
            market=self.settings.market,
            stream=self.settings.stream,
            symbols=self._symbols,
            received=sum(each.received for each in every),
            stored=sum(each.stored for each in every),
            duplicates=sum(each.duplicates for each in every),
            conflicts=sum(each.conflicts for each in every),
            rejected=self._rejected,
            refused=self._queue.refused,
            reconnects=feed.reconnects if feed else 0,
            rotations=feed.rotations if feed else 0,
            attempts=feed.attempts if feed else 0,
            last_error=self._failure or self._write_error or (feed.last_error if feed else None),
            last_rejected=self._last_rejected,
            last_received_us=max((each.last_received_us or 0 for each in every), default=0) or None,
            queue_depth=len(self._queue),
            retry_in_s=self._retry_in_s(),
            per_symbol=per_symbol,
        )

    # What the feed calls, in its thread.

    def event(self, event: Event) -> None:
        """Take a trade or an id that is none."""
        counts = self._counts_of(event.symbol)
        counts.received += 1
        counts.last_received_us = event.received_us
        if isinstance(event, Tick):
            counts.last_trade_us, counts.last_price = event.time_us, event.price
        self._queue.put(event)

    def reject(self, error: MalformedMessageError) -> None:
        """Count a frame that is no known message."""
        self._rejected += 1
        self._last_rejected = str(error)

    # The receiving thread.

    def _receive(self) -> None:
        try:
            asyncio.run(self._run_feed())
        except Exception as error:  # noqa: BLE001 - a thread's last chance to say why it ended
            self._failure = f"the receiving thread ended: {error!r}"
        finally:
            self._ready.set()

    async def _run_feed(self) -> None:
        address = Address(self.settings.ws_base, self.settings.market, self.settings.stream)
        feed = Feed(address, self, limits=self._limits)
        self._loop, self._feed = asyncio.get_running_loop(), feed
        await feed.set_symbols(self._symbols)
        running = asyncio.create_task(feed.run())
        self._ready.set()
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await feed.drain()
        running.cancel()

    def _stop_feed(self) -> None:
        self._stopping.set()

    # The writing thread.

    def _write(self) -> None:
        try:
            while items := self._queue.take(BATCH_ROWS, BATCH_WAIT_S):
                self._store(items)
        except Exception as error:  # noqa: BLE001 - a thread's last chance to say why it ended
            self._failure = f"the writing thread ended: {error!r}"
        finally:
            self._writer.close()

    def _store(self, items: list[Item]) -> None:
        """Store items in their order; a cause or a call divides the events around it."""
        events: list[Event] = []
        for item in items:
            if isinstance(item, Tick | NonTrade):
                events.append(item)
                continue
            self._store_events(events)
            events = []
            if isinstance(item, Cause):
                self._writer.expect_gap(item.cause)
            else:
                item.do(self._writer)
        self._store_events(events)

    def _store_events(self, events: list[Event]) -> None:
        """Store a batch, however long the database refuses it."""
        wait_s = 0.05
        while events:
            try:
                written = self._writer.write(events)
            except sqlite3.Error as error:
                self._write_error = f"the database refuses writes: {error}"
                if self._stopped:
                    return
            else:
                self._write_error = None
                self._count(written)
                return
            threading.Event().wait(wait_s)
            wait_s = min(2 * wait_s, 5.0)

    def _count(self, written: Written) -> None:
        for name in ("stored", "duplicates", "conflicts"):
            counted: dict[StreamKey, int] = getattr(written, name)
            for (_, symbol, _), number in counted.items():
                counts = self._counts_of(symbol)
                setattr(counts, name, getattr(counts, name) + number)

    # Shared.

    def _counts_of(self, symbol: str) -> SymbolCounts:
        return self._counts.setdefault(symbol, SymbolCounts())

    def _state(self) -> RecorderState:
        if self._failure is not None:
            return "failed"
        if self._stopped:
            return "stopped"
        return self._feed.state if self._feed is not None else "connecting"

    def _retry_in_s(self) -> float | None:
        feed, loop = self._feed, self._loop
        if feed is None or loop is None or feed.retry_at_s is None:
            return None
        return max(0.0, feed.retry_at_s - loop.time())

    def _first_symbols(self) -> tuple[str, ...]:
        if self.settings.symbols is not None:
            return self.settings.symbols
        remembered = self._writer.setting(self._setting_key())
        if remembered is None:
            return DEFAULT_SYMBOLS
        return parse_symbols(remembered) if remembered else ()

    def _setting_key(self) -> str:
        return f"symbols {self.settings.market} {self.settings.stream}"

    def _set_symbols(self, symbols: tuple[str, ...]) -> None:
        self._symbols = tuple(dict.fromkeys(symbols))
        self._remember_symbols()
        if self._feed is not None:
            self._in_loop(self._feed.set_symbols(self._symbols))

    def _remember_symbols(self) -> None:
        key, value = self._setting_key(), ",".join(self._symbols)
        self._queue.put(Call(lambda writer: writer.remember(key, value)))

    def _in_loop(self, work: Coroutine[None, None, None]) -> None:
        if self._loop is None or self._stopped:
            work.close()
        else:
            asyncio.run_coroutine_threadsafe(work, self._loop)


def _frozen(counts: SymbolCounts) -> SymbolStatus:
    return SymbolStatus(
        counts.received,
        counts.stored,
        counts.duplicates,
        counts.conflicts,
        counts.last_trade_us,
        counts.last_received_us,
        counts.last_price,
    )


def _lock_database(settings: Settings) -> FileLock:
    """Take the lock file beside the database; held until the recorder stops or its process ends."""
    path = settings.db.with_name(settings.db.name + ".lock")
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RecorderError(
            f"another recorder is writing {settings.db}: stop it, or choose another --db"
        ) from error
    except OSError as error:
        raise RecorderError(f"cannot write beside {settings.db}: {error.strerror}") from error
    return lock


# Kept where neither a cleared cache nor a reloaded module can make a second one.
_HOLDER = "_pairdesk_recorder"


def current_recorder() -> Recorder | None:
    """Return this process's recorder, or None where it does not record."""
    found = sys.__dict__.get(_HOLDER)
    return found if isinstance(found, Recorder) else None


def install_recorder(recorder: Recorder | None) -> None:
    """Make a recorder this process's, for the pages to find."""
    sys.__dict__[_HOLDER] = recorder
