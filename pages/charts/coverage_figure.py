"""The coverage timeline: per symbol a strip of what is stored and what is not, over UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme

CoverageState = Literal["covered", "open", "expired", "absent"]

STRIP_WIDTH_PX: Final = 16
ROW_HEIGHT_PX: Final = 34
MARGIN_HEIGHT_PX: Final = 92
MARGIN: Final = {"l": 92, "r": 16, "t": 34, "b": 44}

# Name, colour, and a shape at each stretch: a second in a day of strip is thinner than a pixel.
LOOKS: Final[dict[CoverageState, tuple[str, str, str]]] = {
    "covered": ("Covered", theme.LEG_Y, ""),
    "absent": ("Absent at the exchange", theme.MUTED, "diamond"),
    "expired": ("Given up", theme.SERIES, "x"),
    "open": ("Open gap", theme.SELL, "triangle-down"),
}


@dataclass(frozen=True, eq=False)
class Stretches:
    """All stretches of time of one state, arrays of one length.

    Attributes
    ----------
    state
        What they have in common.
    start_ms, end_ms
        Milliseconds since the epoch, UTC.
    row
        Number of the symbol each belongs to, from 0.
    hover_texts
        What a hover shows of each.
    """

    state: CoverageState
    start_ms: NDArray[np.float64]
    end_ms: NDArray[np.float64]
    row: NDArray[np.int64]
    hover_texts: tuple[str, ...]


def coverage_height_px(symbols: int) -> int:
    """Return the height that so many strips take."""
    return MARGIN_HEIGHT_PX + ROW_HEIGHT_PX * max(symbols, 1)


def coverage_figure(
    stretches: Sequence[Stretches], symbols: Sequence[str], *, view_id: str = "coverage"
) -> go.Figure:
    """Draw a strip per symbol.

    Parameters
    ----------
    stretches
        One for each state there is; drawn in the order of `LOOKS`, open gaps on top.
    symbols
        Names of the rows, from the top.
    view_id
        Zoom and hidden traces last as long as this is the same.

    Returns
    -------
    plotly.graph_objects.Figure
        Per state a trace of lines, and where the state has a shape a trace of marks.
    """
    order = list(LOOKS)
    drawn = sorted(stretches, key=lambda each: order.index(each.state))
    traces = [trace for each in drawn for trace in _traces(each)]
    return axes.new_figure(traces, _layout(drawn, symbols, view_id))


def _traces(stretches: Stretches) -> list[go.Scatter]:
    name, color, symbol = LOOKS[stretches.state]
    shared = {"name": name, "legendgroup": stretches.state, "xaxis": "x", "yaxis": "y"}
    line = go.Scatter(
        uid=f"line-{stretches.state}",
        x=_with_breaks(stretches.start_ms, stretches.end_ms),
        y=_with_breaks(stretches.row, stretches.row),
        mode="lines",
        line={"color": color, "width": STRIP_WIDTH_PX},
        hoverinfo="skip",
        showlegend=not symbol,
        **shared,
    )
    if not symbol:
        return [line]
    marks = go.Scatter(
        uid=f"mark-{stretches.state}",
        x=(stretches.start_ms + stretches.end_ms) / 2,
        y=stretches.row.astype(np.float64),
        mode="markers",
        # The outline sets the mark off from its own strip.
        marker={
            "symbol": symbol,
            "size": 11,
            "color": color,
            "line": {"color": theme.PAPER, "width": 1.5},
        },
        text=list(stretches.hover_texts),
        hovertemplate="%{text}<extra></extra>",
        **shared,
    )
    return [line, marks]


def _with_breaks(starts: NDArray, ends: NDArray) -> NDArray[np.float64]:
    """Interleave starts and ends with NaN, so that one trace draws them apart."""
    breaks = np.full(len(starts), np.nan)
    return np.column_stack([starts, ends, breaks]).ravel()


def _layout(drawn: Sequence[Stretches], symbols: Sequence[str], view_id: str) -> dict[str, object]:
    starts = np.concatenate([each.start_ms for each in drawn]) if drawn else np.empty(0)
    ends = np.concatenate([each.end_ms for each in drawn]) if drawn else np.empty(0)
    limits = np.array([starts.min(), ends.max()]) if len(starts) else axes.NO_TIMES
    return axes.base_layout(view_id, hovermode="closest", margin=MARGIN) | {
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": axes.within(limits)
        | {
            "type": "date",
            "title": {"text": "UTC", "standoff": 6},
            "gridcolor": theme.GRID,
            "ticks": "outside",
            "tickcolor": theme.GRID,
        },
        "yaxis": {
            # The first symbol on top; fixed, so that the component does not fit it to the data.
            "range": [max(len(symbols), 1) - 0.5, -0.5],
            "fixedrange": True,
            "tickmode": "array",
            "tickvals": list(range(len(symbols))),
            "ticktext": list(symbols),
            "showgrid": False,
            "zeroline": False,
        },
    }
