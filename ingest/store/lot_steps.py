"""What the exchange takes orders in, kept in the database's settings: known without a recording.

It comes with the exchange's list: see `ingest.recorder.listing`.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ingest.binance import LotSteps
from ingest.errors import StoreError
from ingest.store.reader import TickReader
from ingest.store.writer import TickWriter
from ingest.tick import Market

# Stored steps are used for this long: frequent starts do not spend the weight.
FRESH_US = 24 * 3600 * 1_000_000

LotsBySymbol = dict[str, LotSteps]


def setting_key(market: Market) -> str:
    """Name the database's setting that holds a market's lot steps."""
    return f"lot steps {market}"


def requested_key(market: Market) -> str:
    """Name the setting that says when they came, µs since the epoch."""
    return f"lot steps {market} asked"


def keep_lots(
    writer: TickWriter, market: Market, lots: Mapping[str, LotSteps], now_us: int
) -> None:
    """Store new lot steps beside the stored ones, and when they came."""
    stored = decode_lots(writer.setting(setting_key(market)))
    writer.remember(setting_key(market), msgspec.json.encode({**stored, **lots}).decode())
    writer.remember(requested_key(market), str(now_us))


def fresh_symbols(path: Path, market: Market, now_us: int) -> frozenset[str]:
    """Name the symbols whose kept lot steps came within a day; none where there is no database."""
    try:
        with TickReader(path) as reader:
            stored = decode_lots(reader.setting(setting_key(market)))
            requested_us = reader.setting(requested_key(market)) or ""
    except StoreError:
        return frozenset()
    is_fresh = requested_us.isdecimal() and 0 <= now_us - int(requested_us) < FRESH_US
    return frozenset(stored) if is_fresh else frozenset()


def read_lots(path: Path) -> LotsBySymbol:
    """Read the lot steps of all symbols that have trades; of two markets, those of the newer ones.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    lots: LotsBySymbol = {}
    with TickReader(path) as reader:
        series = reader.series()
        by_market = {
            market: decode_lots(reader.setting(setting_key(market)))
            for market in {each.market for each in series}
        }
    newest = {each.symbol: each.market for each in reversed(series)}
    for symbol, market in newest.items():
        if symbol in by_market[market]:
            lots[symbol] = by_market[market][symbol]
    return lots


def decode_lots(text: str | None) -> LotsBySymbol:
    """Read what `keep_lots` wrote; nothing where there is nothing, or something else."""
    if text is None:
        return {}
    try:
        stored = msgspec.json.decode(text, type=LotsBySymbol)
    except msgspec.MsgspecError:  # of another version: the next start asks again
        return {}
    return {symbol: lots for symbol, lots in stored.items() if is_usable(lots)}


def is_usable(lots: LotSteps) -> bool:
    """Whether an order can be made of these steps."""
    try:
        step, *others = map(float, (lots.step, lots.least, lots.least_value))
    except ValueError:
        return False
    return 0 < step < math.inf and all(0 <= each < math.inf for each in others)
