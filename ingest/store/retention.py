"""Deleting the oldest of a stream: its bars, their trades, and the gaps before what stays."""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from ingest.store.ledger import StreamLedger

# Kept in the database's settings: bars that opened before this second were deleted.
RETENTION_SETTING: Final = "deleted_before"


class OldestBars(NamedTuple):
    """The oldest bars of a stream: how many, the last one's open second, their greatest id."""

    bars: int
    last_second: int
    last_id: int


def find_oldest_bars(
    connection: sqlite3.Connection, stream_id: int, second: int, most_bars: int
) -> OldestBars | None:
    """Find up to `most_bars` bars that opened before a second; None without any."""
    rows = connection.execute(
        "SELECT second, last_id FROM bar_1s WHERE stream_id = ? AND second < ?"
        " ORDER BY second LIMIT ?",
        (stream_id, second, most_bars),
    ).fetchall()
    if not rows:
        return None
    return OldestBars(len(rows), rows[-1][0], max(last_id for _, last_id in rows))


def oldest_second(connection: sqlite3.Connection, stream_ids: Iterable[int]) -> int | None:
    """Open second of the oldest bar of these streams; None without bars."""
    seconds = [
        connection.execute(
            "SELECT min(second) FROM bar_1s WHERE stream_id = ?", (stream_id,)
        ).fetchone()[0]
        for stream_id in stream_ids
    ]
    return min((second for second in seconds if second is not None), default=None)


def delete_oldest(
    connection: sqlite3.Connection, stream_id: int, ledger: StreamLedger, oldest: OldestBars
) -> None:
    """Delete bars, their ids and the gaps among these; inside the caller's transaction.

    The ledger begins at the first id that stays; the caller stores it.
    """
    _delete_rows(connection, stream_id, oldest)
    first_stored = _first_stored(connection, stream_id)
    first_id, first_us = first_stored or (ledger.last_id, ledger.last_us)
    # A gap from a deleted trade to one that stays is deleted too: it is before the first id now.
    connection.execute("DELETE FROM gap WHERE stream_id = ? AND to_id < ?", (stream_id, first_id))
    ledger.gaps = [gap for gap in ledger.gaps if gap.to_id >= (first_id or 0)]
    ledger.first_id, ledger.first_us = first_id, first_us


def _delete_rows(connection: sqlite3.Connection, stream_id: int, oldest: OldestBars) -> None:
    for table in ("tick", "non_trade"):
        connection.execute(
            f"DELETE FROM {table} WHERE stream_id = ? AND trade_id <= ?",  # noqa: S608 - ours
            (stream_id, oldest.last_id),
        )
    for table in ("bar_1s", "kline"):
        connection.execute(
            f"DELETE FROM {table} WHERE stream_id = ? AND second <= ?",  # noqa: S608 - ours
            (stream_id, oldest.last_second),
        )


def _first_stored(connection: sqlite3.Connection, stream_id: int) -> tuple[int, int] | None:
    """Id and time (µs) of a stream's first stored event; None without any."""
    rows = [
        row
        for table in ("tick", "non_trade")
        for row in connection.execute(
            f"SELECT trade_id, time_us FROM {table} WHERE stream_id = ?"  # noqa: S608 - ours
            " ORDER BY trade_id LIMIT 1",
            (stream_id,),
        )
    ]
    return min(rows, default=None)
