"""The figures of the Factors page: eigenvalues beside their edges, and a residual with its s."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats
from pages.charts.decimate import MAX_POINTS, decimate

EIGENVALUES_PX: Final = 340
RESIDUAL_PX: Final = 520
MOST_BARS: Final = 30


def eigenvalue_figure(eigenvalues: Floats, edge: float, flipped: Floats, taken: int) -> go.Figure:
    """Draw the largest eigenvalues as bars, those taken out blue, beside what luck gives.

    Parameters
    ----------
    eigenvalues
        The largest first.
    edge
        Marchenko and Pastur's, a line.
    flipped
        The edge by random signs of each eigenvalue tested, the first ones; marks.
    taken
        How many factors are taken out.
    """
    shown = eigenvalues[:MOST_BARS]
    names = [str(place) for place in range(1, len(shown) + 1)]
    colors = [theme.BUY if place < taken else theme.MUTED for place in range(len(shown))]
    traces = [
        go.Bar(
            uid="eigenvalues", name="Eigenvalue", x=names, y=shown, marker={"color": colors},
            hovertemplate="Eigenvalue %{x}: %{y:.2f}<extra></extra>", showlegend=False,
        ),
        go.Scatter(
            uid="edge", name="Marchenko-Pastur edge", x=[names[0], names[-1]], y=[edge, edge],
            mode="lines", line={"color": theme.SELL, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        ),
        go.Scatter(
            uid="flipped", name="Edge by random signs", x=names[: len(flipped)], y=flipped,
            mode="markers",
            marker={"color": theme.SERIES, "size": 14, "symbol": "line-ew",
                    "line": {"width": 2, "color": theme.SERIES}},
            hovertemplate="To be a factor: above %{y:.2f}<extra></extra>",
        ),
    ]  # fmt: skip
    layout = axes.base_layout(
        f"eigenvalues|{len(shown)}", hovermode="closest", dragmode=False,
        margin={"l": 60, "r": 16, "t": 40, "b": 44},
    )  # fmt: skip
    layout |= {
        "xaxis": {"type": "category", "title": {"text": "Factor"}, "fixedrange": True},
        "yaxis": axes.value_axis("Eigenvalue", rangemode="tozero"),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "bargap": 0.25,
    }
    return axes.new_figure(traces, layout)


@dataclass(frozen=True, eq=False)
class ResidualSeries:
    """A symbol's residual and s-score.

    Attributes
    ----------
    time_ms, walk
        Of the window: bar opens and the cumulative residual in % of the price.
    level, spread
        Of the fitted process, in the same unit; NaN where it does not return.
    score_ms, score
        s at earlier bars, as it was known then.
    """

    time_ms: Floats
    walk: Floats
    level: float
    spread: float
    score_ms: Floats
    score: Floats


def residual_figure(
    series: ResidualSeries, symbol: str, *, threshold: float, view_id: str
) -> go.Figure:
    """Draw the cumulative residual with its level, and the s-score below with its thresholds."""
    rows = decimate([series.walk], MAX_POINTS)
    time_ms, walk = series.time_ms[rows], series.walk[rows]
    ends, score_ends = time_ms[[0, -1]], series.score_ms[[0, -1]]
    traces = [
        axes.line(f"Residual of {symbol}", time_ms, walk, number_format="+.3f"),
        *_levels(series, ends, threshold),
        axes.line("s-score", series.score_ms, series.score, "y2", number_format="+.2f"),
        axes.level("Sells above", score_ends, threshold, "y2", theme.SELL),
        axes.level("Buys below", score_ends, -threshold, "y2", theme.BUY),
    ]
    layout = axes.base_layout(view_id) | {
        "xaxis": axes.time_axis(time_ms, anchor="y2"),
        "yaxis": axes.value_axis("Residual (%)", (0.48, 1.0)),
        "yaxis2": axes.value_axis("s-score", (0.0, 0.42)),
    }
    return axes.new_figure(traces, layout)


def _levels(series: ResidualSeries, ends: Floats, threshold: float) -> list[Any]:
    """Draw the level the residual is fitted to, and where s would be at its thresholds."""
    if not np.isfinite(series.level + series.spread):
        return []
    width = threshold * series.spread
    return [
        axes.level("Level", ends, series.level, "y", theme.MUTED),
        axes.level("Sells above, of the window", ends, series.level + width, "y", theme.SELL),
        axes.level("Buys below, of the window", ends, series.level - width, "y", theme.BUY),
    ]
