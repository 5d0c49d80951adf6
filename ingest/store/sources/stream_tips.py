"""Where many streams stand, and rows of many: one question for all of them."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW, Spans, StoredRows
from ingest.store.last_trade import LastTrade, later_of
from ingest.store.sources.packed_rows import COLUMNS

# So many values at once: a statement of before SQLite 3.32 takes 999.
_MOST_VALUES: Final = 990
_NUMBERED_ROW: Final = np.dtype([("number", "i8"), *STORED_ROW.descr])
_EDGES: Final = (
    "SELECT s.stream_id, s.revision,"
    " coalesce((SELECT max(revision) FROM repaired AS r WHERE r.stream_id = s.stream_id), 0),"
    " (SELECT open_us FROM bar_1s AS b WHERE b.stream_id = s.stream_id ORDER BY second LIMIT 1),"
    " n.second, t.time_us, t.time_us + t.received_delta_us, n.close"
)
_NEWEST: Final = (
    " LEFT JOIN bar_1s AS n ON n.stream_id = s.stream_id AND n.second ="
    " (SELECT max(second) FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
    " LEFT JOIN tick AS t ON t.stream_id = n.stream_id AND t.trade_id = n.close_id"
)
_TIP: Final = f"{_EDGES} FROM stream AS s{_NEWEST} WHERE s.stream_id = ?"
_TIPS: Final = (
    f"{_EDGES} FROM wanted CROSS JOIN stream AS s ON s.stream_id = wanted.stream_id{_NEWEST}"
)
_OF_KNOWN: Final = "FROM kline AS k WHERE k.stream_id = known.stream_id AND k.length_s"
# The lengths by a look at the key for each, not at the rows.
_KLINE_TIPS: Final = (
    ", known (stream_id, length_s) AS (SELECT stream_id, 0 FROM wanted UNION ALL"  # noqa: S608 - ours
    f" SELECT stream_id, (SELECT min(length_s) {_OF_KNOWN} > known.length_s) FROM known"
    " WHERE length_s IS NOT NULL)"
    " SELECT known.stream_id, known.length_s,"
    f" (SELECT max(second) {_OF_KNOWN} = known.length_s) + known.length_s,"
    " t.second + known.length_s, t.close"
    " FROM known LEFT JOIN kline AS t ON t.stream_id = known.stream_id"
    " AND t.length_s = known.length_s AND t.second ="
    f" (SELECT second {_OF_KNOWN} = known.length_s AND trades > 0 ORDER BY second DESC LIMIT 1)"
    " WHERE known.length_s > 0"
)
_GAPS: Final = (
    "SELECT g.stream_id, g.after_us, g.before_us FROM wanted CROSS JOIN gap AS g"
    " ON g.stream_id = wanted.stream_id AND g.state IN ('open', 'expired')"
)
_SECONDS: Final = (
    f"SELECT number, {COLUMNS} FROM wanted CROSS JOIN bar_1s AS b"  # noqa: S608 - ours
    " ON b.stream_id = wanted.stream_id AND b.second >= begins AND b.second < ends"
)
_KLINES: Final = (
    f"SELECT number, {COLUMNS} FROM wanted CROSS JOIN kline AS k"  # noqa: S608 - ours
    " ON k.stream_id = wanted.stream_id AND k.length_s = length"
    " AND k.second >= begins AND k.second <= ends - length"
)

Part = tuple[int, int, int, int]  # number, stream, seconds ``low … high``
PartOfKlines = tuple[int, int, int, int, int]  # the same, and a length


class Tip(NamedTuple):
    """Where the ticks of a stream stand.

    Attributes
    ----------
    revision, repaired
        Of the newest commit, and of the newest that changed bars behind the newest one; or 0.
    first_us, newest
        Time of the first tick (µs), second of the newest one's bar; None without any.
    last
        The newest trade.
    """

    revision: int
    repaired: int
    first_us: int | None
    newest: int | None
    last: LastTrade | None


class KlineTip(NamedTuple):
    """Where the klines of a stream stand: the end of each length's last, and the last trade."""

    ends: dict[int, int]
    last: LastTrade | None


def read_tip(connection: sqlite3.Connection, stream_id: int) -> Tip | None:
    """Find where the ticks of a stream stand; None where it is not there."""
    row = connection.execute(_TIP, (stream_id,)).fetchone()
    return None if row is None else _tip(row)


def read_tips(connection: sqlite3.Connection, streams: Iterable[int]) -> dict[int, Tip]:
    """Find where the ticks of some streams stand; without those that are not there."""
    rows = _asked(connection, "stream_id", _TIPS, [(each,) for each in streams])
    return {row[0]: _tip(row) for row in rows}


def read_kline_tips(connection: sqlite3.Connection, streams: Iterable[int]) -> dict[int, KlineTip]:
    """Find where the klines of some streams stand; without those that have none."""
    tips: dict[int, KlineTip] = {}
    rows = _asked(connection, "stream_id", _KLINE_TIPS, [(each,) for each in streams])
    for stream_id, length, end, traded, close in sorted(rows):
        ends, last = tips.get(stream_id) or KlineTip({}, None)
        if traded is not None:
            end_us = traded * SECOND_US - 1
            last = later_of(last, LastTrade(end_us, end_us, close))
        tips[stream_id] = KlineTip(ends | {length: end}, last)
    return tips


def read_gaps(connection: sqlite3.Connection, streams: Iterable[int]) -> dict[int, Spans]:
    """Read ``(after_us, before_us)`` of the gaps of some streams that were not filled."""
    gaps: dict[int, Spans] = {}
    rows = _asked(connection, "stream_id", _GAPS, [(each,) for each in streams])
    for stream_id, after_us, before_us in rows:
        gaps.setdefault(stream_id, []).append((after_us, before_us))
    return gaps


def read_seconds(connection: sqlite3.Connection, parts: Sequence[Part]) -> StoredRows:
    """Read one-second bars of streams, each row with the number of the part it is of."""
    return _rows(_asked(connection, "number, stream_id, begins, ends", _SECONDS, parts))


def read_klines(connection: sqlite3.Connection, parts: Sequence[PartOfKlines]) -> StoredRows:
    """Read klines that lie wholly in their part, each with the number of the part it is of."""
    return _rows(_asked(connection, "number, stream_id, begins, ends, length", _KLINES, parts))


def numbered(rows: StoredRows, number: int) -> StoredRows:
    """Give rows the number of the part they are of."""
    made = np.empty(rows.size, dtype=_NUMBERED_ROW)
    made["number"] = number
    for name in STORED_ROW.names or ():
        made[name] = rows[name]
    return made


def _tip(row: tuple[Any, ...]) -> Tip:
    _, revision, repaired, first_us, newest, *last = row
    trade = None if last[0] is None else LastTrade(*last)
    return Tip(revision, repaired, first_us, newest, trade)


def _rows(rows: Iterator[tuple[Any, ...]]) -> StoredRows:
    return np.fromiter(rows, dtype=_NUMBERED_ROW)


def _asked(
    connection: sqlite3.Connection, names: str, question: str, wanted: Sequence[tuple[int, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Ask of all that is wanted, a table of that name with these columns."""
    if not wanted:
        return
    places = f"({', '.join('?' * len(wanted[0]))})"
    step = _MOST_VALUES // len(wanted[0])
    for begin in range(0, len(wanted), step):
        some = wanted[begin : begin + step]
        table = f"WITH RECURSIVE wanted ({names}) AS (VALUES {', '.join([places] * len(some))})"
        values = list(chain.from_iterable(some))
        yield from connection.execute(f"{table} {question}", values)
