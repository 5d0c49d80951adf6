"""Files the pages need from our own server, so that they work without the Internet."""

from pathlib import Path

import plotly
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Route

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# The version is part of the address, so that the browser may keep the file for good.
PLOTLY_PATH = f"/pairdesk/plotly-{plotly.__version__}.min.js"


def routes() -> list[BaseRoute]:
    """Return the routes that the app mounts beside Streamlit's own."""
    return [Route(PLOTLY_PATH, _plotly)]


async def _plotly(request: object) -> FileResponse:  # noqa: ARG001 - Starlette passes the request
    """Serve plotly.js from the installed package."""
    return FileResponse(
        PLOTLY_FILE,
        media_type="text/javascript",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
