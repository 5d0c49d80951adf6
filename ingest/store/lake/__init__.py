"""History in Parquet files: trades by the day, their bars, the exchange's klines.

with LakeWriter(root) as writer:
    writer.put_trades(stream, day, trades, source)
    writer.refresh_bars(stream)
Lake(root).pieces(stream).read(60, low, high)
"""

from ingest.errors import LakeError
from ingest.store.lake.claims import check_claim
from ingest.store.lake.holding import (
    DayReport,
    Holding,
    IdSpan,
    LakeTicks,
    MonthReport,
    Source,
    TradeColumns,
)
from ingest.store.lake.lake import Lake
from ingest.store.lake.merging import joined, taken
from ingest.store.lake.numbers import as_doubles
from ingest.store.lake.places import kline_kind
from ingest.store.lake.writer import LakeWriter

__all__ = [
    "DayReport",
    "Holding",
    "IdSpan",
    "Lake",
    "LakeError",
    "LakeTicks",
    "LakeWriter",
    "MonthReport",
    "Source",
    "TradeColumns",
    "as_doubles",
    "check_claim",
    "joined",
    "kline_kind",
    "taken",
]
