"""Deleting the oldest of a stream: its bars, their trades, and the gaps before what stays."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np

from ingest.store.bars import SECOND_US, IntArray
from ingest.store.ledger import StreamLedger

# Kept in the database's settings: bars that opened before this second were deleted.
RETENTION_SETTING: Final = "deleted_before"
_MOST_TRADES: Final = 5_000  # deleted in one step, unless a single second has more
# Ids may overtake each other by milliseconds: one of a later second stays, though it is lower.
_OLDEST: Final = "WHERE stream_id = ? AND trade_id <= ? AND time_us < ?"


class OldestBars(NamedTuple):
    """The oldest bars of a stream: how many, the last one's open second, their greatest id."""

    bars: int
    last_second: int
    last_id: int

    @property
    def end_us(self) -> int:
        """Time at which they end, excluded, in µs."""
        return (self.last_second + 1) * SECOND_US


@dataclass(frozen=True, slots=True, eq=False)
class MovedIds:
    """Ids of a stream, in order, that are stored elsewhere and may be deleted here."""

    trades: IntArray
    non_trades: IntArray


def find_oldest_bars(
    connection: sqlite3.Connection, stream_id: int, second: int, most_bars: int
) -> OldestBars | None:
    """Find up to `most_bars` bars that opened before a second, of few trades; None without any."""
    rows = connection.execute(
        "SELECT second, last_id, trades FROM bar_1s WHERE stream_id = ? AND second < ?"
        " ORDER BY second LIMIT ?",
        (stream_id, second, most_bars),
    ).fetchall()
    if not rows:
        return None
    trades = accumulate(row[2] for row in rows)
    few = max(1, sum(count <= _MOST_TRADES for count in trades))
    last_id = max(row[1] for row in rows[:few])
    return OldestBars(few, rows[few - 1][0], last_id)


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
    connection.execute(
        "DELETE FROM kline WHERE stream_id = ? AND second <= ?", (stream_id, oldest.last_second)
    )
    _begin_with_what_stays(connection, stream_id, ledger)


def delete_moved(
    connection: sqlite3.Connection,
    stream_id: int,
    ledger: StreamLedger,
    oldest: OldestBars,
    moved: MovedIds,
) -> bool:
    """Delete bars as `delete_oldest`, if all their ids were moved; klines stay, they were not.

    Returns False, with nothing deleted, where an id came after the others were moved, or one among
    them is asked for again.
    """
    if any(gap.state == "open" and gap.after_us < oldest.end_us for gap in ledger.gaps):
        return False
    for table, ids in (("tick", moved.trades), ("non_trade", moved.non_trades)):
        rows = connection.execute(
            f"SELECT trade_id FROM {table} {_OLDEST}",  # noqa: S608 - ours
            (stream_id, oldest.last_id, oldest.end_us),
        )
        stored = np.fromiter((row[0] for row in rows), dtype=np.int64)
        place = np.searchsorted(ids, stored)
        if not (place < ids.size).all() or not (ids[place] == stored).all():
            return False
    _delete_rows(connection, stream_id, oldest)
    _begin_with_what_stays(connection, stream_id, ledger)
    return True


def _delete_rows(connection: sqlite3.Connection, stream_id: int, oldest: OldestBars) -> None:
    for table in ("tick", "non_trade"):
        connection.execute(
            f"DELETE FROM {table} {_OLDEST}",  # noqa: S608 - ours
            (stream_id, oldest.last_id, oldest.end_us),
        )
    connection.execute(
        "DELETE FROM bar_1s WHERE stream_id = ? AND second <= ?", (stream_id, oldest.last_second)
    )


def _begin_with_what_stays(
    connection: sqlite3.Connection, stream_id: int, ledger: StreamLedger
) -> None:
    first_stored = _first_stored(connection, stream_id)
    first_id, first_us = first_stored or (ledger.last_id, ledger.last_us)
    # A gap from a deleted trade to one that stays is deleted too: it is before the first id now.
    connection.execute("DELETE FROM gap WHERE stream_id = ? AND to_id < ?", (stream_id, first_id))
    ledger.gaps = [gap for gap in ledger.gaps if gap.to_id >= (first_id or 0)]
    ledger.first_id, ledger.first_us = first_id, first_us


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
