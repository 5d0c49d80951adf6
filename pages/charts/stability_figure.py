"""The stability figure: β with its band, p-value, half-life and CUSUM over one UTC axis."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme
from pages.charts.decimate import decimate
from pages.charts.digits import path_decimals

Floats = NDArray[np.float64]

# Bottom to top; the gaps between them carry nothing.
DOMAINS: Final = {
    "yaxis": (0.74, 1.0),
    "yaxis2": (0.49, 0.70),
    "yaxis3": (0.245, 0.45),
    "yaxis4": (0.0, 0.205),
}
MAX_POINTS: Final = 1_000
# Half-lives beyond this many windows are no news: the window cannot tell them from a random walk.
SHOWN_WINDOWS: Final = 2.0


@dataclass(frozen=True, eq=False)
class StabilitySeries:
    """What is drawn: arrays of one length for the windows, of another for the CUSUM.

    Attributes
    ----------
    time_ms
        Last bar of each window, milliseconds since the epoch, UTC.
    beta, low, high
        Hedge ratio of each window with the edges of its 95 % band; NaN where not known.
    pvalue
        Engle-Granger p-value of each window.
    half_life
        Bars; NaN where there is none.
    cusum_time_ms, cusum
        Scaled running sum of the residuals, a row a bar; NaN at missing bars. May be empty.
    """

    time_ms: Floats
    beta: Floats
    low: Floats
    high: Floats
    pvalue: Floats
    half_life: Floats
    cusum_time_ms: Floats
    cusum: Floats


def stability_figure(
    series: StabilitySeries, *, level: float, cusum_critical: float, window: int, view_id: str
) -> go.Figure:
    """Draw four linked panels.

    Parameters
    ----------
    series
        As computed; the CUSUM is thinned to about `MAX_POINTS` rows.
    level
        Significance level, a line in the panel of the p-value.
    cusum_critical
        Critical value of the CUSUM at that level, drawn on both sides of zero; NaN for none.
    window
        Bars of each window: the half-life's axis ends at twice that.
    view_id
        Zoom and hidden traces last as long as this is the same.
    """
    rows = decimate([series.cusum], MAX_POINTS) if len(series.cusum) else slice(0)
    cusum_ms, cusum = series.cusum_time_ms[rows], series.cusum[rows]
    times = [series.time_ms, cusum_ms]
    span = np.array([min(t.min() for t in times if len(t)), max(t.max() for t in times if len(t))])
    digits = f",.{path_decimals(series.beta)}f"
    traces = [
        axes.band("95 % band of β", series.time_ms, series.low, series.high),
        _line("β", series.time_ms, series.beta, "y", digits, mode="lines+markers"),
        axes.level("Level", span, level, "y2", theme.SELL),
        _line("p-value", series.time_ms, series.pvalue, "y2", ".3f", mode="lines+markers"),
        _line("Half-life", series.time_ms, series.half_life, "y3", ",.1f", mode="lines+markers"),
        _line("CUSUM", cusum_ms, cusum, "y4", "+.3f"),
    ]
    if len(cusum) and np.isfinite(cusum_critical):
        traces += [
            axes.level(f"CUSUM critical {side:+g}", span, side, "y4", theme.SELL)
            for side in (cusum_critical, -cusum_critical)
        ]
    return axes.new_figure(traces, _layout(series, span, level, window, view_id))


def _line(
    name: str, time_ms: Floats, values: Floats, axis: str, number_format: str, mode: str = "lines"
) -> go.Scatter:
    line = axes.line(name, time_ms, values, axis, number_format=number_format)
    return line.update(mode=mode, marker={"color": theme.SERIES, "size": 4})


def _layout(
    series: StabilitySeries, span: Floats, level: float, window: int, view_id: str
) -> dict[str, object]:
    return axes.base_layout(view_id) | {
        "xaxis": axes.time_axis(span, anchor="y4", title="UTC, last bar of each window"),
        "annotations": [
            axes.level_label(f"level {level * 100:g} %", level, "y2", theme.SELL),
        ],
        **_value_axes(series, window),
    }


def _value_axes(series: StabilitySeries, window: int) -> dict[str, object]:
    titles = {
        "yaxis": "β with 95 % band",
        "yaxis2": "Engle-Granger p",
        "yaxis3": "Half-life (bars)",
        "yaxis4": "CUSUM",
    }
    value_axes = {
        name: axes.value_axis(title, DOMAINS[name], nticks=5) for name, title in titles.items()
    }
    bounds = axes.path_range(series.beta, series.low, series.high)
    if bounds is not None:
        value_axes["yaxis"]["range"] = bounds
    value_axes["yaxis2"]["range"] = [-0.04, 1.04]
    value_axes["yaxis3"]["range"] = half_life_range(series.half_life, window)
    return dict(value_axes)


def half_life_range(half_life: Floats, window: int) -> list[float]:
    """Fit the half-life's axis, but to no more than twice the window: near a unit root it soars."""
    known = half_life[np.isfinite(half_life)]
    top = float(known.max()) if len(known) else float(window)
    return [0.0, 1.06 * min(top, SHOWN_WINDOWS * window)]
