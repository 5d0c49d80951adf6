"""The hedge ratio in time: its path with a band, over the β of the whole sample."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats
from pages.charts.decimate import MAX_POINTS, decimate
from pages.charts.digits import estimate_decimals, path_decimals

HEIGHT_PX: Final = 340


def beta_figure(
    time_ms: Floats,
    beta: Floats,
    low: Floats,
    high: Floats,
    *,
    level: str,
    fixed: float | None,
    symbol_y: str,
    symbol_x: str,
    view_id: str,
    max_points: int = MAX_POINTS,
) -> go.Figure:
    """Draw the path of β.

    Parameters
    ----------
    time_ms
        Bar open, milliseconds since the epoch, UTC.
    beta, low, high
        Units of S1 for one of S2, and the edges of the band; NaN where not known.
    level
        What the band is, such as "95 % band".
    fixed
        β of the whole sample, a dashed level; None for none.
    symbol_y, symbol_x
        S1 and S2.
    view_id
        Zoom lasts as long as this is the same.
    max_points
        Rows drawn at most, about.
    """
    rows = decimate([beta], max_points) if len(beta) else slice(0)
    drawn_ms = time_ms[rows]
    band = axes.band(level, drawn_ms, low[rows], high[rows])
    path = axes.line("β", drawn_ms, beta[rows], number_format=f",.{path_decimals(beta)}f")
    traces = [band.update(showlegend=bool(np.isfinite(band.y).any())), path]
    layout = axes.base_layout(view_id) | {
        "xaxis": axes.time_axis(drawn_ms),
        "yaxis": axes.value_axis(f"β, {symbol_y} per {symbol_x}"),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }
    layout["margin"]["t"] = 34
    bounds = axes.path_range(beta, low, high)
    if bounds is not None:
        layout["yaxis"]["range"] = bounds
    if fixed is not None and len(drawn_ms):
        traces.append(axes.level("Whole sample", drawn_ms[[0, -1]], fixed, "y", theme.MUTED))
        words = f"whole sample {fixed:,.{estimate_decimals(fixed)}f}".replace("-", "−")
        layout["annotations"] = [axes.level_label(words, fixed, "y", theme.MUTED)]
    return axes.new_figure(traces, layout)
