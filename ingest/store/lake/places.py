"""Where each file of the lake is, and what a place says of it. Names only."""

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from ingest.errors import LakeError
from ingest.tick import STREAM_KINDS, Market, StreamKind

DAY_S: Final = 86_400
MARKETS: Final[tuple[Market, ...]] = ("spot", "usdm")
# Lengths of the bars that are kept of trades, the finest first.
BAR_LENGTHS: Final = (1, 60, 3600)
_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": DAY_S}
_LENGTH: Final = re.compile(r"([1-9][0-9]*)(s|min|h|d)")
_KLINE: Final = "kline_"
_MONTH: Final = re.compile(r"[0-9]{4}-[01][0-9]")
_NAME: Final = re.compile(r"\w+")  # letters of any script; no way out of the folder
_EPOCH: Final = date(1970, 1, 1)


def length_name(length_s: int) -> str:
    """Name a length in the largest unit that divides it: ``1s``, ``1min``, ``4h``, ``1d``."""
    unit = max((size, name) for name, size in _UNITS.items() if length_s % size == 0)
    return f"{length_s // unit[0]}{unit[1]}"


def bars_kind(kind: StreamKind, length_s: int) -> str:
    """Folder of the bars of trades: ``aggTrade_1min``."""
    return f"{kind}_{length_name(length_s)}"


def kline_kind(length_s: int) -> str:
    """Folder of klines of a length: ``kline_1min``; `LakeError` for one that divides no day."""
    if length_s <= 0 or DAY_S % length_s:
        raise LakeError(f"klines of {length_s} s are not kept: their length must divide a day")
    return _KLINE + length_name(length_s)


def kline_length(kind: str) -> int | None:
    """Length in seconds of a folder of klines; None of any other."""
    match = _LENGTH.fullmatch(kind.removeprefix(_KLINE)) if kind.startswith(_KLINE) else None
    return None if match is None else int(match[1]) * _UNITS[match[2]]


def is_trades(kind: str) -> bool:
    """Whether a folder is of trades."""
    return kind in STREAM_KINDS


def folder_of(root: Path, market: Market, kind: str, symbol: str) -> Path:
    """Folder of all months of a kind and symbol; `LakeError` for what is no plain name."""
    for name in (market, kind, symbol):
        if not _NAME.fullmatch(name):
            raise LakeError(f"{name!r} is no name that anything is kept under")
    return root / market / kind / symbol


def month_name(day: date) -> str:
    """``2024-10``."""
    return f"{day:%Y-%m}"


def is_month(name: str) -> bool:
    """Whether a folder is that of a month."""
    return _MONTH.fullmatch(name) is not None


def day_number(day: date) -> int:
    """Days since the epoch."""
    return (day - _EPOCH).days


def day_of(second: int) -> date:
    """UTC day of a second since the epoch."""
    return datetime.fromtimestamp(second, UTC).date()


def month_seconds(month: str) -> tuple[int, int]:
    """Seconds ``(low, high)`` of a month, `high` excluded."""
    first = date.fromisoformat(f"{month}-01")
    low = day_number(first) * DAY_S
    return low, low + monthrange(first.year, first.month)[1] * DAY_S


def day_seconds(day: str) -> tuple[int, int]:
    """Seconds ``(low, high)`` of a day as its file is named, `high` excluded."""
    low = day_number(date.fromisoformat(day)) * DAY_S
    return low, low + DAY_S


def period_seconds(name: str) -> tuple[int, int]:
    """Seconds ``(low, high)`` of a file's period: a day's or a month's name."""
    return month_seconds(name) if is_month(name) else day_seconds(name)


def months_of(days: Iterable[date]) -> set[str]:
    """Names of the months that days lie in."""
    return {month_name(day) for day in days}
