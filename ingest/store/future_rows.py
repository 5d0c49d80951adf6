"""Stored trades dated far in the future: set aside, so that nothing takes them for the newest.

A recording moves them away when it starts. Where nothing is recorded they stay, and readers stop
before them.
"""

import sqlite3
from typing import Final, NamedTuple

from ingest.clock import now_us as wall_clock_us
from ingest.store.bars import SECOND_US
from ingest.store.connecting import EVER_S
from ingest.store.schema import decode
from ingest.trade_times import AHEAD_UNKNOWN_US, CAUSE, utc
from ingest.wrong_clock import are_alike, are_nearly_all

_MOST = 1_000  # more of them than that are no bad rows but a bad clock: ours
_READABLE = (
    "SELECT time_us FROM tick WHERE stream_id = :stream AND trade_id {0} :id AND time_us < :end"
    " ORDER BY trade_id {1} LIMIT 1"
)
_KNOWN = (
    "SELECT trade_id, time_us FROM tick WHERE stream_id = :stream AND trade_id {0} :id"
    " UNION ALL"
    " SELECT trade_id, time_us FROM non_trade WHERE stream_id = :stream AND trade_id {0} :id"
    " ORDER BY trade_id {1} LIMIT 1"
)
# Of a query over `stream AS s`; takes `newest_first_bounds`.
NEWEST_FIRST: Final = (
    " ORDER BY CASE WHEN s.last_us <= ? THEN s.last_us ELSE 1000000 *"
    " (SELECT max(second) FROM bar_1s AS b WHERE b.stream_id = s.stream_id AND b.second <= ?)"
    " END DESC NULLS LAST, s.last_us DESC"
)

_Edge = tuple[int | None, int | None]  # id and time


class FutureRow(NamedTuple):
    """A trade whose time is far ahead of its own receipt and of now."""

    trade_id: int
    time_us: int
    received_us: int
    price: float
    quantity: float


def find_future_rows(
    connection: sqlite3.Connection, stream_id: int, now_us: int
) -> list[FutureRow]:
    """Trades of a stream dated more than a day after now, and after they came; in id order.

    None where our clock was wrong when they came, and is still: they are too many, or all that came
    then are ahead by the same.
    """
    rows = connection.execute(
        "SELECT trade_id, time_us, time_us + received_delta_us, t.price, t.quantity"
        " FROM bar_1s AS b CROSS JOIN tick AS t ON t.stream_id = b.stream_id"
        " AND t.trade_id BETWEEN b.first_id AND b.last_id AND t.time_us / 1000000 = b.second"
        " WHERE b.stream_id = ? AND b.second > ? AND received_delta_us < ? LIMIT ?",
        (stream_id, last_second(now_us), -AHEAD_UNKNOWN_US, _MOST + 1),
    ).fetchall()
    future = sorted(FutureRow(*row) for row in rows)
    return [] if len(future) > _MOST or _is_our_clock(connection, stream_id, future) else future


def _is_our_clock(connection: sqlite3.Connection, stream_id: int, rows: list[FutureRow]) -> bool:
    if not are_alike([row.time_us - row.received_us for row in rows]):
        return False
    all_of_them = "SELECT 1 FROM tick WHERE stream_id = ? AND trade_id BETWEEN ? AND ? LIMIT ?"
    bounds = (rows[0].trade_id, rows[-1].trade_id, 2 * len(rows))
    count = len(connection.execute(all_of_them, (stream_id, *bounds)).fetchall())
    return are_nearly_all(len(rows), count)


def last_second(now_us: int) -> int:
    """The last second that a trade may be of, whatever our clock is off by."""
    return (now_us + AHEAD_UNKNOWN_US) // SECOND_US


def newest_first_bounds(now_us: int | None = None) -> tuple[int, int]:
    """What `NEWEST_FIRST` takes: the last instant that may be, and its second."""
    second = last_second(wall_clock_us() if now_us is None else now_us)
    return (second + 1) * SECOND_US - 1, second


def readable_until(
    connection: sqlite3.Connection, stream_id: int, now_us: int | None = None
) -> int:
    """Second before which to read: the end of time, unless trades dated in the future are stored.

    Costs a look at one key where none are.
    """
    newest = connection.execute(
        "SELECT max(second) FROM bar_1s WHERE stream_id = ?", (stream_id,)
    ).fetchone()[0]
    now_us = wall_clock_us() if now_us is None else now_us
    if newest is None or newest <= last_second(now_us):
        return EVER_S[1]
    return last_second(now_us) + 1 if find_future_rows(connection, stream_id, now_us) else EVER_S[1]


def between_readable(
    connection: sqlite3.Connection, stream_id: int, gap: tuple[int, int, int, int], until: int
) -> tuple[int, int]:
    """Times ``(after_us, before_us)`` of a gap's neighbours, of those that may be read.

    Parameters
    ----------
    connection, stream_id
        Where the gap is.
    gap
        Its first and last missing id, and its times as stored.
    until
        From `readable_until`.

    Returns
    -------
    tuple
        As stored where these may be. Without a neighbour on one side both are the other's time.
    """
    from_id, to_id, after_us, before_us = gap
    end_us = until * SECOND_US
    if max(after_us, before_us) < end_us:
        return after_us, before_us
    which = {"stream": stream_id, "end": end_us}
    before = connection.execute(_READABLE.format("<", "DESC"), {**which, "id": from_id}).fetchone()
    after = connection.execute(_READABLE.format(">", "ASC"), {**which, "id": to_id}).fetchone()
    edges = [row[0] for row in (before, after) if row is not None]
    return (edges[0], edges[-1]) if edges else (0, 0)


def move_to_quarantine(
    connection: sqlite3.Connection, stream_id: int, symbol: str, rows: list[FutureRow]
) -> None:
    """Take trades out of a stream, with their bars; their ids become gaps. In a transaction."""
    connection.executemany(
        "INSERT INTO quarantine (received_us, reason, excerpt) VALUES (?, ?, ?)",
        [
            (
                row.received_us,
                f"was stored, dated {utc(row.time_us)}",
                f"{symbol} id {row.trade_id}: {decode(row.quantity):g} at {decode(row.price):g}",
            )
            for row in rows
        ],
    )
    ids = [(stream_id, row.trade_id) for row in rows]
    connection.executemany("DELETE FROM tick WHERE stream_id = ? AND trade_id = ?", ids)
    seconds = {row.time_us // 1_000_000 for row in rows}
    connection.executemany(
        "DELETE FROM bar_1s WHERE stream_id = ? AND second = ?",
        [(stream_id, second) for second in seconds],
    )
    for row in rows:
        _mend_ledger(connection, stream_id, row.trade_id)


def _mend_ledger(connection: sqlite3.Connection, stream_id: int, removed_id: int) -> None:
    """Make an id that went a gap; one at an edge of the stream moves the edge."""
    which = {"stream": stream_id, "id": removed_id}
    before = connection.execute(_KNOWN.format("<", "DESC"), which).fetchone()
    after = connection.execute(_KNOWN.format(">", "ASC"), which).fetchone()
    if before is None:
        _begin_with(connection, stream_id, after or (None, None))
    if after is None:
        _end_with(connection, stream_id, before or (None, None))
    if before is not None and after is not None:
        _open_gap(connection, stream_id, removed_id, (before[1], after[1]))


def _begin_with(connection: sqlite3.Connection, stream_id: int, edge: _Edge) -> None:
    connection.execute(
        "UPDATE stream SET first_id = ?, first_us = ? WHERE stream_id = ?", (*edge, stream_id)
    )
    connection.execute("DELETE FROM gap WHERE stream_id = ? AND to_id < ?", (stream_id, edge[0]))


def _end_with(connection: sqlite3.Connection, stream_id: int, edge: _Edge) -> None:
    connection.execute(
        "UPDATE stream SET last_id = ?, last_us = ? WHERE stream_id = ?", (*edge, stream_id)
    )
    connection.execute("DELETE FROM gap WHERE stream_id = ? AND from_id > ?", (stream_id, edge[0]))


def _open_gap(
    connection: sqlite3.Connection, stream_id: int, removed_id: int, span_us: tuple[int, int]
) -> None:
    """Open a gap of one id, and let its neighbours end and begin at times that can be."""
    after_us, before_us = span_us
    connection.execute(
        "UPDATE gap SET before_us = ?, opened_before_us = ? WHERE stream_id = ? AND to_id = ?",
        (before_us, before_us, stream_id, removed_id - 1),
    )
    connection.execute(
        "UPDATE gap SET after_us = ?, opened_after_us = ? WHERE stream_id = ? AND from_id = ?",
        (after_us, after_us, stream_id, removed_id + 1),
    )
    connection.execute(
        "INSERT INTO gap (stream_id, first_id, last_id, from_id, to_id, after_us, before_us, cause,"
        " state, opened_after_us, opened_before_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
        (stream_id, *[removed_id] * 4, *span_us, CAUSE, *span_us),
    )
