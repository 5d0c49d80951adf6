"""The ledger of gaps as a table, and what is not known between the exchange's bars and trades."""

import sqlite3
from collections.abc import Mapping
from typing import Final

import pandas as pd

from ingest.store.bar_source import BarSource
from ingest.store.connecting import EVER_S, one_transaction
from ingest.store.future_rows import between_readable, readable_until
from ingest.store.sources.lake_side import LakeSide

BEFORE_FIRST_TRADE: Final = "before the first trade"
_LACKING: Final = ("open", "expired")
_HOLE_REASON: Final = "the exchange's own bars do not reach the first trade yet"
_COLUMNS: Final = (
    *("symbol", "first_id", "last_id", "from_id", "to_id", "missing", "after", "before"),
    *("cause", "state", "reason", "klines_from_s"),
)

Sides = Mapping[int, LakeSide | None]


def gap_table(
    connection: sqlite3.Connection, names: Mapping[int, str], sides: Sides, symbol: str | None
) -> pd.DataFrame:
    """Make the table of `TickReader.gaps`.

    Parameters
    ----------
    connection
        Of the database.
    names, sides
        Symbols of the streams that hold anything, and what the lake has of each.
    symbol
        Which to show; None: all.
    """
    stored = connection.execute(
        "SELECT stream_id, first_id, last_id, from_id, to_id, max(0, to_id - from_id + 1),"
        " opened_after_us, opened_before_us, cause, state, reason, after_us, before_us FROM gap"
    ).fetchall()
    over = _OverGaps(connection, sides)
    until = {each: readable_until(connection, each) for each in names}
    rows = _holes(connection, sides)
    for *row, after_us, before_us in stored:
        ids, end = (row[3], row[4]), until.get(row[0], EVER_S[1])
        row[6:8] = _neighbours(connection, row[0], (*ids, *row[6:8]), end)
        span = _neighbours(connection, row[0], (*ids, after_us, before_us), end)
        rows.append((*row, over.klines_from_s(row[0], span) if row[9] in _LACKING else 0))
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame = frame.sort_values(["after", "first_id"], kind="stable", ignore_index=True)
    frame["symbol"] = frame["symbol"].map(dict(names))
    for name in ("after", "before"):
        frame[name] = pd.to_datetime(frame[name].astype("int64"), unit="us", utc=True)
    chosen = frame["symbol"].notna() if symbol is None else frame["symbol"] == symbol
    return frame[chosen].reset_index(drop=True)


def _neighbours(
    connection: sqlite3.Connection, stream_id: int, gap: tuple[int, int, int, int], until: int
) -> tuple[int, int]:
    return gap[2:] if until == EVER_S[1] else between_readable(connection, stream_id, gap, until)


def _holes(connection: sqlite3.Connection, sides: Sides) -> list[tuple[int | str, ...]]:
    """Rows for what is not known just before streams' first trades."""
    rows: list[tuple[int | str, ...]] = []
    for stream_id, side in sides.items():
        source = BarSource(connection, stream_id, 1, side)
        with one_transaction(connection):
            source.look()
            hole = source.hole()
        if hole is not None:
            ids = (0, 0, 0, 0, 0)
            rows.append((stream_id, *ids, *hole, BEFORE_FIRST_TRADE, "open", _HOLE_REASON, 0))
    return rows


class _OverGaps:
    """Looks from which length on bars over gaps are whole out of what else there is."""

    def __init__(self, connection: sqlite3.Connection, sides: Sides) -> None:
        self._connection, self._sides = connection, sides
        self._sources: dict[int, list[BarSource]] = {}

    def klines_from_s(self, stream_id: int, gap: tuple[int, int]) -> int:
        """Seconds of the shortest such bar; 0 where none is."""
        if stream_id not in self._sources:
            side = self._sides.get(stream_id)
            looked = BarSource(self._connection, stream_id, 1, side)
            looked.look()
            lengths = looked.kline_lengths()
            sources = [BarSource(self._connection, stream_id, each, side) for each in lengths]
            for source in sources:
                source.look()
            self._sources[stream_id] = sources
        whole = (each.seconds for each in self._sources[stream_id] if not each.left_of(gap))
        return next(whole, 0)
