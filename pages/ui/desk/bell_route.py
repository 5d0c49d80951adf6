"""The route by which the bell in the browser asks what fired.

Apart from the bell, whose component Streamlit wants registered after its server is made.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingest.errors import StoreError
from ingest.watch import Alert, WatchStore, current_watch
from pages.ui.parts import formats

BELL_PATH: Final = "/pairdesk/bell"
MOST_ALERTS: Final = 100
LONGEST_WORDS: Final = 240
_HEADERS: Final = {"Cache-Control": "no-store"}


def bell(request: Request) -> JSONResponse:
    """Answer the bell in the browser: the newest alerts with an id above ``since``, oldest first.

    Not a coroutine: what reads the database is not to hold up what else the server does.
    """
    watch = current_watch()
    if watch is None:
        return JSONResponse({"newest": 0, "alerts": []}, headers=_HEADERS)
    try:
        news = news_since(watch.store, _since(request))
    except StoreError as error:
        return JSONResponse({"error": str(error)}, 503, headers=_HEADERS)
    return JSONResponse(news, headers=_HEADERS)


def news_since(store: WatchStore, since: int) -> dict[str, Any]:
    """Give what came after an alert, as the bell takes it.

    Raises
    ------
    StoreError
        The watch's database cannot be read.
    """
    newest = store.newest_alert_id()
    alerts = store.alerts(since, MOST_ALERTS, newest_first=True) if newest > since else ()
    return {"newest": newest, "alerts": [_told(each) for each in reversed(alerts)]}


def desk_name(store: WatchStore) -> str:
    """Name the database whose alerts are counted: of another one nothing was seen."""
    return store.public_id(0).rpartition("-")[0]


def _told(alert: Alert) -> dict[str, Any]:
    pair = " / ".join(filter(None, (alert.y, alert.x))) or "the desk"
    over = " is over" if alert.kind == "resolved" else ""
    return {
        "id": alert.alert_id,
        "kind": alert.kind,
        "head": f"{formats.clipped(alert.rule)}{over}: {pair}",
        "words": formats.with_minus(formats.clipped(alert.words, LONGEST_WORDS)),
        "view": alert.params,
        "suppressed": bool(alert.suppressed),
    }


def _since(request: Request) -> int:
    asked = request.query_params.get("since", "0")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else 0
