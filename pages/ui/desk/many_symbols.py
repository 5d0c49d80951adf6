"""Bars of many symbols, for the pages that look at all of them: from the database or tick files."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from analytics.bars import resample_ticks
from analytics.frames import utc_index
from ingest.store import SECOND_US, BarColumns, BarView, TickReader, shared_windows
from pages.ui.desk import file_choice
from pages.ui.desk.file_choice import TickFile
from pages.ui.state import source


def newest_trade_us(path: Path, symbols: Sequence[str]) -> int | None:
    """Return when the newest trade of any symbol was; None before the first one."""
    with TickReader(path, history=source.history_of(path)) as reader:
        return reader.newest_trade_us(symbols)


def bar_views(
    path: Path, symbols: Sequence[str], interval: str, start_s: int
) -> dict[str, BarView]:
    """View the bars of each symbol from `start_s` on, seconds since the epoch.

    Through the shared windows, so that a bar that has closed costs no more than its own rows.
    """
    history = source.history_of(path)
    return shared_windows().views(path, symbols, interval, start_s, history=history)


def common_grid(
    bars_by_symbol: Mapping[str, BarColumns],
) -> tuple[pd.DatetimeIndex, dict[str, slice]]:
    """Return every bar from the first of any symbol to the last, and the rows of each symbol."""
    first = min((bars.first for bars in bars_by_symbol.values()), default=0)
    end = max((bars.first + len(bars) for bars in bars_by_symbol.values()), default=first)
    step_us = next((bars.seconds for bars in bars_by_symbol.values()), 1) * SECOND_US
    rows = {
        symbol: slice(bars.first - first, bars.first - first + len(bars))
        for symbol, bars in bars_by_symbol.items()
    }
    return utc_index(np.arange(first, end, dtype=np.int64) * step_us), rows


def symbols_of(files: Sequence[TickFile]) -> list[str]:
    """All symbols of some files."""
    names: set[str] = set()
    for file in files:
        names |= set(file_choice.load(file).attrs["report"].symbols)
    return sorted(names)


@st.cache_resource(max_entries=128, show_spinner=False)
def bars_of_files(
    _files: Sequence[TickFile],
    content: Hashable,  # noqa: ARG001 - stands for the files in the cache key
    symbol: str,
    interval: str,
) -> pd.DataFrame:
    """Resample the ticks of all files together; a symbol may go on from file to file."""
    parts = [ticks[ticks["symbol"] == symbol] for ticks in map(file_choice.load, _files)]
    non_empty = [part for part in parts if len(part)]
    return resample_ticks(pd.concat(non_empty).sort_index(kind="stable"), interval)
