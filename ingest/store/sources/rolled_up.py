"""Minutes and hours that the database keeps of its seconds: read in their place where it may be."""

import sqlite3
from typing import Final, NamedTuple

from ingest.store.bars import Spans, StoredRows
from ingest.store.connecting import up
from ingest.store.sources.packed_rows import read_rows

SINCE_VERSION = 4
MINUTE_S = 60
LENGTHS = (3600, MINUTE_S)
_CUT_OFF = 2**63 - 1  # a volume past it is stored as a float, and is not exact


class RolledUp(NamedTuple):
    """The rollups of one stream: whole minutes and hours of the seconds ``low … high``."""

    low: int
    high: int

    def lengths(self, seconds: int) -> list[int]:
        """Which of them make up bars of a length, the coarsest first."""
        return [each for each in LENGTHS if self.low < self.high and seconds % each == 0]

    def inside(self, length: int, low: int, high: int) -> tuple[int, int]:
        """Seconds of ``low … high`` of which there are whole pieces of a length; maybe none."""
        return up(max(low, self.low), length), min(high, self.high) // length * length


NO_ROLLUPS: Final = RolledUp(0, 0)


def find_rolled_up(connection: sqlite3.Connection, stream_id: int) -> RolledUp:
    """Find over which seconds a stream's rollups reach; none in a database of before there were."""
    if connection.execute("PRAGMA user_version").fetchone()[0] < SINCE_VERSION:
        return NO_ROLLUPS
    row = connection.execute(
        "SELECT rolled_low, rolled_high FROM stream WHERE stream_id = ?", (stream_id,)
    ).fetchone()
    return NO_ROLLUPS if row is None or None in row else RolledUp(*row)


def read_rolled_up(
    connection: sqlite3.Connection, stream_id: int, length: int, low: int, high: int
) -> tuple[StoredRows, Spans]:
    """Read pieces of ``low … high``; and the seconds of those that are not exact: left out."""
    where = "FROM rollup WHERE stream_id = ? AND length_s = ?"
    rows = read_rows(connection, where, (stream_id, length), (low, high))
    cut_off = rows["volume"] == _CUT_OFF
    if not cut_off.any():
        return rows, []
    opens = rows["at"][cut_off].tolist()
    return rows[~cut_off], [(each, each + length) for each in opens]
