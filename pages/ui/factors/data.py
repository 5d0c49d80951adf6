"""The closes that factors are made of: from the database, or from tick files."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from analytics.bars import resample_ticks
from analytics.frames import parse_interval, utc_index
from ingest.installation import tick_file
from ingest.store import SECOND_US, BarView, BarWindow, TickReader, identity, shared_windows
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile
from pages.ui.factors.settings import SAMPLES_S, FactorSettings
from pages.ui.state.choices import SAMPLE
from pages.ui.state.once import Once

# More symbols would push the bars of the other pages out of the windows.
MOST_SHARED: Final = 64
# Of shorter bars the figures are computed again every so often, and not at each bar.
RENEWED_S: Final = 30


@dataclass(frozen=True, eq=False)
class FactorMaterial:
    """Closes of many symbols on one grid, NaN where missing, and what identifies them.

    `is_live` says whether a later bar may still come, `is_synthetic` whether a script made them.
    """

    name: str
    key: Hashable
    closes: pd.DataFrame
    is_live: bool = False
    is_synthetic: bool = False


_live: Final[Once[FactorMaterial]] = Once(4, most_a_line=1)


def newest_bar_us(path: Path, settings: FactorSettings) -> int | None:
    """Return the end of the closed bars: the open of the newest bar, which is still forming.

    Of bars shorter than `RENEWED_S` seconds it moves on every so often only.
    """
    with TickReader(path) as reader:
        last_trades = [reader.last_trade(symbol) for symbol in settings.symbols]
    times = [trade.time_us for trade in last_trades if trade is not None]
    step_us = max(parse_interval(settings.interval).us, RENEWED_S * SECOND_US)
    return max(times) // step_us * step_us if times else None


def live_material(
    path: Path,
    settings: FactorSettings,
    newest_us: int,
    name: str = "Live database",
    *,
    is_synthetic: bool = False,
) -> FactorMaterial:
    """Return the closed bars of all symbols, taken once for each state of `newest_bar_us`.

    `name` and `is_synthetic` are what the reader calls the database, and whether a script made what
    it holds.
    """
    line = (str(path), identity(path), settings)  # another file may have come there

    def read() -> FactorMaterial:
        material = of_database(path, settings, newest_us)
        return replace(material, name=name, is_synthetic=is_synthetic)

    return _live.get((*line, newest_us), read, line=line)


def of_database(path: Path, settings: FactorSettings, newest_us: int) -> FactorMaterial:
    """Take the closed bars of all symbols, back from `newest_us`."""
    length_s = SAMPLES_S[settings.sample]
    assert length_s is not None, "samples of the database have a length"
    start_s = newest_us // SECOND_US - length_s
    bar_us = parse_interval(settings.interval).us
    views = {symbol: _view(path, symbol, settings, start_s) for symbol in settings.symbols}
    columns = {symbol: view.before(newest_us // bar_us) for symbol, view in views.items()}
    recorded = {symbol: bars for symbol, bars in columns.items() if len(bars)}
    first = min((bars.first for bars in recorded.values()), default=0)
    size = max((bars.first + len(bars) for bars in recorded.values()), default=0) - first
    closes = np.full((size, len(recorded)), np.nan)
    for column, bars in enumerate(recorded.values()):
        closes[bars.first - first : bars.first - first + len(bars), column] = bars.close
    grid = utc_index(np.arange(first, first + size, dtype=np.int64) * bar_us)
    frame = pd.DataFrame(closes, index=grid, columns=list(recorded), copy=False)
    states = tuple(view.key for view in views.values())
    key = (str(path), identity(path), newest_us, settings, states)
    return FactorMaterial("Live database", key, frame, is_live=True)


def _view(path: Path, symbol: str, settings: FactorSettings, start_s: int) -> BarView:
    if len(settings.symbols) <= MOST_SHARED:
        return shared_windows().get(path, symbol, settings.interval).view(start_s)
    with closing(BarWindow(path, symbol, settings.interval)) as window:
        return window.view(start_s)


def choose_files() -> list[TickFile]:
    """Choose tick files of the data folder, the bundled sample among them."""
    names = [SAMPLE, *file_choice.file_names(file_choice.DATA_FOLDER)]
    chosen = st.multiselect(
        "Tick files", names, names[1:2] or [SAMPLE], key="factors_files",
        help="The bundled sample, and files in the data folder.",
    )  # fmt: skip
    return [_file(str(name)) for name in chosen]


def _file(name: str) -> TickFile:
    real = file_choice.SAMPLE_NAME if name == SAMPLE else name
    path = tick_file(real, file_choice.DATA_FOLDER)
    content = file_choice.content_of_path(path)
    return TickFile(real, content, path, real == file_choice.SAMPLE_NAME)


def symbols_of(files: Sequence[TickFile]) -> list[str]:
    """All symbols of some files."""
    names: set[str] = set()
    for file in files:
        names |= set(file_choice.load(file).attrs["report"].symbols)
    return sorted(names)


def of_files(files: Sequence[TickFile], settings: FactorSettings) -> FactorMaterial:
    """Resample the ticks of all files together; a symbol may go on from file to file."""
    content = tuple(file.content for file in files)
    columns = {
        symbol: _symbol_closes(files, content, symbol, settings.interval)
        for symbol in settings.symbols
    }
    closes = _side_by_side(columns)
    length_s = SAMPLES_S[settings.sample]
    if length_s is not None and len(closes):
        closes = closes.loc[closes.index > closes.index[-1] - pd.Timedelta(seconds=length_s)]
    return FactorMaterial(
        ", ".join(file.name for file in files), (content, settings), closes,
        is_synthetic=all(file.is_synthetic for file in files),
    )  # fmt: skip


def _side_by_side(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    return pd.concat(columns, axis=1).sort_index()


@st.cache_resource(max_entries=64, show_spinner=False)
def _symbol_closes(
    _files: Sequence[TickFile],
    content: Hashable,  # noqa: ARG001 - stands for the files in the cache key
    symbol: str,
    interval: str,
) -> pd.Series:
    parts = [ticks[ticks["symbol"] == symbol] for ticks in map(file_choice.load, _files)]
    non_empty = [part for part in parts if len(part)]
    return resample_ticks(pd.concat(non_empty).sort_index(kind="stable"), interval)["close"]
