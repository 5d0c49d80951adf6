"""Residual diagnostics: distribution, normal quantiles and autocorrelation, beside each other."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from pages.charts import axes, theme
from pages.charts.axes import Floats

HEIGHT_PX: Final = 320
SHARE: Final = "%{y:.2f} %"
# Left to right; the gaps between them hold the axis titles.
DOMAINS: Final = {"xaxis": (0.0, 0.27), "xaxis2": (0.37, 0.63), "xaxis3": (0.73, 1.0)}


@dataclass(frozen=True, eq=False)
class ResidualSeries:
    """What is drawn of the residuals; all computed elsewhere.

    Attributes
    ----------
    bin_edges
        Edges of n bins, n + 1 of them, in the residual's unit.
    bin_share, normal_share
        Share of the residuals in each bin, and what a normal of their mean and std would have.
    theoretical, ordered
        Quantiles of the standard normal, and the standardised residuals in order.
    lags, acf
        Lags in bars from 1 on, and the autocorrelation at each.
    acf_bound
        About 95 % of the autocorrelations of unrelated residuals lie within ± this.
    """

    bin_edges: Floats
    bin_share: Floats
    normal_share: Floats
    theoretical: Floats
    ordered: Floats
    lags: Floats
    acf: Floats
    acf_bound: float


def residual_figure(series: ResidualSeries, *, unit: str, view_id: str) -> go.Figure:
    """Draw three panels beside each other.

    Parameters
    ----------
    series
        As computed.
    unit
        Of the residual, for the first panel's axis.
    view_id
        Zoom lasts as long as this is the same.
    """
    traces = [*_histogram(series), *_quantiles(series), *_autocorrelation(series)]
    return axes.new_figure(traces, _layout(series, unit, view_id))


def _panel(name: str, place: str, x: Floats, y: Floats, **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": name,
        "name": name,
        "x": x,
        "y": y,
        "xaxis": f"x{place}",
        "yaxis": f"y{place}",
        "showlegend": False,
        **more,
    }


def _histogram(series: ResidualSeries) -> list[dict[str, Any]]:
    middles = (series.bin_edges[1:] + series.bin_edges[:-1]) / 2
    bars = _panel("Residuals", "", middles, series.bin_share * 100, hovertemplate=SHARE)
    bars |= {"type": "bar", "width": np.diff(series.bin_edges), "marker": {"color": theme.MUTED}}
    line = {"color": theme.SELL, "width": 1.5}
    normal = _panel("Normal", "", middles, series.normal_share * 100, mode="lines", line=line)
    return [bars, normal | {"hovertemplate": SHARE}]


def _quantiles(series: ResidualSeries) -> list[dict[str, Any]]:
    ends = series.theoretical[[0, -1]] if len(series.theoretical) else series.theoretical
    diagonal = _panel("If normal", "2", ends, ends, mode="lines", hoverinfo="skip")
    diagonal["line"] = {"color": theme.SELL, "width": 1, "dash": "dash"}
    points = _panel("Quantiles", "2", series.theoretical, series.ordered, mode="markers")
    points |= {"marker": {"color": theme.SERIES, "size": 4}, "hovertemplate": "%{y:+.2f}"}
    return [diagonal, points]


def _autocorrelation(series: ResidualSeries) -> list[dict[str, Any]]:
    bars = _panel("Autocorrelation", "3", series.lags, series.acf, hovertemplate="%{y:.3f}")
    bars |= {"type": "bar", "width": 0.35, "marker": {"color": theme.SERIES}}
    ends = np.array([0.4, (series.lags[-1] if len(series.lags) else 1) + 0.6])
    bounds = []
    for name, at in (("Upper", series.acf_bound), ("Lower", -series.acf_bound)):
        bound = _panel(name, "3", ends, np.full(2, at), mode="lines", hoverinfo="skip")
        bounds.append(bound | {"line": {"color": theme.SELL, "width": 1, "dash": "dash"}})
    return [bars, *bounds]


def _layout(series: ResidualSeries, unit: str, view_id: str) -> dict[str, Any]:
    layout = axes.base_layout(view_id, hovermode="x", dragmode=False)
    layout["margin"] = {"l": 62, "r": 12, "t": 14, "b": 48}
    layout["bargap"] = 0.04
    titles = {
        "xaxis": f"Residual ({unit})",
        "xaxis2": "Normal quantile (std)",
        "xaxis3": "Lag (bars)",
    }
    for name, title in titles.items():
        place = name.removeprefix("xaxis")
        more = {"anchor": f"y{place}", "ticks": "outside", "tickcolor": theme.GRID, "nticks": 5}
        layout[name] = axes.value_axis(title, DOMAINS[name], **more, showgrid=False)
    top = float(max(series.bin_share.max(initial=0.0), series.normal_share.max(initial=0.0)))
    span = _span(np.r_[series.acf, series.acf_bound, -series.acf_bound])
    layout["yaxis"] = axes.value_axis("Share (%)", range=[0, 106 * (top or 1.0)])
    layout["yaxis2"] = axes.value_axis(
        "Residual (std)", anchor="x2", range=_span(np.r_[series.ordered, series.theoretical])
    )
    layout["yaxis3"] = axes.value_axis("Autocorrelation", anchor="x3", range=span)
    layout["yaxis3"] |= {"zeroline": True, "zerolinecolor": theme.MUTED}
    return layout


def _span(values: Floats) -> list[float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return [-1.0, 1.0]
    low, high = float(known.min()), float(known.max())
    room = 0.06 * ((high - low) or 1.0)
    return [low - room, high + room]
