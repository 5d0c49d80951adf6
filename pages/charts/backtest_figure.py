"""The backtest's figure: equity, drawdown and z with its trades over one UTC axis."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme
from pages.charts.decimate import decimate

Floats = NDArray[np.float64]

# Bottom to top; the gaps between them carry nothing.
DOMAINS: Final = {"yaxis": (0.54, 1.0), "yaxis2": (0.37, 0.49), "yaxis3": (0.0, 0.32)}
MAX_POINTS: Final = 2_000
HEIGHT_PX: Final = 720


@dataclass(frozen=True, eq=False)
class BacktestSeries:
    """What is drawn, arrays of one length.

    Attributes
    ----------
    time_ms
        Bar opens, milliseconds since the epoch, UTC.
    net, gross, held_y, held_x
        Gain since the start in % of the capital: of the rule after and before costs, of either leg
        bought and held.
    drawdown
        % of the highest equity so far, at most 0.
    zscore
        Pure number; NaN where not known.
    """

    time_ms: Floats
    net: Floats
    gross: Floats
    held_y: Floats
    held_x: Floats
    drawdown: Floats
    zscore: Floats


@dataclass(frozen=True, eq=False)
class TradeMarks:
    """Where trades were entered and left: times, and z at the bar before the fill."""

    entry_ms: Floats
    entry_z: Floats
    exit_ms: Floats
    exit_z: Floats
    is_buy: NDArray[np.bool_]


@dataclass(frozen=True)
class BacktestLabels:
    """Words and levels: legs, thresholds of z, the zone of the times, what zoom lasts by."""

    symbol_y: str
    symbol_x: str
    sell_above: float
    buy_below: float
    view_id: str
    zone: str = "UTC"


@dataclass(frozen=True)
class Focus:
    """A trade to look at: from when to when is in sight, and the trade's own span, ms."""

    start_ms: float
    end_ms: float
    entry_ms: float
    exit_ms: float


def backtest_figure(
    series: BacktestSeries,
    marks: TradeMarks,
    labels: BacktestLabels,
    *,
    border_ms: float | None = None,
    focus: Focus | None = None,
) -> go.Figure:
    """Draw equity, drawdown and z.

    Parameters
    ----------
    series, marks, labels
        As computed; long series are thinned to about `MAX_POINTS` rows a panel.
    border_ms
        Where training ends; None for no border.
    focus
        A trade to bring into sight with every bar around it; None for the whole span.
    """
    if focus is not None:
        series, marks = _inside(series, marks, focus)
    columns = ("net", "gross", "held_y", "held_x", "drawdown", "zscore")
    rows = decimate([getattr(series, name) for name in columns], MAX_POINTS * 3)
    time_ms = series.time_ms[rows]
    span = time_ms[[0, -1]]
    traces = [
        axes.line(f"{labels.symbol_y} held", time_ms, series.held_y[rows], color=theme.LEG_Y,
                  number_format="+.2f", legend=True, width=theme.LEG_WIDTHS[0]),
        axes.line(f"{labels.symbol_x} held", time_ms, series.held_x[rows], color=theme.LEG_X,
                  number_format="+.2f", legend=True, width=theme.LEG_WIDTHS[1],
                  dash=theme.LEG_DASHES[1]),
        axes.line("Before costs", time_ms, series.gross[rows], color=theme.MUTED,
                  number_format="+.2f", dash="dot", legend=True),
        axes.line("After costs", time_ms, series.net[rows], number_format="+.2f", legend=True),
        axes.line("Drawdown", time_ms, series.drawdown[rows], "y2", color=theme.SELL,
                  number_format=".2f"),
        axes.line("z", time_ms, series.zscore[rows], "y3", number_format="+.2f"),
        axes.level("SELL above", span, labels.sell_above, "y3", theme.SELL),
        axes.level("BUY below", span, labels.buy_below, "y3", theme.BUY),
        *_marks(marks),
    ]  # fmt: skip
    return axes.new_figure(traces, _layout(series, labels, border_ms, focus))


def _inside(
    series: BacktestSeries, marks: TradeMarks, focus: Focus
) -> tuple[BacktestSeries, TradeMarks]:
    """Cut to what is in sight, so that every bar of it is drawn."""
    seen = (series.time_ms >= focus.start_ms) & (series.time_ms <= focus.end_ms)
    near = (marks.exit_ms >= focus.start_ms) & (marks.entry_ms <= focus.end_ms)
    names = BacktestSeries.__dataclass_fields__
    return (
        BacktestSeries(**{name: getattr(series, name)[seen] for name in names}),
        TradeMarks(**{
            name: getattr(marks, name)[near] for name in TradeMarks.__dataclass_fields__
        }),
    )  # fmt: skip


def _marks(marks: TradeMarks) -> list[go.Scatter]:
    buy = marks.is_buy
    return [
        # A reversal leaves and enters in one bar: the entry is drawn over it.
        _points("Left", marks.exit_ms, marks.exit_z, theme.MUTED, "x-thin"),
        _points("Sold", marks.entry_ms[~buy], marks.entry_z[~buy], theme.SELL, "triangle-down"),
        _points("Bought", marks.entry_ms[buy], marks.entry_z[buy], theme.BUY, "triangle-up"),
    ]


def _points(name: str, time_ms: Floats, values: Floats, color: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        uid=f"marks-{name}",
        name=name,
        x=time_ms,
        y=values,
        xaxis="x",
        yaxis="y3",
        mode="markers",
        marker={"color": color, "size": 8, "symbol": symbol, "line": {"color": color, "width": 2}}
        if symbol == "x-thin"
        else {"color": color, "size": 8, "symbol": symbol},
        hovertemplate="%{y:+.2f}",
        showlegend=True,
    )


def _layout(
    series: BacktestSeries, labels: BacktestLabels, border_ms: float | None, focus: Focus | None
) -> dict[str, Any]:
    layout = axes.base_layout(labels.view_id, margin={"l": 76, "r": 16, "t": 44, "b": 40})
    layout |= {
        "xaxis": axes.time_axis(series.time_ms, anchor="y3", title=labels.zone)
        | {"hoverformat": f"%Y-%m-%d %H:%M:%S {labels.zone}"},
        "yaxis": axes.value_axis("Gain (% of capital)", DOMAINS["yaxis"]),
        "yaxis2": axes.value_axis("Drawdown (%)", DOMAINS["yaxis2"], nticks=3),
        "yaxis3": axes.value_axis("z-score", DOMAINS["yaxis3"]),
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 11}},
        "shapes": [],
        "annotations": [],
    }
    if border_ms is not None and series.time_ms[0] < border_ms < series.time_ms[-1]:
        layout["shapes"].append(_border(border_ms))
        layout["annotations"] += [
            _word("train", border_ms, "right"), _word("test", border_ms, "left")
        ]  # fmt: skip
    if focus is not None:
        layout["shapes"].append(_focus_shade(focus))
    return layout


def _border(at_ms: float) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at_ms, "x1": at_ms, "y0": 0, "y1": 1,
        "line": {"color": theme.MUTED, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _focus_shade(focus: Focus) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": focus.entry_ms, "x1": focus.exit_ms,
        "y0": 0, "y1": 1, "fillcolor": theme.BAND, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _word(text: str, at_ms: float, side: str) -> dict[str, Any]:
    return {
        "text": text, "xref": "x", "x": at_ms, "xanchor": side, "yref": "paper", "y": 1.0,
        "yanchor": "top", "showarrow": False, "borderpad": 3,
        "font": {"size": 11, "color": theme.MUTED},
    }  # fmt: skip
