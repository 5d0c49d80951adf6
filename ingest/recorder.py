"""The recorder: a receiving, a writing and a looking-after thread. Once per process."""

import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.care import Damage, back_up, find_damage, refuse_network_filesystem, set_aside
from ingest.counts import Counts, quantile
from ingest.endpoints import MAX_STREAMS, parse_symbols, valid_symbol
from ingest.event_queue import Call, Cause, EventQueue
from ingest.feed import FeedLimits
from ingest.gap_board import GapBoard
from ingest.link import now_us as wall_clock_us
from ingest.receiving import ReceivingLoop
from ingest.replay_loop import ReplayLoop
from ingest.schema import StoreError
from ingest.settings import DEFAULT_SYMBOLS, Settings
from ingest.status import RecorderState, RecorderStatus, SymbolStatus
from ingest.threads import KeptThread
from ingest.tick import IngestError
from ingest.upkeep import Retention, Upkeep
from ingest.writer import TickWriter
from ingest.writing import WritingLoop

# A thread that fails so often in so many seconds does not work, though it is taken up again.
_FAILING = 5
_FAILING_OVER_S = 30.0


class RecorderError(IngestError):
    """The recorder cannot start, or cannot do what was asked."""


class Recorder:
    """Owns the feed, the queue and the writer, each in a daemon thread of this process.

    Parameters
    ----------
    settings
        Market, stream, symbols, endpoints, database, limits.
    feed_limits, queue_capacity, now_us
        Replaceable for tests.
    receiving
        Makes what brings the trades, in place of the exchange's feed: a replay.

    Raises
    ------
    RecorderError
        Another recorder has this database open.
    StoreError
        The database cannot be written.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        feed_limits: FeedLimits | None = None,
        queue_capacity: int = 200_000,
        now_us: Callable[[], int] = wall_clock_us,
        receiving: Callable[[EventQueue, Counts], ReplayLoop] | None = None,
    ) -> None:
        self.settings = settings
        self._now_us = now_us
        self._counts = Counts()
        self._queue = EventQueue(queue_capacity)
        self._board = GapBoard()
        self._lock = lock_database(settings.db)
        try:
            self._damage = self._prepare(settings.db)
            self._writing = WritingLoop(settings.db, self._queue, self._board, self._counts, now_us)
        except BaseException:
            self._lock.release()
            raise
        self._symbols = self._first_symbols(self._writing.writer)
        self._receiving: ReceivingLoop | ReplayLoop = (
            receiving(self._queue, self._counts)
            if receiving is not None
            else ReceivingLoop(
                settings,
                self._queue,
                self._board,
                self._counts,
                feed_limits or FeedLimits(),
                now_us,
            )
        )
        self._upkeep = Upkeep(
            settings.db,
            self._queue,
            self._counts,
            Retention(settings.keep_days, settings.keep_bytes),
            disk_low=self._disk_low,
            clock_jumped=self._clock_jumped,
        )
        self._failures: deque[tuple[float, str, str]] = deque(maxlen=20)  # moment, thread, what
        self._stopped = self._paused = False
        self._threads = {
            name: KeptThread(name, work, self._failed)
            for name, work in (
                ("writer", self._writing.run),
                ("feed", self._receiving.run),
                ("upkeep", self._upkeep.run),
            )
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols being recorded."""
        return self._symbols

    def start(self) -> None:
        """Start the threads."""
        self._remember_symbols()
        self._receiving.symbols = self._symbols
        for thread in self._threads.values():
            thread.start()

    def stop(self, timeout_s: float = 4.0) -> bool:
        """Close the connection, store what was received, close the database.

        Returns False when that took longer than `timeout_s`; a second call does nothing.
        """
        if self._stopped:
            return True
        self._stopped = True
        until_s = time.monotonic() + timeout_s
        for thread in self._threads.values():
            thread.end()
        self._upkeep.end()
        self._receiving.stop()
        received = self._threads["feed"].join(until_s - time.monotonic())
        self._queue.close()
        # A database that refuses to the end is left: the ids are fetched at the next start.
        stored = self._threads["writer"].join(until_s - time.monotonic() - 0.2)
        if not stored:
            self._writing.give_up()
            stored = self._threads["writer"].join(0.2)
        self._writing.writer.close()
        self._threads["upkeep"].join(1.5)
        self._lock.release()
        return received and stored

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

    def pause(self) -> None:
        """Stop receiving until `resume`; what is missed then is fetched afterwards."""
        self._paused = True
        self._queue.put(Cause("paused by the user"))
        self._counts.note(self._now_us(), "paused", "by the user")
        self._receive("paused by the user")

    def resume(self) -> None:
        """Receive again, also after the exchange blocked us."""
        self._paused = False
        self._counts.note(self._now_us(), "resumed", "by the user")
        self._receive()

    def repair_now(self) -> None:
        """Ask for every missing id at once, the given-up ones included."""
        self._queue.put(Call(_reopen))
        self._receiving.repair_now()

    def backup(self, path: Path) -> Path:
        """Write a compact copy of the database while recording goes on.

        Raises
        ------
        StoreError
            The target exists or cannot be written; nothing is left there.
        """
        return back_up(self.settings.db, path)

    def clock_us(self) -> int:
        """Now, as the trades have it: ages are measured from here. µs since the epoch."""
        return self._now_us()

    def status(self) -> RecorderStatus:
        """What is happening; safe from any thread, never waits."""
        counts, feed, repair = self._counts, self._receiving.feed, self._receiving.repair
        state = self._state()
        return RecorderStatus(
            state=state,
            market=self.settings.market,
            stream=self.settings.stream,
            symbols=self.symbols,
            received=counts.total("received") + counts.total("fetched"),
            stored=counts.total("stored"),
            duplicates=counts.total("duplicates"),
            conflicts=counts.total("conflicts"),
            rejected=counts.rejected,
            refused=self._queue.refused,
            reconnects=counts.reconnects + (feed.reconnects if feed else 0),
            rotations=counts.rotations + (feed.rotations if feed else 0),
            attempts=counts.attempts + (feed.attempts if feed else 0),
            restarts=counts.restarts,
            last_error=self._failing()
            or self._writing.error
            or (feed.last_error if feed else None),
            last_rejected=counts.last_rejected,
            last_received_us=max(
                (each.last_received_us or 0 for each in list(counts.symbols.values())), default=0
            )
            or None,
            queue_depth=len(self._queue),
            queue_capacity=self._queue.capacity,
            retry_in_s=self._receiving.retry_in_s() if state == "reconnecting" else None,
            commit_p50_ms=quantile(list(counts.commits_ms), 0.5),
            commit_p99_ms=quantile(list(counts.commits_ms), 0.99),
            skew_ms=repair.skew_ms if repair else None,
            per_symbol={symbol: self._symbol_status(symbol) for symbol in self.symbols},
            disk=self._upkeep.disk,
            notices=tuple(self._notices()),
            history=tuple(counts.history.copy()),
            backfill=repair.backfill_progress() if repair else (),
            warm_start=repair.warm_start_progress() if repair else (),
            write_error=self._writing.error,
        )

    def _prepare(self, path: Path) -> Damage | None:
        """Make the database ready to be opened; its lock is held."""
        return _set_damaged_aside(path)

    def _state(self) -> RecorderState:
        if self._stopped:
            return "stopped"
        if self._paused or self._upkeep.low:
            return "paused"
        if self._failing() is not None:
            return "failed"
        if not self._symbols:
            return "off"
        return self._receiving.state()

    def _symbol_status(self, symbol: str) -> SymbolStatus:
        counts = self._counts.of(symbol)
        repair = self._receiving.repair
        latencies, skew_ms = list(counts.latencies_us), (repair and repair.skew_ms) or 0.0
        p50, p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
        open_gaps, missing = self._writing.gaps_by_symbol.get(symbol, (0, 0))
        return SymbolStatus(
            received=counts.received + counts.fetched,
            stored=counts.stored,
            duplicates=counts.duplicates,
            conflicts=counts.conflicts,
            non_trades=counts.non_trades,
            rejected=counts.rejected,
            last_trade_us=counts.last_trade_us,
            last_received_us=counts.last_received_us,
            last_price=counts.last_price,
            state=repair.symbol_state(symbol) if repair else "waiting",
            rate_per_s=counts.rate_per_s,
            latency_p50_ms=None if p50 is None else p50 / 1000 + skew_ms,
            latency_p99_ms=None if p99 is None else p99 / 1000 + skew_ms,
            open_gaps=open_gaps,
            missing_ids=missing,
        )

    def _notices(self) -> list[str]:
        repair = self._receiving.repair
        notices = self._upkeep.notices() + (repair.notices() if repair else [])
        damage = self._writing.damage or self._damage
        if damage is not None:
            notices.append(
                f"The database was damaged ({damage.reason}) and was set aside as"
                f" {damage.moved_to.name}; a new one was begun."
            )
        if self._writing.error is not None:
            notices.append(f"Nothing is stored just now: {self._writing.error}. It is tried again.")
        return notices

    def _failed(self, thread: str, error: BaseException) -> None:
        """Take note of a thread's failure; it is restarted within a second."""
        self._counts.restarts += 1
        detail = f"the {thread} thread failed and was restarted: {error!r}"
        self._failures.append((time.monotonic(), thread, detail))
        self._counts.note(self._now_us(), "restarted", detail)

    def _failing(self) -> str | None:
        """What keeps a thread from working, though it is restarted each second; None mostly."""
        since_s = time.monotonic() - _FAILING_OVER_S
        recent = [(thread, what) for at_s, thread, what in list(self._failures) if at_s > since_s]
        again = Counter(thread for thread, _ in recent)
        return next((what for thread, what in recent if again[thread] >= _FAILING), None)

    def _disk_low(self, low: bool) -> None:
        self._counts.note(self._now_us(), "paused" if low else "resumed", "free disk space")
        if low:
            self._queue.put(Cause("disk full"))
        self._receive("disk full")

    def _clock_jumped(self, jump_s: float) -> None:
        self._counts.note(self._now_us(), "clock", f"the clock moved by {jump_s:+,.0f} s")
        if jump_s > 0:  # asleep, or set ahead: a connection that slept is a dead one
            self._receiving.reconnect(f"the machine slept or its clock moved by {jump_s:,.0f} s")

    def _receive(self, reason: str = "no symbols to record") -> None:
        idle = self._paused or self._upkeep.low
        self._receiving.set_symbols(() if idle else self._symbols, reason)

    def _first_symbols(self, writer: TickWriter) -> tuple[str, ...]:
        if self.settings.symbols is not None:
            return self.settings.symbols
        remembered = writer.setting(self._setting_key())
        if remembered is None:
            return DEFAULT_SYMBOLS
        return parse_symbols(remembered) if remembered else ()

    def _setting_key(self) -> str:
        return f"symbols {self.settings.market} {self.settings.stream}"

    def _set_symbols(self, symbols: tuple[str, ...]) -> None:
        self._symbols = tuple(dict.fromkeys(symbols))
        self._remember_symbols()
        self._receive()

    def _remember_symbols(self) -> None:
        key, value = self._setting_key(), ",".join(self._symbols)
        self._queue.put(Call(lambda writer: writer.remember(key, value)))


def check_start(settings: Settings) -> None:
    """Raise what a recorder with these options would raise at its start, one line; else nothing."""
    lock = lock_database(settings.db)
    try:
        if _damage_of(settings.db, within_s=0.5) is None:
            TickWriter(settings.db).close()
    finally:
        lock.release()


def backup_name(now: datetime | None = None) -> str:
    """Name of a backup made now: ``tick_data-20260102T030405Z.db``."""
    return f"tick_data-{(now or datetime.now(UTC)).strftime('%Y%m%dT%H%M%SZ')}.db"


def _reopen(writer: TickWriter) -> None:
    writer.reopen_gaps()


def _set_damaged_aside(path: Path) -> Damage | None:
    reason = _damage_of(path, within_s=5.0)
    return None if reason is None else set_aside(path, reason)


def _damage_of(path: Path, within_s: float) -> str | None:
    """What is wrong with our database; a file that is not ours raises, and is left as it is."""
    reason = find_damage(path, within_s)
    ours = path.with_name(path.name + "-wal").exists()
    if reason is not None and "not a database" in reason and not ours:
        raise StoreError(f"{path} is not a database: choose another --db, or move it away")
    return reason


def lock_database(path: Path) -> FileLock:
    """Take the lock file beside the database; held until the recorder stops or its process ends."""
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        refuse_network_filesystem(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RecorderError(
            f"another recorder is writing {path}: stop it, or choose another --db"
        ) from error
    except OSError as error:
        raise RecorderError(f"cannot write beside {path}: {error.strerror}") from error
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
