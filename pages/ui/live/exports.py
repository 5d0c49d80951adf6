"""Downloads: the analysis as CSV, the ticks of a time range as NDJSON."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from analytics.pair import PairAnalytics
from ingest.files import write_ticks_ndjson
from ingest.store import TickReader
from pages.ui.desk.pair_data import PairBars
from pages.ui.live import report
from pages.ui.parts import files, formats, plain
from pages.ui.parts.csv_file import csv_bytes, file_stem
from pages.ui.parts.files import Offer
from pages.ui.parts.notices import Notice, show, shown_in_place
from pages.ui.parts.trade import Terms
from pages.ui.state.served_files import MadeFile, MakeFile
from pages.ui.state.source import history_of

# About 100 MB of NDJSON; three times that can be uploaded again.
MAX_TICKS: Final = 1_000_000
FIRST_OFFER: Final = pd.Timedelta("1h")


@dataclass(frozen=True, eq=False)
class Looked:
    """A pair at one moment: the analysis, the bars it is of, and the money it is sized by."""

    result: PairAnalytics
    bars: PairBars
    terms: Terms


@dataclass(frozen=True)
class TickSource:
    """Where ticks for a download are from.

    Attributes
    ----------
    y, x
        The legs.
    first, last
        Times of the first and the last tick there is.
    read
        Gives the ticks of both legs with ``start <= time < end``.
    count
        About how many that would be; may stop counting above `MAX_TICKS`.
    is_synthetic
        Made by a script: the file's name says so.
    """

    y: str
    x: str
    first: pd.Timestamp
    last: pd.Timestamp
    read: Callable[[pd.Timestamp, pd.Timestamp], pd.DataFrame]
    count: Callable[[pd.Timestamp, pd.Timestamp], int]
    is_synthetic: bool = False


def analytics_csv(result: PairAnalytics) -> bytes:
    """Write the whole analysis, a row a closed bar, numbers with every digit."""
    return csv_bytes(result.to_frame())


def analytics_parquet(result: PairAnalytics) -> bytes:
    """Write the same table as Parquet, with time as a UTC timestamp."""
    frame = result.to_frame()
    frame["time"] = pd.DatetimeIndex(result.y.index).as_unit("us")
    return frame.to_parquet(None, index=False, engine="pyarrow")


def analytics_offers(
    look: Callable[[], Looked], source: str, *, is_synthetic: bool
) -> tuple[Offer, ...]:
    """Offer what the page shows as CSV, Parquet and a report.

    Parameters
    ----------
    look
        Gives the analysis and its bars at the click, outside any session.
    source
        The data as the reader must see it; synthetic data say so in the file's name.
    """

    def making(suffix: str, mime: str, write: Callable[[Looked, str], bytes]) -> MakeFile:
        """Make a file of what the reader sees when it is asked for."""

        def make(address: str) -> MadeFile:
            looked = look()
            name = f"{_stem(looked.result, is_synthetic=is_synthetic)}.{suffix}"
            return MadeFile(name, mime, write(looked, address))

        return make

    return (
        Offer("Analytics (CSV)", "analytics-csv",
              making("csv", "text/csv", lambda looked, _: analytics_csv(looked.result))),
        Offer("Parquet", "analytics-parquet",
              making("parquet", "application/vnd.apache.parquet",
                     lambda looked, _: analytics_parquet(looked.result))),
        Offer("Report (HTML)", "analytics-report",
              making("html", "text/html",
                     lambda looked, address: report.page(looked.result, looked.bars, source,
                                                         address, terms=looked.terms))),
    )  # fmt: skip


def _stem(result: PairAnalytics, *, is_synthetic: bool) -> str:
    params, index = result.params, result.zscore.index
    extra = (params.interval, "synthetic") if is_synthetic else (params.interval,)
    return file_stem(params.y, params.x, index[0], index[-1], *extra)


def stored_ticks(
    path: Path, symbols: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Read the stored ticks of some symbols between two whole seconds, in order of time."""
    low_us, high_us = (int(bound.timestamp()) * 1_000_000 for bound in (start, end))
    with TickReader(path, history=history_of(path)) as reader:
        frames = [reader.ticks(symbol, low_us, high_us) for symbol in symbols]
    ticks = pd.concat(frames).sort_index(kind="stable")
    # The ids that were no trades go along, so that the file's coverage is the database's.
    ids: dict[str, list[int]] = {}
    for frame in frames:
        ids |= frame.attrs.get("non_trade_ids", {})
    ticks.attrs["non_trade_ids"] = ids
    return ticks


def count_stored_ticks(
    path: Path, symbols: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp
) -> int:
    """Count stored ticks, day by day until there are too many; those beside a gap may be left out.

    From the bars, which cost less than the ticks: the bars know nothing of a missing second.
    """
    counted = 0
    with TickReader(path, history=history_of(path)) as reader:
        for day in pd.date_range(start, end, freq="D", inclusive="left"):
            until = min(day + pd.Timedelta("1D"), end)
            counted += sum(_count_day(reader, symbol, day, until) for symbol in symbols)
            if counted > MAX_TICKS:
                break
    return counted


def _count_day(reader: TickReader, symbol: str, start: pd.Timestamp, end: pd.Timestamp) -> int:
    span = reader.span(symbol)
    if span is None or span[0] >= end:
        return 0
    # Up to the second of the first tick the bars may be the exchange's own, without ticks.
    whole = max(start, span[0].floor("s") + pd.Timedelta("1s"))
    first = len(reader.ticks(symbol, start, whole)) if whole > start else 0
    return first + int(reader.bars(symbol, "1s", whole, end)["trades"].sum())


def file_ticks(
    ticks: pd.DataFrame, symbols: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Cut a file's ticks to some symbols and a time range."""
    inside = (ticks.index >= start) & (ticks.index < end) & ticks["symbol"].isin(symbols)
    return ticks.loc[inside]


def source_of_file(ticks: pd.DataFrame, y: str, x: str, *, is_synthetic: bool) -> TickSource:
    """Take the ticks of a file as a source."""
    read = partial(file_ticks, ticks, (y, x))
    first, last = ticks.index[0], ticks.index[-1]
    return TickSource(
        y, x, first, last, read, lambda start, end: len(read(start, end)), is_synthetic
    )


def ticks_ndjson(source: TickSource, start: pd.Timestamp, end: pd.Timestamp) -> bytes:
    """Write ticks as NDJSON that NDJSON File mode reads back to the same bars."""
    buffer = io.BytesIO()
    write_ticks_ndjson(source.read(start, end), buffer)
    return buffer.getvalue()


def ticks_name(source: TickSource, start: pd.Timestamp, end: pd.Timestamp) -> str:
    """Name a file of ticks; synthetic ones say so."""
    extra = ("ticks", "synthetic") if source.is_synthetic else ("ticks",)
    return f"{file_stem(source.y, source.x, start, end, *extra)}.ndjson"


def offer_ticks(source: TickSource) -> None:
    """Offer the ticks of both legs in a time range of the reader's choice."""
    # Opening it runs the fragment again: nothing is counted for those who do not look.
    popover = st.popover("Ticks (NDJSON)", key="ticks_popover", on_change="rerun")
    if not popover.open:
        return
    with popover, shown_in_place():
        made = " Synthetic data, made by a script." if source.is_synthetic else ""
        plain.caption(
            f"Trades of {source.y} and {source.x}, times in UTC, at most {MAX_TICKS:,} ticks. "
            f"NDJSON File mode reads the file back.{made}"
        )
        earliest, latest = source.first.floor("min"), source.last.ceil("min")
        start = _choose_time("From", max(earliest, latest - FIRST_OFFER), earliest, latest)
        end = _choose_time("Until", latest, earliest, latest)
        _offer_range(source, start, end)


def _choose_time(
    label: str, value: pd.Timestamp, earliest: pd.Timestamp, latest: pd.Timestamp
) -> pd.Timestamp:
    """Choose a time; the widget knows no zone, so it is given and taken as UTC."""
    bounds = [each.tz_localize(None).to_pydatetime() for each in (value, earliest, latest)]
    chosen = st.datetime_input(label, *bounds, step=60, key=f"ticks_{label.lower()}")
    return value if chosen is None else pd.Timestamp(chosen, tz="UTC")


def _offer_range(source: TickSource, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Offer one range, once it is one and not too long."""
    if end <= start:
        st.info("The range is empty: choose an end after its start.")
        return
    count = source.count(start, end)
    if count > MAX_TICKS:
        show(too_many_ticks(start, end))
        return
    label = f"Download about {formats.count(count, 'tick')}"
    make = partial(_ticks_file, source, start, end)
    files.show([Offer(label, "ticks", make, is_empty=count == 0)], key="download_ticks")


def _ticks_file(source: TickSource, start: pd.Timestamp, end: pd.Timestamp, _: str) -> MadeFile:
    content = ticks_ndjson(source, start, end)
    return MadeFile(ticks_name(source, start, end), "application/x-ndjson", content)


def too_many_ticks(start: pd.Timestamp, end: pd.Timestamp) -> Notice:
    """Say that a range holds more than one file may."""
    return Notice(
        f"More than {MAX_TICKS:,} ticks from {formats.span(start, end)}",
        "Choose a shorter range, and download the rest after it.",
        is_fault=False,
    )
