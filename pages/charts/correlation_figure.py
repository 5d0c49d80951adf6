"""The rolling correlation of a pair in time."""

from typing import Final

import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats
from pages.charts.decimate import MAX_POINTS, decimate

HEIGHT_PX: Final = 300


def correlation_path_figure(
    time_ms: Floats,
    correlation: Floats,
    *,
    on: str,
    window: int,
    view_id: str,
    max_points: int = MAX_POINTS,
) -> go.Figure:
    """Draw the rolling correlation over a level at zero.

    Parameters
    ----------
    time_ms
        Bar open, milliseconds since the epoch, UTC.
    correlation
        Trailing Pearson correlation; NaN where the window is not full.
    on
        Of what: "log returns" or "prices".
    window
        Bars in it.
    view_id
        Zoom lasts as long as this is the same.
    max_points
        Rows drawn at most, about.
    """
    rows = decimate([correlation], max_points) if len(correlation) else slice(0)
    drawn_ms = time_ms[rows]
    traces = [axes.line("Correlation", drawn_ms, correlation[rows], number_format=".3f")]
    if len(drawn_ms):
        traces.insert(0, axes.level("Zero", drawn_ms[[0, -1]], 0.0, "y", theme.MUTED))
    layout = axes.base_layout(view_id) | {
        "xaxis": axes.time_axis(drawn_ms),
        "yaxis": axes.value_axis(f"Correlation of {on}, {window:,} bars"),
    }
    return axes.new_figure(traces, layout)
