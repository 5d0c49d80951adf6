"""What a rule would have told: z at each bar, with the bars at which it fired and was over."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats
from pages.charts.decimate import MAX_POINTS, decimate
from pages.ui.parts import formats

HEIGHT_PX: Final = 320
# A level farther off than so many times the largest |z| is not drawn into sight.
FARTHEST: Final = 5.0
LEAST_SPAN: Final = 3.0


@dataclass(frozen=True, eq=False)
class AlertSeries:
    """z of a pair, and what a rule made of it; times in ms of the axis.

    Attributes
    ----------
    time_ms, zscore
        At each bar, as it was known then; NaN where it was not.
    fired_ms, fired_zscore
        Bars at which it fired.
    over_ms, over_zscore
        Bars at which it was over.
    levels
        Thresholds of z; none where the rule looks at something else.
    """

    time_ms: Floats
    zscore: Floats
    fired_ms: Floats
    fired_zscore: Floats
    over_ms: Floats
    over_zscore: Floats
    levels: tuple[float, ...] = ()


def alert_figure(series: AlertSeries, *, zone: str, view_id: str) -> go.Figure:
    """Draw the path of z, the levels, and a mark for each alert.

    Parameters
    ----------
    series
        With a bar at least.
    zone
        Of the times, as the axis names it.
    view_id
        Zoom lasts as long as this is the same.
    """
    rows = decimate([series.zscore], MAX_POINTS)
    time_ms = series.time_ms[rows]
    value_axis = axes.value_axis("z-score") | _in_sight(series)
    traces: list[Any] = [
        axes.line("z-score", time_ms, series.zscore[rows], number_format="+.2f"),
        *(axes.level(_level_name(level), time_ms[[0, -1]], level, "y", theme.MUTED)
          for level in series.levels),
        _marks("Fired", series.fired_ms, series.fired_zscore, theme.SELL, "triangle-down"),
    ]  # fmt: skip
    if len(series.over_ms):
        over = _marks("Over", series.over_ms, series.over_zscore, theme.LEG_Y, "circle-open")
        traces.append(over)
    layout = axes.base_layout(
        view_id, hovermode="closest", margin={"l": 56, "r": 12, "t": 34, "b": 44}
    ) | {
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "xaxis": axes.time_axis(time_ms, zone=zone),
        "yaxis": value_axis,
    }
    return axes.new_figure(traces, layout)


def _level_name(level: float) -> str:
    return formats.with_minus(f"Level {level:g}")


def _in_sight(series: AlertSeries) -> dict[str, Any]:
    """Keep to the path of z where a level is so far off that nothing else could be seen."""
    known = np.abs(series.zscore[np.isfinite(series.zscore)])
    most = max(LEAST_SPAN, float(known.max(initial=0.0)))
    is_far = any(abs(level) > FARTHEST * most for level in series.levels)
    return {"range": [-1.1 * most, 1.1 * most]} if is_far else {}


def _marks(name: str, time_ms: Floats, zscore: Floats, color: str, symbol: str) -> go.Scatter:
    # Where z is not known, as of a leg without trades, the mark stands on the axis.
    return go.Scatter(
        uid=name, name=name, x=time_ms, y=np.nan_to_num(zscore), mode="markers", showlegend=True,
        marker={"color": color, "size": 10, "symbol": symbol, "line": {"width": 2, "color": color}},
        hovertemplate=f"{name}: z %{{y:+.2f}}<extra></extra>",
    )  # fmt: skip
