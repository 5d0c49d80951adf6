"""Figures over a change of the clock: no hour lies over another, the axis says which clock."""

from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from pages.ui.state import clock

# Berlin reads 02:59 CEST and then 02:00 CET at 01:00 UTC.
AUTUMN = pd.date_range("2026-10-24 23:00", "2026-10-25 03:00", freq="15min", tz="UTC")
QUARTER_MS = 900_000.0


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setattr(clock, "reader_zone", lambda: ZoneInfo("Europe/Berlin"))


def wall(ms: float) -> str:
    return f"{pd.Timestamp(ms, unit='ms'):%H:%M}"


@pytest.mark.usefixtures("berlin")
def test_no_hour_is_twice_and_the_end_reads_as_on_the_wall():
    assert np.ptp(np.diff(clock.axis_ms(AUTUMN))) == QUARTER_MS * 4  # what is to be avoided
    even = clock.even_ms(AUTUMN)
    assert set(np.diff(even)) == {QUARTER_MS}
    assert wall(even[-1]) == f"{AUTUMN[-1].tz_convert('Europe/Berlin'):%H:%M}" == "04:00"
    assert clock.even_label(AUTUMN) == "Europe/Berlin, CET throughout"


@pytest.mark.usefixtures("berlin")
def test_marks_stand_on_the_clock_of_the_whole_figure():
    marks = AUTUMN[[0, 3]]
    assert clock.even_ms(marks, AUTUMN[-1]).tolist() == clock.even_ms(AUTUMN)[[0, 3]].tolist()


@pytest.mark.usefixtures("berlin")
def test_a_year_that_ends_on_the_clock_it_began_with_says_so_too():
    year = pd.date_range("2025-01-01", "2026-01-01", freq="h", tz="UTC")
    assert clock.even_label(year) == "Europe/Berlin, CET throughout"
    assert clock.even_label(year[:500]) == "Europe/Berlin"
    assert clock.even_ms(year[:0]).size == 0
    assert clock.even_label(year[:0]) == "Europe/Berlin"


def test_utc_stays(monkeypatch):
    monkeypatch.setattr(clock, "reader_zone", lambda: UTC)
    assert clock.even_ms(AUTUMN).tolist() == clock.time_ms(AUTUMN).tolist()
    assert clock.even_label(AUTUMN) == "UTC"
