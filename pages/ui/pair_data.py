"""Two legs' bars from the database or from a file, in one shape; cached by what they hold."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from analytics.bars import resample_ticks
from analytics.frames import parse_interval
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from ingest.settings import current_settings
from ingest.store import LastTrade, StoreError, TickReader


@dataclass(frozen=True, eq=False)
class PairBars:
    """Bars of both legs and how to tell them from any others.

    Attributes
    ----------
    y_bars, x_bars
        Bars frames of one interval.
    key
        Changes whenever the bars do: the cache key of everything computed from them.
    last
        The newest trade of each leg, by symbol; empty for a file.
    """

    y_bars: pd.DataFrame
    x_bars: pd.DataFrame
    key: Hashable
    last: dict[str, LastTrade]


def database_path() -> Path:
    """Return the database this process was started with."""
    return current_settings().db


def recorded_symbols(path: Path) -> list[str]:
    """Return the symbols with at least one stored trade.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    with TickReader(path) as reader:
        return reader.symbols()


def symbols_or_none(path: Path) -> list[str]:
    """Return the recorded symbols; none while there is no database to read."""
    try:
        return recorded_symbols(path)
    except StoreError:
        return []


def recorded_span(path: Path, legs: tuple[str, ...]) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the times of the first and the last stored trade of any of the legs."""
    with TickReader(path) as reader:
        spans = [span for span in map(reader.span, legs) if span is not None]
    if not spans:
        return None
    return min(first for first, _ in spans), max(last for _, last in spans)


def read_pair(path: Path, y: str, x: str, interval: str, lookback_s: int | None) -> PairBars:
    """Read both legs, `lookback_s` back from the later of their last trades.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    with TickReader(path) as reader:
        found = {symbol: reader.last_trade(symbol) for symbol in (y, x)}
        last = {symbol: trade for symbol, trade in found.items() if trade is not None}
        revisions = {symbol: reader.revision(symbol) for symbol in (y, x)}
    start_us = _start_us(last, interval, lookback_s)
    bars = [
        _stored_bars(str(path), symbol, interval, start_us, revisions[symbol]) for symbol in (y, x)
    ]
    key = (str(path), start_us, revisions[y], revisions[x])
    return PairBars(bars[0], bars[1], key, last)


def _start_us(last: dict[str, LastTrade], interval: str, lookback_s: int | None) -> int | None:
    """Find the open of the first bar to read; one bar more, since the forming one is dropped."""
    if lookback_s is None or not last:
        return None
    bar_us = parse_interval(interval).us
    newest_us = max(trade.time_us for trade in last.values())
    return newest_us // bar_us * bar_us - lookback_s * 1_000_000


@st.cache_resource(max_entries=16, show_spinner=False)
def _stored_bars(
    path: str,
    symbol: str,
    interval: str,
    start_us: int | None,
    revision: int,  # noqa: ARG001 - part of the cache key
) -> pd.DataFrame:
    """Read bars once per commit that touched the symbol."""
    with TickReader(path) as reader:
        return reader.bars(symbol, interval, start=start_us)


def bars_of_ticks(
    ticks: pd.DataFrame, content: Hashable, params: PairParams, lookback_s: int | None
) -> PairBars:
    """Resample both legs of a file's ticks.

    Parameters
    ----------
    ticks
        A ticks frame of several symbols.
    content
        Identifies the file's content.
    params
        Says legs and interval.
    lookback_s
        How far back from the file's end; None is all of it.
    """
    legs = [_file_bars(ticks, content, each, params.interval) for each in (params.y, params.x)]
    if lookback_s is not None:
        start = max(leg.index[-1] for leg in legs) - pd.Timedelta(seconds=lookback_s)
        legs = [leg.loc[leg.index > start] for leg in legs]
    return PairBars(legs[0], legs[1], (content, lookback_s), {})


@st.cache_resource(max_entries=16, show_spinner=False)
def _file_bars(
    _ticks: pd.DataFrame,
    content: Hashable,  # noqa: ARG001 - stands for the ticks in the cache key
    symbol: str,
    interval: str,
) -> pd.DataFrame:
    """Resample one symbol's ticks once per file and interval."""
    return resample_ticks(_ticks[_ticks["symbol"] == symbol], interval)


def analyse(bars: PairBars, params: PairParams) -> PairAnalytics:
    """Analyse a pair, once per (parameters, state of the data).

    Raises
    ------
    AnalyticsError
        The bars do not allow what the parameters ask for.
    """
    return _analysis(bars.y_bars, bars.x_bars, bars.key, params)


@st.cache_resource(max_entries=16, show_spinner=False)
def _analysis(
    _y_bars: pd.DataFrame,
    _x_bars: pd.DataFrame,
    key: Hashable,  # noqa: ARG001 - stands for the bars in the cache key
    params: PairParams,
) -> PairAnalytics:
    return analyse_pair(_y_bars, _x_bars, params)
