"""The exchange's own bars (klines) of a stream, as rows of the database."""

import sqlite3
from collections.abc import Sequence

from ingest.binance import Kline
from ingest.store.schema import UNITS, storable


def insert_klines(
    connection: sqlite3.Connection, stream_id: int, length_s: int, klines: Sequence[Kline]
) -> tuple[int, int] | None:
    """Store bars of `length_s` seconds; a bar given again replaces the old.

    Gives the seconds from the first one's open to the last one's end; None without any.
    """
    rows = [
        (
            *(stream_id, length_s, bar.open_us // 1_000_000),
            *(bar.open, bar.high, bar.low, bar.close),
            *(storable(round(bar.volume * UNITS)), bar.trades),
        )
        for bar in klines
    ]
    connection.executemany("INSERT OR REPLACE INTO kline VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    seconds = [row[2] for row in rows]
    return (min(seconds), max(seconds) + length_s) if seconds else None


def has_klines_before(
    connection: sqlite3.Connection, stream_id: int, length_s: int, before_us: int
) -> bool:
    """Whether bars of a length that opened by a time are stored."""
    row = connection.execute(
        "SELECT 1 FROM kline WHERE stream_id = ? AND length_s = ? AND second <= ? LIMIT 1",
        (stream_id, length_s, before_us // 1_000_000),
    ).fetchone()
    return row is not None
