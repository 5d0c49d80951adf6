"""How far back the exchange was asked for bars of a symbol, and where what it has begins."""

from pathlib import Path
from typing import NamedTuple

from ingest.repair.kline_seed import LENGTHS_US, KlineName, asked_back_to
from ingest.repair.warm_start import kline_setting
from ingest.store import RETENTION_SETTING, TickReader


class KlineReach(NamedTuple):
    """From when on the exchange was asked for all it has, and the first bar or trade of it, in µs.

    Where the second is later than the first, the exchange has nothing in between.
    """

    asked_us: int
    begins_us: int


def read_reach(path: Path, symbol: str, name: KlineName) -> KlineReach | None:
    """Read it from the database; None where nothing is stored, or the asking still goes on.

    None as well where retention has deleted some: that cannot be distinguished from what the
    exchange never had.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    with TickReader(path) as reader:
        series = next((each for each in reader.series() if each.symbol == symbol), None)
        if series is None or reader.setting(RETENTION_SETTING) is not None:
            return None
        remembered = reader.setting(kline_setting((series.market, symbol, series.stream), name))
        asked_us = asked_back_to(remembered, LENGTHS_US[name])
        begins_us = reader.begins_us(symbol, LENGTHS_US[name] // 1_000_000)
    if asked_us is None or begins_us is None:
        return None
    return KlineReach(asked_us, begins_us)
