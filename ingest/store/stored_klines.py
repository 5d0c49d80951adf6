"""The exchange's own bars (klines) of a stream, as rows of the database."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from ingest.binance import Kline
from ingest.store.bars import Spans
from ingest.store.schema import UNITS, storable
from ingest.store.sources.sqlite_klines import SqliteKlines

KLINE_LENGTHS_S: Final = (1, 60, 300)  # that are fetched


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


def klines_end(connection: sqlite3.Connection, stream_id: int) -> int:
    """Second at which the last bar of any length ends; 0 without any.

    Where there is no trade that is the newest bar's end: what comes after it is no repair.
    """
    klines = SqliteKlines(connection, stream_id)
    return max((klines.last(each) or 0 for each in klines.lengths()), default=0)


def kline_spans(
    connection: sqlite3.Connection, stream_id: int, length_s: int, span: tuple[int, int]
) -> Spans:
    """Seconds ``(low, high)`` inside a span that bars of a length cover, in order and merged."""
    where = "FROM kline WHERE stream_id = ? AND length_s = ? AND second >= ? AND second < ?"
    bounds = (stream_id, length_s, *span)
    first, last, count = connection.execute(
        f"SELECT min(second), max(second), count(*) {where}",
        bounds,
    ).fetchone()
    if count == 0 or last - first == (count - 1) * length_s:  # no hole in them, as a rule
        return [(first, last + length_s)] if count else []
    spans: Spans = []
    rows = connection.execute(f"SELECT second {where} ORDER BY second", bounds)
    for (second,) in rows:
        if spans and spans[-1][1] == second:
            spans[-1] = (spans[-1][0], second + length_s)
        else:
            spans.append((second, second + length_s))
    return spans
