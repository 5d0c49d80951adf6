"""What our own server answers beside Streamlit: files that work offline, and the health check."""

from pathlib import Path

import plotly
from starlette.responses import FileResponse
from starlette.routing import Route

from pages.ui.chart_route import CHART_PATH, chart
from pages.ui.chart_script import script_routes
from pages.ui.health import HEALTH_PATH, PILL_PATH, healthz, pill

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# The version is part of the address, so that the browser may keep the file for good.
PLOTLY_PATH = f"/pairdesk/plotly-{plotly.__version__}.min.js"


def routes() -> list[Route]:
    """Return the routes that the app mounts beside Streamlit's own."""
    return [
        Route(PLOTLY_PATH, _plotly),
        Route(HEALTH_PATH, healthz),
        Route(PILL_PATH, pill),
        Route(CHART_PATH + "/{token}", chart),
        *script_routes(),
    ]


async def _plotly(request: object) -> FileResponse:  # noqa: ARG001 - Starlette passes the request
    """Serve plotly.js from the installed package."""
    return FileResponse(
        PLOTLY_FILE,
        media_type="text/javascript",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
