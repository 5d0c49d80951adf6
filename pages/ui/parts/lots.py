"""What the exchange takes orders in: lot steps of a database, and a leg quoted by them."""

import time
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from analytics.sizes import LegQuote, Lot
from ingest.binance import LotSteps
from ingest.errors import StoreError
from ingest.store import LotsBySymbol, read_lots
from pages.ui.parts import formats
from pages.ui.state.once import Once

LOTS_FOR_S: Final = 5
UNITS: Final = "units of quote currency"

_lots: Final[Once[LotsBySymbol]] = Once(8, most_a_line=1)


def lots_of(path: Path) -> LotsBySymbol:
    """Read a database's lot steps; sessions share a look every few seconds."""
    moment = int(time.monotonic()) // LOTS_FOR_S
    return _lots.get((path, moment), partial(_read, path), path)


def _read(path: Path) -> LotsBySymbol:
    try:
        return read_lots(path)
    except StoreError:
        return {}


def leg_quote(symbol: str, price: float, lots: Mapping[str, LotSteps]) -> LegQuote:
    """Quote a leg at a price, with the exchange's lots where they are known."""
    steps = lots.get(symbol)
    if steps is not None:
        numbers = map(Decimal, (steps.step, steps.least, steps.least_value))
        return LegQuote(symbol, price, steps.quote, Lot(*numbers))
    quote = formats.quote_currency(symbol)
    return LegQuote(symbol, price, UNITS if quote == "quote" else quote)
