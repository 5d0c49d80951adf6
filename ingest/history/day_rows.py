"""Rows of the database that are to be moved, as columns, by the UTC day they belong to."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from ingest.history.days import DAY_S, day_of
from ingest.store import (
    SECOND_US,
    UNITS,
    BoolArray,
    FloatArray,
    IntArray,
    MovedIds,
    decode,
)
from ingest.store.lake import TradeColumns

_ROWS_A_STEP: Final = 50_000  # each read by a short statement of its own, for the log's sake
_DAY_US: Final = DAY_S * SECOND_US

_LAST_ID = "SELECT max(last_id) FROM bar_1s WHERE stream_id = ? AND second < ?"
_WHERE = "WHERE stream_id = ? AND trade_id > ? AND trade_id <= ? AND time_us < ? ORDER BY trade_id"
_TRADES = f"SELECT trade_id, time_us, price, quantity, flags FROM tick {_WHERE} LIMIT ?"  # noqa: S608 - ours
_NON_TRADES = f"SELECT trade_id, time_us, 0, 0, 0 FROM non_trade {_WHERE} LIMIT ?"  # noqa: S608 - ours


@dataclass(frozen=True, slots=True, eq=False)
class DayRows:
    """Trades and ids that are none of one UTC day, in the order of their ids."""

    day: date
    trades: TradeColumns

    @property
    def is_trade(self) -> Any:
        """Which rows are trades (bool)."""
        return self.trades.price > 0


def rows_of_days(connection: sqlite3.Connection, stream_id: int, end: int) -> dict[date, DayRows]:
    """Read everything that is stored before a second: of one day, or with a few of days before."""
    last_id = connection.execute(_LAST_ID, (stream_id, end)).fetchone()[0]
    parts = [
        _columns(rows)
        for sql in (_TRADES, _NON_TRADES)
        for rows in _steps(connection, sql, stream_id, last_id, end * SECOND_US)
    ]
    whole = _joined(parts)
    days = whole.time_us // _DAY_US
    return {
        (day := day_of(int(number) * DAY_S)): DayRows(day, _taken(whole, days == number))
        for number in np.unique(days)
    }


def ids_of(days: Iterable[DayRows]) -> MovedIds:
    """Ids of these days, in order: of trades, and of what is none."""
    trades = [each.trades.trade_id[each.is_trade] for each in days]
    others = [each.trades.trade_id[~each.is_trade] for each in days]
    return MovedIds(np.sort(np.concatenate(trades)), np.sort(np.concatenate(others)))


def _steps(
    connection: sqlite3.Connection, sql: str, stream_id: int, last_id: int, end_us: int
) -> Iterator[list[tuple[Any, ...]]]:
    after = -1
    while True:
        bounds = (stream_id, after, last_id, end_us, _ROWS_A_STEP)
        rows = connection.execute(sql, bounds).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _columns(rows: list[tuple[Any, ...]]) -> TradeColumns:
    trade_id, time_us, price, quantity, flags = zip(*rows, strict=True)
    flag = np.array(flags, dtype=np.int64)
    return TradeColumns(
        np.array(trade_id, dtype=np.int64),
        np.array(time_us, dtype=np.int64),
        _values(price),
        _values(quantity),
        (flag & 1).astype(np.bool_),
        (flag >> 1).astype(np.int32),
    )


def _values(stored: tuple[float, ...]) -> IntArray | FloatArray:
    """Units of 1e-8 where all are stored so, else the doubles that were stored."""
    values = np.array(stored)
    if values.dtype != np.float64:
        return values
    return np.array([decode(value) for value in stored], dtype=np.float64)


def _joined(parts: list[TradeColumns]) -> TradeColumns:
    """Columns one after the other, in the order of their ids."""
    columns = []
    for name in TradeColumns.__slots__:
        arrays = [getattr(each, name) for each in parts]
        if len({each.dtype for each in arrays}) > 1:
            arrays = [in_doubles(each) for each in arrays]
        columns.append(np.concatenate(arrays))
    whole = TradeColumns(*columns)
    return _taken(whole, np.argsort(whole.trade_id, kind="stable"))


def in_doubles(values: IntArray | FloatArray) -> FloatArray:
    """Doubles as the database's reader has them: what is stored as units is exact in them."""
    doubles: FloatArray = values.astype(np.float64)
    return doubles if values.dtype == np.float64 else doubles / UNITS


def _taken(trades: TradeColumns, rows: IntArray | BoolArray) -> TradeColumns:
    return TradeColumns(*(getattr(trades, name)[rows] for name in TradeColumns.__slots__))
