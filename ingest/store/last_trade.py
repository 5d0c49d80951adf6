"""The newest stored trade of a stream."""

import sqlite3
from dataclasses import dataclass

from ingest.store.connecting import EVER_S


@dataclass(frozen=True, slots=True)
class LastTrade:
    """The newest stored trade of a symbol: its times in microseconds, its price."""

    time_us: int
    received_us: int
    price: float


def read_last_trade(
    connection: sqlite3.Connection, stream_id: int, until: int = EVER_S[1]
) -> LastTrade | None:
    """Find the newest stored trade of a stream before a second; None if there is none."""
    row = connection.execute(
        "SELECT t.time_us, t.time_us + t.received_delta_us, b.close"
        " FROM (SELECT * FROM bar_1s WHERE stream_id = ? AND second < ?"
        " ORDER BY second DESC LIMIT 1) AS b"
        " JOIN tick AS t ON t.stream_id = b.stream_id AND t.trade_id = b.close_id",
        (stream_id, until),
    ).fetchone()
    return None if row is None else LastTrade(*row)


def later_of(*trades: LastTrade | None) -> LastTrade | None:
    """The newest of some trades; the first of those at the same time."""
    known = [each for each in trades if each is not None]
    return max(known, key=lambda each: each.time_us, default=None)
