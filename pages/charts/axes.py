"""What all figures share: paper, time axis, value axes, lines, levels, bands, shaded stretches."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import theme

Floats = NDArray[np.float64]

HOVER_TIME: Final = "%Y-%m-%d %H:%M:%S"
MARGIN: Final = {"l": 76, "r": 16, "t": 20, "b": 40}
NO_TIMES: Final = np.empty(0)
# Share of a candle's time that is left free on either side of its body.
CANDLE_ROOM: Final = 0.15
# How far beyond its own span, or half the usual band, a path may have its band drawn.
BAND_ROOM: Final = 2.0


def new_figure(traces: Sequence[Any], layout: dict[str, Any]) -> go.Figure:
    """Make a figure without Plotly's own template: colours come from `theme` alone."""
    figure = go.Figure(data=list(traces), layout={"template": "none"})
    figure.update_layout(layout)
    return figure


def base_layout(
    view_id: str,
    *,
    hovermode: str = "x unified",
    dragmode: str | bool = "zoom",
    margin: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Lay out what no figure does otherwise.

    Parameters
    ----------
    view_id
        Zoom and hidden traces last as long as this is the same.
    hovermode
        "x unified" for series over time, "closest" for the rest.
    dragmode
        "zoom", or False where there is nothing to zoom into.
    margin
        Of the panels, px.
    """
    return {
        "uirevision": view_id,
        "hovermode": hovermode,
        "hoversubplots": "axis",
        "dragmode": dragmode,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": theme.SERIES, "size": theme.FONT_SIZE},
        "hoverlabel": {"bgcolor": theme.PAPER, "bordercolor": theme.GRID},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": theme.MUTED,
            "activecolor": theme.SERIES,
        },
        "margin": dict(margin or MARGIN),
    }


def time_axis(
    time_ms: Floats, *, anchor: str = "y", title: str | None = None, zone: str = "UTC"
) -> dict[str, Any]:
    """Make the one time axis of all panels: a crosshair through them, no wider than the data.

    Parameters
    ----------
    time_ms
        Times of what is drawn, ascending, on the clock that `zone` names.
    anchor
        The value axis at whose foot it stands.
    title
        The zone where none is given.
    zone
        Said in the hover.
    """
    return within(time_ms) | {
        "type": "date",
        "anchor": anchor,
        "title": {"text": title or zone, "standoff": 6},
        "hoverformat": f"{HOVER_TIME} {zone}",
        "gridcolor": theme.GRID,
        "linecolor": theme.GRID,
        "tickcolor": theme.GRID,
        "ticks": "outside",
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "cursor",
        "spikethickness": 1,
        "spikedash": "solid",
        "spikecolor": theme.MUTED,
    }


def within(time_ms: Floats) -> dict[str, Any]:
    """Keep a time axis from reaching beyond the data.

    These alone of all times plotly.js takes as they are when they are numbers, and not as words.
    """
    ends = {"minallowed": time_ms[0], "maxallowed": time_ms[-1]} if len(time_ms) > 1 else {}
    return {"autorangeoptions": ends}


def time_words(at_ms: float) -> str:
    """Write a moment as Plotly reads it in any browser; a number it moves by the browser's zone."""
    return str(np.datetime64(round(at_ms), "ms"))


def value_axis(
    title: str, domain: tuple[float, float] | None = None, **more: Any
) -> dict[str, Any]:
    """Make a value axis; the reader zooms in time, and the component fits this to what is seen."""
    axis: dict[str, Any] = {
        "title": {"text": title, "standoff": 8},
        "fixedrange": True,
        "gridcolor": theme.GRID,
        "zeroline": False,
        "nticks": 6,
        "exponentformat": "none",
        "separatethousands": True,
    }
    if domain is not None:
        axis["domain"] = list(domain)
    return axis | more


def line(
    name: str,
    time_ms: Floats,
    values: Floats,
    axis: str = "y",
    *,
    color: str = theme.SERIES,
    number_format: str = ",.2f",
    dash: str = "solid",
    width: float = theme.LINE_WIDTH,
    legend: bool = False,
    uid: str | None = None,
) -> go.Scatter:
    """Make a line that leaves missing stretches open; without a legend its axis title names it."""
    return go.Scatter(
        uid=uid or f"{axis}-{name}",
        name=name,
        x=time_ms,
        y=values,
        xaxis="x",
        yaxis=axis,
        mode="lines",
        connectgaps=False,
        line={"color": color, "width": width, "dash": dash},
        hovertemplate=f"%{{y:{number_format}}}",
        showlegend=legend,
    )


def level(name: str, span_ms: Floats, at: float, axis: str, color: str) -> go.Scatter:
    """Draw a threshold as a trace, so that the axis includes it."""
    return go.Scatter(
        uid=f"{axis}-{name}",
        name=name,
        x=span_ms,
        y=np.full(len(span_ms), at),
        xaxis="x",
        yaxis=axis,
        mode="lines",
        line={"color": color, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )


def level_label(text: str, at: float, axis: str, color: str) -> dict[str, Any]:
    """Name a threshold at the left end of its line."""
    return {
        "text": text,
        "xref": "paper",
        "x": 0.003,
        "xanchor": "left",
        "yref": axis,
        "y": at,
        "yanchor": "bottom",
        "showarrow": False,
        "borderpad": 1,
        "font": {"size": 11, "color": color},
    }


def upright(at_ms: float) -> dict[str, Any]:
    """Draw a line through all panels at a time."""
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at_ms, "x1": at_ms, "y0": 0, "y1": 1,
        "line": {"color": theme.MUTED, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def upright_label(text: str, at_ms: float) -> dict[str, Any]:
    """Name such a line at its head."""
    return {
        "text": text, "xref": "x", "x": at_ms, "xanchor": "left", "yref": "paper", "y": 1.0,
        "yanchor": "top", "showarrow": False, "borderpad": 3,
        "font": {"size": 11, "color": theme.MUTED},
    }  # fmt: skip


def band(name: str, time_ms: Floats, low: Floats, high: Floats, axis: str = "y") -> go.Scatter:
    """Fill between two edges where both are known."""
    return _filled(name, *band_outline(time_ms, low, high), axis, theme.BAND, "band")


def band_outline(time_ms: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Go around each stretch where both edges are known: one closed outline, ended by NaN."""
    known = np.isfinite(high) & np.isfinite(low)
    ends = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    times, edges = [np.empty(0)], [np.empty(0)]
    for start, end in ends.reshape(-1, 2):
        stretch = time_ms[start:end]
        times += [stretch, stretch[::-1], np.array([np.nan])]
        edges += [high[start:end], low[start:end][::-1], np.array([np.nan])]
    return np.concatenate(times), np.concatenate(edges)


def path_range(path: Floats, low: Floats, high: Floats) -> list[float] | None:
    """Bound an axis where a band would press its path flat; None where it does not.

    A stretch in which next to nothing is known has edges many times as far out as the rest.
    """
    known, half = path[np.isfinite(path)], (high - low)[np.isfinite(high - low)] / 2
    if not known.size or not half.size:
        return None
    room = BAND_ROOM * max(float(np.ptp(known)), float(np.median(half)))
    bottom, top = float(known.min()) - room, float(known.max()) + room
    if room == 0 or (np.nanmin(low) >= bottom and np.nanmax(high) <= top):
        return None
    return [max(bottom, float(np.nanmin(low))), min(top, float(np.nanmax(high)))]


def stretches(name: str, start_ms: Floats, end_ms: Floats, axis: str, color: str) -> go.Scatter:
    """Shade stretches of time over the whole height of an axis whose range is 0 to 1."""
    return _filled(name, *stretch_outline(start_ms, end_ms), axis, color, f"held-{name}")


def stretch_outline(start_ms: Floats, end_ms: Floats) -> tuple[Floats, Floats]:
    """Go around a box of height 1 for each stretch, ended by NaN."""
    breaks = np.full(len(start_ms), np.nan)
    times = np.column_stack([start_ms, start_ms, end_ms, end_ms, breaks]).ravel()
    return times, np.tile([0.0, 1.0, 1.0, 0.0, np.nan], len(start_ms))


def candle_outline(candles: dict[str, Floats]) -> tuple[Floats, Floats]:
    """Go around each candle, its wicks on the way, ended by NaN.

    Parameters
    ----------
    candles
        `time` and `end` of each, ms, and its `open`, `high`, `low` and `close`.
    """
    length = candles["end"] - candles["time"]
    left = candles["time"] + CANDLE_ROOM * length
    right, middle = candles["end"] - CANDLE_ROOM * length, candles["time"] + length / 2
    top = np.maximum(candles["open"], candles["close"])
    foot = np.minimum(candles["open"], candles["close"])
    none = np.full(len(left), np.nan)
    high, low = candles["high"], candles["low"]
    across = [middle, middle, right, right, middle, middle, middle, left, left, middle, none]
    along = [high, top, top, foot, foot, low, foot, foot, top, top, none]
    return np.column_stack(across).ravel(), np.column_stack(along).ravel()


def _filled(name: str, times: Floats, edges: Floats, axis: str, color: str, uid: str) -> go.Scatter:
    return go.Scatter(
        uid=uid,
        name=name,
        x=times,
        y=edges,
        xaxis="x",
        yaxis=axis,
        mode="lines",
        line={"width": 0, "color": color},
        fill="toself",
        fillcolor=color,
        hoverinfo="skip",
        showlegend=False,
    )
