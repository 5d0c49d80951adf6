"""The reader's time zone: UTC, or where the browser says it is. Files always have UTC."""

from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui.choices import LOCAL_ZONE

MS_PER_US: Final = 1_000


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


def axis_ms(index: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Turn a UTC index into the milliseconds that a chart's time axis shows as the reader's time.

    A chart knows no zones: it is given the clock on the wall as if that were UTC.
    """
    zone = reader_zone()
    wall = index if zone is UTC else index.tz_convert(zone).tz_localize(None)
    return wall.as_unit("us").asi8 / MS_PER_US
