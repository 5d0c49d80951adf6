"""The charts' scripts as files of their own: a component's inline script is sent at every refresh.

What Streamlit is given instead only fetches them, once: ES modules, served as they are written. The
mark of all of them together is part of their folder's address, so that each finds the others of its
own version by their plain names, and a browser may keep every one for good.
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
# What a component begins with; what it imports follows by itself.
ENTRIES: Final = {"figure": "live_chart.js", "stream": "chart_stream.js"}
_MODULES: Final = {path.name: path.read_bytes() for path in sorted(HERE.glob("*.js"))}
_MARK: Final = sha256(
    b"\0".join(part for name, body in _MODULES.items() for part in (name.encode(), body))
).hexdigest()[:12]
FOLDER: Final = f"/pairdesk/scripts-{_MARK}"
_LOADER: Final = """
import { settled } from "../settled.js";
export default settled((component) => {
  const host = component.parentElement;
  const call = {};
  host.pairdeskCall = call;
  let isOver = false;
  let stop;
  // While the script comes, later data may have come too: only the last is drawn.
  const isWanted = () => !isOver && host.pairdeskCall === call;
  import(new URL("PATH", document.baseURI).href)
    .then((script) => { if (isWanted()) stop = script.default(component); })
    .catch((error) => {
      const place = host.querySelector(".pairdesk-chart-error");
      if (place) place.textContent = "The chart could not be loaded: " + error.message;
    });
  return () => { isOver = true; stop?.(); };
});
"""
# The library first: it is what takes long, and needs none of the other scripts.
_EARLY: Final = """
<script>
import(new URL("BASE", document.baseURI).href)
  .then((base) => base.loadPlotly("LIBRARY"))
  .catch(() => {});  // the chart itself says what it lacks
import(new URL("SCRIPT", document.baseURI).href).catch(() => {});
</script>
"""


def script_path(name: str) -> str:
    """Give the address of what a component begins with; another content has another one."""
    return f"{FOLDER}/{ENTRIES[name]}"


def loader(name: str) -> str:
    """Write what a component runs: it fetches the script and hands over to it."""
    return _LOADER.replace("PATH", script_path(name).lstrip("/"))


def early_script() -> str:
    """Write what has a browser load the chart library while the server makes the page."""
    addresses = {
        "BASE": f"{FOLDER}/chart_base.js",
        "LIBRARY": plotly_library.PATH,
        "SCRIPT": script_path("stream"),
    }
    early = _EARLY
    for name, path in addresses.items():
        early = early.replace(name, path.lstrip("/"))
    return early


def script_routes() -> list[Route]:
    """Return the routes of the scripts, which a browser may keep for good."""
    return [Route(f"{FOLDER}/{name}", _answering(body)) for name, body in _MODULES.items()]


def _answering(body: bytes) -> Callable[[Request], Response]:
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}

    def answer(_: Request) -> Response:
        return Response(body, media_type="text/javascript", headers=headers)

    return answer
