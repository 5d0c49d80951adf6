"""The calendar of a series: a row a month, a cell a day, what is held of it."""

import calendar as months
from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.charts import axes, theme
from pages.ui.chart.live_chart import live_chart
from pages.ui.data.days import DayState, days_of, months_between
from pages.ui.data.held import HeldSeries
from pages.ui.parts import plain

ROW_PX: Final = 26
MARGIN_PX: Final = 64
MOST_MONTHS: Final = 36
# A number for the colour, a sign for who cannot tell colours apart, words for the hover.
LOOKS: Final[dict[DayState | None, tuple[int, str, str]]] = {
    None: (0, "", "not held"),
    "holes": (1, "×", "held, with holes"),
    "part": (2, "◐", "held, but not known to be whole"),
    "held": (3, "●", "held, whole"),
}


def show(series: HeldSeries) -> None:
    """Draw the calendar of a series; the newest months where there are more than fit."""
    days = days_of(series.holdings)
    if not days:
        return
    shown = months_between(min(days), max(days))
    if len(shown) > MOST_MONTHS:
        plain.caption(f"The newest {MOST_MONTHS} of {len(shown)} months are drawn.")
        shown = shown[-MOST_MONTHS:]
    live_chart(
        figure(days, shown),
        key="data_calendar",
        label=f"Days of {series.label} that are held",
        height_px=MARGIN_PX + ROW_PX * len(shown),
    )
    st.caption("● held, whole · ◐ held, but not known to be whole · × held, with holes")


def figure(days: Mapping[date, DayState], shown: list[date]) -> go.Figure:
    """Make the figure: months from the top, days from the left; days that no month has are blank.

    Parameters
    ----------
    days
        What is held of each day; days that are not held are left out.
    shown
        First days of the months to draw.
    """
    size = (len(shown), 31)
    numbers = np.full(size, np.nan)
    signs, hovers = np.full(size, "", dtype=object), np.full(size, "", dtype=object)
    for row, month in enumerate(shown):
        for day in range(1, months.monthrange(month.year, month.month)[1] + 1):
            at = month.replace(day=day)
            numbers[row, day - 1], signs[row, day - 1], words = LOOKS[days.get(at)]
            hovers[row, day - 1] = f"{at:%Y-%m-%d}: {words}"
    heat = go.Heatmap(
        uid="days",
        x=list(range(1, 32)),
        y=[f"{month:%Y-%m}" for month in shown],
        z=numbers,
        zmin=0,
        zmax=3,
        text=signs,
        texttemplate="%{text}",
        customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=[
            *([0.0, theme.GRID], [0.25, theme.GRID]),
            *([0.25, theme.SELL], [0.5, theme.SELL]),
            *([0.5, theme.SERIES], [0.75, theme.SERIES]),
            *([0.75, theme.LEG_Y], [1.0, theme.LEG_Y]),
        ],
        showscale=False,
        xgap=2,
        ygap=2,
    )
    layout = axes.base_layout("calendar", hovermode="closest", margin=_MARGIN) | {
        "xaxis": {
            "title": {"text": "day (UTC)"},
            "fixedrange": True,
            "tickvals": [1, 5, 10, 15, 20, 25, 30],
            "showgrid": False,
        },
        "yaxis": {
            "autorange": "reversed",
            "type": "category",
            "fixedrange": True,
            "showgrid": False,
        },
    }
    return axes.new_figure([heat], layout)


_MARGIN: Final = {"l": 76, "r": 16, "t": 12, "b": 44}
