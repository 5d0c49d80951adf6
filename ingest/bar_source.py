"""What bars are made of, read from the database: stored seconds, the exchange's bars, gaps."""

import sqlite3
from dataclasses import dataclass, field

import numpy as np

from ingest.connecting import EVER_S
from ingest.stored_bars import (
    SECOND_US,
    STORED_ROW,
    BarColumns,
    BarRows,
    StoredRows,
    in_gaps,
    lay_bars,
    merge_rows,
    new_columns,
)

Spans = list[tuple[int, int]]

# A volume past 2**63 units is stored as a float: the cast stops it at that.
_COLUMNS = "second, open, high, low, close, CAST(volume AS INTEGER), trades"


@dataclass(frozen=True, slots=True)
class Klines:
    """The exchange's own bars of a stream that stand before its first tick.

    Attributes
    ----------
    length_s
        Of each of them; 0 where there are none.
    seconds
        When they open, in order, those without a trade too.
    until
        Second at which they end; None without any.
    first_us
        Time of the stream's first tick; None without any.
    """

    length_s: int = 0
    seconds: tuple[int, ...] = ()
    until: int | None = None
    first_us: int | None = None

    def unknown(self) -> Spans:
        """``(after_us, before_us)`` of what neither they nor the ticks know."""
        ends = [second + self.length_s for second in self.seconds]
        begins = [*self.seconds[1:]]
        found = [
            (end * SECOND_US, begin * SECOND_US)
            for end, begin in zip(ends, begins, strict=False)
            if begin > end
        ]
        if ends and self.first_us is not None and self.first_us > ends[-1] * SECOND_US:
            found.append((ends[-1] * SECOND_US, self.first_us))
        return found


@dataclass(slots=True)
class BarSource:
    """Reads one stream's bars of one length. Inside a transaction of the caller's.

    Attributes
    ----------
    connection, stream_id, seconds
        Where to read, what, and the length of a bar.
    klines
        As `read_klines` found them.
    """

    connection: sqlite3.Connection
    stream_id: int
    seconds: int
    klines: Klines = field(default_factory=Klines)

    def edges(self) -> tuple[int | None, int | None]:
        """Time of the first tick (µs), second of the newest bar."""
        by_stream = (self.stream_id,)
        first = self.connection.execute(
            "SELECT open_us FROM bar_1s WHERE stream_id = ? ORDER BY second LIMIT 1", by_stream
        ).fetchone()
        newest = self.connection.execute(
            "SELECT max(second) FROM bar_1s WHERE stream_id = ?", by_stream
        ).fetchone()
        return (None if first is None else first[0]), newest[0]

    def read_klines(self, low: int, high: int, first_us: int | None) -> None:
        """Find the klines from second `low` on, of a length that divides the bar's."""
        self.klines = Klines(first_us=first_us)
        if first_us is not None and first_us < low * SECOND_US:
            return
        length = self.connection.execute(
            "SELECT min(length_s) FROM kline WHERE stream_id = ? AND ? % length_s = 0",
            (self.stream_id, self.seconds),
        ).fetchone()[0]
        if length is None:
            return
        last = EVER_S[1] if first_us is None else first_us // SECOND_US
        rows = self.connection.execute(
            "SELECT second FROM kline WHERE stream_id = ? AND length_s = ?"
            " AND second >= ? AND second < ? AND second <= ? ORDER BY second",
            (self.stream_id, length, low, high, last),
        )
        seconds = tuple(row[0] for row in rows)
        if seconds:
            self.klines = Klines(length, seconds, seconds[-1] + length, first_us)

    def gaps(self, low: int) -> Spans:
        """``(after_us, before_us)`` of the gaps that end at second `low` or later."""
        return self.connection.execute(
            "SELECT after_us, before_us FROM gap"
            " WHERE stream_id = ? AND state IN ('open', 'expired') AND before_us >= ?",
            (self.stream_id, low * SECOND_US),
        ).fetchall()

    def rows(self, low: int, high: int) -> BarRows:
        """Bars with a trade of the seconds ``low <= second < high``, whole bars.

        A kline replaces the second in which the recording began, of which the ticks know only a
        part. One without a trade is no row.
        """
        until = self.klines.until
        if until is None or until <= low:
            return merge_rows(self._stored(low, high), self.seconds)
        early = self._klines(low, min(high, until))
        late = self._stored(max(low, until), high)
        return merge_rows(np.concatenate([early, late]), self.seconds)

    def lay(
        self, rows: BarRows, out: BarColumns, gaps: Spans, before: float = float("nan")
    ) -> None:
        """Lay rows on a grid with what the gaps say; `before` is the close before the grid."""
        lay_bars(rows, out, in_gaps(out.first, len(out), self.seconds, gaps), before)

    def grid(self, low: int, high: int, gaps: Spans) -> BarColumns:
        """All bars from the first with a trade to the last, or to the end of the klines."""
        rows = self.rows(low, high)
        if not rows.at.size:
            return new_columns(0, self.seconds, 0)
        last = int(rows.at[-1])
        if self.klines.until is not None:
            last = max(last, (self.klines.until - 1) // self.seconds)
        out = new_columns(int(rows.at[0]), self.seconds, last - int(rows.at[0]) + 1)
        self.lay(rows, out, gaps)
        return out

    def _stored(self, low: int, high: int) -> StoredRows:
        cursor = self.connection.execute(
            f"SELECT {_COLUMNS} FROM bar_1s"  # noqa: S608 - ours
            " WHERE stream_id = ? AND second >= ? AND second < ? ORDER BY second",
            (self.stream_id, low, high),
        )
        return np.fromiter(cursor, dtype=STORED_ROW)

    def _klines(self, low: int, high: int) -> StoredRows:
        cursor = self.connection.execute(
            f"SELECT {_COLUMNS} FROM kline"  # noqa: S608 - ours
            " WHERE stream_id = ? AND length_s = ? AND second >= ? AND second < ? AND trades > 0"
            " ORDER BY second",
            (self.stream_id, self.klines.length_s, low, high),
        )
        return np.fromiter(cursor, dtype=STORED_ROW)
