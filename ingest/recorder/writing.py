"""The writing thread's work: batches from the queue into the database, whatever the disk does."""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.counts import Counts
from ingest.errors import IngestError
from ingest.event_queue import Call, Cause, EventQueue, Item
from ingest.settings import say
from ingest.store import (
    Damage,
    DatabaseFile,
    Departure,
    Opening,
    PublishedGaps,
    TickWriter,
    Written,
    is_damage,
    make_sound,
    remembered,
    set_aside,
    without_own_rows,
)
from ingest.tick import Event, NonTrade, StreamKey, Tick
from ingest.venue import Restart

_LOG: Final = logging.getLogger("pairdesk.store")

BATCH_ROWS = 10_000
BATCH_WAIT_S = 0.1

Step = list[Event] | Cause | Call


class _GoneError(Exception):
    """What was written went into a file that is not the database any more."""


class WritingLoop:
    """Stores what the queue holds, in its order, until it is closed and empty.

    A database that refuses is asked again, with growing waits; a damaged one is set aside and a
    new one begun; for one that was deleted, renamed or replaced another is begun, or the one that
    is there now is gone on with, and what was written since is written once more; an event that no
    table takes goes to the quarantine. `run` may be called again after it failed: it goes on with
    the step it failed in.

    Parameters
    ----------
    path
        The database.
    queue, published, counts
        Shared with the receiving side.
    now_us
        Wall clock.
    venue
        Of which exchange the trades are, for the database to remember; None of a replay.
    prepare
        Makes what is at the path ready to be opened, where the database went away.
    changed
        Told that another file is the database now; in the writing thread.

    Attributes
    ----------
    restarted
        Streams whose ids start over, of which nothing is stored.
    restarts_changed
        Called when these become others, in the writing thread.
    departed
        What became of a database that was deleted, renamed or replaced; None before.
    """

    def __init__(
        self,
        path: Path,
        queue: EventQueue,
        published: PublishedGaps,
        counts: Counts,
        now_us: Callable[[], int],
        venue: str | None = None,
        *,
        prepare: Callable[[Path], Opening] = make_sound,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.restarted: dict[StreamKey, Restart] = {}
        self.restarts_changed: Callable[[], None] = _nothing
        self.error: str | None = None
        self.damage: Damage | None = None
        self.departed: str | None = None
        self._prepare, self._changed, self._venue = prepare, changed, venue
        self._open()
        self.gaps_by_symbol: dict[str, tuple[int, int]] = {}
        self._queue, self._published, self._counts, self._now_us = queue, published, counts, now_us
        self._steps: deque[Step] = deque()
        self._give_up = threading.Event()
        self._damaged: str | None = None  # why there is no database just now
        self._departure: Departure | None = None  # or what became of it
        self._remembered: dict[str, str] = {}  # by the one before
        self._publish()

    def run(self) -> None:
        """Work until the queue is closed and empty, then close the database."""
        while True:
            self._work_off()
            items = self._queue.take(BATCH_ROWS, BATCH_WAIT_S)
            if not items:
                break
            self._steps.extend(_steps(items))
        self.writer.close()

    def has_departed(self) -> bool:
        """Whether the database is not what was opened, and that is news. Any thread."""
        is_open = self._departure is None and self._damaged is None
        return is_open and not (self._file.is_there() and self._file.has_log())

    def give_up(self) -> None:
        """Stop asking a database that refuses; what is not stored will be fetched next time."""
        self._give_up.set()

    def _work_off(self) -> None:
        """Do what was taken, then tell of the gaps: once, since a ledger may have thousands."""
        while self._steps:
            self._persist(self._steps[0])
            self._steps.popleft()
        self._publish()

    def _persist(self, step: Step) -> None:
        """Do one step, however long the database refuses it."""
        wait_s = 0.05
        while not self._give_up.is_set():
            try:
                self._be_open()
                self._do(step)
            except _GoneError:
                continue
            except (IngestError, OSError) as error:
                self._note_error(f"{self._absence()}; no database can be opened there: {error}")
            except sqlite3.DatabaseError as error:
                self._refused(error)
            else:
                if self.error is not None:
                    _LOG.info("the database takes writes again")
                self.error = None
                return
            self._give_up.wait(wait_s)
            wait_s = min(2 * wait_s, 5.0)

    def _do(self, step: Step) -> None:
        if isinstance(step, Cause):
            self.writer.expect_gap(step.cause)
            return
        if isinstance(step, Call):
            self._call(step)
        else:
            self._store(step)

    def _call(self, call: Call) -> None:
        """Do what was asked; what can never succeed is noted, and holds nothing up."""
        try:
            call.do(self.writer)
        except Exception as error:
            if isinstance(error, sqlite3.OperationalError) or is_damage(error):
                raise
            self._counts.note(self._now_us(), "failed", f"a task for the database: {error!r}")
            _LOG.warning("a task for the database failed: %r", error)
            _LOG.debug("where it failed", exc_info=error)

    def _store(self, events: Sequence[Event]) -> None:
        begun_s = time.perf_counter()
        try:
            written = self.writer.write(events)
        except (sqlite3.IntegrityError, OverflowError, ValueError) as error:
            if len(events) > 1:
                for event in events:
                    self._store([event])
            else:
                self._quarantine(events[0], error)
            return
        if not self._file.is_there():
            raise _GoneError
        self._counts.commits_ms.append((time.perf_counter() - begun_s) * 1000)
        self._count(written, events)

    def _quarantine(self, event: Event, error: Exception) -> None:
        """Keep an event that no table takes for a person to look at."""
        _LOG.info("quarantine: %s id %d: %s", event.symbol, event.trade_id, error)
        counts = self._counts.of(event.symbol)
        counts.rejected += 1
        self._counts.rejected += 1
        self.writer.quarantine(
            [(event.received_us, f"refused by the database: {error}", repr(event))]
        )

    def _note_error(self, error: str) -> None:
        """Keep why nothing is stored; it is logged once, not at each attempt."""
        if error != self.error:
            _LOG.warning("%s", error)
        self.error = error

    def _refused(self, error: sqlite3.DatabaseError) -> None:
        self._note_error(f"the database refuses writes: {error}")
        if is_damage(error):
            self.writer.close()
            self._damaged, self._remembered = str(error), remembered(self.path)

    def _begin_anew(self, reason: str) -> None:
        """Set the damaged database aside and begin a new one; raises where that cannot be yet."""
        damage = set_aside(self.path, reason) if self.path.exists() else self.damage
        if damage is not self.damage:
            self.damage = damage
            name = "" if damage is None else damage.moved_to.name
            self._counts.note(self._now_us(), "damaged", f"set aside as {name}")
            _LOG.warning("the database is damaged (%s): set aside as %s", reason, name)
        self._open(self._remembered)
        self._damaged = None

    def _open(self, settings: Mapping[str, str] | None = None) -> None:
        self.writer = TickWriter(self.path, self._venue)
        self._edges = self.writer.edges()
        self._file = DatabaseFile(self.path)
        for key, value in (settings or {}).items():
            self.writer.remember(key, value)

    def _be_open(self) -> None:
        """See to it that the writer writes to the file at the path; raises where it cannot be."""
        if self._damaged is None and self._departure is None:
            if not self._file.is_there():
                self._leave()
            elif self._file.is_shrunk() and not self.writer.is_whole():
                self.writer.close()
                self._damaged = "something cut it short or wrote over it"
            elif not self._file.has_log():
                self._keep_without_log()
        if self._damaged is not None:
            self._begin_anew(self._damaged)
        elif self._departure is not None:
            self._begin_after(self._departure)

    def _keep_without_log(self) -> None:
        """Fold in what the deleted log holds: we have it open, and whoever opens it now has not."""
        self.writer.checkpoint()
        if self.departed is None or not self.departed.startswith("The log"):
            self.departed = (
                f"The log of {self.path.name} (-wal or -shm) was deleted while it was recorded"
                " into. Trades go on being stored, but pages cannot read them all: stop the app"
                " in order and start it again; nothing is lost then."
            )
            self._counts.note(self._now_us(), "database", "its log was deleted")
            _LOG.info("%s", self.departed)
            say(self.departed)

    def _leave(self) -> None:
        """Let go of a database that is not at its path any more, with all it was given."""
        departure = self._file.departure()
        self.error = f"{self.path.name} was {_became(departure)}"
        self._counts.note(self._now_us(), "database", _became(departure))
        say(self.error)
        _LOG.info("%s", self.error)
        with suppress(sqlite3.Error):
            self._remembered = without_own_rows(self.writer.settings())
        self.writer.close()
        self._departure = departure

    def _begin_after(self, departure: Departure) -> None:
        """Begin a new database, or go on with the file that is there now."""
        self._file.clear_log(departure.moved_to)
        is_there = self.path.exists()
        opening = self._prepare(self.path)
        if opening.damage is not None:
            self.damage, is_there = opening.damage, False
        self._open({} if is_there else self._remembered)
        if is_there:
            self.writer.expect_gap("the database was replaced")
        self.departed = _describe_departure(self.path.name, departure, is_continued=is_there)
        self._counts.note(
            self._now_us(), "database", "another one is recorded into" if is_there else "a new one"
        )
        say(self.departed)
        _LOG.info("%s", self.departed)
        self._departure = None
        self._changed()

    def _absence(self) -> str:
        """Why there is no database just now."""
        if self._departure is not None:
            return f"{self.path.name} was {_became(self._departure)}"
        return "the database is damaged"

    def _count(self, written: Written, events: Sequence[Event]) -> None:
        for name in ("stored", "duplicates", "conflicts"):
            counted: dict[StreamKey, int] = getattr(written, name)
            for (_, symbol, _), number in counted.items():
                counts = self._counts.of(symbol)
                setattr(counts, name, getattr(counts, name) + number)
        stored_us = self._now_us()
        for event in written.newest:
            self._counts.of(event.symbol).note_stored(event.time_us, stored_us)
        for event in events:
            if isinstance(event, NonTrade):
                self._counts.of(event.symbol).non_trades += 1

    def _publish(self) -> None:
        if self.writer.ledger_changed:
            self.writer.ledger_changed = False
            self._open_gaps = self.writer.open_gaps()
            before, self.gaps_by_symbol = self.gaps_by_symbol, {}
            for gap in self._open_gaps:
                symbol = gap.key[1]
                count, missing = self.gaps_by_symbol.get(symbol, (0, 0))
                self.gaps_by_symbol[symbol] = (count + 1, missing + gap.missing)
            _log_gaps(before, self.gaps_by_symbol)
        edges = self.writer.edges()
        self._note_stored(edges)
        self._published.publish(self._open_gaps, edges)
        if self.writer.restarted != self.restarted:
            self.restarted = dict(self.writer.restarted)
            self.restarts_changed()

    def _note_stored(self, edges: dict[StreamKey, tuple[int, int]]) -> None:
        """Note of which symbols something new was stored, not only a gap filled."""
        now_us = self._now_us()
        for key, edge in edges.items():
            if edge != self._edges.get(key):
                self._counts.of(key[1]).last_stored_us = now_us
        self._edges = edges


def _nothing() -> None:
    pass


def _log_gaps(before: Mapping[str, tuple[int, int]], now: Mapping[str, tuple[int, int]]) -> None:
    """Log of each symbol how many gaps it has and how many trades they lack, where that changed."""
    for symbol in {*before, *now}:
        gaps, missing = now.get(symbol, (0, 0))
        if not gaps:
            _LOG.info("%s: no gap is left", symbol)
        elif (gaps, missing) != before.get(symbol):
            _LOG.info("%s: open gaps %d, missing trades %d", symbol, gaps, missing)


def _became(departure: Departure) -> str:
    """Finish "the database was"."""
    if departure.moved_to is not None:
        words = f"renamed to {departure.moved_to}"
    else:
        words = "deleted" if departure.change == "deleted" else "deleted or moved away"
    return f"{words}, and another file put in its place" if departure.is_replaced else words


def _describe_departure(name: str, departure: Departure, *, is_continued: bool) -> str:
    """Say what became of a database, and what is recorded into now."""
    before = f"{name} was {_became(departure)} while it was recorded into."
    if is_continued:
        return (
            f"{before} The recording goes on in the file that is there now; trades it lacks are"
            " fetched from the exchange, as far as that has them."
        )
    if departure.change == "deleted":
        where = "gone with the old one"
    elif departure.moved_to is not None:
        where = "in the renamed one"
    else:
        where = "where the old one is"
    return f"{before} A new database was begun: trades stored before are {where}."


def _steps(items: Sequence[Item]) -> list[Step]:
    """Runs of events as one step each; a cause or a call divides them."""
    steps: list[Step] = []
    for item in items:
        if not isinstance(item, Tick | NonTrade):
            steps.append(item)
        elif steps and isinstance(steps[-1], list):
            steps[-1].append(item)
        else:
            steps.append([item])
    return steps
