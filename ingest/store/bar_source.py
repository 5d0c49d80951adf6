"""What bars are made of, read from the database: stored seconds, the exchange's bars, gaps."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ingest.store.bars import (
    MISSING,
    SECOND_US,
    STORED_ROW,
    BarColumns,
    BarRows,
    Spans,
    StoredRows,
    gap_seconds,
    in_gaps,
    lay_bars,
    merge_rows,
    new_columns,
    runs,
    without_spans,
)
from ingest.store.connecting import EVER_S, up
from ingest.store.future_rows import between_readable, readable_until

# A volume past 2**63 units is stored as a float: the cast stops it at that.
_COLUMNS = "second, open, high, low, close, CAST(volume AS INTEGER), trades"


class Read(NamedTuple):
    """Bars that hold a trade, each of them whole, and what is not known.

    `unknown` are spans ``(low, high)`` of seconds, `high` excluded, that neither ticks nor klines
    know: a bar that touches one has no row. `filled` are spans of bars, `high` excluded, that touch
    a gap of the trades and are whole all the same, out of klines.
    """

    rows: BarRows
    unknown: Spans
    filled: Spans


class _Filling(NamedTuple):
    """What klines tell of gaps: their rows, the seconds these cover, the seconds left unknown."""

    rows: list[StoredRows]
    covered: Spans
    left: Spans


@dataclass(slots=True)
class BarSource:
    """Reads one stream's bars of one length. Inside a transaction of the caller's.

    Ticks are taken where they are stored, the exchange's own bars (klines) before. A kline serves
    where its length divides the bar's; of several that know a time the coarsest is read, which
    holds the same trades in fewer rows, and finer ones reach from there to the first tick. The
    second in which the recording began is known to the ticks only in part, so a kline stands for
    it, or a coarser kline that holds it whole. A bar that cannot be put together of whole pieces
    is missing. Without any klines before it, the first bar is what the ticks know of it.

    Inside a gap of the ledger that is open or given up the same holds: klines stand for the seconds
    that it touches, the coarsest that reach there first, also where one reaches out of the gap, for
    it holds the same trades. A bar of which they know a part and nothing knows the rest is missing;
    one without any kline is what the ticks know of it, and missing where its end is in the gap.

    All of that is decided bar by bar: reading a part gives what reading all gives there.

    Attributes
    ----------
    connection, stream_id, seconds
        Where to read, what, and the length of a bar.
    first_us, newest
        Time of the first tick (µs), second of the newest one's bar; None without any.
    lengths
        Of the klines before the first tick that divide a bar's, coarsest first.
    divisors
        The same of klines at any time: those that may stand in gaps.
    until
        Second at which the klines read last before the first tick end; None without any.
    end
        Second before which ticks are taken: those beyond are dated where no trade can be.
    """

    connection: sqlite3.Connection
    stream_id: int
    seconds: int
    first_us: int | None = None
    newest: int | None = None
    lengths: tuple[int, ...] = ()
    divisors: tuple[int, ...] = ()
    until: int | None = None
    end: int = EVER_S[1]

    def look(self) -> None:
        """Find the stream's edges, and which klines stand before its first tick."""
        self.end = readable_until(self.connection, self.stream_id)
        which = (self.stream_id, self.end)
        first = self.connection.execute(
            "SELECT open_us FROM bar_1s WHERE stream_id = ? AND second < ? ORDER BY second LIMIT 1",
            which,
        ).fetchone()
        self.first_us = None if first is None else first[0]
        self.newest = self.connection.execute(
            "SELECT max(second) FROM bar_1s WHERE stream_id = ? AND second < ?", which
        ).fetchone()[0]
        before = self.border
        self.divisors = tuple(
            length for length in reversed(self.kline_lengths()) if self.seconds % length == 0
        )
        self.lengths = tuple(each for each in self.divisors if self._first_kline(each) < before)

    @property
    def border(self) -> int:
        """Second from which on the ticks know all; the end of time without any."""
        return EVER_S[1] if self.first_us is None else self.first_us // SECOND_US + 1

    def kline_lengths(self) -> list[int]:
        """Lengths of the stream's klines, in order: a look at the key for each, not at the rows."""
        lengths = [0]
        while True:
            row = self.connection.execute(
                "SELECT length_s FROM kline WHERE stream_id = ? AND length_s > ?"
                " ORDER BY length_s LIMIT 1",
                (self.stream_id, lengths[-1]),
            ).fetchone()
            if row is None:
                return lengths[1:]
            lengths.append(row[0])

    def first_kline_us(self, length: int) -> int | None:
        """Open of the first kline of a length, µs; None without any."""
        return self._first_kline(length) * SECOND_US if length in self.kline_lengths() else None

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
        rows = self.connection.execute(
            "SELECT from_id, to_id, after_us, before_us FROM gap"
            " WHERE stream_id = ? AND state IN ('open', 'expired') AND before_us >= ?",
            (self.stream_id, low * SECOND_US),
        ).fetchall()
        if self.end == EVER_S[1]:
            return [row[2:] for row in rows]
        return [between_readable(self.connection, self.stream_id, row, self.end) for row in rows]

    def read(self, low: int, high: int, gaps: Spans) -> Read:
        """Bars with a trade of the seconds ``low <= second < high``, whole bars."""
        parts: list[StoredRows] = []
        unknown: Spans = []
        ticks_from = low
        if self.lengths and low < self.border:
            early, unknown, ticks_from = self._early(low, min(high, self.border), high)
            parts, ticks_from = [early], max(low, ticks_from)
        late = self._stored(ticks_from, high)
        filling = self._filling(ticks_from, high, gaps)
        if not filling.covered:
            rows = np.concatenate([*parts, late]) if parts else late
            return self._whole(rows, unknown, [])
        rows = np.concatenate([*parts, _outside(late, filling.covered), *filling.rows])
        rows = rows[np.argsort(rows["at"], kind="stable")]
        touched = self._touched(filling.covered)
        filled = without_spans(touched, self._touched(filling.left))
        incomplete = without_spans(touched, filled)
        unknown += [(low * self.seconds, high * self.seconds) for low, high in incomplete]
        return self._whole(rows, unknown, filled)

    def lay(self, read: Read, out: BarColumns, gaps: Spans, before: float = float("nan")) -> None:
        """Lay bars on a grid with what the gaps say; `before` is the close before the grid."""
        missing = in_gaps(out.first, len(out), self.seconds, gaps)
        out.from_klines[:] = False
        for low, high in read.filled:
            bars = slice(max(low - out.first, 0), max(high - out.first, 0))
            missing[bars], out.from_klines[bars] = False, True
        for low, high in self._bars(read.unknown):
            bars = slice(max(low - out.first, 0), max(high + 1 - out.first, 0))
            missing[bars], out.from_klines[bars] = True, False
        lay_bars(read.rows, out, missing, before)
        out.from_klines[:] &= out.coverage != MISSING

    def left_of(self, gap: tuple[int, int]) -> Spans:
        """Seconds that a gap touches and no kline that may serve tells of."""
        uncovered = self._seconds_of([gap], 0, EVER_S[1])
        for length in self.divisors:
            known = [run for span in uncovered for run in self._kline_runs(length, *span)]
            uncovered = without_spans(uncovered, known)
        return uncovered

    def grid(self, low: int, high: int, gaps: Spans) -> BarColumns:
        """All bars from the first with a trade to the last, or to the end of the klines."""
        read, until = self.read(low, high, gaps), self.until
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

    def _whole(self, rows: StoredRows, unknown: Spans, filled: Spans) -> Read:
        return Read(_without(merge_rows(rows, self.seconds), self._bars(unknown)), unknown, filled)

    def _filling(self, low: int, high: int, gaps: Spans) -> _Filling:
        """What klines tell of the gaps in ``low … high``, the coarsest of a time first."""
        uncovered = self._seconds_of(gaps, low, high) if gaps and self.divisors else []
        rows: list[StoredRows] = []
        covered: Spans = []
        for length in self.divisors if uncovered else ():
            reached = [(max(begin, low), end) for begin, end in _widened(uncovered, length)]
            spans = without_spans(reached, covered)
            new = [self._kline_rows(length, *span) for span in spans]
            known = [run for each in new for run in runs(each, length)]
            rows += [each[each["trades"] > 0] for each in new]
            covered, uncovered = sorted(covered + known), without_spans(uncovered, known)
        return _Filling(rows, covered, uncovered)

    def _seconds_of(self, gaps: Spans, low: int, high: int) -> Spans:
        """Seconds of gaps that ticks do not know: neither before the first one nor after the last.

        What the ticks know of the first second is said by the klines before it, if there are any.
        """
        if self.newest is None or self.first_us is None:
            return []
        first = self.border if self.lengths else self.first_us // SECOND_US
        return gap_seconds(gaps, max(low, first), min(high, self.newest + 1))

    def _touched(self, spans: Spans) -> Spans:
        """Bars, `high` excluded, that spans of seconds touch; merged."""
        wide = _widened(sorted(spans), self.seconds)
        return [(low // self.seconds, high // self.seconds) for low, high in wide]

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
            (self.stream_id, low, min(high, self.end)),
        )
        return np.fromiter(cursor, dtype=STORED_ROW)

    def _klines(self, length: int, low: int, high: int) -> StoredRows:
        """Klines before the first tick: see `_kline_rows`."""
        rows = self._kline_rows(length, low, high)
        if rows.size:
            end = int(rows["at"][-1]) + length
            self.until = end if self.until is None else max(self.until, end)
        return rows

    def _kline_rows(self, length: int, low: int, high: int) -> StoredRows:
        """Klines of a length that lie wholly in ``low … high``, those without a trade too."""
        cursor = self.connection.execute(
            f"SELECT {_COLUMNS} FROM kline"  # noqa: S608 - ours
            " WHERE stream_id = ? AND length_s = ? AND second >= ? AND second <= ? ORDER BY second",
            (self.stream_id, length, low, high - length),
        )
        return np.fromiter(cursor, dtype=STORED_ROW)

    def _kline_runs(self, length: int, low: int, high: int) -> Spans:
        """Seconds that klines of a length cover and that touch ``low … high``."""
        bounds = (self.stream_id, length, low // length * length, high - 1)
        where = "FROM kline WHERE stream_id = ? AND length_s = ? AND second BETWEEN ? AND ?"
        first, last, count = self.connection.execute(
            f"SELECT min(second), max(second), count(*) {where}",
            bounds,
        ).fetchone()
        if count == 0 or last - first == (count - 1) * length:  # no hole in them, as a rule
            return [(first, last + length)] if count else []
        rows = self.connection.execute(f"SELECT second {where} ORDER BY second", bounds)
        return [(second, second + length) for (second,) in rows]


def _widened(spans: Spans, length: int) -> Spans:
    """Widen spans, in order, to the whole pieces of a length that touch them; merged."""
    pieces: Spans = []
    for low, high in spans:
        begin, end = low // length * length, up(high, length)
        if pieces and begin <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(pieces[-1][1], end))
        else:
            pieces.append((begin, end))
    return pieces


def _outside(rows: StoredRows, spans: Spans) -> StoredRows:
    """Leave out rows that open inside spans."""
    keep = np.ones(rows.size, dtype=np.bool_)
    for span in spans:
        keep[slice(*np.searchsorted(rows["at"], span))] = False
    return rows[keep]


def _without(rows: BarRows, dropped: Spans) -> BarRows:
    """Leave out the bars of spans, both ends inclusive."""
    keep = np.ones(rows.at.size, dtype=np.bool_)
    for low, high in dropped:
        keep[slice(*np.searchsorted(rows.at, (low, high + 1)))] = False
    if keep.all():
        return rows
    return rows.where(keep)
