"""Where the lake goes over into the database: ids prove that nothing lies between them."""

import sqlite3

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW, Spans, StoredRows
from ingest.store.lake import IdSpan
from ingest.store.pieces import Pieces
from ingest.store.schema import UNITS
from ingest.store.sources.lake_side import LakeSide, nothing

_Bar = tuple[float, ...]


class Join:
    """The seconds in which the lake's trades go over into the database's, proved by ids.

    A `PieceStore` of one-second bars: from the lake's last trade before the database's first one to
    the end of the second in which the database begins. See `find_join`.
    """

    def __init__(self, rows: StoredRows, low: int, high: int) -> None:
        self._rows, self._low, self._high = rows, low, high

    def lengths(self) -> list[int]:
        """Seconds."""
        return [1]

    def first(self, length: int) -> int | None:
        """Second of the lake's last trade before the database's first."""
        return self._low if length == 1 else None

    def last(self, length: int) -> int | None:
        """End of the second in which the database begins."""
        return self._high if length == 1 else None

    def read(self, length: int, low: int, high: int) -> Pieces:
        """Bars of these seconds that hold a trade."""
        known = self.known(length, low, high)
        at = self._rows["at"]
        return Pieces(self._rows[(at >= low) & (at < high)], known) if known else nothing()

    def known(self, length: int, low: int, high: int) -> Spans:
        """All of them inside ``low … high``."""
        begin, end = max(low, self._low), min(high, self._high)
        return [(begin, end)] if length == 1 and begin < end else []


def find_join(
    side: LakeSide, connection: sqlite3.Connection, stream_id: int, first_us: int
) -> Join | None:
    """Prove that no trade is missing between the lake's and the database's first; None if not.

    Where the lake has the id before the database's first one, nothing lies between them.

    Parameters
    ----------
    side
        The lake's part of the stream.
    connection, stream_id
        The database's; inside a transaction.
    first_us
        Time of its first trade.
    """
    second = first_us // SECOND_US
    begins = connection.execute(
        "SELECT b.first_id, b.second, b.open, b.high, b.low, b.close, CAST(b.volume AS INTEGER),"
        " b.trades FROM bar_1s AS b JOIN stream AS s USING (stream_id)"
        # Where all was moved once, the ledger begins with the last id of the lake's.
        " WHERE b.stream_id = ? AND b.second = ? AND b.first_id IN (s.first_id, s.first_id + 1)",
        (stream_id, second),
    ).fetchone()
    if begins is None:
        return None
    first_id, stored = begins[0], begins[1:]
    before = [each for each in side.id_spans if each.first_id < first_id <= each.last_id + 1]
    span = before[-1] if before else None
    if span is None or span.last_us // SECOND_US > second or _is_other(span, first_id, second):
        return None  # the lake does not reach it, or knows its second by itself
    last = _last_bars(side, span, first_id)
    if last is None or _is_gap_at(connection, stream_id, second):
        return None
    rows = [*last.tolist(), stored]
    low = span.last_us // SECOND_US
    if len(rows) == 2 and low == second:
        rows = [_merged(*rows)]
    return Join(np.array(rows, dtype=STORED_ROW), low, second + 1)


def _is_other(span: IdSpan, first_id: int, second: int) -> bool:
    """Whether ids that both have are of two numberings, by their times: they prove nothing."""
    return span.last_id >= first_id and span.last_us // SECOND_US < second - 1


def _last_bars(side: LakeSide, span: IdSpan, first_id: int) -> StoredRows | None:
    """The second of the lake's last trade before the database's; None where it is not whole.

    Without a row where all that the lake has of that second is the database's too.
    """
    low = span.last_us // SECOND_US
    if span.first_us // SECOND_US == low and span != side.id_spans[0]:
        return None  # ids before the span are missing in that very second
    key = (low, first_id)
    if key not in side.last_bars:
        rows = side.read(1, low, low + 1).rows if span.last_id < first_id else nothing().rows
        side.last_bars[key] = rows if rows.size else _bars_of(side, low, first_id)
    return side.last_bars[key]


def _bars_of(side: LakeSide, second: int, first_id: int) -> StoredRows:
    """Make a second's bar of the lake's trades before an id; none of no trade."""
    ticks = side.ticks(second * SECOND_US, (second + 1) * SECOND_US)
    chosen = ticks.trade_id < first_id
    prices = ticks.price[chosen].tolist()
    units = sum(round(each * UNITS) for each in ticks.quantity[chosen].tolist())
    if not prices:
        return nothing().rows
    bar = (second, prices[0], max(prices), min(prices), prices[-1], units, len(prices))
    return np.array([bar], dtype=STORED_ROW)


def _is_gap_at(connection: sqlite3.Connection, stream_id: int, second: int) -> bool:
    """Whether ids of the second in which the database begins are missing in it."""
    found = connection.execute(
        "SELECT 1 FROM gap WHERE stream_id = ? AND state IN ('open', 'expired')"
        " AND after_us < ? LIMIT 1",
        (stream_id, (second + 1) * SECOND_US),
    ).fetchone()
    return found is not None


def _merged(lake: _Bar, stored: _Bar) -> _Bar:
    """One bar of a second's trades, the lake's first."""
    at, opened, high, low, _, volume, trades = lake
    prices = (opened, max(high, stored[2]), min(low, stored[3]), stored[4])
    return (at, *prices, volume + stored[5], trades + stored[6])
