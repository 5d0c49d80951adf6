"""What bars are made of, read from the database: stored seconds, the exchange's bars, gaps."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ingest.connecting import EVER_S
from ingest.stored_bars import (
    SECOND_US,
    STORED_ROW,
    BarColumns,
    BarRows,
    Spans,
    StoredRows,
    in_gaps,
    lay_bars,
    merge_rows,
    new_columns,
    runs,
    without_spans,
)

# A volume past 2**63 units is stored as a float: the cast stops it at that.
_COLUMNS = "second, open, high, low, close, CAST(volume AS INTEGER), trades"


class Read(NamedTuple):
    """Bars that hold a trade, each of them whole, and what is not known.

    `unknown` are spans ``(low, high)`` of seconds, `high` excluded, that neither ticks nor klines
    know: a bar that touches one has no row.
    """

    rows: BarRows
    unknown: Spans


@dataclass(slots=True)
class BarSource:
    """Reads one stream's bars of one length. Inside a transaction of the caller's.

    Ticks are taken where they are stored, the exchange's own bars (klines) before. A kline serves
    where its length divides the bar's; of several that know a time the coarsest is read, which
    holds the same trades in fewer rows, and finer ones reach from there to the first tick. The
    second in which the recording began is known to the ticks only in part, so a kline stands for
    it, or a coarser kline that holds it whole. A bar that cannot be put together of whole pieces
    is missing. Without any klines before it, the first bar is what the ticks know of it.

    All of that is decided bar by bar: reading a part gives what reading all gives there.

    Attributes
    ----------
    connection, stream_id, seconds
        Where to read, what, and the length of a bar.
    first_us, newest
        Time of the first tick (µs), second of the newest one's bar; None without any.
    lengths
        Of the klines before the first tick that divide a bar's, coarsest first.
    until
        Second at which the klines read last end; None without any.
    """

    connection: sqlite3.Connection
    stream_id: int
    seconds: int
    first_us: int | None = None
    newest: int | None = None
    lengths: tuple[int, ...] = ()
    until: int | None = None

    def look(self) -> None:
        """Find the stream's edges, and which klines stand before its first tick."""
        by_stream = (self.stream_id,)
        first = self.connection.execute(
            "SELECT open_us FROM bar_1s WHERE stream_id = ? ORDER BY second LIMIT 1", by_stream
        ).fetchone()
        self.first_us = None if first is None else first[0]
        self.newest = self.connection.execute(
            "SELECT max(second) FROM bar_1s WHERE stream_id = ?", by_stream
        ).fetchone()[0]
        before = self.border
        self.lengths = tuple(
            length
            for length in reversed(self.kline_lengths())
            if self.seconds % length == 0 and self._first_kline(length) < before
        )

    @property
    def border(self) -> int:
        """Second from which on the ticks know all; the end of time without any."""
        return EVER_S[1] if self.first_us is None else self.first_us // SECOND_US + 1

    def kline_lengths(self) -> list[int]:
        """Lengths of the stream's klines, in order: a look at the key for each, not at the rows."""
        found = [0]
        while True:
            row = self.connection.execute(
                "SELECT length_s FROM kline WHERE stream_id = ? AND length_s > ?"
                " ORDER BY length_s LIMIT 1",
                (self.stream_id, found[-1]),
            ).fetchone()
            if row is None:
                return found[1:]
            found.append(row[0])

    def hole(self) -> tuple[int, int] | None:
        """``(after_us, before_us)`` between the finest klines' end and the first tick, if any.

        Without it bars of every length are whole there; with it those that touch it are missing.
        """
        lengths = [each for each in self.kline_lengths() if self._first_kline(each) < self.border]
        if not lengths or self.first_us is None:
            return None
        finest = lengths[0]
        last = self.connection.execute(
            "SELECT max(second) FROM kline WHERE stream_id = ? AND length_s = ? AND second < ?",
            (self.stream_id, finest, self.border),
        ).fetchone()[0]
        end = last + finest
        return None if end >= self.border else (end * SECOND_US, self.first_us)

    def gaps(self, low: int) -> Spans:
        """``(after_us, before_us)`` of the gaps that end at second `low` or later."""
        return self.connection.execute(
            "SELECT after_us, before_us FROM gap"
            " WHERE stream_id = ? AND state IN ('open', 'expired') AND before_us >= ?",
            (self.stream_id, low * SECOND_US),
        ).fetchall()

    def read(self, low: int, high: int) -> Read:
        """Bars with a trade of the seconds ``low <= second < high``, whole bars."""
        if not self.lengths or low >= self.border:
            return Read(merge_rows(self._stored(low, high), self.seconds), [])
        early, unknown, ticks_from = self._early(low, min(high, self.border), high)
        late = self._stored(max(low, ticks_from), high)
        rows = merge_rows(np.concatenate([early, late]), self.seconds)
        return Read(_without(rows, self._bars(unknown)), unknown)

    def lay(self, read: Read, out: BarColumns, gaps: Spans, before: float = float("nan")) -> None:
        """Lay bars on a grid with what the gaps say; `before` is the close before the grid."""
        missing = in_gaps(out.first, len(out), self.seconds, gaps)
        for low, high in self._bars(read.unknown):
            missing[max(low - out.first, 0) : max(high + 1 - out.first, 0)] = True
        lay_bars(read.rows, out, missing, before)

    def grid(self, low: int, high: int, gaps: Spans) -> BarColumns:
        """All bars from the first with a trade to the last, or to the end of the klines."""
        read, until = self.read(low, high), self.until
        if not read.rows.at.size:
            return new_columns(0, self.seconds, 0)
        first, last = int(read.rows.at[0]), int(read.rows.at[-1])
        if self.newest is not None and low <= self.newest < high:
            last = max(last, self.newest // self.seconds)
        elif until is not None:
            last = max(last, until // self.seconds - 1)
        out = new_columns(first, self.seconds, last - first + 1)
        self.lay(read, out, gaps)
        return out

    def _early(self, low: int, stop: int, high: int) -> tuple[StoredRows, Spans, int]:
        """Klines up to `stop`, what stays unknown, and the second from which to take ticks."""
        unknown: Spans = [(low, stop)]
        taken: list[StoredRows] = []
        for length in self.lengths:
            new = [self._klines(length, *span) for span in unknown]
            unknown = without_spans(unknown, [run for each in new for run in runs(each, length)])
            taken += new
        rows, ticks_from = np.concatenate(taken), stop
        rows = rows[np.argsort(rows["at"], kind="stable")]
        for length in reversed(self.lengths):
            opens = (stop - 1) // length * length
            ends = opens + length
            # A kline that holds the first tick: where finer ones do not reach it.
            if stop == self.border < ends <= high and unknown and unknown[-1][1] > opens:
                whole = self._klines(length, opens, ends)
                if whole.size:
                    rows = np.concatenate([rows[rows["at"] < opens], whole])
                    unknown, ticks_from = without_spans(unknown, [(opens, ends)]), ends
        return rows[rows["trades"] > 0], unknown, ticks_from

    def _bars(self, unknown: Spans) -> Spans:
        """First and last bar, both inclusive, that each span touches."""
        return [(low // self.seconds, (high - 1) // self.seconds) for low, high in unknown]

    def _first_kline(self, length: int) -> int:
        row = self.connection.execute(
            "SELECT second FROM kline WHERE stream_id = ? AND length_s = ? ORDER BY second LIMIT 1",
            (self.stream_id, length),
        ).fetchone()
        return int(row[0])

    def _stored(self, low: int, high: int) -> StoredRows:
        cursor = self.connection.execute(
            f"SELECT {_COLUMNS} FROM bar_1s"  # noqa: S608 - ours
            " WHERE stream_id = ? AND second >= ? AND second < ? ORDER BY second",
            (self.stream_id, low, high),
        )
        return np.fromiter(cursor, dtype=STORED_ROW)

    def _klines(self, length: int, low: int, high: int) -> StoredRows:
        """Klines of a length that lie wholly in ``low … high``, those without a trade too."""
        cursor = self.connection.execute(
            f"SELECT {_COLUMNS} FROM kline"  # noqa: S608 - ours
            " WHERE stream_id = ? AND length_s = ? AND second >= ? AND second <= ? ORDER BY second",
            (self.stream_id, length, low, high - length),
        )
        found = np.fromiter(cursor, dtype=STORED_ROW)
        if found.size:
            end = int(found["at"][-1]) + length
            self.until = end if self.until is None else max(self.until, end)
        return found


def _without(rows: BarRows, dropped: Spans) -> BarRows:
    """Leave out the bars of spans, both ends inclusive."""
    keep = np.ones(rows.at.size, dtype=np.bool_)
    for low, high in dropped:
        keep[slice(*np.searchsorted(rows.at, (low, high + 1)))] = False
    if keep.all():
        return rows
    return rows.where(keep)
