"""What the recorder looks after beside recording: disk, retention, rates, the machine's clock."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ingest.clock import now_us as wall_clock_us
from ingest.counts import Counts
from ingest.event_queue import Call, EventQueue
from ingest.recorder.growth import Growth
from ingest.status import DiskStatus
from ingest.store import (
    PAUSE_FREE_BYTES,
    RETENTION_SETTING,
    WARN_FREE_BYTES,
    TickWriter,
    free_bytes,
)

_LOG: Final = logging.getLogger("pairdesk.recorder")

_EVERY_S = 1.0
_DISK_EVERY_S = 5.0
_RETENTION_EVERY_S = 10.0
_ROLLUPS_EVERY_S = 10.0
_RESUME_MARGIN_BYTES = 50_000_000
_CLOCK_JUMP_S = 5.0
# Commits fold in what is larger than 1,000 pages; after less a quiet market would leave it there.
_LARGE_WAL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How much to keep: days of trades, bytes of database; None is no limit.

    Where old trades move to the history (`moves`), none is deleted that has not moved.
    """

    days: float | None = None
    max_bytes: int | None = None
    moves: bool = False


class ClockJumps:
    """Tells a wall clock that jumped, or a machine that slept, from one that ran on."""

    def __init__(self, wall_s: float, steady_s: float) -> None:
        self._offset_s = wall_s - steady_s

    def jump_s(self, wall_s: float, steady_s: float) -> float:
        """Seconds by which the wall clock moved against the steady one; 0 for a small drift."""
        jump_s = wall_s - steady_s - self._offset_s
        if abs(jump_s) < _CLOCK_JUMP_S:
            return 0.0
        self._offset_s += jump_s
        return jump_s


class Maintenance:
    """Looks after things once a second, in a thread of its own.

    Parameters
    ----------
    path
        The database.
    queue, counts
        Shared with the other threads.
    retention
        What to keep.
    disk_low
        Told True when recording has to pause for lack of space, False when it may go on.
    clock_jumped
        Told the seconds of a jump.
    free
        Free bytes where the database lies.
    now_us
        Wall clock, or a replay's.
    has_departed
        Whether the database was deleted, renamed or replaced: the writer is woken to see to it.
    skew_ms
        The exchange's clock minus ours, by which what is old is told; None while it is not known.
    """

    def __init__(
        self,
        path: Path,
        queue: EventQueue,
        counts: Counts,
        retention: Retention,
        *,
        disk_low: Callable[[bool], object],
        clock_jumped: Callable[[float], object],
        free: Callable[[Path], int] = free_bytes,
        now_us: Callable[[], int] = wall_clock_us,
        has_departed: Callable[[], bool] = lambda: False,
        skew_ms: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._now_us = now_us
        self.disk = DiskStatus()
        self.low = False
        self._path, self._queue, self._counts, self._retention = path, queue, counts, retention
        self._disk_low, self._clock_jumped, self._free = disk_low, clock_jumped, free
        self._has_departed, self._skew_ms = has_departed, skew_ms
        self._growth, self._in_use = Growth(), 0
        self._ended = threading.Event()
        self._due: dict[str, float] = {}
        self._is_folded: bool | None = None
        self._is_rolling_up = False

    def run(self) -> None:
        """Look after things until `end`."""
        clock = ClockJumps(time.time(), time.monotonic())
        while not self._ended.wait(_EVERY_S):
            now_s = time.monotonic()
            for counts in list(self._counts.symbols.values()):
                counts.tick_second(self._now_us())
            if jump_s := clock.jump_s(time.time(), now_s):
                self._clock_jumped(jump_s)
            if self._has_departed():  # trades would show it to the writer, but a quiet market
                self._queue.put(Call(_look))
            if self._is_due("disk", now_s, _DISK_EVERY_S):
                self._queue.put(Call(self.measure))
                self.look_at_disk()
            if self._is_due("retention", now_s, _RETENTION_EVERY_S):
                self._queue.put(Call(self.forget))
            if self._is_due("rollups", now_s, _ROLLUPS_EVERY_S) and not self._is_rolling_up:
                self._is_rolling_up = True
                self._queue.put(Call(self.roll_up))

    def end(self) -> None:
        """Make `run` return."""
        self._ended.set()

    def look_at_disk(self) -> None:
        """Measure sizes and free space; pause or resume recording by them."""
        database, wal = _size(self._path), _size(self._path.with_name(self._path.name + "-wal"))
        free = self._free(self._path)
        self.disk = DiskStatus(database, wal, free, self._growth.per_day)
        if wal > _LARGE_WAL_BYTES:
            self._queue.put(Call(self.fold))
        limit = PAUSE_FREE_BYTES + (_RESUME_MARGIN_BYTES if self.low else 0)
        if (free < limit) != self.low:
            self.low = not self.low
            self._disk_low(self.low)

    def fold(self, writer: TickWriter) -> None:
        """Fold the log into the database, and log whether it was: once, until that changes.

        Its file keeps its size when it is folded in.
        """
        unfolded = writer.checkpoint()
        if unfolded is None or self._is_folded is (is_folded := unfolded <= _LARGE_WAL_BYTES):
            return
        self._is_folded = is_folded
        if is_folded:
            _LOG.info("a log of %d MB is folded into the database", self.disk.wal // 1_000_000)
        else:
            _LOG.info(
                "%d MB of the log are not folded into the database: a reader still needs what was"
                " there before",
                unfolded // 1_000_000,
            )

    def forget(self, writer: TickWriter) -> None:
        """Delete a small step of what is older, or more, than is to be kept."""
        if self._retention.moves:
            return
        cutoff = None
        if self._retention.days is not None:
            skew_s = min(self._skew_ms() or 0.0, 0.0) / 1e3  # ours may be ahead, by days
            cutoff = int(time.time() + skew_s - self._retention.days * 86_400)
        if (
            self._retention.max_bytes is not None
            and writer.size_bytes() > self._retention.max_bytes
        ):
            oldest = writer.oldest_second()
            cutoff = max(cutoff or 0, (oldest or 0) + 3600)
        if cutoff is not None and (deleted := writer.forget_before(cutoff)):
            until = datetime.fromtimestamp(cutoff, UTC)
            writer.remember(RETENTION_SETTING, str(cutoff))
            _LOG.info("retention: %d bars before %s deleted, with their trades", deleted, until)
            self._queue.put(Call(self.forget))

    def roll_up(self, writer: TickWriter) -> None:
        """Roll up a small step of what was recorded before rollups were kept, while there is time.

        The next step waits for its turn behind the trades that came meanwhile.
        """
        self._is_rolling_up = False  # else a step that fails would be the last
        if len(self._queue) < self._queue.deep and writer.roll_up_older():
            self._is_rolling_up = True
            self._queue.put(Call(self.roll_up))

    def notices(self) -> list[str]:
        """Sentences about the disk, where there is something to say."""
        return [*self._about_space(), *self._about_moves()]

    def _about_space(self) -> list[str]:
        free_mb = self.disk.free / 1e6
        if self.low:
            limit_mb = PAUSE_FREE_BYTES / 1e6
            sentence = (
                f"Recording pauses: {free_mb:,.0f} MB free on the database's disk, under"
                f" {limit_mb:,.0f} MB. It goes on by itself when there is room."
            )
            return [sentence]
        if 0 < self.disk.free < WARN_FREE_BYTES:
            return [f"Only {free_mb:,.0f} MB free on the database's disk."]
        return []

    def _about_moves(self) -> list[str]:
        most = self._retention.max_bytes
        if most is None or not self._retention.moves or self._in_use <= most:
            return []
        sentence = (
            f"The database holds {self._in_use / 1e9:,.2f} GB, more than --keep-gb"
            f" {most / 1e9:g}: every day before today moves to the history, and nothing is deleted"
            " that is not there."
        )
        return [sentence]

    def measure(self, writer: TickWriter) -> None:
        """Take the size of what is stored; in the writing thread."""
        others = self._counts.total("fetched") + writer.klines_added
        self._in_use = writer.size_bytes()
        self._growth.note(time.monotonic(), self._in_use, others)

    def _is_due(self, what: str, now_s: float, every_s: float) -> bool:
        if now_s < self._due.get(what, 0.0):
            return False
        self._due[what] = now_s + every_s
        return True


def _look(_: TickWriter) -> None:
    """Do nothing: a writer looks at its file before it does anything."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size  # asks the folder; the file is not opened
    except OSError:
        return 0
