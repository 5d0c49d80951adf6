"""What Binance's dumps are called, and which columns each kind has. Pure."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ingest.binance import valid_symbol
from ingest.errors import FileError, SymbolError
from ingest.tick import Market

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
DumpKind = Literal["aggTrade", "trade", "kline"]

# Kinds of fields, for the kernel.
SKIPPED, WHOLE, DECIMAL, BOOL = range(4)

_NAME: Final = re.compile(
    r"(?P<symbol>[^-]+)-(?P<kind>aggTrades|trades|[0-9]+(?:s|m|h|d|w|mo))"
    r"-(?P<year>[0-9]{4})-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?\.(?:zip|csv)"
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DAY_S: Final = 86_400

# Fields by kind; a trade's first ones are those of `TradeColumns` in another order.
_TRADE: Final = (WHOLE, DECIMAL, DECIMAL, SKIPPED, WHOLE, BOOL)
_AGG_TRADE: Final = (WHOLE, DECIMAL, DECIMAL, WHOLE, WHOLE, WHOLE, BOOL)
_KLINE: Final = (
    *(WHOLE, DECIMAL, DECIMAL, DECIMAL, DECIMAL, DECIMAL, WHOLE),
    *(SKIPPED, WHOLE, SKIPPED, SKIPPED, SKIPPED),
)
_HEADERS: Final[dict[DumpKind, tuple[str, ...]]] = {
    "aggTrade": ("agg_trade_id", "price", "quantity", "first_trade_id"),
    "trade": ("id", "price", "qty", "quote_qty", "time"),
    "kline": ("open_time", "open", "high", "low", "close", "volume"),
}
_WORDS: Final[dict[DumpKind, str]] = {
    "aggTrade": "aggTrades",
    "trade": "trades",
    "kline": "klines",
}
# Of spot the trades have one column more, and none has a header.
_COLUMNS: Final[dict[DumpKind, tuple[tuple[int, ...], int]]] = {
    "aggTrade": (_AGG_TRADE, 7),
    "trade": (_TRADE, 6),
    "kline": (_KLINE, 12),
}


@dataclass(frozen=True, slots=True)
class DumpName:
    """What a dump's name says.

    Attributes
    ----------
    name, symbol, kind
        The file's name, and what it holds.
    length_s
        Of its klines in seconds; 0 of trades.
    first, last
        The days it is of, both included.
    """

    name: str
    symbol: str
    kind: DumpKind
    length_s: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class DumpForm:
    """How its rows are to be read: whose they are, kinds of fields, whether a header comes first.

    `is_guessed`: nothing in the file or its path says which market it is of.
    """

    market: Market
    fields: tuple[int, ...]
    has_header: bool
    is_guessed: bool = False


def parse_name(path: Path) -> DumpName | None:
    """What the name of a dump says; None where it is none.

    Raises
    ------
    FileError
        A dump of what is not kept: klines of weeks and months.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    try:
        symbol = valid_symbol(match["symbol"])
        year, month = int(match["year"]), int(match["month"])
        days = monthrange(year, month)[1]
        first = date(year, month, int(match["day"] or 1))
    except (SymbolError, ValueError):
        return None
    if symbol != match["symbol"]:
        return None
    last = first if match["day"] else date(year, month, days)
    kind: DumpKind = "aggTrade" if match["kind"] == "aggTrades" else "trade"
    if match["kind"] in ("aggTrades", "trades"):
        return DumpName(path.name, symbol, kind, 0, first, last)
    return DumpName(path.name, symbol, "kline", _length_s(path.name, match["kind"]), first, last)


def find_form(path: Path, name: DumpName, line: bytes) -> DumpForm:
    """How the rows are to be read, by the first line, and by folders named as the exchange's are.

    Raises
    ------
    FileError
        The line is not one of such a dump.
    """
    fields = line.decode("utf-8", "replace").rstrip("\r\n").split(",")
    kinds, least = _COLUMNS[name.kind]
    has_header = not fields[0].lstrip("-").isdigit()
    spot_more = 0 if name.kind == "kline" else 1
    header = _HEADERS[name.kind]
    fits = least <= len(fields) <= least + spot_more
    if not fits or (has_header and tuple(each.strip() for each in fields[: len(header)]) != header):
        raise FileError(
            f"{name.name} is named as a dump of {_WORDS[name.kind]}, but has other columns:"
            " rename it as the exchange named it, or import it as a file of trades"
        )
    is_spot = len(fields) > least if spot_more else not has_header
    market: Market = "spot" if is_spot else "usdm"
    by_path = _market_of(path)
    if by_path is not None and by_path != market and spot_more:
        raise FileError(
            f"{name.name} lies in a folder of {by_path}, but its columns are those of {market}:"
            " move it to where it belongs"
        )
    shape = (*kinds, SKIPPED) if len(fields) > len(kinds) else kinds
    guessed = name.kind == "kline" and by_path is None and not has_header
    return DumpForm(by_path or market, shape, has_header, guessed)


def _market_of(path: Path) -> Market | None:
    """Market of a path as at data.binance.vision: ``spot/daily/…``, ``futures/um/daily/…``."""
    parts = path.absolute().parts
    if "futures" in parts and "cm" in parts[parts.index("futures") :]:
        raise FileError(f"{path.name} is of coin-margined futures: only spot and USD-M are read")
    if "futures" in parts and "um" in parts[parts.index("futures") :]:
        return "usdm"
    return "spot" if "spot" in parts and parts[-1] != "spot" else None


def _length_s(name: str, text: str) -> int:
    unit = text.lstrip("0123456789")
    length_s = int(text.removesuffix(unit)) * _UNITS.get(unit, 0)
    if length_s == 0 or _DAY_S % length_s:
        raise FileError(f"{name} holds klines of {text}: only lengths that divide a day are kept")
    return length_s
