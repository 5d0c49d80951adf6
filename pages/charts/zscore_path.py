"""The latest z-scores of a pair between its thresholds, small enough for two side by side."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats

HEIGHT_PX: Final = 260


def zscore_path(
    time_ms: Floats,
    zscore: Floats,
    *,
    sell_above: float,
    buy_below: float,
    zone: str,
    view_id: str,
) -> go.Figure:
    """Draw z-scores over time, with both thresholds as levels.

    Parameters
    ----------
    time_ms, zscore
        Of one length; NaN is a hole in the line.
    sell_above, buy_below
        Drawn as level lines, so that the axis includes them.
    zone
        Names the clock of `time_ms`.
    view_id
        Zoom lasts as long as this is the same.
    """
    ends = time_ms[[0, -1]] if len(time_ms) else np.empty(0)
    traces = [
        axes.line("z-score", time_ms, zscore, number_format="+.2f"),
        axes.level("SELL above", ends, sell_above, "y", theme.SELL),
        axes.level("BUY below", ends, buy_below, "y", theme.BUY),
    ]
    layout = axes.base_layout(view_id, margin={"l": 56, "r": 12, "t": 10, "b": 40})
    layout["showlegend"] = False
    layout["xaxis"] = axes.time_axis(time_ms, zone=zone)
    layout["yaxis"] = axes.value_axis("z-score")
    return axes.new_figure(traces, layout)
