"""What our own server answers beside Streamlit: files that work offline, and the health check."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pages.ui.chart import plotly_library
from pages.ui.chart.route import CHART_PATH, chart
from pages.ui.chart.script import script_routes
from pages.ui.desk.bell_route import BELL_PATH, bell
from pages.ui.desk.pill_route import PILL_PATH, pill
from pages.ui.server.api import api_routes
from pages.ui.server.exposure import probe_routes
from pages.ui.server.file_route import file
from pages.ui.server.health import HEALTH_PATH, healthz
from pages.ui.state.served_files import FILES_PATH

_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def routes() -> list[Route]:
    """Return the routes that the app mounts beside Streamlit's own."""
    return [
        Route(plotly_library.PATH, _plotly),
        Route(HEALTH_PATH, healthz),
        Route(PILL_PATH, pill),
        Route(BELL_PATH, bell),
        Route(CHART_PATH + "/{token}", chart),
        Route(FILES_PATH + "/{token}/{name}", file),
        *api_routes(),
        *script_routes(),
        *probe_routes(),
    ]


def _plotly(request: Request) -> Response:
    """Serve plotly.js as it is kept, compressed; to the rare client that wants it plain, plain."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(plotly_library.script(), media_type="text/javascript", headers=_FOR_GOOD)
    return Response(
        plotly_library.compressed(),
        media_type="text/javascript",
        headers={**_FOR_GOOD, "Content-Encoding": "gzip"},
    )
