"""What each setting of a rule came to: window against entry, the chosen one framed."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import axes, theme

Floats = NDArray[np.float64]

HEIGHT_PX: Final = 460
BINS: Final = 30
NULL_PX: Final = 320


def sweep_heatmap(
    windows: Sequence[int],
    entries: Sequence[float],
    values: Floats,
    *,
    chosen: tuple[int, int] | None,
    best: tuple[int, int] | None,
    title: str,
    number_format: str,
    view_id: str,
    trades: Floats | None = None,
) -> go.Figure:
    """Draw a value for each setting: blue above 0, orange below, white at 0.

    Parameters
    ----------
    windows, entries
        Rows, in bars; columns, thresholds of z.
    values : ndarray, shape (windows, entries)
        NaN is left empty.
    chosen, best
        Row and column of the setting that the page shows, and of the best in training.
    title, number_format
        Of the value.
    view_id
        Zoom lasts as long as this is the same.
    trades : ndarray, shape (windows, entries), optional
        Told beside the value.
    """
    known = np.abs(values[np.isfinite(values)])
    widest = float(known.max()) if known.size and known.max() > 0 else 1.0
    names_x, names_y = [f"{each:g}" for each in entries], [f"{each:,}" for each in windows]
    trace = go.Heatmap(
        uid="sweep",
        x=names_x,
        y=names_y,
        z=values,
        text=None if trades is None else _trade_words(trades),
        zmin=-widest,
        zmax=widest,
        colorscale=[[0.0, theme.SELL], [0.5, theme.PAPER], [1.0, theme.BUY]],
        hovertemplate=(
            f"entry %{{x}}, window %{{y}} bars<br>{title} %{{z:{number_format}}}"
            f"{'' if trades is None else '<br>%{text}'}<extra></extra>"
        ),
        hoverongaps=False,
        xgap=1,
        ygap=1,
        colorbar={"title": {"text": title}, "thickness": 12, "outlinewidth": 0},
    )
    layout = axes.base_layout(
        view_id, hovermode="closest", dragmode=False, margin={"l": 76, "r": 16, "t": 20, "b": 48}
    )
    layout |= {
        "xaxis": _names("Entry (|z| or SELL above)", names_x),
        "yaxis": _names("Window (bars)", names_y),
        "shapes": [_frame(place, color, dash) for place, color, dash in (
            (best, theme.MUTED, "dot"), (chosen, theme.SERIES, "solid")
        ) if place is not None],
    }  # fmt: skip
    return axes.new_figure([trace], layout)


def null_figure(
    net: Floats, gross: Floats, observed: tuple[float, float], *, view_id: str
) -> go.Figure:
    """Draw how often the rule came to what on broken legs, and where the real legs stand.

    Parameters
    ----------
    net, gross
        Of each run, % of the capital.
    observed
        Net and gross of the legs as they are.
    """
    both = np.concatenate([net, gross, np.array(observed)])
    low, high = float(both.min()), float(both.max())
    room = (high - low or 1.0) * 0.03
    edges = np.linspace(low - room, high + room, BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    traces = []
    tallest = 0
    for name, values, color in (("net", net, theme.SELL), ("before costs", gross, theme.BUY)):
        counts = np.histogram(values, edges)[0]
        tallest = max(tallest, int(counts.max()))
        traces.append(
            go.Bar(
                uid=f"null-{name}", name=f"Unrelated legs, {name}", x=centres, y=counts,
                marker={"color": theme.faded(color, 0.6)}, width=edges[1] - edges[0],
                hovertemplate="%{x:+.2f} %: %{y} runs<extra></extra>",
            )
        )  # fmt: skip
    layout = axes.base_layout(
        view_id, hovermode="closest", dragmode=False, margin={"l": 60, "r": 16, "t": 44, "b": 48}
    )
    layout |= {
        "barmode": "overlay",
        "xaxis": {
            "title": {"text": "Profit (% of capital)"}, "gridcolor": theme.GRID, "zeroline": True,
            "zerolinecolor": theme.MUTED, "range": [edges[0], edges[-1]],
        },
        "yaxis": axes.value_axis("Runs", range=[0, tallest * 1.15]),
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 11}},
        "shapes": [_upright(observed[0], theme.SELL), _upright(observed[1], theme.BUY)],
        "annotations": [
            _line_label(observed[0], "these legs, net", edges),
            _line_label(observed[1], "these legs, before costs", edges),
        ],
    }  # fmt: skip
    return axes.new_figure(traces, layout)


def _upright(at: float, color: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1,
        "line": {"color": color, "width": 2},
    }  # fmt: skip


def _line_label(at: float, words: str, edges: Floats) -> dict[str, Any]:
    """Name an upright line on the side of it that has more room."""
    is_left = at - edges[0] > edges[-1] - at
    return {
        "text": words, "xref": "x", "x": at, "xanchor": "right" if is_left else "left",
        "yref": "paper", "y": 1.0, "yanchor": "top", "showarrow": False, "borderpad": 3,
        "font": {"size": 11, "color": theme.MUTED},
    }  # fmt: skip


def _trade_words(trades: Floats) -> list[list[str]]:
    return [
        ["" if np.isnan(each) else f"{each:,.0f} trade{'' if each == 1 else 's'}" for each in row]
        for row in trades
    ]


def _names(title: str, names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "category",
        "title": {"text": title, "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "range": [-0.5, len(names) - 0.5],
        "ticks": "",
    }


def _frame(place: tuple[int, int], color: str, dash: str) -> dict[str, Any]:
    row, column = place
    return {
        "type": "rect", "xref": "x", "yref": "y", "x0": column - 0.5, "x1": column + 0.5,
        "y0": row - 0.5, "y1": row + 0.5, "line": {"color": color, "width": 2.5, "dash": dash},
    }  # fmt: skip
