"""The basket's figures: its spread over the band of its window with z below; and what it earned."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme
from pages.charts.axes import Floats
from pages.charts.decimate import decimate

HEIGHT_PX: Final = 520
EQUITY_PX: Final = 340
MAX_POINTS: Final = 2_000
BAND_STDS: Final = 2.0
MARGIN: Final = {"l": 76, "r": 16, "t": 34, "b": 40}
DOMAINS: Final = {"spread": (0.5, 1.0), "zscore": (0.0, 0.45)}
EQUITY_DOMAINS: Final = {"gain": (0.36, 1.0), "drawdown": (0.0, 0.3)}


@dataclass(frozen=True, eq=False)
class BasketSeries:
    """What is drawn, arrays of one length.

    Attributes
    ----------
    time_ms
        Bar opens on the clock that the axis names, milliseconds.
    spread, mean, std
        Of the basket, in its unit; NaN where not known.
    zscore
        Pure number; NaN where not known.
    changed_to
        At the bars where the signal changed 1 for SELL and -1 for BUY, 0 elsewhere.
    """

    time_ms: Floats
    spread: Floats
    mean: Floats
    std: Floats
    zscore: Floats
    changed_to: NDArray[np.int8]


@dataclass(frozen=True)
class BasketLabels:
    """Words and levels: the spread's unit, thresholds of z, zone, what zoom lasts by."""

    unit: str
    sell_above: float
    buy_below: float
    view_id: str
    zone: str = "UTC"


def basket_figure(series: BasketSeries, labels: BasketLabels) -> go.Figure:
    """Draw the spread with mean and band, and z with its thresholds and where the signal changed.

    Parameters
    ----------
    series
        As computed; long ones are thinned to about `MAX_POINTS` rows.
    labels
        Words and levels.
    """
    rows = _rows(series)
    time_ms, spread, mean, std = (
        each[rows] for each in (series.time_ms, series.spread, series.mean, series.std)
    )
    span, reach = time_ms[[0, -1]], BAND_STDS * std
    traces = [
        axes.band(f"Mean ± {BAND_STDS:g} std", time_ms, mean - reach, mean + reach),
        axes.line("Mean", time_ms, mean, color=theme.MUTED, number_format=".6~g", dash="dash"),
        axes.line("Spread", time_ms, spread, number_format=".6~g"),
        axes.line("z", time_ms, series.zscore[rows], "y2", number_format="+.2f"),
        axes.level("SELL above", span, labels.sell_above, "y2", theme.SELL),
        axes.level("BUY below", span, labels.buy_below, "y2", theme.BUY),
        _changes("SELL", series, 1, theme.SELL, "triangle-down"),
        _changes("BUY", series, -1, theme.BUY, "triangle-up"),
    ]
    return axes.new_figure(traces, _layout(series, labels))


def _rows(series: BasketSeries) -> NDArray[np.int64]:
    drawn = (series.spread, series.mean, series.std, series.zscore)
    return decimate(drawn, MAX_POINTS * 2)


def _changes(name: str, series: BasketSeries, code: int, color: str, symbol: str) -> go.Scatter:
    """Mark the bars at which the signal became this one."""
    at = series.changed_to == code
    return go.Scatter(
        uid=f"changes-{name}",
        name=f"became {name}",
        x=series.time_ms[at],
        y=series.zscore[at],
        xaxis="x",
        yaxis="y2",
        mode="markers",
        marker={"color": color, "size": 8, "symbol": symbol},
        hovertemplate="%{y:+.2f}",
        showlegend=True,
    )


def _layout(series: BasketSeries, labels: BasketLabels) -> dict[str, Any]:
    layout = axes.base_layout(labels.view_id, margin=MARGIN)
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    layout["xaxis"] = axes.time_axis(series.time_ms, anchor="y2", zone=labels.zone)
    layout["yaxis"] = axes.value_axis(f"Basket's spread ({labels.unit})", DOMAINS["spread"])
    layout["yaxis2"] = axes.value_axis("z-score", DOMAINS["zscore"])
    layout["annotations"] = [
        axes.level_label(f"SELL above {labels.sell_above:+g}", labels.sell_above, "y2", theme.SELL),
        axes.level_label(f"BUY below {labels.buy_below:+g}", labels.buy_below, "y2", theme.BUY)
        | {"yanchor": "top"},
    ]
    return layout


@dataclass(frozen=True, eq=False)
class EquitySeries:
    """Gain before and after costs, and how far below its best so far; % of the capital."""

    time_ms: Floats
    net: Floats
    gross: Floats
    drawdown: Floats


def equity_figure(series: EquitySeries, *, view_id: str, zone: str = "UTC") -> go.Figure:
    """Draw what a basket's rule earned on bars after those that its weights are from.

    Parameters
    ----------
    series
        As computed.
    view_id
        Zoom lasts as long as this is the same.
    zone
        Of the times.
    """
    rows = decimate((series.net, series.gross, series.drawdown), MAX_POINTS * 2)
    time_ms = series.time_ms[rows]
    traces = [
        axes.line("Before costs", time_ms, series.gross[rows], color=theme.MUTED,
                  number_format="+.3f", dash="dot", legend=True),
        axes.line("After costs", time_ms, series.net[rows], number_format="+.3f", legend=True),
        axes.line("Drawdown", time_ms, series.drawdown[rows], "y2", color=theme.SELL,
                  number_format=".3f"),
    ]  # fmt: skip
    layout = axes.base_layout(view_id, margin=MARGIN)
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"}
    layout["xaxis"] = axes.time_axis(series.time_ms, anchor="y2", zone=zone)
    layout["yaxis"] = axes.value_axis("Gain (% of capital)", EQUITY_DOMAINS["gain"])
    layout["yaxis2"] = axes.value_axis("Drawdown (%)", EQUITY_DOMAINS["drawdown"], nticks=3)
    return axes.new_figure(traces, layout)
