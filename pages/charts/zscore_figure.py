"""What z says: its way, how it is distributed, and the spread's next change against it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats

HEIGHT_PX: Final = 340
PATH_HEIGHT_PX: Final = 260
SHARE: Final = "%{y:.2f} %"


@dataclass(frozen=True, eq=False)
class ZscoreShares:
    """Shares of z in equal bins, as counted, as fitted and of a walk; NaN where not known."""

    bin_edges: Floats
    share: Floats
    fitted_share: Floats
    walk_share: Floats


@dataclass(frozen=True, eq=False)
class ZscoreChanges:
    """Mean change of the spread in groups of held-out bars by z, and slopes through their mean."""

    mean_zscore: Floats
    mean_change: Floats
    slope: float
    walk_slope: float


def zscore_figure(
    shares: ZscoreShares, *, sell_above: float, buy_below: float, fitted: str, view_id: str
) -> go.Figure:
    """Draw the histogram of z with what was fitted, a walk, and the thresholds.

    Parameters
    ----------
    shares
        As computed.
    sell_above, buy_below
        Drawn as upright lines.
    fitted
        What the fitted process is called.
    view_id
        Zoom lasts as long as this is the same.
    """
    middles = (shares.bin_edges[1:] + shares.bin_edges[:-1]) / 2
    seen = _trace("This pair", middles, shares.share * 100)
    seen |= {"type": "bar", "width": np.diff(shares.bin_edges), "marker": {"color": theme.MUTED}}
    seen["opacity"] = 0.6
    top = 106 * float(
        max(np.nanmax(each, initial=0.0) for each in (shares.share, shares.fitted_share))
    )
    if np.isfinite(shares.walk_share).any():
        top = max(top, 106 * float(np.nanmax(shares.walk_share)))
    limits = [
        _line(name, np.full(2, at), np.array([0.0, top]), color, "dot") | {"showlegend": False}
        for name, at, color in (
            ("Sell above", sell_above, theme.SELL),
            ("Buy below", buy_below, theme.BUY),
        )
    ]
    traces = [
        seen,
        _line(fitted, middles, shares.fitted_share * 100, theme.SERIES),
        *([_line("A walk", middles, shares.walk_share * 100, theme.LEG_X, "dash")]
          if np.isfinite(shares.walk_share).any() else []),
        *limits,
    ]  # fmt: skip
    layout = _layout("z-score", "Share of bars (%)", view_id)
    layout["yaxis"] |= {"range": [0, top or 1.0]}
    return axes.new_figure(traces, layout)


def change_figure(changes: ZscoreChanges, *, horizon: str, unit: str, view_id: str) -> go.Figure:
    """Draw the spread's next change against z, with the slope found and that of walks.

    Parameters
    ----------
    changes
        As computed, of held-out bars alone.
    horizon
        Over how many bars the change is: ``"12 bars"``.
    unit
        Of the spread.
    view_id
        Zoom lasts as long as this is the same.
    """
    z, change = changes.mean_zscore, changes.mean_change
    ends = z[[0, -1]]
    points = _trace("Held-out bars", z, change) | {
        "mode": "markers",
        "marker": {"color": theme.SERIES, "size": 7},
        "hovertemplate": "z %{x:+.2f}: %{y:.4g}",
    }
    middle, centre = float(change.mean()), float(z.mean())
    slopes = [
        _line(name, ends, middle + slope * (ends - centre), color, dash)
        for name, slope, color, dash in (
            ("Slope found", changes.slope, theme.SERIES, "solid"),
            ("Slope of a walk", changes.walk_slope, theme.LEG_X, "dash"),
        )
    ]
    layout = _layout("z-score now", f"Change in the next {horizon} ({unit})", view_id)
    layout["yaxis"] |= {"zeroline": True, "zerolinecolor": theme.GRID}
    return axes.new_figure([points, *slopes], layout)


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


def _trace(name: str, x: Floats, y: Floats) -> dict[str, Any]:
    return {"type": "scatter", "uid": name, "name": name, "x": x, "y": y, "hovertemplate": SHARE}


def _line(name: str, x: Floats, y: Floats, color: str, dash: str = "solid") -> dict[str, Any]:
    line = {"color": color, "width": theme.LINE_WIDTH, "dash": dash}
    return _trace(name, x, y) | {"mode": "lines", "line": line, "hoverinfo": "skip"}


def _layout(x_title: str, y_title: str, view_id: str) -> dict[str, Any]:
    layout = axes.base_layout(view_id, hovermode="closest", dragmode=False)
    layout["margin"] = {"l": 70, "r": 12, "t": 34, "b": 48}
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    layout["bargap"] = 0.04
    layout["xaxis"] = axes.value_axis(x_title, ticks="outside", tickcolor=theme.GRID)
    layout["xaxis"] |= {"showgrid": False}
    layout["yaxis"] = axes.value_axis(y_title)
    return layout
