"""Trades of a stream out of the database and out of the lake, as columns; and both as one."""

import sqlite3
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.store.bars import SECOND_US, time_index
from ingest.store.lake import LakeTicks

_SAME_WITHIN_US: Final = 60 * SECOND_US  # times of one trade as two sources have them

_ROW: Final = np.dtype(
    [("time_us", "i8"), ("trade_id", "i8"), ("price", "f8"), ("quantity", "f8"), ("maker", "?")]
)


@dataclass(frozen=True, slots=True, eq=False)
class TickColumns:
    """Trades in order of time, then id; `non_trades` are ids, in order, that are none.

    `price` is in quote currency, `quantity` in base currency, `time_us` in µs since the epoch.
    """

    time_us: npt.NDArray[np.int64]
    trade_id: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    quantity: npt.NDArray[np.float64]
    buyer_is_maker: npt.NDArray[np.bool_]
    non_trades: list[int]

    def frame(self, symbol: str) -> pd.DataFrame:
        """Make the ticks frame of `TickReader.ticks`."""
        frame = pd.DataFrame(
            {
                "symbol": pd.Series([symbol], dtype="str").repeat(len(self.time_us)).array,
                "price": self.price,
                "quantity": self.quantity,
                "trade_id": self.trade_id,
                "buyer_is_maker": self.buyer_is_maker,
            }
        )
        frame.index = time_index(self.time_us)
        return frame


def read_ticks(
    connection: sqlite3.Connection, stream_id: int, low_us: int, high_us: int
) -> TickColumns:
    """Read the database's trades with ``low_us <= time < high_us``. In a transaction."""
    first_id, last_id = _id_range(connection, stream_id, low_us, high_us)
    rows = np.fromiter(
        connection.execute(
            "SELECT time_us, trade_id,"
            " CASE typeof(price) WHEN 'integer' THEN price / 1e8 ELSE price END,"
            " CASE typeof(quantity) WHEN 'integer' THEN quantity / 1e8 ELSE quantity END,"
            " flags & 1 FROM tick WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
            " AND time_us >= ? AND time_us < ? ORDER BY time_us, trade_id",
            (stream_id, first_id, last_id, low_us, high_us),
        ),
        dtype=_ROW,
    )
    others = connection.execute(
        "SELECT trade_id FROM non_trade WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
        " ORDER BY trade_id",
        (stream_id, first_id, last_id),
    )
    columns = (np.ascontiguousarray(rows[name]) for name in _ROW.names or ())
    times, ids, prices, quantities, makers = columns
    return TickColumns(times, ids, prices, quantities, makers, [row[0] for row in others])


def united(stored: TickColumns, lake: LakeTicks) -> TickColumns:
    """Trades of both; of an id that both have the database's stands.

    Unless their times are far apart: then an exchange that was reset gave it twice.
    """
    is_new = ~np.isin(lake.trade_id, stored.non_trades) & ~_is_in(lake, stored)
    is_known = set(stored.trade_id.tolist()) if lake.non_trades else set()
    others = sorted(
        {*stored.non_trades, *(each for each in lake.non_trades if each not in is_known)}
    )
    old = (stored.time_us, stored.trade_id, stored.price, stored.quantity, stored.buyer_is_maker)
    new = (lake.time_us, lake.trade_id, lake.price, lake.quantity, lake.buyer_is_maker)
    joined = [np.concatenate([mine, theirs[is_new]]) for mine, theirs in zip(old, new, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    times, ids, prices, quantities, makers = (each[order] for each in joined)
    return TickColumns(times, ids, prices, quantities, makers, others)


def _is_in(lake: LakeTicks, stored: TickColumns) -> npt.NDArray[np.bool_]:
    """Which of the lake's trades the database has as well."""
    if not stored.trade_id.size:
        return np.zeros(lake.trade_id.size, dtype=np.bool_)
    order = np.argsort(stored.trade_id, kind="stable")
    place = np.searchsorted(stored.trade_id, lake.trade_id, sorter=order)
    other = order[np.minimum(place, order.size - 1)]
    is_near = np.abs(stored.time_us[other] - lake.time_us) <= _SAME_WITHIN_US
    both: npt.NDArray[np.bool_] = (stored.trade_id[other] == lake.trade_id) & is_near
    return both


def _id_range(
    connection: sqlite3.Connection, stream_id: int, low_us: int, high_us: int
) -> tuple[int, int]:
    row = connection.execute(
        "SELECT min(first_id), max(last_id) FROM bar_1s"
        " WHERE stream_id = ? AND second >= ? AND second <= ?",
        (stream_id, low_us // SECOND_US, high_us // SECOND_US),
    ).fetchone()
    return (0, -1) if row[0] is None else row
