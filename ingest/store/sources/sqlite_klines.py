"""The exchange's own bars (klines) of a stream in the database, as pieces."""

import sqlite3

import numpy as np

from ingest.store.bars import SECOND_US, Spans, StoredRows, runs
from ingest.store.last_trade import LastTrade, later_of
from ingest.store.pieces import Pieces
from ingest.store.sources.packed_rows import read_rows

_WHERE = "FROM kline WHERE stream_id = ? AND length_s = ?"


class SqliteKlines:
    """Klines of one stream: a `PieceStore`. Inside a transaction of the caller's.

    Parameters
    ----------
    connection, stream_id
        Where to read, and what.
    """

    def __init__(self, connection: sqlite3.Connection, stream_id: int) -> None:
        self._connection, self._stream_id = connection, stream_id

    def lengths(self) -> list[int]:
        """Lengths in order: a look at the key for each, not at the rows."""
        lengths = [0]
        while True:
            row = self._connection.execute(
                "SELECT length_s FROM kline WHERE stream_id = ? AND length_s > ?"
                " ORDER BY length_s LIMIT 1",
                (self._stream_id, lengths[-1]),
            ).fetchone()
            if row is None:
                return lengths[1:]
            lengths.append(row[0])

    def first(self, length: int) -> int | None:
        """Second at which the first one opens."""
        second: int | None = self._one(f"SELECT min(second) {_WHERE}", length)
        return second

    def last(self, length: int) -> int | None:
        """Second at which the last one ends."""
        second = self._one(f"SELECT max(second) {_WHERE}", length)
        return None if second is None else second + length

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Klines that lie wholly in ``low … high``."""
        which, span = (self._stream_id, length), (low, high - length + 1)
        rows = read_rows(self._connection, _WHERE, which, span)
        return Pieces(_with_trades(rows), runs(rows, length))

    def known(self, length: int, low: int, high: int) -> Spans:
        """Seconds that klines cover and that touch ``low … high``."""
        within = f"{_WHERE} AND second BETWEEN ? AND ?"
        bounds = (self._stream_id, length, low // length * length, high - 1)
        first, last, count = self._connection.execute(
            f"SELECT min(second), max(second), count(*) {within}", bounds
        ).fetchone()
        if count == 0 or last - first == (count - 1) * length:  # no hole in them, as a rule
            return [(first, last + length)] if count else []
        rows = self._connection.execute(f"SELECT second {within} ORDER BY second", bounds)
        return runs(np.fromiter(rows, dtype=[("at", "i8")]), length)

    def _one(self, question: str, length: int) -> int | None:
        answer = self._connection.execute(question, (self._stream_id, length)).fetchone()
        return None if answer is None else answer[0]


def bars_end(connection: sqlite3.Connection, stream_id: int) -> int:
    """Second at which the last kline of any length ends; 0 without any."""
    klines = SqliteKlines(connection, stream_id)
    return max((klines.last(each) or 0 for each in klines.lengths()), default=0)


def last_traded_bar(connection: sqlite3.Connection, stream_id: int) -> LastTrade | None:
    """The end of the last kline of any length that holds a trade, and its close; None: no kline.

    When it was received is not kept: that is its end too.
    """
    newest = None
    for length in SqliteKlines(connection, stream_id).lengths():
        row = connection.execute(
            f"SELECT second, close {_WHERE} AND trades > 0 ORDER BY second DESC LIMIT 1",
            (stream_id, length),
        ).fetchone()
        if row is not None:
            end_us = (row[0] + length) * SECOND_US - 1
            newest = later_of(newest, LastTrade(end_us, end_us, row[1]))
    return newest


def _with_trades(rows: StoredRows) -> StoredRows:
    traded = rows["trades"] > 0
    return rows if traded.all() else rows[traded]
