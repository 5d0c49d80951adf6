"""The reader's time zone: UTC, or where the browser says it is. Files always have UTC."""

from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.state.choices import LOCAL_ZONE

MS_PER_US: Final = 1_000
SOME: Final = 1_000  # times to look at in a long index: no zone changes its clock so often


def reader_zone() -> tzinfo:
    """Return the zone times are shown in; UTC outside a page, as for a download."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return UTC
    return zone_named(st.context.timezone) if st.session_state.get("zone") == LOCAL_ZONE else UTC


def zone_named(name: str | None) -> tzinfo:
    """Return a zone by its name; UTC for one that is not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def shown(time: pd.Timestamp) -> pd.Timestamp:
    """Move a UTC time into the reader's zone."""
    moved: pd.Timestamp = time.tz_convert(reader_zone())
    return moved


def zone_word(time: pd.Timestamp) -> str:
    """Name the zone of a time: "UTC", "CEST", or "UTC+03" where it has no letters."""
    word = time.tzname() or "UTC"
    return f"UTC{word}" if word[:1] in "+-" else word


def zone_label() -> str:
    """Name the reader's zone for an axis: "UTC", "Europe/Berlin"."""
    return getattr(reader_zone(), "key", "UTC")


def time_ms(index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Turn a UTC index into milliseconds since the epoch, as Plotly takes them fastest."""
    times_us = (index if index.unit == "us" else index.as_unit("us")).asi8
    return times_us / MS_PER_US


def axis_ms(index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Turn a UTC index into the milliseconds that a chart's time axis shows as the reader's time.

    A chart knows no zones: it is given the clock on the wall as if that were UTC.
    """
    zone = reader_zone()
    wall = index if zone is UTC else index.tz_convert(zone).tz_localize(None)
    return time_ms(wall)


def even_ms(index: pd.DatetimeIndex, end: pd.Timestamp | None = None) -> NDArray[np.float64]:
    """Turn a UTC index into ms on the reader's wall clock as it reads at `end`; no hour is twice.

    `end` is its last time where none is given.
    """
    last = index[-1:] if end is None else pd.DatetimeIndex([end])
    ahead_ms = axis_ms(last) - time_ms(last)
    return time_ms(index) + ahead_ms if ahead_ms.any() else time_ms(index)


def even_label(index: pd.DatetimeIndex) -> str:
    """Name the zone of `even_ms` for an axis, and which of its clocks where it has two in there."""
    zone = reader_zone()
    if zone is UTC or not len(index):
        return zone_label()
    rows = np.append(np.arange(0, len(index), max(1, len(index) // SOME)), len(index) - 1)
    some = index[rows]
    if np.ptp(axis_ms(some) - time_ms(some)) == 0:
        return zone_label()
    return f"{zone_label()}, {zone_word(shown(index[-1]))} throughout"
