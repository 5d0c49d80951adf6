"""The route by which a chart in the browser fetches what it lacks."""

import gzip
import math
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pages.ui.chart.store import ChartRequest, find_chart

CHART_PATH: Final = "/pairdesk/chart"
# Below this a packet holds it anyway.
COMPRESSED_FROM: Final = 1_200


def chart(request: Request) -> Response:
    """Answer with bytes as `pages.charts.frame.packed` makes them; in a thread, not in the loop."""
    served = find_chart(request.path_params["token"])
    if served is None:
        return PlainTextResponse("This session's chart is gone; load the page again.", 404)
    try:
        chart_request = _chart_request(request)
    except ValueError:
        return PlainTextResponse("from, to, width, had and told are numbers.", 400)
    body = served.answer(chart_request)
    if body is None:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(body) >= COMPRESSED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/octet-stream", headers=headers)


def _chart_request(request: Request) -> ChartRequest:
    query = request.query_params
    start_ms, end_ms = float(query.get("from", "-inf")), float(query.get("to", "inf"))
    if math.isnan(start_ms) or math.isnan(end_ms):
        raise ValueError("a span of time has two ends")
    had, figure_number = query.get("had"), query.get("told")
    return ChartRequest(
        start_ms=start_ms,
        end_ms=end_ms,
        width_px=int(query.get("width", "1000")),
        had=None if had is None else int(had),
        figure_number=None if figure_number is None else int(figure_number),
    )
