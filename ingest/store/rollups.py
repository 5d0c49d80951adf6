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
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from ingest.store.connecting import up

MINUTE_S: Final = 60
HOUR_S: Final = 3600
# Seconds that one step reads of what was recorded before there were rollups: some milliseconds.
BACK_STEP_S: Final = 2 * HOUR_S

# One piece out of the rows it is made of. Half sums of the volumes cannot overflow; where the whole
# one would, or a part has, it is a float.
_MAKE: Final = """
INSERT OR REPLACE INTO rollup
SELECT ?1, {length}, ?2,
    (SELECT open FROM {parts} AND second >= ?2 ORDER BY second LIMIT 1), max(high), min(low),
    (SELECT close FROM {parts} AND second < ?2 + {length} ORDER BY second DESC LIMIT 1),
    CASE WHEN max(typeof(volume) = 'real')
              OR sum(volume >> 32) + (sum(volume & 0xFFFFFFFF) >> 32) >= 1 << 31
         THEN total(volume) ELSE (sum(volume >> 32) << 32) + sum(volume & 0xFFFFFFFF) END,
    sum(trades)
FROM {parts} AND second >= ?2 AND second < ?2 + {length} HAVING count(*) > 0
"""
_MAKE_MINUTE: Final = _MAKE.format(length=MINUTE_S, parts="bar_1s WHERE stream_id = ?1")
_MAKE_HOUR: Final = _MAKE.format(
    length=HOUR_S, parts=f"rollup WHERE stream_id = ?1 AND length_s = {MINUTE_S}"
)
_SPANS: Final = "SELECT stream_id, rolled_low, rolled_high FROM stream"
_NEWEST: Final = "SELECT max(second) FROM bar_1s WHERE stream_id = ?"
_OLDEST: Final = "SELECT min(second) FROM bar_1s WHERE stream_id = ?"


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
        for stream_id, minutes in _minutes_by_stream(bars).items():
            if stream_id not in self._spans:  # all it has was written just now
                self._spans[stream_id] = _empty_at(min(minutes))
            span = self._span(stream_id)
            newest = max(span.high, *minutes)
            whole = {minute for minute in minutes if span.low <= minute < newest}
            if newest > span.high:
                # Of what was stored before, only the minute that went on is not rolled up yet.
                self._reach(stream_id, Span(span.low, newest), whole | {span.high})
            elif whole:
                self._make(stream_id, span, whole)

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
        self._reach(stream_id, Span(step.low, span.high), range(*step, MINUTE_S))

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
        minutes = {second // MINUTE_S * MINUTE_S for second in seconds}
        for minute in minutes:
            for length in (MINUTE_S, HOUR_S):
                self._delete(stream_id, length, minute // length * length, minute + 1)
        self._make(stream_id, span, {each for each in minutes if span.low <= each < span.high})

    def _span(self, stream_id: int) -> Span:
        """Give the span; where none is kept an empty one, at the newest second."""
        span = self._spans.get(stream_id)
        if span is None:
            newest = self._one(_NEWEST, stream_id)
            span = _empty_at(newest or 0)
            self._spans[stream_id] = None if newest is None else span
        return span

    def _reach(self, stream_id: int, span: Span, minutes: Iterable[int]) -> None:
        """Roll up minutes that are new in a span, and the hours that are whole with them."""
        self._make(stream_id, span, minutes)
        self._remember(stream_id, span)

    def _make(self, stream_id: int, span: Span, minutes: Iterable[int]) -> None:
        self._connection.executemany(_MAKE_MINUTE, [(stream_id, minute) for minute in minutes])
        whole = span.hours()
        hours = {minute // HOUR_S * HOUR_S for minute in minutes}
        made = [(stream_id, hour) for hour in hours if whole.low <= hour < whole.high]
        self._connection.executemany(_MAKE_HOUR, made)

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


def _minutes_by_stream(bars: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    minutes: defaultdict[int, set[int]] = defaultdict(set)
    for stream_id, second in bars:
        minutes[stream_id].add(second - second % MINUTE_S)
    return minutes
