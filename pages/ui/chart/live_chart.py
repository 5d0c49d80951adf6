"""Live charts: components around `Plotly.react`, because `st.plotly_chart` forgets the zoom."""

from pathlib import Path
from typing import Final

import orjson
import plotly.graph_objects as go
import streamlit as st

from pages.charts import theme
from pages.charts.plain_text import bounded, plain_json
from pages.ui.chart import plotly_library
from pages.ui.chart.route import CHART_PATH
from pages.ui.chart.script import early_script, loader
from pages.ui.chart.store import ServedChart
from pages.ui.component import component

HERE: Final = Path(__file__).parent

_PLOT = '<p class="pairdesk-chart-error" role="alert"></p>'
_HTML = f'<div class="pairdesk-chart" role="group"><div class="pairdesk-plot"></div>{_PLOT}</div>'
_STREAM_HTML = f"""
<div class="pairdesk-chart" role="group" aria-label="Chart of the pair">
  <div class="pairdesk-bar" role="toolbar" aria-label="What the chart shows">
    <button type="button" class="pairdesk-whole" aria-pressed="true"
      title="Show all of the range">Whole range</button>
    <button type="button" class="pairdesk-follow" aria-pressed="true"
      title="Keep the newest bar in sight">Follow latest</button>
    <button type="button" class="pairdesk-pan" aria-pressed="false"
      title="Drag moves the span instead of choosing a narrower one">Drag to pan</button>
    <button type="button" class="pairdesk-full" aria-pressed="false"
      title="Fill the screen with the chart; Esc leaves">Full screen</button>
    <button type="button" class="pairdesk-png" title="Save this figure as a picture">PNG</button>
  </div>
  <div class="pairdesk-legend" role="group" aria-label="Values, at the crosshair or the latest">
    <span class="pairdesk-at"></span>
    <span class="pairdesk-panels"></span>
  </div>
  <p class="pairdesk-said" aria-live="polite"></p>
  <div class="pairdesk-stage">
    <div class="pairdesk-plot" tabindex="0" role="img" aria-label="Chart, being drawn"></div>
    <div class="pairdesk-cross" hidden></div>
  </div>
  <div class="pairdesk-strip" title="The spread over the whole range; drag the part in sight">
    <canvas aria-hidden="true"></canvas>
    <div class="pairdesk-window" role="slider" tabindex="0" aria-label="Part of the range in sight"
      aria-valuemin="0" aria-valuemax="100" aria-valuenow="50">
      <i data-edge="from"></i><i data-edge="to"></i>
    </div>
  </div>
  {_PLOT}
</div>
"""


_CSS: Final = (HERE / "live_chart.css").read_text(encoding="utf-8")
_mount = component("pairdesk_live_chart", html=_HTML, css=_CSS, script=loader("figure"))
_mount_stream = component(
    "pairdesk_chart_stream", html=_STREAM_HTML, css=_CSS, script=loader("stream")
)


def load_early() -> None:
    """Have the browser load the chart library while the server makes the page."""
    with st.container(key="early"):
        st.html(early_script(), unsafe_allow_javascript=True)


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


def streamed_chart(
    served: ServedChart, *, key: str, label: str, file: str, height_px: int = 780
) -> None:
    """Draw a chart whose data the browser fetches itself, only what it lacks.

    Parameters
    ----------
    served
        Published before; while its version stays, this sends what the browser has already.
    key, label
        As for `live_chart`.
    height_px
        Height on a narrow screen; on others it is what the screen has.
    file
        How the name of the picture that the reader may save begins.
    """
    data = {
        "url": f"{CHART_PATH.lstrip('/')}/{served.token}",
        "version": served.version,
        "plotly_url": plotly_library.PATH.lstrip("/"),
        "key": key,
        "label": bounded(label),
        "file": bounded(file),
        "height": height_px,
    }
    _mount_stream(key=key, data=data)


def chart_payload(figure: go.Figure, label: str, height_px: int) -> bytes:
    """Pack what the browser needs as JSON; arrays travel as base64 of their bytes."""
    head = {
        "plotly_url": plotly_library.PATH.lstrip("/"),
        "css_variables": theme.CSS_VARIABLES,
        "height": height_px,
        "label": bounded(label),
    }
    body = plain_json(figure.to_json(engine="orjson"))
    return orjson.dumps({**head, "figure": orjson.Fragment(body)})
