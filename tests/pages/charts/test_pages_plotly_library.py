"""The chart library is what its makers publish, fits the figures, and travels compressed."""

import gzip
from hashlib import sha256

import httpx
import pytest
from plotly.offline import get_plotlyjs_version
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from pages.ui.chart import plotly_library
from pages.ui.server.routes import routes


def test_it_is_the_published_file_of_the_version_that_python_writes_figures_for():
    script = plotly_library.script()
    assert sha256(script.encode()).hexdigest() == plotly_library.SHA256
    assert get_plotlyjs_version() == plotly_library.VERSION
    assert f"plotly.js (cartesian - minified) v{plotly_library.VERSION}" in script[:200]


def test_it_may_stand_inside_a_page():
    assert "</script" not in plotly_library.script().lower()


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_a_browser_gets_what_it_takes_and_may_keep_it(accepted):
    # As in Streamlit's server, which would compress it again at every request.
    app = Starlette(routes=routes(), middleware=[Middleware(GZipMiddleware)])
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://desk") as client,
        client.stream("GET", plotly_library.PATH, headers={"Accept-Encoding": accepted}) as answer,
    ):
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding", "identity") == accepted
    if accepted == "gzip":
        assert body == plotly_library.compressed()
        body = gzip.decompress(body)
    assert body.decode() == plotly_library.script()
    assert "immutable" in answer.headers["cache-control"]
