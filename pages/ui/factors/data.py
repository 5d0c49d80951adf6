"""The closes that factors are made of: from the database, or from tick files."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from analytics.frames import parse_interval
from ingest.installation import tick_file
from ingest.store import SECOND_US, identity
from pages.ui.desk import file_choice, many_symbols
from pages.ui.desk.file_choice import TickFile
from pages.ui.factors.settings import SAMPLES_S, FactorSettings
from pages.ui.state.choices import SAMPLE
from pages.ui.state.once import Once

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
    newest_us = many_symbols.newest_trade_us(path, settings.symbols)
    step_us = max(parse_interval(settings.interval).us, RENEWED_S * SECOND_US)
    return None if newest_us is None else newest_us // step_us * step_us


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
    views = many_symbols.bar_views(path, settings.symbols, settings.interval, start_s)
    columns = {symbol: view.before(newest_us // bar_us) for symbol, view in views.items()}
    recorded = {symbol: bars for symbol, bars in columns.items() if len(bars)}
    grid, rows = many_symbols.common_grid(recorded)
    closes = np.full((len(grid), len(rows)), np.nan)
    for column, (symbol, bars) in enumerate(recorded.items()):
        closes[rows[symbol], column] = bars.close
    frame = pd.DataFrame(closes, index=grid, columns=list(recorded), copy=False)
    states = tuple(view.key for view in views.values())
    key = (str(path), identity(path), newest_us, settings, states)
    return FactorMaterial("Live database", key, frame, is_live=True)


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


def of_files(files: Sequence[TickFile], settings: FactorSettings) -> FactorMaterial:
    """Resample the ticks of all files together; a symbol may go on from file to file."""
    content = tuple(file.content for file in files)
    columns = {
        symbol: many_symbols.bars_of_files(files, content, symbol, settings.interval)["close"]
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
