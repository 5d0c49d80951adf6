"""Minutes and hours of the one-second bars, kept as data arrives: equal to the bit to their sum.

A stream's rollups reach over one span of whole minutes, ``rolled_low … rolled_high``: of every
minute and every hour inside that has a second's bar there is a row. They are written in the
transaction that writes the seconds: a minute once the newest trade is past it, and again whenever
one of its seconds changes. So a reader sees both or neither.

Open, high, low and close are those of the seconds, as doubles. The volume is the exact sum of the
seconds' whole units; where it does not fit 2**63 it is stored as REAL, as a second's is, which
says: not exact, read the seconds in its place. An hour of such a minute does not fit either, since
no volume is negative.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from ingest.store.connecting import up
from ingest.store.schema import storable

MINUTE_S: Final = 60
HOUR_S: Final = 3600
# Seconds that one step reads of what was recorded before there were rollups: some milliseconds.
BACK_STEP_S: Final = 2 * HOUR_S

_SECONDS: Final = (
    "SELECT second, open, high, low, close, volume, trades FROM bar_1s"
    " WHERE stream_id = ? AND second >= ? AND second < ? ORDER BY second"
)
_MINUTES: Final = (
    "SELECT second, open, high, low, close, volume, trades FROM rollup"
    " WHERE stream_id = ? AND length_s = 60 AND second >= ? AND second < ? ORDER BY second"
)
_INSERT: Final = "INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SPANS: Final = "SELECT stream_id, rolled_low, rolled_high FROM stream"
_NEWEST: Final = "SELECT max(second) FROM bar_1s WHERE stream_id = ?"
_OLDEST: Final = "SELECT min(second) FROM bar_1s WHERE stream_id = ?"

_Row = tuple[int, float, float, float, float, float, int]


class Span(NamedTuple):
    """Seconds that rollups reach over: whole minutes, `high` excluded."""

    low: int
    high: int

    def hours(self) -> "Span":
        """The whole hours inside; with `low` above `high` where there is none."""
        return Span(up(self.low, HOUR_S), self.high // HOUR_S * HOUR_S)


class Rollups:
    """Keeps the rollups of a database. Belongs to the writing connection.

    Every method is called inside a transaction of the caller's, after the seconds are written. To
    be made again after a rollback: it knows the spans of each stream.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        rows: list[tuple[int, int | None, int | None]] = connection.execute(_SPANS).fetchall()
        self._spans = {
            stream_id: None if low is None or high is None else Span(low, high)
            for stream_id, low, high in rows
        }

    def follow(self, bars: Iterable[tuple[int, int]]) -> None:
        """Roll up what seconds ``(stream_id, second)``, written just now, complete or change."""
        touched: dict[int, list[int]] = {}
        for stream_id, second in bars:
            touched.setdefault(stream_id, []).append(second)
        for stream_id, seconds in touched.items():
            if stream_id not in self._spans:  # all it has was written just now
                self._spans[stream_id] = _empty_at(min(seconds))
            span = self._span(stream_id)
            self._make_again(stream_id, span, seconds)
            newest = max(seconds) // MINUTE_S * MINUTE_S
            if newest > span.high:
                self._reach(stream_id, Span(span.low, newest), span.high, newest)

    def older_step(self, stream_id: int) -> Span | None:
        """Find what to roll up next of what is stored before the span; None when all is."""
        high = self._span(stream_id).low
        oldest = self._one(_OLDEST, stream_id)
        if oldest is None or oldest >= high - MINUTE_S:
            return None
        # Steps end at hours, so that none of these is looked at twice.
        low = max(oldest, (high - BACK_STEP_S) // HOUR_S * HOUR_S)
        before: int = self._connection.execute(
            "SELECT max(second) FROM bar_1s WHERE stream_id = ? AND second < ?", (stream_id, high)
        ).fetchone()[0]
        return Span(min(low, before) // MINUTE_S * MINUTE_S, high)

    def reach_back(self, stream_id: int, step: Span) -> None:
        """Roll up a step that `older_step` found."""
        span = self._span(stream_id)
        self._reach(stream_id, Span(step.low, span.high), *step)

    def cut_before(self, stream_id: int, second: int) -> None:
        """Delete rollups of which a part is before a second: what is stored begins there."""
        span = self._spans.get(stream_id)
        low = up(second, MINUTE_S)
        if span is None or low <= span.low:
            return
        for length in (MINUTE_S, HOUR_S):
            self._delete(stream_id, length, span.low // length * length, low)
        self._remember(stream_id, Span(low, span.high) if low <= span.high else None)

    def make_again(self, stream_id: int, seconds: Iterable[int]) -> None:
        """Make the rollups of seconds again, some of which may be gone, the newest too."""
        span = self._spans.get(stream_id)
        if span is None:
            return
        newest = self._one(_NEWEST, stream_id)
        high = span.low if newest is None else max(span.low, newest // MINUTE_S * MINUTE_S)
        if high < span.high:
            for length in (MINUTE_S, HOUR_S):
                self._delete(stream_id, length, high // length * length, span.high)
            span = Span(span.low, high)
            self._remember(stream_id, span)
        for minute in {second // MINUTE_S * MINUTE_S for second in seconds}:
            for length in (MINUTE_S, HOUR_S):
                self._delete(stream_id, length, minute // length * length, minute + 1)
        self._make_again(stream_id, span, seconds)

    def _span(self, stream_id: int) -> Span:
        """Give the span; where none is kept an empty one, at the newest second."""
        return self._spans.get(stream_id) or _empty_at(self._one(_NEWEST, stream_id) or 0)

    def _make_again(self, stream_id: int, span: Span, seconds: Iterable[int]) -> None:
        minutes = {each // MINUTE_S * MINUTE_S for each in seconds if span.low <= each < span.high}
        for minute in minutes:
            self._make_minutes(stream_id, minute, minute + MINUTE_S)
        for hour in {minute // HOUR_S * HOUR_S for minute in minutes}:
            self._make_hours(stream_id, span, hour, hour + HOUR_S)

    def _reach(self, stream_id: int, span: Span, low: int, high: int) -> None:
        """Roll up ``low … high``, new in a span."""
        self._make_minutes(stream_id, low, high)
        self._make_hours(stream_id, span, low, high)
        self._remember(stream_id, span)

    def _make_minutes(self, stream_id: int, low: int, high: int) -> None:
        rows = self._connection.execute(_SECONDS, (stream_id, low, high))
        self._insert(stream_id, MINUTE_S, rows)

    def _make_hours(self, stream_id: int, span: Span, low: int, high: int) -> None:
        """Make the hours that a part of a span touches and that lie wholly in it."""
        whole = span.hours()
        first, last = max(low // HOUR_S * HOUR_S, whole.low), min(up(high, HOUR_S), whole.high)
        if first < last:
            rows = self._connection.execute(_MINUTES, (stream_id, first, last))
            self._insert(stream_id, HOUR_S, rows)

    def _insert(self, stream_id: int, length: int, rows: Iterable[_Row]) -> None:
        made = [(stream_id, length, *row) for row in merged_rows(rows, length)]
        self._connection.executemany(_INSERT, made)

    def _delete(self, stream_id: int, length: int, low: int, high: int) -> None:
        self._connection.execute(
            "DELETE FROM rollup WHERE stream_id = ? AND length_s = ? AND second >= ?"
            " AND second < ?",
            (stream_id, length, low, high),
        )

    def _remember(self, stream_id: int, span: Span | None) -> None:
        self._connection.execute(
            "UPDATE stream SET rolled_low = ?, rolled_high = ? WHERE stream_id = ?",
            (*(span or (None, None)), stream_id),
        )
        self._spans[stream_id] = span

    def _one(self, sql: str, stream_id: int) -> int | None:
        value: int | None = self._connection.execute(sql, (stream_id,)).fetchone()[0]
        return value


def _empty_at(second: int) -> Span:
    return Span(*[second // MINUTE_S * MINUTE_S] * 2)


def merged_rows(rows: Iterable[_Row], length: int) -> Iterator[tuple[float, ...]]:
    """Merge rows ``(second, open, high, low, close, units, trades)``, in order, into longer ones.

    Volumes are summed without loss; a sum that does not fit 2**63, or has such a part, is a float.
    """
    for at, pieces in groupby(rows, key=lambda row: row[0] // length):
        _, opens, highs, lows, closes, units, trades = zip(*pieces, strict=True)
        prices = (opens[0], max(highs), min(lows), closes[-1])
        volume = sum(units)
        yield (at * length, *prices, storable(volume), sum(trades))
