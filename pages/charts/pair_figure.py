"""The linked figure of a pair: prices, spread, z-score and correlation over one UTC axis."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import theme
from pages.charts.pair_series import Floats, Markers, PairLabels, PairSeries

# Bottom to top; the gaps between them carry nothing.
DOMAINS: Final = {
    "yaxis": (0.70, 1.0),
    "yaxis3": (0.45, 0.67),
    "yaxis4": (0.19, 0.42),
    "yaxis5": (0.0, 0.16),
}
HOVER_TIME: Final = "%Y-%m-%d %H:%M:%S UTC"


def pair_figure(
    series: PairSeries, labels: PairLabels, *, sell: Markers, buy: Markers, max_points: int = 2_000
) -> go.Figure:
    """Draw one figure of four linked panels.

    Parameters
    ----------
    series
        Everything that is drawn; thinned to about `max_points` rows.
    labels
        Symbols, units, thresholds and formats.
    sell, buy
        Changes of the signal to SELL and to BUY, marked on the z-score.
    max_points
        Rows drawn at most, about.

    Returns
    -------
    plotly.graph_objects.Figure
        Traces keep their `uid` between calls, and `uirevision` is the view's, so that
        `Plotly.react` keeps zoom and hidden traces.
    """
    drawn = series.thinned(max_points)
    traces = [
        *_price_traces(drawn, labels),
        *_spread_traces(drawn, labels),
        *_zscore_traces(drawn, labels),
        _markers("SELL", sell, theme.SELL, "triangle-down"),
        _markers("BUY", buy, theme.BUY, "triangle-up"),
        _panel_line("Correlation", drawn.time_ms, drawn.correlation, "y5", ".3f"),
    ]
    figure = go.Figure(data=traces, layout={"template": "none"})
    figure.update_layout(_layout(drawn, labels))
    return figure


def _line(
    name: str,
    time_ms: Floats,
    values: Floats,
    axis: str,
    *,
    color: str,
    number_format: str,
    dash: str = "solid",
    showlegend: bool = True,
) -> go.Scatter:
    """Make one line trace that leaves missing stretches open."""
    return go.Scatter(
        uid=f"{axis}-{name}",
        name=name,
        x=time_ms,
        y=values.astype(np.float32),
        xaxis="x",
        yaxis=axis,
        mode="lines",
        connectgaps=False,
        line={"color": color, "width": theme.LINE_WIDTH, "dash": dash},
        hovertemplate=f"%{{y:{number_format}}}",
        showlegend=showlegend,
    )


def _panel_line(
    name: str, time_ms: Floats, values: Floats, axis: str, number_format: str
) -> go.Scatter:
    """Make the one line of a panel that its axis title names, so the legend need not."""
    return _line(
        name,
        time_ms,
        values,
        axis,
        color=theme.SERIES,
        number_format=number_format,
        showlegend=False,
    )


def _price_traces(drawn: PairSeries, labels: PairLabels) -> list[go.Scatter]:
    """Both legs; in the rebased view the hover says the price too."""
    formats = (f",.{labels.price_decimals_y}f", f",.{labels.price_decimals_x}f")
    second_axis = "y2" if labels.price_view == "two axes" else "y"
    legs = (
        (labels.symbol_y, drawn.drawn_y, drawn.price_y, "y", theme.LEG_Y, formats[0]),
        (labels.symbol_x, drawn.drawn_x, drawn.price_x, second_axis, theme.LEG_X, formats[1]),
    )
    traces = []
    for place, (symbol, values, prices, axis, color, number_format) in enumerate(legs):
        trace = _line(symbol, drawn.time_ms, values, axis, color=color, number_format=number_format)
        trace.uid = f"leg-{place}"
        if labels.price_view == "rebased":
            trace.customdata = prices
            trace.hovertemplate = f"%{{y:.3f}}  (%{{customdata:{number_format}}})"
        else:
            # A price must come back to the digit in the hover; float32 holds only seven.
            trace.y = values
        traces.append(trace)
    return traces


def _spread_traces(drawn: PairSeries, labels: PairLabels) -> list[go.Scatter]:
    """The band first, so that the lines lie on it."""
    number_format = f",.{labels.spread_decimals}f"
    mean = _line(
        "Mean",
        drawn.time_ms,
        drawn.mean,
        "y3",
        color=theme.MUTED,
        number_format=number_format,
        dash="dot",
    )
    spread = _line(
        "Spread", drawn.time_ms, drawn.spread, "y3", color=theme.SERIES, number_format=number_format
    )
    return [_band(drawn, f"Mean ± {labels.band_std:g} std"), mean, spread]


def _band(drawn: PairSeries, name: str) -> go.Scatter:
    """Fill between the band's edges: one closed outline for each stretch that is known."""
    known = np.isfinite(drawn.upper) & np.isfinite(drawn.lower)
    ends = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    times, edges = [np.empty(0)], [np.empty(0)]
    for start, end in ends.reshape(-1, 2):
        stretch = drawn.time_ms[start:end]
        times += [stretch, stretch[::-1], np.array([np.nan])]
        edges += [drawn.upper[start:end], drawn.lower[start:end][::-1], np.array([np.nan])]
    return go.Scatter(
        uid="band",
        name=name,
        x=np.concatenate(times),
        y=np.concatenate(edges).astype(np.float32),
        xaxis="x",
        yaxis="y3",
        mode="lines",
        line={"width": 0, "color": theme.BAND},
        fill="toself",
        fillcolor=theme.BAND,
        hoverinfo="skip",
    )


def _zscore_traces(drawn: PairSeries, labels: PairLabels) -> list[go.Scatter]:
    """The z-score over its two thresholds, which are traces so that the axis includes them."""
    span = drawn.time_ms[[0, -1]] if len(drawn) else drawn.time_ms
    traces = []
    for name, level, color in (
        ("SELL threshold", labels.sell_above, theme.SELL),
        ("BUY threshold", labels.buy_below, theme.BUY),
    ):
        trace = _line(
            name, span, np.full(len(span), level), "y4", color=color, number_format="+.2f"
        )
        trace.update(line={"dash": "dash", "width": 1}, hoverinfo="skip", hovertemplate=None)
        trace.update(showlegend=False)
        traces.append(trace)
    traces.append(_panel_line("z-score", drawn.time_ms, drawn.zscore, "y4", "+.2f"))
    return traces


def _markers(name: str, markers: Markers, color: str, symbol: str) -> go.Scatter:
    """Mark where the signal changed to `name`; shape and colour both say which."""
    return go.Scatter(
        uid=f"marker-{name}",
        name=name,
        x=markers.time_ms,
        y=markers.zscore.astype(np.float32),
        xaxis="x",
        yaxis="y4",
        mode="markers",
        marker={"symbol": symbol, "size": 8, "color": color},
        hoverinfo="skip",
    )


def _layout(drawn: PairSeries, labels: PairLabels) -> dict[str, object]:
    """Axes, hover and legend; the colours follow the reader's theme in the page."""
    layout: dict[str, object] = {
        "uirevision": labels.view_id,
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
        "margin": {"l": 76, "r": 16, "t": 34, "b": 40},
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        "xaxis": _time_axis(drawn.time_ms),
        "annotations": [
            _threshold_label("SELL above", labels.sell_above, theme.SELL),
            _threshold_label("BUY below", labels.buy_below, theme.BUY),
        ],
    }
    layout.update(_value_axes(labels))
    return layout


def _time_axis(time_ms: Floats) -> dict[str, object]:
    """One time axis for all panels, with a crosshair through them, no wider than the data."""
    ends = {"minallowed": time_ms[0], "maxallowed": time_ms[-1]} if len(time_ms) > 1 else {}
    return {
        "autorangeoptions": ends,
        "type": "date",
        "anchor": "y5",
        "title": {"text": "UTC", "standoff": 6},
        "hoverformat": HOVER_TIME,
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


def _value_axes(labels: PairLabels) -> dict[str, object]:
    """Four panels; `yaxis2` is the second price axis of the two-axes view."""
    two_axes = labels.price_view == "two axes"
    titles = {
        "yaxis": _price_title(labels),
        "yaxis3": f"Spread ({labels.spread_unit})",
        "yaxis4": "z-score (std)",
        "yaxis5": "Correlation",
    }
    axes: dict[str, object] = {
        name: {
            "domain": DOMAINS[name],
            "title": {"text": title, "standoff": 8},
            # Dragging zooms in time; the component fits each axis to what is in sight.
            "fixedrange": True,
            "gridcolor": theme.GRID,
            "zeroline": False,
            "nticks": 6,
            "exponentformat": "none",
            "separatethousands": True,
        }
        for name, title in titles.items()
    }
    if two_axes:
        axes["yaxis2"] = {
            "overlaying": "y",
            "side": "right",
            "title": {"text": f"{labels.symbol_x} ({labels.price_unit_x})", "standoff": 8},
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "nticks": 6,
            "exponentformat": "none",
            "separatethousands": True,
        }
    return axes


def _price_title(labels: PairLabels) -> str:
    """Title of the first price axis, with its unit."""
    if labels.price_view == "rebased":
        return "Price (start = 100)"
    if labels.price_view == "two axes":
        return f"{labels.symbol_y} ({labels.price_unit})"
    return f"Price ({labels.price_unit})"


def _threshold_label(text: str, level: float, color: str) -> dict[str, object]:
    """Name a threshold at the left end of its line."""
    return {
        "text": f"{text} {level:+g}".replace("-", "−") if level else f"{text} 0",
        "xref": "paper",
        "x": 0.003,
        "xanchor": "left",
        "yref": "y4",
        "y": level,
        "yanchor": "bottom",
        "showarrow": False,
        "borderpad": 1,
        "bgcolor": theme.PAPER,
        "font": {"size": 11, "color": color},
    }
