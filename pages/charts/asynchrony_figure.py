"""Two small figures: correlation by interval, and cross-correlation by lag."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme

Floats = NDArray[np.float64]

# A correlation this many errors from zero stands out.
NOISE_ERRORS: Final = 3.0
ROOM: Final = 0.06
MARGIN: Final = {"l": 62, "r": 16, "t": 20, "b": 48}


def correlation_figure(
    intervals: Sequence[str],
    correlation: Floats,
    low: Floats,
    high: Floats,
    *,
    view_id: str,
) -> go.Figure:
    """Draw the correlation of each interval with its 95 % interval.

    Parameters
    ----------
    intervals
        Their names, shortest first: the horizontal axis.
    correlation, low, high
        A value each; NaN where not known.
    view_id
        Zoom lasts as long as this is the same.
    """
    trace = go.Scatter(
        uid="correlation",
        name="Correlation",
        x=list(intervals),
        y=correlation,
        mode="lines+markers",
        line={"color": theme.MUTED, "width": theme.LINE_WIDTH, "dash": "dot"},
        marker={"color": theme.SERIES, "size": 8},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (high - correlation).tolist(),
            "arrayminus": (correlation - low).tolist(),
            "color": theme.SERIES,
            "thickness": 1.2,
            "width": 5,
        },
        hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    figure = axes.new_figure([trace], _layout("Interval", "Correlation of log returns", view_id))
    # The component fits an axis to the points alone: the intervals need room too.
    figure.update_layout(yaxis={"range": fitted(np.r_[correlation, low, high])})
    return figure


def lead_lag_figure(
    lags: Sequence[str], correlation: Floats, stderr: Floats, *, view_id: str
) -> go.Figure:
    """Draw the cross-correlation of each lag over what noise alone would give.

    Parameters
    ----------
    lags
        Their names, in order: the horizontal axis. They are not evenly spaced.
    correlation, stderr
        A value each, and its error where the legs are unrelated at that lag.
    view_id
        Zoom lasts as long as this is the same.
    """
    edges = NOISE_ERRORS * stderr
    names = list(lags)
    noise = go.Scatter(
        uid="noise",
        name=f"Noise, ± {NOISE_ERRORS:g} errors",
        x=[*names, *names[::-1]],
        y=np.r_[edges, -edges[::-1]],
        mode="lines",
        line={"width": 0, "color": theme.BAND},
        fill="toself",
        fillcolor=theme.BAND,
        hoverinfo="skip",
        showlegend=False,
    )
    trace = go.Scatter(
        uid="lead-lag",
        name="Cross-correlation",
        x=names,
        y=correlation,
        mode="lines+markers",
        line={"color": theme.SERIES, "width": theme.LINE_WIDTH},
        marker={"color": theme.SERIES, "size": 6},
        hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    return axes.new_figure([noise, trace], _layout("Lag", "Cross-correlation", view_id))


def fitted(values: Floats) -> list[float]:
    """Fit an axis to the values that are known, with a little room."""
    known = values[np.isfinite(values)]
    if not len(known):
        return [-1.0, 1.0]
    low, high = float(known.min()), float(known.max())
    room = ((high - low) or 1.0) * ROOM
    return [low - room, high + room]


def _layout(x_title: str, y_title: str, view_id: str) -> dict[str, object]:
    return axes.base_layout(view_id, hovermode="closest", dragmode=False, margin=MARGIN) | {
        "xaxis": {
            "type": "category",
            "title": {"text": x_title, "standoff": 6},
            "fixedrange": True,
            "showgrid": False,
            "ticks": "outside",
            "tickcolor": theme.GRID,
        },
        "yaxis": axes.value_axis(y_title, zeroline=True, zerolinecolor=theme.MUTED),
    }
