"""Heatmaps of a scan: a symbol against a symbol, p-values or correlations."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.charts import theme

CELL_PX: Final = 22
MARGIN_PX: Final = 150
MOST_PX: Final = 900
LEAST_PX: Final = 320
# Above this a p-value says nothing, and shades of nothing would only look like something.
HIGHEST_PVALUE: Final = 0.2


def heatmap_height_px(symbols: int) -> int:
    """Return the height that a heatmap of so many symbols takes."""
    return min(max(MARGIN_PX + CELL_PX * symbols, LEAST_PX), MOST_PX)


def pvalue_heatmap(names: Sequence[str], pvalues: NDArray[np.float64]) -> go.Figure:
    """Draw p-values, dark where small; rows are the dependent legs.

    Parameters
    ----------
    names
        Symbols, from the top and from the left.
    pvalues : ndarray, shape (n, n)
        Of the row's symbol on the column's; NaN is left empty.
    """
    scale = [[0.0, theme.BUY], [0.25, theme.BAND], [1.0, theme.PAPER]]
    return _heatmap(names, pvalues, scale, (0.0, HIGHEST_PVALUE), "p", "%{y} on %{x}<br>p %{z:.4f}")


def correlation_heatmap(names: Sequence[str], correlations: NDArray[np.float64]) -> go.Figure:
    """Draw correlations from -1 (orange) to 1 (blue); both halves are the same."""
    scale = [[0.0, theme.SELL], [0.5, theme.PAPER], [1.0, theme.BUY]]
    return _heatmap(
        names, correlations, scale, (-1.0, 1.0), "r", "%{y} and %{x}<br>correlation %{z:.3f}"
    )


def _heatmap(
    names: Sequence[str],
    values: NDArray[np.float64],
    scale: list[list[object]],
    bounds: tuple[float, float],
    title: str,
    hover: str,
) -> go.Figure:
    trace = go.Heatmap(
        uid="heatmap",
        x=list(names),
        y=list(names),
        z=values.astype(np.float32),
        zmin=bounds[0],
        zmax=bounds[1],
        colorscale=scale,
        hovertemplate=f"{hover}<extra></extra>",
        hoverongaps=False,
        colorbar={"title": {"text": title}, "thickness": 12, "outlinewidth": 0},
        xgap=1 if len(names) <= 60 else 0,
        ygap=1 if len(names) <= 60 else 0,
    )
    figure = go.Figure(data=[trace], layout={"template": "none"})
    figure.update_layout(_layout(names))
    return figure


def _layout(names: Sequence[str]) -> dict[str, object]:
    count = len(names)
    axis = {
        "type": "category",
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": True,
    }
    return {
        "uirevision": f"{count}|{'|'.join(names[:3])}",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": theme.SERIES, "size": theme.FONT_SIZE},
        "hoverlabel": {"bgcolor": theme.PAPER, "bordercolor": theme.GRID},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": theme.MUTED,
            "activecolor": theme.SERIES,
        },
        "margin": {"l": 96, "r": 16, "t": 30, "b": 90},
        # Ranges of their own: the component leaves such axes as they are.
        "xaxis": {**axis, "range": [-0.5, count - 0.5], "tickangle": -60},
        "yaxis": {**axis, "range": [count - 0.5, -0.5]},
    }
