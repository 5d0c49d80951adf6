"""Trades and bars in SQLite: written, read, checked, kept small."""

from ingest.store.bars import (
    SECOND_US,
    STORED_ROW,
    TRADED,
    BarColumns,
    BoolArray,
    FloatArray,
    IntArray,
    Spans,
    StoredRows,
    without_spans,
)
from ingest.store.changes import StreamChanges
from ingest.store.connecting import open_for_reading, utc_time
from ingest.store.database_file import DatabaseFile, Departure, identity
from ingest.store.file_pages import size_in_use
from ingest.store.future_rows import FutureRow
from ingest.store.health.database_health import (
    PAUSE_FREE_BYTES,
    WARN_FREE_BYTES,
    Damage,
    back_up,
    files_of,
    free_bytes,
    is_damage,
    remembered,
    set_aside,
    without_own_rows,
)
from ingest.store.health.later_check import LaterCheck
from ingest.store.health.verification import verify
from ingest.store.id_ranges import IdRange, holes, merged, overlap, without
from ingest.store.last_trade import LastTrade
from ingest.store.ledger import Gap
from ingest.store.lot_steps import LotsBySymbol, fresh_symbols, keep_lots, read_lots
from ingest.store.opening import (
    CHECK_WITHIN_S,
    Opening,
    check_start,
    lock_database,
    make_sound,
    take_lock,
)
from ingest.store.pieces import LakeStream
from ingest.store.published_gaps import OpenGap, PublishedGaps, first_from
from ingest.store.reader import BEFORE_FIRST_TRADE, TickReader
from ingest.store.requested_repairs import RequestedRepairs
from ingest.store.retention import RETENTION_SETTING, MovedIds
from ingest.store.schema import UNITS, decode
from ingest.store.sources.history import History
from ingest.store.stored_klines import KLINE_LENGTHS_S
from ingest.store.window import (
    BarView,
    BarWindow,
    BarWindows,
    look_together,
    shared_windows,
)
from ingest.store.writer import RESTARTED_AFTER, TickWriter, Written

__all__ = [
    "BEFORE_FIRST_TRADE",
    "CHECK_WITHIN_S",
    "KLINE_LENGTHS_S",
    "PAUSE_FREE_BYTES",
    "RESTARTED_AFTER",
    "RETENTION_SETTING",
    "SECOND_US",
    "STORED_ROW",
    "TRADED",
    "UNITS",
    "WARN_FREE_BYTES",
    "BarColumns",
    "BarView",
    "BarWindow",
    "BarWindows",
    "BoolArray",
    "Damage",
    "DatabaseFile",
    "Departure",
    "FloatArray",
    "FutureRow",
    "Gap",
    "History",
    "IdRange",
    "IntArray",
    "LakeStream",
    "LastTrade",
    "LaterCheck",
    "LotsBySymbol",
    "MovedIds",
    "OpenGap",
    "Opening",
    "PublishedGaps",
    "RequestedRepairs",
    "Spans",
    "StoredRows",
    "StreamChanges",
    "TickReader",
    "TickWriter",
    "Written",
    "back_up",
    "check_start",
    "decode",
    "files_of",
    "first_from",
    "free_bytes",
    "fresh_symbols",
    "holes",
    "identity",
    "is_damage",
    "keep_lots",
    "lock_database",
    "look_together",
    "make_sound",
    "merged",
    "open_for_reading",
    "overlap",
    "read_lots",
    "remembered",
    "set_aside",
    "shared_windows",
    "size_in_use",
    "take_lock",
    "utc_time",
    "verify",
    "without",
    "without_own_rows",
    "without_spans",
]
