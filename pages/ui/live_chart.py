"""The live chart: a component around `Plotly.react`, because `st.plotly_chart` forgets the zoom."""

from pathlib import Path

import orjson
import plotly.graph_objects as go
import streamlit as st

from pages.charts import theme
from pages.ui.assets import PLOTLY_PATH

_HTML = """
<div class="pairdesk-chart" role="img">
  <div class="pairdesk-plot"></div>
  <p class="pairdesk-chart-error" role="alert"></p>
</div>
"""
_CSS = """
.pairdesk-chart { width: 100%; font-variant-numeric: tabular-nums; }
.pairdesk-chart-error { margin: 0; }
.pairdesk-plot .hoverlayer text { font-variant-numeric: tabular-nums; }
"""

_mount = st.components.v2.component(
    "pairdesk_live_chart",
    html=_HTML,
    css=_CSS,
    js=(Path(__file__).parent / "live_chart.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def live_chart(figure: go.Figure, *, key: str, label: str, height_px: int = 780) -> None:
    """Draw `figure`, or update the plot of that `key` in place.

    Parameters
    ----------
    figure
        Its `uirevision` says which views share zoom and hidden traces.
    key
        Names the plot on the page, as for any widget.
    label
        What the chart shows, for screen readers.
    height_px
        Height of the plot.
    """
    _mount(key=key, data=chart_payload(figure, label, height_px))


def chart_payload(figure: go.Figure, label: str, height_px: int) -> bytes:
    """Pack what the browser needs as JSON; arrays travel as base64 of their bytes."""
    head = {
        "plotly_url": PLOTLY_PATH.lstrip("/"),
        "css_variables": theme.CSS_VARIABLES,
        "height": height_px,
        "label": label,
    }
    body: str = figure.to_json(engine="orjson")
    return orjson.dumps({**head, "figure": orjson.Fragment(body)})
