"""The stability figure: β with its band, p-value, half-life and CUSUM over one UTC axis."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import theme
from pages.charts.decimate import decimate

Floats = NDArray[np.float64]

# Bottom to top; the gaps between them carry nothing.
DOMAINS: Final = {
    "yaxis": (0.74, 1.0),
    "yaxis2": (0.49, 0.70),
    "yaxis3": (0.245, 0.45),
    "yaxis4": (0.0, 0.205),
}
HOVER_TIME: Final = "%Y-%m-%d %H:%M:%S UTC"
MAX_POINTS: Final = 1_000
# Half-lives beyond this many windows are no news: the window cannot tell them from a random walk.
SHOWN_WINDOWS: Final = 2.0


@dataclass(frozen=True, eq=False)
class StabilitySeries:
    """What is drawn: arrays of one length for the windows, of another for the CUSUM.

    Attributes
    ----------
    time_ms
        Last bar of each window, milliseconds since the epoch, UTC.
    beta, low, high
        Hedge ratio of each window with the edges of its 95 % band; NaN where not known.
    pvalue
        Engle-Granger p-value of each window.
    half_life
        Bars; NaN where there is none.
    cusum_time_ms, cusum
        Scaled running sum of the residuals, a row a bar; NaN at missing bars. May be empty.
    """

    time_ms: Floats
    beta: Floats
    low: Floats
    high: Floats
    pvalue: Floats
    half_life: Floats
    cusum_time_ms: Floats
    cusum: Floats


def stability_figure(
    series: StabilitySeries, *, level: float, cusum_critical: float, window: int, view_id: str
) -> go.Figure:
    """Draw four linked panels.

    Parameters
    ----------
    series
        As computed; the CUSUM is thinned to about `MAX_POINTS` rows.
    level
        Significance level, a line in the panel of the p-value.
    cusum_critical
        Critical value of the CUSUM at that level, drawn on both sides of zero; NaN for none.
    window
        Bars of each window: the half-life's axis ends at twice that.
    view_id
        Zoom and hidden traces last as long as this is the same.
    """
    rows = decimate([series.cusum], MAX_POINTS) if len(series.cusum) else slice(0)
    cusum_ms, cusum = series.cusum_time_ms[rows], series.cusum[rows]
    times = [series.time_ms, cusum_ms]
    span = np.array([min(t.min() for t in times if len(t)), max(t.max() for t in times if len(t))])
    traces = [
        _band(series),
        _line("β", series.time_ms, series.beta, "y", ".5g", mode="lines+markers"),
        _level_line("Level", span, level, "y2", theme.SELL),
        _line("p-value", series.time_ms, series.pvalue, "y2", ".3f", mode="lines+markers"),
        _line("Half-life", series.time_ms, series.half_life, "y3", ",.1f", mode="lines+markers"),
        _line("CUSUM", cusum_ms, cusum, "y4", "+.3f"),
    ]
    if len(cusum) and np.isfinite(cusum_critical):
        traces += [
            _level_line(f"CUSUM critical {side:+g}", span, side, "y4", theme.SELL)
            for side in (cusum_critical, -cusum_critical)
        ]
    figure = go.Figure(data=traces, layout={"template": "none"})
    figure.update_layout(_layout(series, span, level, window, view_id))
    return figure


def _line(
    name: str, time_ms: Floats, values: Floats, axis: str, number_format: str, mode: str = "lines"
) -> go.Scatter:
    """Make a line that leaves missing stretches open; its axis title names it."""
    return go.Scatter(
        uid=f"{axis}-{name}",
        name=name,
        x=time_ms,
        y=values,
        xaxis="x",
        yaxis=axis,
        mode=mode,
        connectgaps=False,
        line={"color": theme.SERIES, "width": theme.LINE_WIDTH},
        marker={"color": theme.SERIES, "size": 4},
        hovertemplate=f"%{{y:{number_format}}}",
        showlegend=False,
    )


def _level_line(name: str, span: Floats, level: float, axis: str, color: str) -> go.Scatter:
    return go.Scatter(
        uid=f"{axis}-{name}",
        name=name,
        x=span,
        y=np.full(2, level),
        xaxis="x",
        yaxis=axis,
        mode="lines",
        line={"color": color, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )


def _band(series: StabilitySeries) -> go.Scatter:
    """Fill between the band's edges: one closed outline for each stretch that is known."""
    known = np.isfinite(series.low) & np.isfinite(series.high)
    ends = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    times, edges = [np.empty(0)], [np.empty(0)]
    for start, end in ends.reshape(-1, 2):
        stretch = series.time_ms[start:end]
        times += [stretch, stretch[::-1], np.array([np.nan])]
        edges += [series.low[start:end], series.high[start:end][::-1], np.array([np.nan])]
    return go.Scatter(
        uid="band",
        name="95 % band of β",
        x=np.concatenate(times),
        y=np.concatenate(edges),
        xaxis="x",
        yaxis="y",
        mode="lines",
        line={"width": 0, "color": theme.BAND},
        fill="toself",
        fillcolor=theme.BAND,
        hoverinfo="skip",
        showlegend=False,
    )


def _layout(
    series: StabilitySeries, span: Floats, level: float, window: int, view_id: str
) -> dict[str, object]:
    return {
        "uirevision": view_id,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "dragmode": "zoom",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": theme.SERIES, "size": theme.FONT_SIZE},
        "hoverlabel": {"bgcolor": theme.PAPER, "bordercolor": theme.GRID},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": theme.MUTED,
            "activecolor": theme.SERIES,
        },
        "margin": {"l": 76, "r": 16, "t": 20, "b": 40},
        "xaxis": {
            "autorangeoptions": {"minallowed": span[0], "maxallowed": span[1]},
            "type": "date",
            "anchor": "y4",
            "title": {"text": "UTC, last bar of each window", "standoff": 6},
            "hoverformat": HOVER_TIME,
            "gridcolor": theme.GRID,
            "ticks": "outside",
            "tickcolor": theme.GRID,
        },
        "annotations": [_level_label(level)],
        **_value_axes(series, window),
    }


def _value_axes(series: StabilitySeries, window: int) -> dict[str, object]:
    titles = {
        "yaxis": "β with 95 % band",
        "yaxis2": "Engle-Granger p",
        "yaxis3": "Half-life (bars)",
        "yaxis4": "CUSUM",
    }
    axes: dict[str, dict[str, object]] = {
        name: {
            "domain": DOMAINS[name],
            "title": {"text": title, "standoff": 8},
            "fixedrange": True,
            "gridcolor": theme.GRID,
            "zeroline": False,
            "nticks": 5,
            "exponentformat": "none",
            "separatethousands": True,
        }
        for name, title in titles.items()
    }
    axes["yaxis2"]["range"] = [-0.04, 1.04]
    axes["yaxis3"]["range"] = half_life_range(series.half_life, window)
    return dict(axes)


def half_life_range(half_life: Floats, window: int) -> list[float]:
    """Fit the half-life's axis, but to no more than twice the window: near a unit root it soars."""
    known = half_life[np.isfinite(half_life)]
    top = float(known.max()) if len(known) else float(window)
    return [0.0, 1.06 * min(top, SHOWN_WINDOWS * window)]


def _level_label(level: float) -> dict[str, object]:
    return {
        "text": f"level {level * 100:g} %",
        "xref": "paper",
        "x": 0.003,
        "xanchor": "left",
        "yref": "y2",
        "y": level,
        "yanchor": "bottom",
        "showarrow": False,
        "borderpad": 1,
        "bgcolor": theme.PAPER,
        "font": {"size": 11, "color": theme.SELL},
    }
