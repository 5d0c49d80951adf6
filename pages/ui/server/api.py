"""The API: what the desk sees, as JSON for bots and notebooks. It reads, and changes nothing."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.errors import StoreError
from ingest.watch import current_watch
from pages.ui.server import api_reader
from pages.ui.server.api_description import API_PATH, description
from pages.ui.server.api_docs import docs_page
from pages.ui.server.api_events import Events
from pages.ui.server.api_reader import MOST_ALERTS, ApiError
from pages.ui.server.api_stream import EVENT_STREAM, STREAM, Listener
from pages.ui.server.api_tokens import API_BELOW
from pages.ui.server.api_values import state_values, watch_values
from pages.ui.server.health import current_health

_FRESH: Final = {"Cache-Control": "no-store"}
_READING: Final = ("GET", "HEAD")


class Reading:
    """An address that is read, by a function that may wait: it runs in a thread."""

    def __init__(self, answer: Callable[[Request], ASGIApp]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self._answer_to(Request(scope))
        await answer(scope, receive, send)

    async def _answer_to(self, request: Request) -> ASGIApp:
        if request.method not in _READING:
            words = f"{request.method} is not answered: the API is read, by GET"
            return _refused(words, HTTPStatus.METHOD_NOT_ALLOWED, Allow="GET, HEAD")
        try:
            return await run_in_threadpool(self._answer, request)
        except ApiError as error:
            return _refused(str(error), error.status)
        except StoreError as error:
            return _refused(str(error), HTTPStatus.SERVICE_UNAVAILABLE)


def api_routes() -> list[Route]:
    """Return the routes of the API; whatever else lies below it is not there, and says so."""
    answers: dict[str, Callable[[Request], ASGIApp]] = {
        "/state": _state,
        "/pairs": _pairs,
        "/alerts": _alerts,
        "/stream": _stream,
        "/openapi.json": _description,
        "/docs": _docs,
    }
    known = [Route(API_PATH + path, Reading(answer)) for path, answer in answers.items()]
    return [*known, Route(API_BELOW + "{rest:path}", Reading(_nothing))]


def _state(_: Request) -> ASGIApp:
    now_us = time.time_ns() // 1_000
    recorder = current_health(now_us)[1]
    del recorder["version"]
    watch = current_watch()
    values = None if watch is None else watch_values(watch.status(), watch.store.newest_alert_id())
    return _json(state_values(now_us, recorder, values))


def _pairs(request: Request) -> ASGIApp:
    rows = api_reader.pairs(api_reader.watch_of_process(), request.query_params.get("list"))
    return _json({"pairs": rows})


def _alerts(request: Request) -> ASGIApp:
    watch, query = api_reader.watch_of_process(), request.query_params
    since = api_reader.since_number(watch, query.get("since", "0"))
    limit = api_reader.whole_number(
        query.get("limit", str(MOST_ALERTS)), "limit", least=1, most=MOST_ALERTS
    )
    found = api_reader.alerts(watch, since, limit)
    return _json({"alerts": found, "next": found[-1]["number"] if found else since})


def _stream(request: Request) -> ASGIApp:
    """Begin after the alert that a listener had last, and with the next one for a new listener."""
    if request.method == "HEAD":
        return Response(media_type=EVENT_STREAM, headers=_FRESH)
    watch = api_reader.watch_of_process()
    last, since = request.headers.get("last-event-id"), request.query_params.get("since")
    if last is not None:
        number = api_reader.since_number(watch, last, "Last-Event-ID")
    elif since is not None:
        number = api_reader.since_number(watch, since)
    else:
        number = watch.store.newest_alert_id()
    return Listener(STREAM, Events(watch, number))


def _description(_: Request) -> ASGIApp:
    return _json(description())


def _docs(_: Request) -> ASGIApp:
    return HTMLResponse(docs_page(description()), headers=_FRESH)


def _nothing(_: Request) -> ASGIApp:
    raise ApiError(f"nothing is at this address; {API_PATH}/docs says what is where", 404)


def _json(values: object) -> Response:
    return JSONResponse(values, headers=_FRESH)


def _refused(words: str, status: int, **headers: str) -> Response:
    return JSONResponse({"error": words}, status, headers={**_FRESH, **headers})
