"""A dump of klines into the lake, a month at a time."""

from collections.abc import Iterator

import numpy as np

from ingest.history.dump_form import DumpName
from ingest.history.dump_rows import Rows
from ingest.store import STORED_ROW, StoredRows
from ingest.store.lake import LakeWriter, MonthReport, Source
from ingest.tick import Market


def put_kline_dump(
    writer: LakeWriter, market: Market, name: DumpName, rows: Iterator[Rows], source: Source
) -> tuple[StoredRows, MonthReport]:
    """Put all klines of a dump, which is of a month at most; gives them and what became of them."""
    parts = [each.klines for each in rows if each.klines is not None]
    klines = np.concatenate(parts) if parts else np.empty(0, dtype=STORED_ROW)
    parts.clear()
    report = writer.put_klines(market, name.symbol, name.length_s, klines, source)
    return klines, report
