"""Live charts: components around `Plotly.react`, because `st.plotly_chart` forgets the zoom."""

from pathlib import Path
from typing import Final

import orjson
import plotly.graph_objects as go
import streamlit as st

from pages.charts import theme
from pages.ui import plotly_library
from pages.ui.chart_route import CHART_PATH
from pages.ui.chart_script import loader, script_path
from pages.ui.chart_store import ServedChart

HERE: Final = Path(__file__).parent
SPANS: Final = (("15m", 900), ("1h", 3_600), ("4h", 14_400), ("24h", 86_400), ("All", 0))

_PLOT = '<p class="pairdesk-chart-error" role="alert"></p>'
_HTML = f'<div class="pairdesk-chart" role="group"><div class="pairdesk-plot"></div>{_PLOT}</div>'
_SPAN_BUTTONS = "".join(
    f'<button type="button" data-span="{seconds}" aria-pressed="false" disabled>{name}</button>'
    for name, seconds in SPANS
)
_STREAM_HTML = f"""
<div class="pairdesk-chart" role="group" aria-label="Chart of the pair">
  <div class="pairdesk-bar" role="toolbar" aria-label="What the chart shows">
    <span role="group" aria-label="Time span">{_SPAN_BUTTONS}</span>
    <button type="button" class="pairdesk-follow" aria-pressed="true"
      title="Keep the newest bar in sight">Follow latest</button>
    <button type="button" class="pairdesk-pan" aria-pressed="false"
      title="Drag moves the span instead of choosing a narrower one">Drag to pan</button>
    <button type="button" class="pairdesk-png" title="Save this figure as a picture">PNG</button>
  </div>
  <div class="pairdesk-plot" tabindex="0" role="img" aria-label="Chart, being drawn"></div>
  {_PLOT}
</div>
"""


_CSS: Final = (HERE / "live_chart.css").read_text(encoding="utf-8")
_mount = st.components.v2.component(
    "pairdesk_live_chart",
    html=_HTML,
    css=_CSS,
    js=loader("figure"),
    isolate_styles=False,
)
_mount_stream = st.components.v2.component(
    "pairdesk_chart_stream",
    html=_STREAM_HTML,
    css=_CSS,
    js=loader("stream"),
    isolate_styles=False,
)
_EARLY = """
<script>
import(new URL("SCRIPT", document.baseURI).href)
  .then((script) => script.loadPlotly("LIBRARY"))
  .catch(() => {});  // the chart itself says what it lacks
</script>
"""


def load_early() -> None:
    """Have the browser load the chart library while the server makes the page."""
    script, library = script_path("stream").lstrip("/"), plotly_library.PATH.lstrip("/")
    told = _EARLY.replace("SCRIPT", script).replace("LIBRARY", library)
    with st.container(key="early"):
        st.html(told, unsafe_allow_javascript=True)


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
    key, label, height_px
        As for `live_chart`.
    file
        Name of the picture that the reader may save, without ending.
    """
    data = {
        "url": f"{CHART_PATH.lstrip('/')}/{served.token}",
        "version": served.version,
        "plotly_url": plotly_library.PATH.lstrip("/"),
        "key": key,
        "label": label,
        "file": file,
        "height": height_px,
    }
    _mount_stream(key=key, data=data)


def chart_payload(figure: go.Figure, label: str, height_px: int) -> bytes:
    """Pack what the browser needs as JSON; arrays travel as base64 of their bytes."""
    head = {
        "plotly_url": plotly_library.PATH.lstrip("/"),
        "css_variables": theme.CSS_VARIABLES,
        "height": height_px,
        "label": label,
    }
    body: str = figure.to_json(engine="orjson")
    return orjson.dumps({**head, "figure": orjson.Fragment(body)})
