"""Deleting the oldest of a stream: its bars, their trades, and the gaps before what stays."""

import sqlite3


def delete_oldest(
    connection: sqlite3.Connection, stream_id: int, second: int, last_id: int
) -> tuple[int, int] | None:
    """Delete bars up to a second and ids up to `last_id`; inside the caller's transaction.

    Returns
    -------
    tuple or None
        Id and time (µs) of the first that stays; None where nothing does.
    """
    for table in ("tick", "non_trade"):
        connection.execute(
            f"DELETE FROM {table} WHERE stream_id = ? AND trade_id <= ?",  # noqa: S608 - ours
            (stream_id, last_id),
        )
    for table in ("bar_1s", "kline"):
        connection.execute(
            f"DELETE FROM {table} WHERE stream_id = ? AND second <= ?",  # noqa: S608 - ours
            (stream_id, second),
        )
    kept = [
        row
        for table in ("tick", "non_trade")
        for row in connection.execute(
            f"SELECT trade_id, time_us FROM {table} WHERE stream_id = ?"  # noqa: S608 - ours
            " ORDER BY trade_id LIMIT 1",
            (stream_id,),
        )
    ]
    return min(kept, default=None)


def delete_gaps_before(
    connection: sqlite3.Connection, stream_id: int, first_id: int | None
) -> None:
    """Delete the gaps that end before an id: what they were between is gone."""
    connection.execute("DELETE FROM gap WHERE stream_id = ? AND to_id < ?", (stream_id, first_id))
