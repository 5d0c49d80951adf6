"""Trades as columns: made of events, laid together, parted by UTC day. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.history.days import DAY_S, day_of
from ingest.store import SECOND_US
from ingest.store.lake import TradeColumns
from ingest.tick import Event, Tick


class DayTrades(NamedTuple):
    """Trades of one UTC day."""

    day: date
    trades: TradeColumns


def columns_of(events: Sequence[Event]) -> TradeColumns:
    """Lay events into columns; an id that is no trade gets price 0."""
    ticks = [event if isinstance(event, Tick) else None for event in events]
    return TradeColumns(
        trade_id=np.array([event.trade_id for event in events], np.int64),
        time_us=np.array([event.time_us for event in events], np.int64),
        price=np.array([tick.price if tick else 0.0 for tick in ticks], np.float64),
        quantity=np.array([tick.quantity if tick else 0.0 for tick in ticks], np.float64),
        buyer_is_maker=np.array([bool(tick and tick.buyer_is_maker) for tick in ticks], np.bool_),
        trades=np.array([tick.trades if tick else 0 for tick in ticks], np.int32),
    )


def joined(parts: Sequence[TradeColumns]) -> TradeColumns:
    """Lay columns one after the other."""
    if len(parts) == 1:
        return parts[0]
    several = [*parts, columns_of([])]
    names = TradeColumns.__slots__
    return TradeColumns(
        *(np.concatenate([getattr(each, name) for each in several]) for name in names)
    )


def by_days(columns: TradeColumns) -> Iterator[DayTrades]:
    """Part trades by UTC day, in the order they have."""
    days = columns.time_us // (DAY_S * SECOND_US)
    order = np.argsort(days, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(days[order])) + 1):
        if rows.size:
            yield DayTrades(day_of(int(days[rows[0]]) * DAY_S), taken(columns, rows))


def taken(columns: TradeColumns, rows: npt.NDArray[np.intp]) -> TradeColumns:
    """Only some of the trades."""
    return TradeColumns(*(getattr(columns, name)[rows] for name in TradeColumns.__slots__))
