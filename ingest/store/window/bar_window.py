"""A window of one stream's bars kept in memory, that reads only what is new or was repaired."""

import itertools
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ingest.store.bar_source import BarSource
from ingest.store.bars import SECOND_US, Spans, interval_seconds, merged_spans, new_columns
from ingest.store.connecting import EVER_S, one_transaction
from ingest.store.last_trade import LastTrade
from ingest.store.pieces import LakeStream
from ingest.store.repair_log import KEPT_REVISIONS, repaired_since
from ingest.store.sources.bar_grid import grid_with_room, lay
from ingest.store.sources.history import History
from ingest.store.sources.lake_side import LakeSide
from ingest.store.sources.stream_tips import read_tip
from ingest.store.window.bar_view import BarView
from ingest.store.window.stream_state import StreamState
from ingest.store.window.window_database import Sight, StreamSight, WindowDatabase, window_database

# Room for bars to come, as a share of those there are; copied to a larger one when it is used up.
_LEAST_ROOM = 1024
# Bars in memory beyond the longest lookback: the other leg of a pair may be a little behind.
_SLACK = 128

# Never the same twice in a process, so that a window made again cannot pass for the one before.
_epochs = itertools.count(1)
_BAR_BYTES: int = sum(each.itemsize for each in new_columns(0, 1, 0).arrays())
NO_STREAM = (0, 0)  # the database has nothing of it
_ANY = LakeStream("spot", "", "aggTrade")


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
        self.lock = threading.Lock()
        self._history, self._on_resize = history, on_resize
        self._database: WindowDatabase | None = None
        self.may_be_absent = history is not None  # the database
        self._opening = 0  # of the database's file
        self._lake: LakeSide | None = None
        self._state: StreamState | None = None
        self._low = EVER_S[1]  # nothing is in memory yet
        self._most_viewed = 0  # bars of the longest view since the last trim
        self._epoch = next(_epochs)  # another when closed bars change otherwise than by new ones
        self._room = new_columns(0, self.seconds, 0)
        self._size = 0
        self._loaded: BarSource | None = None  # what read the bars in memory
        self._counted = 0  # bytes that `on_resize` was told of

    def last_trade(self, *, look: bool = True) -> LastTrade | None:
        """Look for news and return the newest stored trade by trade time; None without any.

        Without `look` that of the last look, where that ever was.

        Raises
        ------
        StoreError
            The file is missing or no Pairdesk database.
        """
        with self.lock:
            if look or self._state is None:
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
        with self.lock:
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
        with self.lock:
            self._forget()
            self._database = None
            self._report_size()

    def size_bytes(self) -> int:
        """Bytes of the arrays in memory."""
        return len(self._room) * _BAR_BYTES

    # Of a look at many windows, which holds the lock.

    def state_at(self, sight: Sight) -> StreamState | None:
        """Where the stream stood when last looked at; None where no bars are in memory."""
        return self._state if sight.opening == self._opening and self._size else None

    def is_up_to_date(self, sight: Sight) -> bool:
        """Whether nothing was committed to the stream since."""
        if self._loaded is None or sight.opening != self._opening:
            return False
        found = sight.streams.get(self.symbol)
        if found is not None and self._state is not None and found[1:] != self._state[:2]:
            return False
        return self._is_as_before(found, self._look_at_lake(found))

    def has_same_lake(self, found: StreamSight) -> bool:
        """Whether the lake is as it was; in a transaction that has begun to read."""
        return self._state is not None and self._look_at_lake(found) is self._state.source.lake

    def gaps_in_memory(self, gaps: Spans) -> Spans:
        """Those of a stream's gaps that do not end before the bars in memory."""
        low_us = self._low * SECOND_US
        return [each for each in gaps if each[1] >= low_us]

    def close_before(self, bar: int) -> float:
        """Close of the bar before one that is in memory or the next; NaN before all of them."""
        row = bar - 1 - self._room.first
        return float(self._room.close[row]) if row >= 0 else float("nan")

    @property
    def newest_in_memory(self) -> int:
        """The newest bar in memory, counted since the epoch."""
        return self._room.first + self._size - 1

    def go_on(self, state: StreamState, first: int, laid: tuple[Any, ...], at: int) -> None:
        """Take the bars from `first` on as another look read them, and where the stream stands.

        They are in columns, from row `at` on.
        """
        last = state.newest_bar
        assert last is not None
        self._make_room(last, first, copy=False)
        begin = max(first, self._room.first)
        rows, new = (
            slice(begin - self._room.first, self._size),
            slice(at + begin - first, at + last + 1 - first),
        )
        for known, column in zip(self._room.arrays(), laid, strict=True):
            known[rows] = column[new]
        self._state, self._loaded = state, state.source

    def _view(self, low: int) -> BarView:
        room = self._room
        start = max(low // self.seconds - room.first, 0)
        # A fresh read begins with the first bar the database has.
        if start < self._size and not room.has_row[start]:
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
            room.copied(closed, self._size),  # the one bar that will still change
            (self._epoch, room.first + start, room.first + closed),
            until,
        )

    def _look(self) -> None:
        """Bring the window up to date with what was committed since the last look."""
        if self._database is None:
            self._database = window_database(self.path)
        sight = self._database.look(may_be_absent=self.may_be_absent)
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
    ) -> StreamState | None:
        stream_id, revision = NO_STREAM if found is None else found[1:]
        if self._history is not None:  # a day that moves is in the lake before it goes here
            connection.execute("SELECT 1 FROM stream").fetchone()  # from here on it stands still
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
        return StreamState(stream_id, revision, source, last, gaps, source.newest_bar())

    def _followed(self, connection: sqlite3.Connection, stream_id: int) -> StreamState | None:
        """Look for newer trades, by few questions; None where anything else may have changed."""
        old = self._state
        if old is None or self._loaded is None or not old.may_be_followed(stream_id, self._lake):
            return None
        tip = read_tip(connection, stream_id)
        if tip is None or not old.is_followed_by(tip):
            return None
        assert tip.newest is not None
        source = old.source.followed(connection, tip.newest)
        gaps, bar = source.gaps(self._low), tip.newest // self.seconds
        return StreamState(stream_id, tip.revision, source, tip.last, gaps, bar)

    def _must_reload(self, state: StreamState, connection: sqlite3.Connection) -> bool:
        """Whether the bars in memory cannot be brought up to date piece by piece."""
        old, new = self._state, state.source
        if old is None or state.stream_id != old.stream_id or new.lake is not old.source.lake:
            return True
        if state.revision - old.revision >= KEPT_REVISIONS or not self._size:
            return True
        if old.is_of_other_kind(state):
            return True
        before, now = ((each.first_us, each.lengths) for each in (old.source, new))
        if before != now and self._reaches(before[0], now[0]):
            return True
        begin = self._room.first * self.seconds
        if any(low < self._room.first for low, _ in old.changed_gaps(state, self._low)):
            return True  # bars before those in memory may have become known
        if new.first_us is not None and self._reaches(new.first_us):
            # Up to the first tick pieces may stand.
            assert self._loaded is not None
            begin = max(begin, new.border, self._loaded.reach or 0)
        return any(
            max(low, self._low) < begin and high >= self._low
            for low, high in repaired_since(connection, *old[:2])
        )

    def _reaches(self, *firsts_us: int | None) -> bool:
        """Whether a stream's beginning lies in the window."""
        return any(first is None or first >= self._low * SECOND_US for first in firsts_us)

    def _load(self, state: StreamState, low: int) -> StreamState:
        """Read everything from second `low` on."""
        source = state.source
        gaps = source.gaps(low)
        self._room, self._size = grid_with_room(source, low, EVER_S[1], gaps, _LEAST_ROOM)
        self._loaded, self._low = source, low
        self._epoch = next(_epochs)
        return state._replace(gaps=gaps)

    def _update(self, state: StreamState, connection: sqlite3.Connection) -> None:
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
            for low, high in repaired_since(connection, *old[:2])
        ]
        spans += old.changed_gaps(state, self._low)
        first_stored = self._room.first
        wanted = [(max(low, first_stored), min(high, last)) for low, high in spans]
        joined = merged_spans((low, high + 1) for low, high in wanted if low <= high)
        merged = [(low, end - 1) for low, end in joined]
        is_behind = bool(merged) and merged[0][0] < first  # bars that views show
        if is_behind:
            self._epoch = next(_epochs)
        self._make_room(last, merged[0][0] if merged else last, copy=is_behind)
        first_stored = self._room.first  # making room lets the oldest bars go
        for low, high in merged:
            if high >= first_stored:
                self._lay(max(low, first_stored), self._until_traded(high, last), state)

    def _make_room(self, last: int, read: int, *, copy: bool) -> None:
        """Have room up to bar `last`; a copy where bars that views show will change.

        From bar `read` on bars are read again or new.
        """
        previous, size = self._room, last + 1 - self._room.first
        if size > len(previous) or copy:
            cut = self._trimmed(last, read)
            size -= cut
            room = new_columns(
                previous.first + cut, self.seconds, size + max(_LEAST_ROOM, size // 8)
            )
            for new, known in zip(room.arrays(), previous.arrays(), strict=True):
                new[: self._size - cut] = known[cut : self._size]
            self._room = room
        self._size = size

    def _trimmed(self, last: int, read: int) -> int:
        """Count the oldest bars that no view asked for since the last trim, and let them go."""
        first = last - self._most_viewed - self._most_viewed // 64 - _SLACK
        self._most_viewed = 0
        rows = self._room.has_row[: self._size]
        cut = first - self._room.first
        if cut <= 0 or not rows[cut:].any():
            return 0
        # What is in memory begins with a bar the database has, as what is read does, or a late one.
        cut = min(cut + int(np.argmax(rows[cut:])), max(cut, read - self._room.first))
        self._low = max(self._low, first * self.seconds)
        return cut

    def _until_traded(self, high: int, last: int) -> int:
        """Go on to before the next bar that traded: those between carry the close of this span."""
        room = self._room
        after = room.has_row[high + 1 - room.first : self._size]
        traded = np.flatnonzero(after[: last - high])
        return high + int(traded[0]) if traded.size else last

    def _lay(self, low: int, high: int, state: StreamState) -> None:
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
