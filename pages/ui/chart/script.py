"""The charts' scripts as files of their own: a component's inline script is sent at every refresh.

What Streamlit is given instead only fetches the file, once.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.chart import plotly_library

HERE: Final = Path(__file__).parent
SHARED: Final = ("chart_base.js", "chart_time.js")
FILES: Final = {
    "figure": (*SHARED, "live_chart.js"),
    "stream": (
        *SHARED, "chart_span.js", "chart_tables.js", "chart_fill.js", "chart_legend.js",
        "chart_overview.js", "chart_toolbar.js", "chart_stream.js",
    ),
}  # fmt: skip
_SCRIPTS: Final = {
    name: "\n".join((HERE / file).read_text(encoding="utf-8") for file in files).encode()
    for name, files in FILES.items()
}
_LOADER: Final = """
export default function (component) {
  let isOver = false;
  let stop;
  import(new URL("PATH", document.baseURI).href)
    .then((script) => { if (!isOver) stop = script.default(component); })
    .catch((error) => {
      const place = component.parentElement.querySelector(".pairdesk-chart-error");
      if (place) place.textContent = "The chart could not be loaded: " + error.message;
    });
  return () => { isOver = true; stop?.(); };
}
"""
_EARLY: Final = """
<script>
import(new URL("SCRIPT", document.baseURI).href)
  .then((script) => script.loadPlotly("LIBRARY"))
  .catch(() => {});  // the chart itself says what it lacks
</script>
"""


def script_path(name: str) -> str:
    """Give the address of a script; another content has another one."""
    return f"/pairdesk/{name}-{sha256(_SCRIPTS[name]).hexdigest()[:12]}.js"


def loader(name: str) -> str:
    """Write what a component runs: it fetches the script and hands over to it."""
    return _LOADER.replace("PATH", script_path(name).lstrip("/"))


def early_script() -> str:
    """Write what has a browser load the chart library while the server makes the page."""
    script, library = script_path("stream").lstrip("/"), plotly_library.PATH.lstrip("/")
    return _EARLY.replace("SCRIPT", script).replace("LIBRARY", library)


def script_routes() -> list[Route]:
    """Return the routes of the scripts, which a browser may keep for good."""
    return [Route(script_path(name), _answering(body)) for name, body in _SCRIPTS.items()]


def _answering(body: bytes) -> Callable[[Request], Response]:
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}

    def answer(_: Request) -> Response:
        return Response(body, media_type="text/javascript", headers=headers)

    return answer
