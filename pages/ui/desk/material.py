"""The bars of a pair, taken once for the pages that need not follow each trade."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from analytics.hedge import HEDGE_METHODS
from analytics.pair import PairParams
from ingest.store import TickReader
from pages.ui.desk import file_choice, pair_data
from pages.ui.desk.controls import View
from pages.ui.desk.header import Desk
from pages.ui.state.source import history_of

TAKEN: Final = "evidence_taken"


# Older than this, the bars are taken anew at the next change of a control.
CACHED_S: Final = 60.0


# Ticks for the lead-lag figure: so much of the end of the range at most.
TICKS_S: Final = 900


TicksBetween = Callable[[str, pd.Timestamp, pd.Timestamp], pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Material:
    """Bars of a pair and where they are from.

    Attributes
    ----------
    params
        What the sidebar says.
    bars
        Both legs.
    ticks
        Reads a symbol's ticks between two times.
    taken_us
        When the bars were read.
    may_change
        Whether newer data can come.
    name
        The source as the reader must see it.
    is_synthetic
        Whether a script made the data.
    """

    params: PairParams
    bars: pair_data.PairBars
    ticks: TicksBetween
    taken_us: int
    may_change: bool
    name: str = ""
    is_synthetic: bool = False


def of_desk(desk: Desk, longest_window: int = 0) -> Material:
    """Take the bars of what the header says, under the name and the marks that it has there.

    `longest_window` is the longest that is to be full where the range begins, the view's own apart.

    Raises
    ------
    IngestError, AnalyticsError
        There are no bars; the words say why.
    """
    view = desk.checked_view()
    material = (
        _of_database(view, longest_window)
        if desk.file is None
        else _of_file(view, desk.file, longest_window)
    )
    return replace(material, name=desk.source, is_synthetic=desk.is_synthetic)


def _of_database(view: View, longest_window: int) -> Material:
    """Take the recorded bars, or those taken less than a minute ago for the same choice."""
    path, params = pair_data.database_path(), view.params
    reading = _widest(params, longest_window)
    choice = (path, reading.y, reading.x, reading.interval, reading.reach, reading.until)
    now_us = time.time_ns() // 1_000
    cached = st.session_state.get(TAKEN)
    if cached is None or cached[0] != choice or now_us - cached[2] > CACHED_S * 1e6:
        bars = pair_data.read_pair(path, reading)
        cached = st.session_state[TAKEN] = (choice, bars, now_us)
    _, bars, taken_us = cached
    return Material(params, bars, partial(_stored_ticks, str(path)), taken_us, may_change=True)


def _widest(params: PairParams, longest_window: int) -> PairParams:
    """Return the same with the hedge ratio that starts up on most bars: all are fitted here."""
    spread, window = params.spread if params.uses_beta else "hedged", params.window
    asked = replace(params, spread=spread, window=max(window, longest_window))
    choices = [replace(asked, hedge=method) for method in HEDGE_METHODS]
    return max(choices, key=lambda each: each.warm_up)


def take_anew() -> None:
    """Forget the bars, so that the next run of the page reads them again."""
    st.session_state.pop(TAKEN, None)


def _of_file(view: View, file: file_choice.TickFile, longest_window: int) -> Material:
    ticks = file_choice.load(file)
    bars = pair_data.bars_of_ticks(ticks, file.content, _widest(view.params, longest_window))
    return Material(
        view.params,
        bars,
        partial(_file_ticks, ticks),
        time.time_ns() // 1_000,
        may_change=False,
    )


def _stored_ticks(path: str, symbol: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    with TickReader(path, history=history_of(Path(path))) as reader:
        return reader.ticks(symbol, start, end)


def _file_ticks(
    ticks: pd.DataFrame, symbol: str, start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    inside = (ticks["symbol"] == symbol) & (ticks.index >= start) & (ticks.index < end)
    return ticks[inside]
