"""Downloads: the analysis as CSV, the ticks of a time range as NDJSON."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from analytics.pair import PairAnalytics
from ingest.files import write_ticks_ndjson
from ingest.store import TickReader
from pages.ui.notices import shown_in_place

TicksBetween = Callable[[pd.Timestamp, pd.Timestamp], pd.DataFrame]


def analytics_csv(result: PairAnalytics) -> bytes:
    """Write the whole analysis, a row a closed bar, numbers with every digit."""
    return result.to_frame().to_csv(index=False, lineterminator="\n").encode()


def file_stem(y: str, x: str, start: pd.Timestamp, end: pd.Timestamp, *extra: str) -> str:
    """Name a file by pair, interval and time span: sortable, and fit for every system."""
    return "_".join([f"{y}-{x}", *extra, f"{start:%Y%m%dT%H%M%SZ}", f"{end:%Y%m%dT%H%M%SZ}"])


def offer_analytics(result: PairAnalytics, *, is_synthetic: bool) -> None:
    """Offer the CSV of exactly what the page shows now; synthetic data say so in the name."""
    params = result.params
    index = result.zscore.index
    extra = (params.interval, "synthetic") if is_synthetic else (params.interval,)
    stem = file_stem(params.y, params.x, index[0], index[-1], *extra)
    st.download_button(
        "Analytics (CSV)",
        # Runs when clicked, outside any session: everything it needs is bound here.
        data=partial(analytics_csv, result),
        file_name=f"{stem}.csv",
        mime="text/csv",
        on_click="ignore",
        key="download_analytics",
    )


def stored_ticks(
    path: Path, symbols: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Read the stored ticks of some symbols between two whole seconds, in order of time."""
    low_us, high_us = (int(bound.timestamp()) * 1_000_000 for bound in (start, end))
    with TickReader(path) as reader:
        frames = [reader.ticks(symbol, low_us, high_us) for symbol in symbols]
    ticks = pd.concat(frames).sort_index(kind="stable")
    # The ids that were no trades go along, so that the file's coverage is the database's.
    ids: dict[str, list[int]] = {}
    for frame in frames:
        ids |= frame.attrs.get("non_trade_ids", {})
    ticks.attrs["non_trade_ids"] = ids
    return ticks


def file_ticks(
    ticks: pd.DataFrame, symbols: tuple[str, ...], start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    """Cut a file's ticks to some symbols and a time range."""
    inside = (ticks.index >= start) & (ticks.index < end) & ticks["symbol"].isin(symbols)
    return ticks.loc[inside]


def ticks_ndjson(read: TicksBetween, start: pd.Timestamp, end: pd.Timestamp) -> bytes:
    """Write ticks as NDJSON that NDJSON File mode reads back to the same bars."""
    buffer = io.BytesIO()
    write_ticks_ndjson(read(start, end), buffer)
    return buffer.getvalue()


def offer_ticks(
    read: TicksBetween, y: str, x: str, first: pd.Timestamp, last: pd.Timestamp
) -> None:
    """Offer the ticks of both legs in a time range of the reader's choice.

    Parameters
    ----------
    read
        Gives the ticks of both legs with ``start <= time < end``.
    y, x
        The legs.
    first, last
        What there is.
    """
    with st.popover("Ticks (NDJSON)"):
        st.caption(f"Trades of {y} and {x}, times in UTC.")
        earliest, latest = first.floor("min"), last.ceil("min")
        start = _choose_time("From", earliest, earliest, latest)
        end = _choose_time("Until", latest, earliest, latest)
        with shown_in_place():
            _offer_range(read, y, x, start, end)


def _choose_time(
    label: str, value: pd.Timestamp, earliest: pd.Timestamp, latest: pd.Timestamp
) -> pd.Timestamp:
    """Choose a time; the widget knows no zone, so it is given and taken as UTC."""
    bounds = [each.tz_localize(None).to_pydatetime() for each in (value, earliest, latest)]
    chosen = st.datetime_input(label, *bounds, step=60, key=f"ticks_{label.lower()}")
    return value if chosen is None else pd.Timestamp(chosen, tz="UTC")


def _offer_range(
    read: TicksBetween, y: str, x: str, start: pd.Timestamp, end: pd.Timestamp
) -> None:
    """Offer one range, once it is one."""
    if end <= start:
        st.info("The range is empty: choose an end after its start.")
        return
    st.download_button(
        "Download",
        data=partial(ticks_ndjson, read, start, end),
        file_name=f"{file_stem(y, x, start, end, 'ticks')}.ndjson",
        mime="application/x-ndjson",
        on_click="ignore",
        key="download_ticks",
    )
