"""The bars that a basket is made of: from the database, or from a file of ticks."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.bars import resample_ticks
from analytics.baskets import BasketParams
from analytics.leg import Leg
from ingest.store import SECOND_US, BarColumns, TickReader, identity, shared_windows
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile
from pages.ui.state.once import Once

# Of shorter bars the figures are made anew every so often, and not at each bar.
RENEWED_S: Final = 10


@dataclass(frozen=True, eq=False)
class BasketBars:
    """Closed bars of a basket's symbols, and what identifies them.

    Attributes
    ----------
    name
        Where they are from, in words.
    key
        Changes whenever the bars do.
    legs
        Of each symbol, in the order that was asked for.
    end_us
        Where the last bar of any ends, µs since the epoch, UTC.
    is_live
        Whether a later bar may still come.
    is_synthetic
        Made by a script.
    """

    name: str
    key: Hashable
    legs: tuple[Leg, ...]
    end_us: int
    is_live: bool = False
    is_synthetic: bool = False

    def age_s(self) -> float:
        """How long ago the last bar ended, in seconds."""
        return time.time() - self.end_us / 1e6


_live: Final[Once[BasketBars]] = Once(8, most_a_line=1)
_file: Final[Once[Leg]] = Once(32)


def live_bars(path: Path, params: BasketParams) -> BasketBars | None:
    """Return the closed bars of a basket, read once for each bar; None before the first trade.

    Of bars shorter than `RENEWED_S` seconds a newer state is read every so often only.
    """
    newest_us = _newest_us(path, params.symbols)
    if newest_us is None:
        return None
    step_us = max(params.bar.us, RENEWED_S * SECOND_US)
    end_us = newest_us // step_us * step_us
    line = (str(path), identity(path), _reading(params))
    return _live.get((*line, end_us), lambda: _of_database(path, params, end_us), line)


def _reading(params: BasketParams) -> Hashable:
    """What of a basket its bars depend on."""
    return params.symbols, params.interval, params.reach


def _newest_us(path: Path, symbols: Sequence[str]) -> int | None:
    with TickReader(path) as reader:
        trades = [reader.last_trade(symbol) for symbol in symbols]
    return max((trade.time_us for trade in trades if trade is not None), default=None)


def _of_database(path: Path, params: BasketParams, end_us: int) -> BasketBars:
    """Take the bars that close before `end_us`, as far back as the range and its windows reach."""
    bar_us, bars = params.bar.us, params.reach
    start_s = None if bars is None else (end_us - bars * bar_us) // SECOND_US
    windows = [shared_windows().get(path, symbol, params.interval) for symbol in params.symbols]
    views = [window.view(start_s) for window in windows]
    legs = tuple(_leg(view.before(end_us // bar_us)) for view in views)
    key = (str(path), end_us, _reading(params), tuple(view.key for view in views))
    return BasketBars("Live database", key, legs, end_us, is_live=True)


def _leg(bars: BarColumns) -> Leg:
    step_us = bars.seconds * SECOND_US
    arrays = (bars.close, bars.volume, bars.trades, bars.coverage)
    return Leg(bars.first * step_us, step_us, *arrays)


def symbols_of(file: TickFile) -> list[str]:
    """Symbols of a file.

    Raises
    ------
    IngestError
        It cannot be read as ticks.
    """
    return sorted(file_choice.load(file).attrs["report"].symbols)


def file_bars(file: TickFile, params: BasketParams) -> BasketBars:
    """Take all bars of a file's ticks."""
    ticks = file_choice.load(file)
    legs = tuple(_resampled(ticks, file, symbol, params) for symbol in params.symbols)
    end_us = max(leg.end_us for leg in legs) + params.bar.us
    key = (file.content, _reading(params))
    return BasketBars(file.name, key, legs, end_us, is_synthetic=file.is_synthetic)


def _resampled(ticks: pd.DataFrame, file: TickFile, symbol: str, params: BasketParams) -> Leg:
    """Resample one symbol's ticks once per file and interval."""

    def resample() -> Leg:
        bars = resample_ticks(ticks[ticks["symbol"] == symbol], params.interval)
        return Leg.of(bars, params.bar.us)

    return _file.get((file.content, symbol, params.interval), resample)
