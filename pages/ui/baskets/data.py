"""The bars that a basket is made of: from the database, or from a file of ticks."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.bars import resample_ticks
from analytics.leg import Leg
from ingest.store import SECOND_US, BarColumns, TickReader, identity, shared_windows
from pages.ui.baskets.settings import BasketChoice
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile
from pages.ui.state.once import Once
from pages.ui.state.source import history_of

# Of shorter bars the figures are made anew every so often, and not at each bar.
RENEWED_S: Final = 30

Frames = tuple[pd.DataFrame, ...]


@dataclass(frozen=True, eq=False)
class BasketBars:
    """Closed bars of a basket's symbols, and what identifies them.

    Attributes
    ----------
    name
        Where they are from, in words.
    origin
        The database or the file, whatever bars it has by now.
    key
        Changes whenever the bars do.
    legs
        Of each symbol, in the order that was asked for.
    make_frames
        Makes bars frames of the same.
    end_us
        Where the last bar of any ends, µs since the epoch, UTC.
    is_live
        Whether a later bar may still come.
    is_synthetic
        Made by a script.
    """

    name: str
    origin: Hashable
    key: Hashable
    legs: tuple[Leg, ...]
    make_frames: Callable[[], Frames]
    end_us: int
    is_live: bool = False
    is_synthetic: bool = False

    @cached_property
    def frames(self) -> Frames:
        """Bars frames of all symbols; not to be changed."""
        return self.make_frames()


_live: Final[Once[BasketBars]] = Once(8, most_a_line=1)
_file: Final[Once[pd.DataFrame]] = Once(32)


def live_bars(
    path: Path, choice: BasketChoice, name: str = "Live database", *, is_synthetic: bool = False
) -> BasketBars | None:
    """Return the closed bars of a basket, read once for each bar; None before the first trade.

    Of bars shorter than `RENEWED_S` seconds a newer state is read every so often only.

    Parameters
    ----------
    path, name, is_synthetic
        The database, what the reader calls it, and whether a script made what it holds.
    choice
        The basket.
    """
    params = choice.params
    newest_us = _newest_us(path, params.symbols)
    if newest_us is None:
        return None
    step_us = max(params.bar.us, RENEWED_S * SECOND_US)
    end_us = newest_us // step_us * step_us
    origin = str(path), identity(path)
    line = (*origin, _reading(choice))
    key = (*line, end_us)

    def read() -> BasketBars:
        legs, frames = _of_database(path, choice, end_us)
        return BasketBars(
            name, origin, key, legs, frames, end_us, is_live=True, is_synthetic=is_synthetic
        )

    return _live.get(key, read, line)


def _reading(choice: BasketChoice) -> Hashable:
    """What of a choice the bars depend on."""
    return choice.params.symbols, choice.params.interval, choice.bars_to_read


def _newest_us(path: Path, symbols: Sequence[str]) -> int | None:
    with TickReader(path, history=history_of(path)) as reader:
        return reader.newest_trade_us(symbols)


def _of_database(
    path: Path, choice: BasketChoice, end_us: int
) -> tuple[tuple[Leg, ...], Callable[[], Frames]]:
    """Take the bars that close before `end_us`, as far back as the choice asks for."""
    params, bars = choice.params, choice.bars_to_read
    bar_us = params.bar.us
    start_s = None if bars is None else (end_us - bars * bar_us) // SECOND_US
    history = history_of(path)
    views = shared_windows().views(path, params.symbols, params.interval, start_s, history=history)
    columns = [views[symbol].before(end_us // bar_us) for symbol in params.symbols]
    return tuple(map(_leg, columns)), lambda: tuple(each.frame() for each in columns)


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


def file_bars(file: TickFile, choice: BasketChoice) -> BasketBars:
    """Take all bars of a file's ticks."""
    ticks, params = file_choice.load(file), choice.params
    frames = tuple(_resampled(ticks, file, symbol, params.interval) for symbol in params.symbols)
    legs = tuple(Leg.of(bars, params.bar.us) for bars in frames)
    end_us = max(leg.end_us for leg in legs) + params.bar.us
    return BasketBars(
        file.name, file.content, (file.content, params.symbols, params.interval), legs,
        lambda: frames, end_us, is_synthetic=file.is_synthetic,
    )  # fmt: skip


def _resampled(ticks: pd.DataFrame, file: TickFile, symbol: str, interval: str) -> pd.DataFrame:
    """Resample one symbol's ticks once per file and interval."""
    return _file.get(
        (file.content, symbol, interval),
        lambda: resample_ticks(ticks[ticks["symbol"] == symbol], interval),
    )
