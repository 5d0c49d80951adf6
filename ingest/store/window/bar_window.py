"""A window of one stream's bars kept in memory, that reads only what is new or was repaired."""

import itertools
import sqlite3
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest.errors import StoreError
from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, Spans, interval_seconds, new_columns
from ingest.store.connecting import EVER_S, one_transaction, open_for_reading
from ingest.store.future_rows import NEWEST_FIRST, newest_first_bounds
from ingest.store.last_trade import LastTrade, read_last_trade
from ingest.store.repair_log import KEPT_REVISIONS
from ingest.store.window.bar_view import BarView

# Room for bars to come, as a share of those there are; copied to a larger one when it is used up.
_LEAST_ROOM = 1024
# Bars in memory beyond the longest lookback: the other leg of a pair may be a little behind.
_SLACK = 128

# Never the same twice in a process, so that a window made again cannot pass for the one before.
_epochs = itertools.count(1)


class _State(NamedTuple):
    """Where a stream stands: its revision, edges, klines before its first tick, end, gaps."""

    stream_id: int
    revision: int
    newest: int | None
    first_us: int | None
    lengths: tuple[int, ...]
    divisors: tuple[int, ...]
    end: int
    last: LastTrade | None
    gaps: Spans


class BarWindow:
    """Bars of one symbol and interval, from some second to the newest. Any thread.

    Every bar equals that of a fresh `TickReader.bars`, to the bit. A refresh costs what is new: the
    newest bar and those after it, spans the repair log names, bars that a gap came over or left.

    Parameters
    ----------
    path, symbol, interval
        As for `TickReader` and its `bars`.
    """

    def __init__(self, path: Path | str, symbol: str, interval: str) -> None:
        self.path, self.symbol = Path(path), symbol
        self.seconds = interval_seconds(interval)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._seen: int | None = None  # SQLite's own count of foreign commits
        self._state: _State | None = None
        self._low = EVER_S[1]  # nothing is in memory yet
        self._most_viewed = 0  # bars of the longest view since the last trim
        self._epoch = next(_epochs)  # another when closed bars change otherwise than by new ones
        self._room = new_columns(0, self.seconds, 0)
        self._size = 0
        self._source: BarSource | None = None

    def last_trade(self) -> LastTrade | None:
        """Look for news and return the newest stored trade by trade time; None without any.

        Raises
        ------
        StoreError
            The file is missing or no Pairdesk database.
        """
        with self._lock:
            self._look()
            return None if self._state is None else self._state.last

    def view(self, start: int | None, *, look: bool = True) -> BarView:
        """Bars from the bar that holds second `start` on (None: all there are), as they are now.

        Without `look` as they were when last looked at, where that ever was.

        Raises
        ------
        StoreError
            The file is missing or no Pairdesk database.
        """
        low = (EVER_S[0] if start is None else start) // self.seconds * self.seconds
        with self._lock:
            if look or self._state is None:
                self._look()
            if self._state is None:
                nothing = new_columns(0, self.seconds, 0)
                return BarView(nothing, nothing, (self._epoch, 0, 0), None)
            if low < self._low:
                self._reload(low)
            return self._view(low)

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        with self._lock:
            self._close()

    def size_bytes(self) -> int:
        """Bytes of the arrays in memory."""
        return sum(each.nbytes for each in self._room.arrays())

    def _view(self, low: int) -> BarView:
        room = self._room
        start = max(low // self.seconds - room.first, 0)
        # A fresh read begins with the first bar the database has.
        rows = room.has_row[start : self._size]
        start += int(np.argmax(rows)) if rows.any() else rows.size
        self._most_viewed = max(self._most_viewed, self._size - start)
        assert self._state is not None
        assert self._source is not None
        newest = self._state.newest
        closed = self._size
        if newest is not None:
            closed = max(start, min(closed, newest // self.seconds - room.first))
        until = self._source.until
        if until is not None and until <= (room.first + start) * self.seconds:
            until = None
        return BarView(
            room.part(start, closed),
            room.part(closed, self._size).copied(),  # the one bar that will still change
            (self._epoch, room.first + start, room.first + closed),
            until,
        )

    def _look(self) -> None:
        """Bring the window up to date with what was committed since the last look."""
        connection = self._open()
        seen = connection.execute("PRAGMA data_version").fetchone()[0]
        if seen == self._seen:
            return
        with one_transaction(connection):
            state = self._read_state(connection)
            if state is not None and self._source is not None and state is not self._state:
                if self._must_reload(state):
                    state = self._load(state, self._low)
                else:
                    self._update(state)
            self._state = state
        # Read before the transaction: a commit in between is looked at once more.
        self._seen = seen

    def _reload(self, low: int) -> None:
        connection = self._open()
        with one_transaction(connection):
            state = self._read_state(connection)
            self._state = None if state is None else self._load(state, low)

    def _read_state(self, connection: sqlite3.Connection) -> _State | None:
        row = connection.execute(
            "SELECT stream_id, revision FROM stream AS s WHERE symbol = ?"  # noqa: S608 - ours
            " AND (EXISTS (SELECT 1 FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
            " OR EXISTS (SELECT 1 FROM kline AS k WHERE k.stream_id = s.stream_id))"
            f"{NEWEST_FIRST} LIMIT 1",
            (self.symbol, *newest_first_bounds()),
        ).fetchone()
        if row is None:
            return None
        old = self._state
        if old is not None and row == (old.stream_id, old.revision):
            return old
        source = BarSource(connection, row[0], self.seconds)
        source.look()
        gaps = source.gaps(self._low) if self._source is not None else []
        last = read_last_trade(connection, row[0], source.end)
        stream_id, revision = row
        return _State(
            stream_id,
            revision,
            source.newest,
            source.first_us,
            source.lengths,
            source.divisors,
            source.end,
            last,
            gaps,
        )

    def _must_reload(self, state: _State) -> bool:
        """Whether the bars in memory cannot be brought up to date piece by piece."""
        old, source = self._state, self._source
        assert source is not None
        if old is None or state.stream_id != old.stream_id:
            return True
        if state.revision - old.revision >= KEPT_REVISIONS or not self._size:
            return True
        if state.newest is None or old.newest is None or state.newest < old.newest:
            return True
        begins = (old.first_us, old.lengths), (state.first_us, state.lengths)
        if begins[0] != begins[1] and self._reaches(old.first_us, state.first_us):
            return True
        begin = self._room.first * self.seconds
        if any(low < self._room.first for low, _ in self._changed_gaps(state)):
            return True  # bars before those in memory may have become known
        if self._reaches(state.first_us):  # up to the first tick the exchange's bars may stand
            begin = max(begin, (state.first_us or 0) // SECOND_US + 1, source.until or 0)
        return any(
            max(low, self._low) < begin and high >= self._low for low, high in self._repaired(state)
        )

    def _reaches(self, *firsts_us: int | None) -> bool:
        """Whether a stream's beginning lies in the window."""
        return any(first is None or first >= self._low * SECOND_US for first in firsts_us)

    def _changed_gaps(self, state: _State) -> Spans:
        """First and last bar, both inclusive, that touch a gap which came, went or changed."""
        assert self._state is not None
        low_us, step_us = self._low * SECOND_US, self.seconds * SECOND_US
        # What a gap says of the time before the window does not matter.
        new, old = (
            {
                (max(after_us, low_us), before_us)
                for after_us, before_us in gaps
                if before_us >= low_us
            }
            for gaps in (state.gaps, self._state.gaps)
        )
        return [(after_us // step_us, before_us // step_us) for after_us, before_us in new ^ old]

    def _repaired(self, state: _State) -> Spans:
        assert self._connection is not None
        assert self._state is not None
        return self._connection.execute(
            "SELECT low, high FROM repaired WHERE stream_id = ? AND revision > ?",
            (state.stream_id, self._state.revision),
        ).fetchall()

    def _load(self, state: _State, low: int) -> _State:
        """Read everything from second `low` on."""
        assert self._connection is not None
        source = BarSource(self._connection, state.stream_id, self.seconds)
        source.look()
        gaps = source.gaps(low)
        columns = source.grid(low, EVER_S[1], gaps)
        self._source, self._low = source, low
        self._room, self._size = columns, len(columns)
        self._epoch = next(_epochs)
        return state._replace(gaps=gaps)

    def _update(self, state: _State) -> None:
        """Read again what may have changed, and what is new."""
        old = self._state
        assert old is not None
        assert old.newest is not None
        assert state.newest is not None
        assert self._source is not None
        self._source.newest, self._source.divisors = state.newest, state.divisors
        self._source.end = state.end
        first = old.newest // self.seconds
        spans = [(first, state.newest // self.seconds)]
        spans += [
            (low // self.seconds, high // self.seconds) for low, high in self._repaired(state)
        ]
        spans += self._changed_gaps(state)
        last = state.newest // self.seconds
        first_stored = self._room.first
        wanted = [(max(low, first_stored), min(high, last)) for low, high in spans]
        merged = _merged([span for span in wanted if span[0] <= span[1]])
        is_behind = merged[0][0] < first  # bars that views show
        if is_behind:
            self._epoch = next(_epochs)
        self._make_room(last, copy=is_behind)
        first_stored = self._room.first  # making room lets the oldest bars go
        for low, high in merged:
            if high >= first_stored:
                self._lay(max(low, first_stored), self._until_traded(high, last), state)

    def _make_room(self, last: int, *, copy: bool) -> None:
        """Have room up to bar `last`; a copy where bars that views show will change."""
        previous, size = self._room, last + 1 - self._room.first
        if size > len(previous) or copy:
            cut = self._trimmed(last)
            size -= cut
            room = new_columns(
                previous.first + cut, self.seconds, size + max(_LEAST_ROOM, size // 8)
            )
            for new, known in zip(room.arrays(), previous.arrays(), strict=True):
                new[: self._size - cut] = known[cut : self._size]
            self._room = room
        self._size = size

    def _trimmed(self, last: int) -> int:
        """Count the oldest bars that no view asked for since the last trim, and let them go."""
        first = last - self._most_viewed - self._most_viewed // 64 - _SLACK
        self._most_viewed = 0
        rows = self._room.has_row[: self._size]
        cut = first - self._room.first
        if cut <= 0 or not rows[cut:].any():
            return 0
        # What is in memory begins with a bar the database has, as what is read does.
        cut += int(np.argmax(rows[cut:]))
        self._low = max(self._low, first * self.seconds)
        return cut

    def _until_traded(self, high: int, last: int) -> int:
        """Go on to before the next bar that traded: those between carry the close of this span."""
        room = self._room
        after = room.has_row[high + 1 - room.first : self._size]
        traded = np.flatnonzero(after[: last - high])
        return high + int(traded[0]) if traded.size else last

    def _lay(self, low: int, high: int, state: _State) -> None:
        """Read bars `low` to `high` again, both inclusive."""
        assert self._source is not None
        room, source = self._room, self._source
        before = room.close[low - 1 - room.first] if low > room.first else float("nan")
        out = room.part(low - room.first, high + 1 - room.first)
        read = source.read(low * self.seconds, (high + 1) * self.seconds, state.gaps)
        source.lay(read, out, state.gaps, float(before))

    def _open(self) -> sqlite3.Connection:
        """Return the connection; a new one where the file is another than before."""
        try:
            stat = self.path.stat()
        except OSError:
            self._close()
            raise StoreError(
                f"no database at {self.path}: start the recorder to make one"
            ) from None
        file = (stat.st_dev, stat.st_ino)
        if self._connection is None or file != self._file:
            self._close()
            self._connection, self._file = open_for_reading(self.path), file
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._seen, self._state, self._source = None, None, None, None
        self._low, self._size = EVER_S[1], 0
        self._room = new_columns(0, self.seconds, 0)


def _merged(spans: Spans) -> Spans:
    """Join spans of bars that touch or overlap, in order; both ends inclusive."""
    joined: Spans = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined
