"""What bars are made of: the database's seconds, pieces from before them and of gaps, the lake."""

import sqlite3
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.store.bars import (
    SECOND_US,
    Spans,
    StoredRows,
    gap_seconds,
    merge_rows,
    merged_spans,
    without_spans,
)
from ingest.store.connecting import EVER_S, up
from ingest.store.future_rows import between_readable, readable_until
from ingest.store.last_trade import LastTrade, later_of, read_last_trade
from ingest.store.sources.bar_read import Read, bars_touched, widened, without_bars
from ingest.store.sources.beside_ticks import lake_ends, pieces_of
from ingest.store.sources.joined_pieces import JoinedPieces, Origin, Part, constantly, in_order
from ingest.store.sources.lake_side import LakeSide
from ingest.store.sources.origins import EXCHANGE, RECORDED, OriginSpans
from ingest.store.sources.packed_rows import read_rows
from ingest.store.sources.rolled_up import (
    MINUTE_S,
    NO_ROLLUPS,
    RolledUp,
    find_rolled_up,
    read_rolled_up,
)
from ingest.store.sources.sqlite_klines import SqliteKlines, bars_end, last_traded_bar


class _Early(NamedTuple):
    """What pieces tell of the time before the first tick, and from when on to take ticks."""

    rows: list[StoredRows]
    unknown: Spans
    ticks_from: int
    origins: OriginSpans


class _Filling(NamedTuple):
    """What pieces tell of gaps: their rows, the seconds these cover, the seconds left unknown."""

    rows: list[StoredRows]
    covered: Spans
    left: Spans
    origins: OriginSpans


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

    The lake's pieces are taken as klines are, and first, with two things more. Where ids prove that
    nothing lies between its last trade and the first one here (`joins`), all is whole. What it or
    klines know of the time after the newest trade here stands as in a gap.

    Attributes
    ----------
    connection, stream_id, seconds
        Where to read, what, and the length of a bar.
    lake
        The stream's part in the lake; None without any.
    first_us, newest
        Time of the first tick (µs), second of the newest one's bar; None without any.
    lengths
        Of the pieces before the first tick that divide a bar's, coarsest first.
    divisors
        The same of pieces at any time: those that may stand in gaps.
    until
        Second at which the klines read last before the first tick end; None without any.
    reach
        The same of all pieces.
    end
        Second before which ticks are taken: those beyond are dated where no trade can be.
    after
        Second up to which pieces know more bars than the ticks; None where these are the newest.
    lake_ends
        End of the second of the lake's last trade, where that is the newest of all; else None.
    """

    connection: sqlite3.Connection
    stream_id: int
    seconds: int
    lake: LakeSide | None = None
    first_us: int | None = None
    newest: int | None = None
    lengths: tuple[int, ...] = ()
    divisors: tuple[int, ...] = ()
    until: int | None = None
    reach: int | None = None
    end: int = EVER_S[1]
    after: int | None = None
    lake_ends: int | None = None
    pieces: JoinedPieces = field(default_factory=JoinedPieces)
    rolled: RolledUp = NO_ROLLUPS

    def look(self) -> None:
        """Find the stream's edges, and which pieces stand before its first tick."""
        self.end = readable_until(self.connection, self.stream_id)
        first = self.connection.execute(
            "SELECT open_us FROM bar_1s WHERE stream_id = ? AND second < ? ORDER BY second LIMIT 1",
            (self.stream_id, self.end),
        ).fetchone()
        self.first_us = None if first is None else first[0]
        self.newest = self.connection.execute(
            "SELECT max(second) FROM bar_1s WHERE stream_id = ? AND second < ?",
            (self.stream_id, self.end),
        ).fetchone()[0]
        self.rolled = find_rolled_up(self.connection, self.stream_id)
        known = (self.connection, self.stream_id, self.first_us, self.newest)
        self.lake_ends = lake_ends(self.lake, *known)
        self.pieces = pieces_of(self.lake, *known, self.lake_ends, self.seconds)
        before = self.border
        self.divisors = tuple(
            length for length in reversed(self.pieces.lengths()) if self.seconds % length == 0
        )
        self.lengths = tuple(each for each in self.divisors if self.begins(each) < before)
        self.after = self._after()

    def moved_on(self, newest: int | None) -> "BarSource":
        """Know a newer trade, where nothing else came. To be followed again before it reads."""
        moved = BarSource.__new__(BarSource)
        for name in BarSource.__slots__:  # a third of what `copy` takes
            setattr(moved, name, getattr(self, name))
        moved.newest = newest
        return moved

    def followed(self, connection: sqlite3.Connection, newest: int) -> "BarSource":
        """Go on from a look, where nothing but trades after the newest one came since."""
        followed = self.moved_on(newest)
        klines = Origin(SqliteKlines(connection, self.stream_id), constantly(EXCHANGE))
        followed.connection, followed.pieces = connection, self.pieces.with_last(klines)
        if self.seconds > MINUTE_S:
            followed.rolled = find_rolled_up(connection, self.stream_id)
        return followed

    @property
    def border(self) -> int:
        """Second from which on the ticks know all; the end of time without any."""
        return EVER_S[1] if self.first_us is None else self.first_us // SECOND_US + 1

    @property
    def forming(self) -> int | None:
        """Second of the newest trade where nothing proves its bar closed."""
        if self.lake_ends is not None:
            return self.lake_ends - 1
        return self.newest if self.after is None else None

    def newest_bar(self) -> int | None:
        """Bar of the newest trade; without any the last that pieces tell of; None without these."""
        if self.newest is not None:
            return self.newest // self.seconds
        ends = [self.pieces.last(each) for each in self.divisors]
        end = max((each for each in ends if each is not None), default=None)
        return None if end is None else end // self.seconds - 1

    def last_trade(self) -> LastTrade | None:
        """The newest trade, by trade time; the end of the last bar that traded where bars go on."""
        stored = read_last_trade(self.connection, self.stream_id, self.end)
        ends = bars_end(self.connection, self.stream_id)
        if self.newest is None or ends > self.newest + MINUTE_S:
            stored = later_of(stored, last_traded_bar(self.connection, self.stream_id))
        if self.lake is None or (self.newest is not None and not self.is_behind_lake):
            return stored
        return later_of(stored, self.lake.last_trade)

    @property
    def is_behind_lake(self) -> bool:
        """Whether the lake knows of a time after the newest trade stored."""
        return self.lake is not None and self.lake.end > (self.newest or 0) + 1

    @property
    def is_behind_pieces(self) -> bool:
        """Whether the lake or klines know of a time after the newest trade stored."""
        return self.is_behind_lake or self.after is not None

    def kline_lengths(self) -> list[int]:
        """Lengths of the stream's pieces, in order."""
        return self.pieces.lengths()

    def first_kline_us(self, length: int) -> int | None:
        """Open of the first piece of a length, µs; None without any."""
        first = self.pieces.first(length)
        return None if first is None else first * SECOND_US

    def hole(self) -> tuple[int, int] | None:
        """``(after_us, before_us)`` between the finest pieces' end and the first tick, if any.

        Without it bars of every length are whole there; with it those that touch it are missing.
        """
        lengths = [each for each in self.pieces.lengths() if self.begins(each) < self.border]
        if not lengths or self.first_us is None:
            return None
        end = self._end_before(lengths[0], self.border)
        return None if end >= self.border else (end * SECOND_US, self.first_us)

    def gaps(self, low: int) -> Spans:
        """``(after_us, before_us)`` of the gaps that end at second `low` or later."""
        rows = self.connection.execute(
            "SELECT from_id, to_id, after_us, before_us FROM gap"
            " WHERE stream_id = ? AND state IN ('open', 'expired') AND before_us >= ?",
            (self.stream_id, low * SECOND_US),
        ).fetchall()
        if self.end != EVER_S[1]:
            spans = [
                between_readable(self.connection, self.stream_id, row, self.end) for row in rows
            ]
        else:
            spans = [row[2:] for row in rows]
        if self.after is not None and self.newest is not None and low <= self.after:
            spans.append(((self.newest + 1) * SECOND_US - 1, self.after * SECOND_US))
        return spans

    def read(self, low: int, high: int, gaps: Spans) -> Read:
        """Bars with a trade of the seconds ``low <= second < high``, whole bars."""
        is_early = bool(self.lengths) and low < self.border
        if not is_early and not gaps:
            bars = merge_rows(self.ticks(low, high), self.seconds)
            return Read(bars, [], [], self._recorded(low, high, []))
        early = _Early([], [], low, [])
        if is_early:
            early = self._early(low, min(high, self.border), high)
        ticks_from, unknown = max(low, early.ticks_from), early.unknown
        filling = self._filling(ticks_from, high, gaps)
        late = self._late(ticks_from, high, filling.covered)
        rows = in_order([*early.rows, *late, *filling.rows])
        filled: Spans = []
        if filling.covered:
            touched = self._touched(filling.covered)
            filled = without_spans(touched, self._touched(filling.left))
            incomplete = without_spans(touched, filled)
            unknown = unknown + [
                (low * self.seconds, high * self.seconds) for low, high in incomplete
            ]
        origins = early.origins + filling.origins
        origins += self._recorded(ticks_from, high, filling.covered)
        bars = without_bars(merge_rows(rows, self.seconds), bars_touched(unknown, self.seconds))
        return Read(bars, unknown, filled, origins)

    def ticks(self, low: int, high: int) -> StoredRows:
        """What the ticks of some seconds say, rolled up where it may be."""
        return in_order(self._late(low, high, []))

    def left_of(self, gap: tuple[int, int]) -> Spans:
        """Seconds that a gap touches and no piece that may serve tells of."""
        uncovered = self._seconds_of([gap], 0, EVER_S[1])
        for length in self.divisors:
            known = [run for span in uncovered for run in self.pieces.known(length, *span)]
            uncovered = without_spans(uncovered, known)
        return uncovered

    def _after(self) -> int | None:
        if self.newest is None:
            return None
        if self.lake_ends is not None:
            return up(self.lake_ends, self.seconds)
        ends = [self.pieces.last(each) for each in self.divisors]
        after = max((each for each in ends if each is not None), default=0)
        after = after // self.seconds * self.seconds  # of a bar beyond, a part would be known
        # A piece that holds the first trade may stand there already: see `_early`.
        is_of_first = after in {up(self.border, length) for length in self.divisors}
        return after if after > self.newest + 1 and not is_of_first else None

    def _end_before(self, length: int, second: int) -> int:
        """End of the last piece of a length that opens before a second; there is one."""
        near = self.pieces.known(length, second - length, second)
        last = self.pieces.last(length)
        assert last is not None
        if near or last <= second:
            return near[-1][1] if near else last
        return self.pieces.known(length, self.begins(length), second)[-1][1]

    def begins(self, length: int) -> int:
        """Second of the first piece of a length; the end of time without any."""
        first = self.pieces.first(length)
        return EVER_S[1] if first is None else first

    def _early(self, low: int, stop: int, high: int) -> _Early:
        """Pieces up to `stop`, what stays unknown, and the second from which to take ticks."""
        unknown: Spans = [(low, stop)]
        taken: list[Part] = []
        for length in self.lengths:
            new = [part for span in unknown for part in self._read_pieces(length, *span)]
            unknown = without_spans(unknown, [run for each in new for run in each.pieces.known])
            taken += new
        rows, ticks_from = in_order([each.pieces.rows for each in taken]), stop
        origins = [origin for each in taken for origin in each.origins]
        for length in reversed(self.lengths):
            opens = (stop - 1) // length * length
            ends = opens + length
            # A piece that holds the first tick: where finer ones do not reach it.
            if stop == self.border < ends <= high and unknown and unknown[-1][1] > opens:
                whole = self._read_pieces(length, opens, ends)
                if whole:
                    rows = in_order([rows[rows["at"] < opens], whole[0].pieces.rows])
                    unknown, ticks_from = without_spans(unknown, [(opens, ends)]), ends
                    origins += whole[0].origins
        return _Early([rows], unknown, ticks_from, origins)

    def _filling(self, low: int, high: int, gaps: Spans) -> _Filling:
        """What pieces tell of the gaps in ``low … high``, the coarsest of a time first."""
        uncovered = self._seconds_of(gaps, low, high) if gaps and self.divisors else []
        rows: list[StoredRows] = []
        covered: Spans = []
        origins: OriginSpans = []
        for length in self.divisors if uncovered else ():
            reached = [(max(begin, low), end) for begin, end in widened(uncovered, length)]
            spans = without_spans(reached, covered)
            new = [part for span in spans for part in self.pieces.parts(length, *span)]
            known = [run for each in new for run in each.pieces.known]
            rows += [each.pieces.rows for each in new]
            origins += [origin for each in new for origin in each.origins]
            covered, uncovered = sorted(covered + known), without_spans(uncovered, known)
        return _Filling(rows, covered, uncovered, origins)

    def _seconds_of(self, gaps: Spans, low: int, high: int) -> Spans:
        """Seconds of gaps that ticks do not know: neither before the first one nor after the last.

        What the ticks know of the first second is said by the pieces before it, if there are any.
        """
        if self.newest is None or self.first_us is None:
            return []
        first = self.border if self.lengths else self.first_us // SECOND_US
        return gap_seconds(gaps, max(low, first), min(high, self.after or self.newest + 1))

    def _recorded(self, low: int, high: int, covered: Spans) -> OriginSpans:
        """Seconds of which the ticks tell."""
        if self.first_us is None or self.newest is None:
            return []
        span = max(low, self.first_us // SECOND_US), min(high, self.newest + 1)
        known = without_spans([span], covered) if span[0] < span[1] else []
        return [(begin, end, RECORDED) for begin, end in known]

    def _touched(self, spans: Spans) -> Spans:
        """Bars, `high` excluded, that spans of seconds touch; merged."""
        wide = widened(sorted(spans), self.seconds)
        return [(low // self.seconds, high // self.seconds) for low, high in wide]

    def _late(self, low: int, high: int, covered: Spans) -> list[StoredRows]:
        """Rows of the ticks but of the covered seconds, rolled up where it may be."""
        unread = without_spans([(low, min(high, self.end))], covered)
        rows: list[StoredRows] = []
        for length in self.rolled.lengths(self.seconds):
            left: Spans = []
            for span in unread:
                begin, end = self.rolled.inside(length, *span)
                if begin >= end:
                    left.append(span)
                    continue
                new, inexact = read_rolled_up(self.connection, self.stream_id, length, begin, end)
                rows.append(new)
                left += without_spans([span], [(begin, end)]) + inexact
            unread = merged_spans(left)
        return rows + [self._stored(*span) for span in unread]

    def _stored(self, low: int, high: int) -> StoredRows:
        span = low, min(high, self.end)
        where = "FROM bar_1s WHERE stream_id = ?"
        return read_rows(self.connection, where, (self.stream_id,), span)

    def _read_pieces(self, length: int, low: int, high: int) -> list[Part]:
        """Pieces before the first tick, and note how far they reach."""
        parts = self.pieces.parts(length, low, high)
        for part in parts:
            end = part.pieces.known[-1][1]
            self.reach = end if self.reach is None else max(self.reach, end)
            ends = [end for _, end, flag in part.origins if flag == EXCHANGE]
            known = ends if self.until is None else [*ends, self.until]
            self.until = max(known, default=None)
        return parts
