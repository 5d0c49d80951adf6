"""A window of one stream's bars kept in memory, that reads only what is new or was repaired."""

import itertools
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ingest.clock import now_us
from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, Spans, interval_seconds, merged_spans, new_columns
from ingest.store.connecting import EVER_S, one_transaction
from ingest.store.future_rows import last_second
from ingest.store.last_trade import LastTrade, read_last_trade
from ingest.store.pieces import LakeStream
from ingest.store.repair_log import KEPT_REVISIONS
from ingest.store.sources.bar_grid import grid_with_room, lay
from ingest.store.sources.history import History
from ingest.store.sources.lake_side import LakeSide
from ingest.store.window.bar_view import BarView
from ingest.store.window.window_database import StreamSight, WindowDatabase, window_database

# Room for bars to come, as a share of those there are; copied to a larger one when it is used up.
_LEAST_ROOM = 1024
# Bars in memory beyond the longest lookback: the other leg of a pair may be a little behind.
_SLACK = 128

# Never the same twice in a process, so that a window made again cannot pass for the one before.
_epochs = itertools.count(1)
_TIP: Final = (
    "SELECT revision, (SELECT open_us FROM bar_1s AS b WHERE b.stream_id = s.stream_id"
    " ORDER BY second LIMIT 1),"
    " (SELECT max(second) FROM bar_1s AS b WHERE b.stream_id = s.stream_id),"
    " (SELECT max(revision) FROM repaired AS r WHERE r.stream_id = s.stream_id)"
    " FROM stream AS s WHERE stream_id = ?"
)
NO_STREAM = (0, 0)  # the database has nothing of it
_ANY = LakeStream("spot", "", "aggTrade")


class _State(NamedTuple):
    """Where a stream stands: its revision, what its bars are made of, last trade, gaps.

    `newest_bar` holds the newest trade; without any it is the last that pieces tell of.
    """

    stream_id: int
    revision: int
    source: BarSource
    last: LastTrade | None
    gaps: Spans
    newest_bar: int | None


class BarWindow:
    """Bars of one symbol and interval, from some second to the newest. Any thread.

    Every bar equals that of a fresh `TickReader.bars`, to the bit. A refresh costs what is new: the
    newest bar and those after it, spans the repair log names, bars that a gap came over or left.

    Parameters
    ----------
    path, symbol, interval
        As for `TickReader` and its `bars`.
    history
        The lake to read before the database and in its gaps; None: none.
    on_resize
        Called with the bytes that the window takes up more, or less, than before.
    """

    def __init__(
        self,
        path: Path | str,
        symbol: str,
        interval: str,
        *,
        history: History | None = None,
        on_resize: Callable[[int], None] | None = None,
    ) -> None:
        self.path, self.symbol = Path(path), symbol
        self.seconds = interval_seconds(interval)
        self._lock = threading.Lock()
        self._history, self._on_resize = history, on_resize
        self._database: WindowDatabase | None = None
        self._opening = 0  # of the database's file
        self._lake: LakeSide | None = None
        self._state: _State | None = None
        self._low = EVER_S[1]  # nothing is in memory yet
        self._most_viewed = 0  # bars of the longest view since the last trim
        self._epoch = next(_epochs)  # another when closed bars change otherwise than by new ones
        self._room = new_columns(0, self.seconds, 0)
        self._size = 0
        self._loaded: BarSource | None = None  # what read the bars in memory
        self._counted = 0  # bytes that `on_resize` was told of

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
            self._report_size()
            return self._view(low)

    def close(self) -> None:
        """Let the bars go, and the database; a later call reads them again."""
        with self._lock:
            self._forget()
            self._database = None
            self._report_size()

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
        assert self._loaded is not None
        forming = self._loaded.forming
        closed = self._size
        if forming is not None:
            closed = max(start, min(closed, forming // self.seconds - room.first))
        until = self._loaded.until
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
        if self._database is None:
            self._database = window_database(self.path)
        sight = self._database.look(may_be_absent=self._history is not None)
        if sight.opening != self._opening:
            self._forget()
            self._opening = sight.opening
        found = sight.streams.get(self.symbol)
        lake = self._look_at_lake(found)
        if self._is_as_before(found, lake):
            return
        with self._database.reading(self._opening) as connection, one_transaction(connection):
            state = self._read_state(connection, found)
            if state is not None and self._loaded is not None:
                if self._must_reload(state, connection):
                    state = self._load(state, self._low)
                else:
                    self._update(state, connection)
            self._state = state

    def _look_at_lake(self, found: StreamSight | None) -> LakeSide | None:
        if self._history is None:
            return None
        stream = self._history.find(self.symbol) if found is None else found.stream
        return None if stream is None else self._history.side(stream, self._lake)

    def _is_as_before(self, found: StreamSight | None, lake: LakeSide | None) -> bool:
        state = self._state
        if found is None and lake is None:
            return state is None
        which = NO_STREAM if found is None else found[1:]
        return state is not None and which == state[:2] and lake is state.source.lake

    def _reload(self, low: int) -> None:
        assert self._database is not None
        assert self._state is not None
        found = StreamSight(_ANY if self._lake is None else self._lake.stream, *self._state[:2])
        with self._database.reading(self._opening) as connection, one_transaction(connection):
            state = self._read_state(connection, found)
            self._state = None if state is None else self._load(state, low)

    def _read_state(
        self, connection: sqlite3.Connection, found: StreamSight | None
    ) -> _State | None:
        stream_id, revision = NO_STREAM if found is None else found[1:]
        if self._history is not None:  # a day that moves is in the lake before it goes here
            connection.execute(_TIP, (stream_id,)).fetchone()  # from here on it stands still
            self._lake = self._look_at_lake(found)
        if found is None and self._lake is None:
            return None
        if (followed := self._followed(connection, stream_id)) is not None:
            return followed
        row = connection.execute(
            "SELECT revision FROM stream WHERE stream_id = ?", (stream_id,)
        ).fetchone()
        source = BarSource(connection, stream_id, self.seconds, self._lake)
        source.look()
        gaps = source.gaps(self._low) if self._loaded is not None else []
        last = source.last_trade()
        revision = revision if row is None else row[0]
        return _State(stream_id, revision, source, last, gaps, source.newest_bar())

    def _followed(self, connection: sqlite3.Connection, stream_id: int) -> _State | None:
        """Look for newer trades, by few questions; None where anything else may have changed."""
        old = self._state
        if old is None or old.last is None or self._loaded is None or old.stream_id != stream_id:
            return None
        source = old.source
        if source.newest is None or source.is_behind_pieces or source.lake is not self._lake:
            return None
        row = connection.execute(_TIP, (stream_id,)).fetchone()
        is_later = old.last.time_us // SECOND_US > source.newest  # of a kline
        if is_later or row is None or row[1] != source.first_us or (row[3] or 0) > old.revision:
            return None
        newest = row[2]
        if source.end != EVER_S[1] or not source.newest <= newest <= last_second(now_us()):
            return None
        source = source.followed(connection, newest)
        last, gaps = read_last_trade(connection, stream_id), source.gaps(self._low)
        return _State(stream_id, row[0], source, last, gaps, newest // self.seconds)

    def _must_reload(self, state: _State, connection: sqlite3.Connection) -> bool:
        """Whether the bars in memory cannot be brought up to date piece by piece."""
        old, new = self._state, state.source
        if old is None or state.stream_id != old.stream_id or new.lake is not old.source.lake:
            return True
        if state.revision - old.revision >= KEPT_REVISIONS or not self._size:
            return True
        if self._is_of_other_kind(old, state):
            return True
        before, now = ((each.first_us, each.lengths) for each in (old.source, new))
        if before != now and self._reaches(before[0], now[0]):
            return True
        begin = self._room.first * self.seconds
        if any(low < self._room.first for low, _ in self._changed_gaps(state)):
            return True  # bars before those in memory may have become known
        if new.first_us is not None and self._reaches(new.first_us):
            # Up to the first tick pieces may stand.
            assert self._loaded is not None
            begin = max(begin, new.border, self._loaded.reach or 0)
        return any(
            max(low, self._low) < begin and high >= self._low
            for low, high in self._repaired(state, connection)
        )

    def _is_of_other_kind(self, old: _State, state: _State) -> bool:
        """Whether ticks came where there were none, or went, or pieces go on after them."""
        before, now = old.newest_bar, state.newest_bar
        if before is None or now is None or now < before:
            return True
        sources = old.source, state.source
        is_first = (sources[0].newest is None) != (sources[1].newest is None)
        if is_first or any(each.is_behind_pieces for each in sources):
            return True
        return (sources[1].newest or 0) < (sources[0].newest or 0)

    def _reaches(self, *firsts_us: int | None) -> bool:
        """Whether a stream's beginning lies in the window."""
        return any(first is None or first >= self._low * SECOND_US for first in firsts_us)

    def _changed_gaps(self, state: _State) -> Spans:
        """First and last bar, both inclusive, that touch a gap which came, went or changed."""
        if self._state is None or state.gaps == self._state.gaps:
            return []
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

    def _repaired(self, state: _State, connection: sqlite3.Connection) -> Spans:
        assert self._state is not None
        return connection.execute(
            "SELECT low, high FROM repaired WHERE stream_id = ? AND revision > ?",
            (state.stream_id, self._state.revision),
        ).fetchall()

    def _load(self, state: _State, low: int) -> _State:
        """Read everything from second `low` on."""
        source = state.source
        gaps = source.gaps(low)
        self._room, self._size = grid_with_room(source, low, EVER_S[1], gaps, _LEAST_ROOM)
        self._loaded, self._low = source, low
        self._epoch = next(_epochs)
        return state._replace(gaps=gaps)

    def _update(self, state: _State, connection: sqlite3.Connection) -> None:
        """Read again what may have changed, and what is new."""
        old, source = self._state, state.source
        assert old is not None
        assert self._loaded is not None
        source.until, source.reach = self._loaded.until, self._loaded.reach
        self._loaded = source
        first, last = old.newest_bar, state.newest_bar
        assert first is not None
        assert last is not None
        first += source.newest is None  # a bar of pieces does not grow
        spans = [(first, last)]
        spans += [
            (low // self.seconds, high // self.seconds)
            for low, high in self._repaired(state, connection)
        ]
        spans += self._changed_gaps(state)
        first_stored = self._room.first
        wanted = [(max(low, first_stored), min(high, last)) for low, high in spans]
        joined = merged_spans((low, high + 1) for low, high in wanted if low <= high)
        merged = [(low, end - 1) for low, end in joined]
        is_behind = bool(merged) and merged[0][0] < first  # bars that views show
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
        room, source = self._room, state.source
        before = room.close[low - 1 - room.first] if low > room.first else float("nan")
        out = room.part(low - room.first, high + 1 - room.first)
        read = source.read(low * self.seconds, (high + 1) * self.seconds, state.gaps)
        lay(source, read, out, state.gaps, float(before))

    def _forget(self) -> None:
        self._state, self._loaded, self._lake, self._opening = None, None, None, 0
        self._low, self._size = EVER_S[1], 0
        self._room = new_columns(0, self.seconds, 0)

    def _report_size(self) -> None:
        size = self.size_bytes()
        if self._on_resize is not None and size != self._counted:
            self._on_resize(size - self._counted)
        self._counted = size
