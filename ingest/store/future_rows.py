"""Stored trades dated far in the future: set aside, so that nothing takes them for the newest."""

import sqlite3
from typing import NamedTuple

from ingest.store.schema import decode
from ingest.trade_times import AHEAD_UNKNOWN_US, CAUSE, utc

_MOST = 1_000  # more of them than that are no bad rows but a bad clock: ours
_KNOWN = (
    "SELECT trade_id, time_us FROM tick WHERE stream_id = :stream AND trade_id {0} :id"
    " UNION ALL"
    " SELECT trade_id, time_us FROM non_trade WHERE stream_id = :stream AND trade_id {0} :id"
    " ORDER BY trade_id {1} LIMIT 1"
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
    """Trades of a stream dated more than a day after now, and after they came; in id order."""
    limit_us = now_us + AHEAD_UNKNOWN_US
    bounds = connection.execute(
        "SELECT min(first_id), max(last_id) FROM bar_1s WHERE stream_id = ? AND second > ?",
        (stream_id, limit_us // 1_000_000),
    ).fetchone()
    if bounds[0] is None:
        return []
    rows = connection.execute(
        "SELECT trade_id, time_us, time_us + received_delta_us, price, quantity FROM tick"
        " WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
        " AND time_us >= ? AND received_delta_us < ? ORDER BY trade_id LIMIT ?",
        (
            *(stream_id, *bounds),
            *((limit_us // 1_000_000 + 1) * 1_000_000, -AHEAD_UNKNOWN_US, _MOST + 1),
        ),
    ).fetchall()
    return [FutureRow(*row) for row in rows] if len(rows) <= _MOST else []


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


def _mend_ledger(connection: sqlite3.Connection, stream_id: int, gone_id: int) -> None:
    """Make an id that went a gap; one at an edge of the stream moves the edge."""
    which = {"stream": stream_id, "id": gone_id}
    before = connection.execute(_KNOWN.format("<", "DESC"), which).fetchone()
    after = connection.execute(_KNOWN.format(">", "ASC"), which).fetchone()
    if before is None:
        _begin_with(connection, stream_id, after or (None, None))
    if after is None:
        _end_with(connection, stream_id, before or (None, None))
    if before is not None and after is not None:
        _open_gap(connection, stream_id, gone_id, (before[1], after[1]))


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
    connection: sqlite3.Connection, stream_id: int, gone_id: int, span_us: tuple[int, int]
) -> None:
    """Open a gap of one id, and let its neighbours end and begin at times that can be."""
    after_us, before_us = span_us
    connection.execute(
        "UPDATE gap SET before_us = ?, opened_before_us = ? WHERE stream_id = ? AND to_id = ?",
        (before_us, before_us, stream_id, gone_id - 1),
    )
    connection.execute(
        "UPDATE gap SET after_us = ?, opened_after_us = ? WHERE stream_id = ? AND from_id = ?",
        (after_us, after_us, stream_id, gone_id + 1),
    )
    connection.execute(
        "INSERT INTO gap (stream_id, first_id, last_id, from_id, to_id, after_us, before_us, cause,"
        " state, opened_after_us, opened_before_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)",
        (stream_id, *[gone_id] * 4, *span_us, CAUSE, *span_us),
    )
