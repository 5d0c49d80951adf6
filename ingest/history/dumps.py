"""Binance's dumps of a day or a month, as data.binance.vision publishes them, into the lake."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.tick import Market


@dataclass(frozen=True, slots=True)
class DumpProgress:
    """How far an import is: bytes of text read of those there are, rows, and the day at work."""

    done: int
    total: int
    rows: int
    day: date | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    name, market, symbol, kind
        The file's name and what it holds; `kind` is ``aggTrade``, ``trade``, ``kline_1min`` ….
    rows
        Rows of the file.
    added, same
        Of these the new ones, and those that were held already.
    conflicts
        How many were held with other figures (the first one is kept); `shown` are the first few
        ids, or opens of klines in seconds.
    non_trades
        Ids that are no trades (price 0).
    gaps
        Holes in the ids of the file, or in its klines.
    first, last
        Days it touches; None without a row.
    checked
        Whether a ``.CHECKSUM`` file lay beside it, and agreed.
    notes
        What else there is to say, a line each.
    """

    name: str
    market: Market
    symbol: str
    kind: str
    rows: int
    added: int
    same: int
    conflicts: int
    shown: tuple[int, ...]
    non_trades: int
    gaps: int
    first: date | None
    last: date | None
    checked: bool
    notes: tuple[str, ...] = ()


def is_dump(path: Path) -> bool:
    """Whether a file's name is that of a dump: ``BTCUSDT-aggTrades-2024-10-27.zip`` and the like.

    By the name alone, zip or csv; a ``.CHECKSUM`` file is none.
    """
    raise NotImplementedError


def import_dump(
    lake_root: Path, path: Path, progress: Callable[[DumpProgress], None] = lambda _: None
) -> ImportReport:
    """Import one dump: a day or a month of aggTrades, trades or klines, spot or USD-M.

    In bounded memory; each day is written when it ends, so importing again after a kill completes
    it. What is held already stays as it is. `progress` is called a few times a second, in the
    caller's thread; an exception that it raises ends the import between two days (cancel).

    Raises
    ------
    FileError
        The name or the columns are not a dump's, or its checksum differs: nothing is written. Or a
        line in the middle cannot be read: days before it are kept, and it is said.
    LakeError
        Another process writes to the lake, or the disk is full.
    """
    raise NotImplementedError
