"""Trades for the lake's tests: put by the day, and the bars that others make of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from ingest.store.lake import DayReport, LakeWriter, Source, TradeColumns
from ingest.store.pieces import LakeStream
from ingest.tick import Tick

STREAM = LakeStream("spot", "AAAUSDT", "aggTrade")
FILE = Source("file", "some file")
WHOLE = Source("dump", "a dump", "ab" * 32, whole_day=True)
DAY_US = 86_400_000_000


def trades_of(
    ids: Iterable[int],
    times_us: Iterable[int],
    prices: Iterable[float],
    quantities: Iterable[float],
) -> TradeColumns:
    """Trades out of plain numbers; every other one with the buyer as maker."""
    trade_id = np.array(list(ids), dtype=np.int64)
    return TradeColumns(
        trade_id,
        np.array(list(times_us), dtype=np.int64),
        np.array(list(prices), dtype=np.float64),
        np.array(list(quantities), dtype=np.float64),
        trade_id % 2 == 0,
        np.ones(trade_id.size, dtype=np.int32),
    )


def frame_of(trades: TradeColumns, symbol: str = "AAAUSDT") -> pd.DataFrame:
    """Ticks frame of the rows that are trades."""
    is_trade = trades.price > 0
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "price": trades.price[is_trade],
            "quantity": trades.quantity[is_trade],
            "trade_id": trades.trade_id[is_trade],
        },
        index=pd.DatetimeIndex(trades.time_us[is_trade].view("M8[us]"), name="time").tz_localize(
            "UTC"
        ),
    )
    frame.attrs["non_trade_ids"] = {symbol: trades.trade_id[~is_trade].tolist()}
    return frame


def ticks_of(trades: TradeColumns) -> list[Tick]:
    """The same as the recorder has them."""
    columns = (trades.trade_id, trades.price, trades.quantity, trades.time_us)
    rows = zip(*(each.tolist() for each in columns), strict=True)
    return [
        Tick(*STREAM[:2], STREAM.kind, number, price, quantity, at, at, number % 2 == 0)
        for number, price, quantity, at in rows
        if price > 0
    ]


def put(
    root: Path,
    trades: TradeColumns,
    source: Source = FILE,
    stream: LakeStream = STREAM,
    *,
    refreshed: bool = True,
) -> list[DayReport]:
    """Put trades into a lake, each day on its own."""
    days = trades.time_us // DAY_US
    reports = []
    with LakeWriter(root) as writer:
        for day in np.unique(days).tolist():
            own = [getattr(trades, name)[days == day] for name in TradeColumns.__slots__]
            when = datetime.fromtimestamp(day * 86_400, UTC).date()
            reports.append(writer.put_trades(stream, when, TradeColumns(*own), source))
        if refreshed:
            writer.refresh_bars(stream)
    return reports
