"""Moves what was recorded long ago from the database to the lake: a day of a stream at a time.

A day is read, written to the lake, read back and compared; only then is it deleted, in small steps
of the writing thread's, and only what was compared. Until the last step both have some of it; a
reader takes each id once. A kill at any moment leaves it so, and the next look goes on: what the
lake has already is not written twice.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from ingest.errors import LakeError, StoreError
from ingest.history.day_rows import DayRows, ids_of, in_doubles, rows_of_days
from ingest.history.days import DAY_S, day_of, day_second
from ingest.settings import Settings
from ingest.store import (
    SECOND_US,
    BoolArray,
    IntArray,
    LakeStream,
    MovedIds,
    TickWriter,
    open_for_reading,
    size_in_use,
)
from ingest.store.lake import Lake, LakeWriter, Source
from ingest.tick import StreamKey

_LOG: Final = logging.getLogger("pairdesk.history")

FIRST_LOOK_S: Final = 5.0
LOOK_EVERY_S: Final = 60.0
WAIT_FOR_WRITER_S: Final = 120.0  # an import or a fetch has the lake
_REST_TIMES: Final = 1.0  # rests so many times as long as a step took, so that trades have room

# Has something done in the writing thread, and waits; False where it is not done any more.
Ask = Callable[[Callable[[TickWriter], object]], bool]


@dataclass(slots=True)
class _Moved:
    """What was moved since the start."""

    days: int = 0
    freed: int = 0


class Mover:
    """Moves whole UTC days that ended `days` days before today, or more, to the lake.

    Parameters
    ----------
    path, root
        The database, and the lake's folder.
    days
        How many whole days before today stay.
    ask
        Has something done in the writing thread.
    now_us
        Wall clock, as the exchange has it.
    venue
        The exchange of what is recorded; empty where nobody knows.
    max_bytes
        Where the database's rows take more, every day before today moves; None: whatever they take.

    Attributes
    ----------
    summary
        What was moved since the start, in words; None before anything was.
    problem
        Why nothing is moved just now, in words; None where all is well.
    """

    def __init__(
        self,
        path: Path,
        root: Path,
        days: int,
        ask: Ask,
        now_us: Callable[[], int],
        max_bytes: int | None = None,
        venue: str = "",
    ) -> None:
        self.summary: str | None = None
        self.problem: str | None = None
        self._path, self._root, self._days, self._ask = path, root, days, ask
        self._now_us, self._max_bytes, self._venue = now_us, max_bytes, venue
        self._moved: dict[str, _Moved] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Look for days to move until `end`."""
        wait_s = FIRST_LOOK_S
        while not self._ended.wait(wait_s):
            self.look()
            wait_s = LOOK_EVERY_S

    def end(self) -> None:
        """Make `run` return, after the step it is at."""
        self._ended.set()

    def look(self) -> None:
        """Move every day that is old enough; what goes wrong is kept as `problem`."""
        problem = None
        try:
            for stream_id, stream in self._streams():
                while not self._ended.is_set() and self._move_oldest(stream_id, stream):
                    pass
        except (StoreError, sqlite3.Error, OSError) as error:
            problem = f"Old trades are not moved to the history just now: {error}"
        if problem is not None and problem != self.problem:
            _LOG.warning("%s", problem)
        self.problem = problem

    def _streams(self) -> list[tuple[int, LakeStream]]:
        with closing(open_for_reading(self._path)) as connection:
            rows = connection.execute("SELECT stream_id, market, symbol, kind FROM stream")
            return [(row[0], LakeStream(*row[1:])) for row in rows.fetchall()]

    def _move_oldest(self, stream_id: int, stream: LakeStream) -> bool:
        """Move a stream's oldest day, if it may go; whether it went."""
        with closing(open_for_reading(self._path)) as connection:
            second = self._oldest_day(connection, stream_id)
            if second is None:
                return False
            end = second + DAY_S
            days = rows_of_days(connection, stream_id, end)
            rows = days[day_of(second)]
            is_whole = _is_whole(connection, stream_id, rows, Lake(self._root), stream)
        self._put(stream, day_of(second), days, is_whole=is_whole)
        for rows in days.values():
            _compare(Lake(self._root), stream, rows)
        return self._delete(stream, end, days)

    def _oldest_day(self, connection: sqlite3.Connection, stream_id: int) -> int | None:
        """First second of the oldest day, where all of it is old enough and no gap is open."""
        oldest = connection.execute(
            "SELECT min(second) FROM bar_1s WHERE stream_id = ?", (stream_id,)
        ).fetchone()[0]
        if oldest is None:
            return None
        begin = oldest // DAY_S * DAY_S
        today = self._now_us() // SECOND_US // DAY_S * DAY_S
        is_large = self._max_bytes is not None and size_in_use(connection) > self._max_bytes
        if begin + DAY_S > today - (0 if is_large else self._days) * DAY_S:
            return None
        open_gap = connection.execute(
            "SELECT 1 FROM gap WHERE stream_id = ? AND state = 'open' AND after_us < ? LIMIT 1",
            (stream_id, (begin + DAY_S) * SECOND_US),
        ).fetchone()
        return begin if open_gap is None else None

    def _put(
        self, stream: LakeStream, of_day: date, days: dict[date, DayRows], *, is_whole: bool
    ) -> None:
        with LakeWriter(self._root, wait_s=WAIT_FOR_WRITER_S, venue=self._venue) as lake:
            for day, rows in days.items():
                source = Source("recording", self._path.name, whole_day=is_whole and day == of_day)
                report = lake.put_trades(stream, day, rows.trades, source)
                if report.conflicts:
                    raise LakeError(
                        f"{len(report.conflicts):,} recorded trades of {stream.symbol} on {day} are"
                        " not those that the history has; delete that day there, or leave out"
                        " --lake-days"
                    )
            lake.refresh_bars(stream, list(days))

    def _delete(self, stream: LakeStream, end: int, days: dict[date, DayRows]) -> bool:
        """Delete what was compared, step by step; False where more came in the meantime."""
        key = (stream.market, stream.symbol, stream.kind)
        step = _Deletion(key, end, ids_of(days.values()))
        while not self._ended.is_set():
            begun_s = time.monotonic()
            if not self._ask(step):
                return False
            self._moved.setdefault(stream.symbol, _Moved()).freed += step.freed
            if step.bars is None:
                return False
            if step.bars == 0:
                self._note(stream, end)
                return True
            self._ended.wait((time.monotonic() - begun_s) * _REST_TIMES)
        return False

    def _note(self, stream: LakeStream, end: int) -> None:
        self._moved[stream.symbol].days += 1
        moved = self._moved.values()
        days, symbols = sum(each.days for each in moved), len(self._moved)
        self.summary = (
            f"moved {days:,} {'day' if days == 1 else 'days'} of"
            f" {symbols:,} {'symbol' if symbols == 1 else 'symbols'} to the lake,"
            f" {_size(sum(each.freed for each in moved))} freed"
        )
        _LOG.info("%s of %s moved to the lake", day_of(end - DAY_S), stream.symbol)


def mover_of(settings: Settings, ask: Ask, now_us: Callable[[], int]) -> Mover | None:
    """Make what moves old days as the options say; None where they are to stay."""
    if settings.lake_days is None:
        return None
    places = settings.db, settings.history
    return Mover(
        *places, settings.lake_days, ask, now_us, settings.keep_bytes, venue=settings.venue
    )


class _Deletion:
    """A step of the writing thread's: deletes some bars and their trades, which were moved.

    Attributes
    ----------
    bars
        How many went with the last step; None where trades came after the others were moved.
    freed
        Bytes of the database that became free with the last step.
    """

    def __init__(self, key: StreamKey, end: int, moved: MovedIds) -> None:
        self.bars: int | None = 0
        self.freed = 0
        self._key, self._end, self._moved = key, end, moved

    def __call__(self, writer: TickWriter) -> None:
        """Do a step."""
        before = writer.size_bytes()
        self.bars = writer.forget_moved(self._key, self._end, self._moved)
        self.freed = max(0, before - writer.size_bytes())


def _is_whole(
    connection: sqlite3.Connection,
    stream_id: int,
    rows: DayRows,
    lake: Lake,
    stream: LakeStream,
) -> bool:
    """Whether ids prove that a day's rows are all there were from its midnight to the next.

    They have no hole, nor is there one to the trades before that day and after it.
    """
    ids = rows.trades.trade_id
    first, last = int(ids[0]), int(ids[-1])
    if last - first + 1 != ids.size:
        return False
    has_next = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM tick WHERE stream_id = ? AND trade_id = ?)"
        " OR EXISTS (SELECT 1 FROM non_trade WHERE stream_id = ? AND trade_id = ?)",
        (stream_id, last + 1) * 2,
    ).fetchone()[0]
    spans = lake.id_spans(stream)
    return bool(has_next) and any(span.first_id < first <= span.last_id + 1 for span in spans)


def _compare(lake: Lake, stream: LakeStream, rows: DayRows) -> None:
    """Read a day back and compare it with what was to be moved.

    Raises
    ------
    LakeError
        Something is not there, or not as it was. Nothing may be deleted then.
    """
    begin_us = day_second(rows.day) * SECOND_US
    held = lake.ticks(stream, begin_us, begin_us + DAY_S * SECOND_US)
    given, is_trade = rows.trades, rows.is_trade
    ids = given.trade_id[is_trade]
    order = np.argsort(held.trade_id, kind="stable")
    held_ids = held.trade_id[order]
    place = np.searchsorted(held_ids, ids)
    is_there = place < held_ids.size
    is_there[is_there] = held_ids[place[is_there]] == ids[is_there]
    lacking = int((~is_there).sum()) + len(
        set(given.trade_id[~is_trade].tolist()) - set(held.non_trades)
    )
    if not lacking:
        at = order[place]
        alike = (
            (held.price[at] == in_doubles(given.price)[is_trade])
            & (held.quantity[at] == in_doubles(given.quantity)[is_trade])
            & (held.buyer_is_maker[at] == given.buyer_is_maker[is_trade])
            & _same_times(held.time_us[at], given.time_us[is_trade])
        )
        lacking = int((~alike).sum())
    if lacking:
        raise LakeError(
            f"{lacking:,} trades of {stream.symbol} on {rows.day} are not in the history as they"
            " were written: they stay in the database"
        )


def _same_times(one: IntArray, other: IntArray) -> BoolArray:
    """Which times, µs, are the same: another source may have given whole milliseconds of it."""
    are_coarse = (one % 1000 == 0) | (other % 1000 == 0)
    same: BoolArray = (one == other) | (are_coarse & (one // 1000 == other // 1000))
    return same


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
