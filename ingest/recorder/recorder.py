"""The recorder: a receiving, a writing and a maintenance thread. Once per process."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ingest.clock import now_us as wall_clock_us
from ingest.counts import Counts
from ingest.event_queue import Cause, EventQueue
from ingest.feed import FeedLimits
from ingest.history import mover_of
from ingest.recorder.followed_universe import FollowedUniverse, universe_of
from ingest.recorder.maintenance import Maintenance, Retention
from ingest.recorder.receiving import ReceivingLoop
from ingest.recorder.refusals import Refusals
from ingest.recorder.reporting import Parts, check_notice, report
from ingest.recorder.requests import RecorderRequests
from ingest.recorder.threads import FailureLog, RestartingThread
from ingest.recorder.trade_source import MakeTradeSource, TradeSource
from ingest.recorder.writer_requests import WriterRequests, remembered_symbols
from ingest.recorder.writing import WritingLoop
from ingest.settings import Settings, say
from ingest.status import RecorderState, RecorderStatus
from ingest.store import (
    LaterCheck,
    Opening,
    PublishedGaps,
    TickWriter,
    lock_database,
    make_sound,
    take_lock,
)
from ingest.venue import Refusal

_LOG: Final = logging.getLogger("pairdesk.recorder")


class Recorder(RecorderRequests):
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
        receiving: MakeTradeSource | None = None,
    ) -> None:
        self.settings = settings
        self._now_us = now_us
        self._counts = Counts()
        self._queue = EventQueue(queue_capacity)
        self._published = PublishedGaps()
        self._ask = WriterRequests(settings, self._queue, self._published, self._counts, now_us)
        self._lock = lock_database(settings.db)
        self._venue = settings.venue if receiving is None else None
        self._refusals = Refusals(settings, self._venue, self._counts, now_us)
        try:
            opening = self._prepare(settings.db)
            self._writing = self._open_writing(opening)
            self._refusals.other_venue = self._refusals.compare(self._writing.writer)
            self._symbols = self._first_symbols(self._writing.writer)
            self._universe = self._universe_of(self._writing.writer)
        except BaseException:
            self._lock.release()
            raise
        self._receiving: TradeSource
        if receiving is None:
            self._receiving = self._receive_from_exchange(feed_limits or FeedLimits())
        else:
            self._receiving = receiving(self._queue, self._counts)
        self._maintenance = self._look_after_disk()
        self._mover = mover_of(settings, self._ask.have_done, now_us) if self._venue else None
        self._later_check = None if opening.was_checked else LaterCheck(settings.db)
        self._parts = self._gather_parts(opening)
        self._failures = FailureLog()
        self._stopped = self._paused = False
        self._threads = self._make_threads()

    def _open_writing(self, opening: Opening) -> WritingLoop:
        writing = WritingLoop(
            self.settings.db,
            self._queue,
            self._published,
            self._counts,
            self._now_us,
            self._venue,
            prepare=self._prepare_again,
            changed=self._database_changed,
        )
        writing.restarts_changed = self._restarts_changed
        for key, value in opening.settings.items():
            writing.writer.remember(key, value)
        return writing

    def _receive_from_exchange(self, limits: FeedLimits) -> ReceivingLoop:
        self._ask.set_aside_future()
        return ReceivingLoop(
            *(self.settings, self._queue, self._published, self._counts, limits, self._now_us),
            universe=self._universe,
        )

    def _universe_of(self, writer: TickWriter) -> FollowedUniverse | None:
        """What is followed by rules; a replay follows nothing."""
        if self._venue is None:
            return None
        parts = (self._queue, self._counts, self._now_us, self._follow)
        return universe_of(self.settings, writer, *parts)

    def _look_after_disk(self) -> Maintenance:
        return Maintenance(
            self.settings.db,
            self._queue,
            self._counts,
            self._retention(),
            disk_low=self._disk_low,
            clock_jumped=self._clock_jumped,
            now_us=self._now_us,
            has_departed=self._writing.has_departed,
            skew_ms=self._receiving.skew_ms,
        )

    def _retention(self) -> Retention:
        settings = self.settings
        return Retention(settings.keep_days, settings.keep_bytes, settings.lake_days is not None)

    def _gather_parts(self, opening: Opening) -> Parts:
        return Parts(
            self.settings,
            self._counts,
            self._queue,
            self._receiving,
            self._writing,
            self._maintenance,
            self._later_check,
            opening.damage,
            self._mover,
            self._universe,
        )

    def _make_threads(self) -> dict[str, RestartingThread]:
        works = {
            "writer": self._writing.run,
            "feed": self._receiving.run,
            "maintenance": self._maintenance.run,
        }
        if self._later_check is not None:
            works["check"] = self._later_check.run
        if self._mover is not None:
            works["mover"] = self._mover.run
        return {name: RestartingThread(name, work, self._failed) for name, work in works.items()}

    def start(self) -> None:
        """Start the threads."""
        if self._refusals.other_venue is None:
            self._remember_symbols()
            self._receiving.symbols = self._symbols
        else:
            self._refusals.note(self._refusals.other_venue)
        if self._universe is not None:
            idle = None if self._refusals.other_venue is None else "another exchange's database"
            self._universe.receive(self._symbols, idle)
        if self._later_check is not None:
            say(check_notice(self._later_check) or "")
        for thread in self._threads.values():
            thread.start()
        _LOG.info("started into %s (symbols: %d)", self.settings.db, len(self.symbols))

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
        self._maintenance.end()
        for part in (self._later_check, self._mover):
            if part is not None:
                part.end()
        self._receiving.stop()
        received = self._threads["feed"].join(until_s - time.monotonic())
        self._queue.close()
        # A database that refuses to the end is left: the ids are fetched at the next start.
        stored = self._threads["writer"].join(until_s - time.monotonic() - 0.2)
        if not stored:
            self._writing.give_up()
            stored = self._threads["writer"].join(0.2)
        if stored:  # closed under a thread that still uses it, the connection ends the process
            self._writing.writer.close()
        for thread in self._threads.values():
            thread.join(1.5)
        self._lock.release()
        _LOG.info("stopped; what was received is %s", "stored" if stored else "not all stored")
        return received and stored

    def status(self) -> RecorderStatus:
        """What is happening; safe from any thread, never waits."""
        return report(
            self._parts, self.state, self.symbols, self._failures.lasting(), self._refusal()
        )

    def _prepare(self, path: Path) -> Opening:
        """Make the database ready to be opened; its lock is held."""
        return make_sound(path)

    def _prepare_again(self, path: Path) -> Opening:
        """Make ready what is there in place of the database, under a lock whose file is there.

        Raises
        ------
        RecorderError
            Another process records into it, or it holds another exchange's trades.
        """
        take_lock(self._lock, path)
        opening = self._prepare(path)
        self._refusals.refuse_another_venue(path)
        return opening

    def _database_changed(self) -> None:
        """Tell another database the symbols, and fetch what the exchange has of earlier times."""
        self._refusals.other_venue = None  # else it would not have been opened
        self._remember_symbols()
        self._receive()
        if self._later_check is not None:
            self._later_check.leave()
        if self._universe is not None:
            self._universe.database_changed()
        if isinstance(self._receiving, ReceivingLoop):
            self._ask.set_aside_future()
            self._receiving.database_changed()

    @property
    def state(self) -> RecorderState:
        """The state that `status` names, found without a look at each symbol."""
        if self._stopped:
            return "stopped"
        if self._paused or self._maintenance.low:
            return "paused"
        if self._failures.lasting() is not None:
            return "failed"
        if not self._symbols and self._refusals.other_venue is None:
            in_bars = self._universe is not None and self._universe.in_bars
            return self._universe.recording_state() if self._universe and in_bars else "off"
        if self._refusals.other_venue is not None or not self._accepted():
            return "refused"
        return self._receiving.state()

    def _failed(self, thread: str, error: BaseException) -> None:
        """Take note of a thread's failure; it is restarted within a second."""
        self._counts.restarts += 1
        self._counts.note(self._now_us(), "restarted", self._failures.note(thread, error))

    def _disk_low(self, low: bool) -> None:
        self._counts.note(self._now_us(), "paused" if low else "resumed", "free disk space")
        _LOG.info("recording %s: free disk space", "pauses" if low else "goes on")
        if low:
            self._queue.put(Cause("disk full"))
        self._receive("disk full")

    def _clock_jumped(self, jump_s: float) -> None:
        self._counts.note(self._now_us(), "clock", f"the clock moved by {jump_s:+,.0f} s")
        _LOG.info("the clock moved by %+.0f s", jump_s)
        self._receiving.clock_jumped()
        if jump_s > 0:  # asleep, or set ahead: a connection that slept is a dead one
            self._receiving.reconnect(f"the machine slept or its clock moved by {jump_s:,.0f} s")

    def _refusal(self) -> Refusal | None:
        return self._refusals.current(self._symbols, self._writing.restarted)

    def _restarts_changed(self) -> None:
        """Leave the symbols whose ids start over, and say so. In the writing thread."""
        self._refusals.note_restarts(self._refusal())
        self._receive("its trade ids start over")

    def _first_symbols(self, writer: TickWriter) -> tuple[str, ...]:
        return remembered_symbols(self.settings, writer)
