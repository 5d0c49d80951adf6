"""One transaction's rows while they are gathered: ticks, non-trades, and the bars of both."""

import sqlite3
from collections.abc import Iterator
from itertools import islice

from ingest.store.schema import EXACT_UNITS, UNITS, encode, storable
from ingest.tick import Event, NonTrade, Tick

TICK_COLUMNS = 7
# Each row is a step of the statement and each step hands the interpreter's lock over: with busy
# threads beside, that costs more than the row. Many rows a statement cost one.
_ROWS_A_STATEMENT = (250, 50, 10, 1)
_ROW = f"({', '.join('?' * TICK_COLUMNS)})"
_INSERT_TICKS = {
    rows: f"INSERT INTO tick VALUES {', '.join([_ROW] * rows)}"  # noqa: S608 - ours
    for rows in _ROWS_A_STATEMENT
}

_INSERT_NON_TRADE = "INSERT INTO non_trade VALUES (?, ?, ?, ?)"
# Open and close belong to the least and greatest (time, id), so the order of arrival cannot matter.
_UPSERT_BAR = """
INSERT INTO bar_1s VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (stream_id, second) DO UPDATE SET
    open = CASE WHEN (excluded.open_us, excluded.open_id) < (open_us, open_id)
                THEN excluded.open ELSE open END,
    close = CASE WHEN (excluded.close_us, excluded.close_id) > (close_us, close_id)
                 THEN excluded.close ELSE close END,
    open_id = CASE WHEN (excluded.open_us, excluded.open_id) < (open_us, open_id)
                   THEN excluded.open_id ELSE open_id END,
    close_id = CASE WHEN (excluded.close_us, excluded.close_id) > (close_us, close_id)
                    THEN excluded.close_id ELSE close_id END,
    open_us = min(open_us, excluded.open_us),
    close_us = max(close_us, excluded.close_us),
    high = max(high, excluded.high), low = min(low, excluded.low),
    volume = volume + excluded.volume, trades = trades + excluded.trades,
    first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)
"""


class Batch:
    """Rows of one transaction.

    Attributes
    ----------
    ticks
        Rows of table ``tick`` one after the other, `TICK_COLUMNS` values each.
    non_trades
        Rows of table ``non_trade``.
    bars
        Rows of table ``bar_1s`` without their key, by (stream id, second).
    """

    __slots__ = ("_added", "_index", "bars", "non_trades", "ticks")

    def __init__(self) -> None:
        self.ticks: list[int | float] = []
        self.non_trades: list[tuple[int, int, int, str]] = []
        self.bars: dict[tuple[int, int], list[float]] = {}
        self._added: list[tuple[int, Event]] = []
        self._index: dict[tuple[int, int], Event] = {}

    def __len__(self) -> int:
        return len(self._added)

    def find(self, stream_id: int, trade_id: int) -> Event | None:
        """Find an event that was added before; None where there is none."""
        # Asked only of repeated ids: an index of each batch would cost as much as its rows.
        for of_stream, event in islice(self._added, len(self._index), None):
            self._index[of_stream, event.trade_id] = event
        return self._index.get((stream_id, trade_id))

    def add_non_trade(self, stream_id: int, event: NonTrade) -> None:
        """Add an id that is no trade."""
        self._added.append((stream_id, event))
        self.non_trades.append((stream_id, event.trade_id, event.time_us, event.reason))

    def add_tick(self, stream_id: int, tick: Tick) -> None:
        """Add a trade and make it part of its second's bar."""
        time_us, trade_id, price, quantity = tick.time_us, tick.trade_id, tick.price, tick.quantity
        units = round(quantity * UNITS)
        exact = units < EXACT_UNITS and units / UNITS == quantity
        self._added.append((stream_id, tick))
        self.ticks += (
            stream_id,
            trade_id,
            time_us,
            tick.received_us - time_us,
            encode(price),
            units if exact else quantity,
            tick.trades * 2 + tick.buyer_is_maker,
        )
        key = (stream_id, time_us // 1_000_000)
        bar = self.bars.get(key)
        if bar is None:
            self.bars[key] = [
                *(price, price, price, price, units, 1),
                *(time_us, trade_id, time_us, trade_id, trade_id, trade_id),
            ]
        else:
            _extend_bar(bar, time_us, trade_id, price, units)

    def bar_rows(self) -> Iterator[tuple[float, ...]]:
        """Rows of table ``bar_1s``, whole."""
        for key, (o, h, low, c, volume, *rest) in self.bars.items():
            yield (*key, o, h, low, c, storable(int(volume)), *rest)

    def store(self, connection: sqlite3.Connection) -> None:
        """Insert the rows and add their bars to those stored, in the caller's transaction."""
        self._insert_ticks(connection)
        connection.executemany(_INSERT_NON_TRADE, self.non_trades)
        connection.executemany(_UPSERT_BAR, self.bar_rows())

    def _insert_ticks(self, connection: sqlite3.Connection) -> None:
        start = 0
        for rows in _ROWS_A_STATEMENT:
            width = rows * TICK_COLUMNS
            while start + width <= len(self.ticks):
                connection.execute(_INSERT_TICKS[rows], self.ticks[start : start + width])
                start += width


def _extend_bar(bar: list[float], time_us: int, trade_id: int, price: float, units: int) -> None:
    if time_us > bar[8] or (time_us == bar[8] and trade_id > bar[9]):
        bar[3], bar[8], bar[9] = price, time_us, trade_id
    elif time_us < bar[6] or (time_us == bar[6] and trade_id < bar[7]):
        bar[0], bar[6], bar[7] = price, time_us, trade_id
    if price > bar[1]:
        bar[1] = price
    elif price < bar[2]:
        bar[2] = price
    bar[4] += units
    bar[5] += 1
    if trade_id > bar[11]:
        bar[11] = trade_id
    elif trade_id < bar[10]:
        bar[10] = trade_id


def same_event(first: Event, second: Event) -> bool:
    """Whether two events with one id say the same of time, price and quantity."""
    if isinstance(first, NonTrade) or isinstance(second, NonTrade):
        return type(first) is type(second) and first.time_us == second.time_us
    return (first.time_us, first.price, first.quantity) == (
        second.time_us,
        second.price,
        second.quantity,
    )


def is_event_stored(connection: sqlite3.Connection, stream_id: int, event: Event) -> bool:
    """Whether a trade, or an id without a trade, is stored with the same content."""
    if isinstance(event, NonTrade):
        sql = "SELECT time_us FROM non_trade WHERE stream_id = ? AND trade_id = ?"
        want: tuple[object, ...] = (event.time_us,)
    else:
        sql = "SELECT time_us, price, quantity FROM tick WHERE stream_id = ? AND trade_id = ?"
        want = (event.time_us, encode(event.price), encode(event.quantity))
    row = connection.execute(sql, (stream_id, event.trade_id)).fetchone()
    return bool(row == want)
