"""The route by which the bell in the browser asks what fired.

Apart from the bell, whose component Streamlit wants registered after its server is made.
"""

from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingest.errors import StoreError
from ingest.recorder import current_recorder
from ingest.watch import Alert, WatchStore, current_watch
from pages.ui.desk.recording import now_us
from pages.ui.desk.watching import alert_link
from pages.ui.parts import formats

BELL_PATH: Final = "/pairdesk/bell"
MOST_ALERTS: Final = 100
LONGEST_WORDS: Final = 240
SECOND_US: Final = 1_000_000
_HEADERS: Final = {"Cache-Control": "no-store"}


def bell(request: Request) -> JSONResponse:
    """Answer the bell in the browser: the newest alerts with an id above ``since``, oldest first.

    Not a coroutine: what reads the database is not to hold up what else the server does.
    """
    watch = current_watch()
    if watch is None:
        return JSONResponse({"newest": 0, "alerts": [], "silenced": ""}, headers=_HEADERS)
    try:
        news = news_since(watch.store, _since(request), now_us(current_recorder()))
    except StoreError as error:
        return JSONResponse({"error": str(error)}, 503, headers=_HEADERS)
    return JSONResponse(news, headers=_HEADERS)


def news_since(store: WatchStore, since: int, at_us: int) -> dict[str, Any]:
    """Give what came after an alert, as the bell takes it, and what is silenced at a time.

    Raises
    ------
    StoreError
        The watch's database cannot be read.
    """
    newest = store.newest_alert_id()
    alerts = store.alerts(since, MOST_ALERTS, newest_first=True) if newest > since else ()
    return {
        "newest": newest,
        "alerts": [_alert_entry(each, at_us) for each in reversed(alerts)],
        "silenced": silenced(store, at_us),
    }


def silenced(store: WatchStore, at_us: int) -> str:
    """Say until when the desk is silenced, or a part of it; nothing where none is."""
    lasting = [each for each in store.silences() if each.until_us > at_us]
    whole = [each.until_us for each in lasting if each.rule is None and each.y is None]
    if not lasting:
        return ""
    until_us = max(whole or [each.until_us for each in lasting])
    until = datetime.fromtimestamp(until_us / SECOND_US, UTC)
    is_today = until.date() == datetime.fromtimestamp(at_us / SECOND_US, UTC).date()
    when = f"{until:%H:%M}" if is_today else f"{until:%Y-%m-%d %H:%M}"
    return f"{'silenced' if whole else 'partly silenced'} until {when} UTC"


def desk_name(store: WatchStore) -> str:
    """Name the database whose alerts are counted: of another one nothing was seen."""
    return store.public_id(0).rpartition("-")[0]


def _alert_entry(alert: Alert, at_us: int) -> dict[str, Any]:
    legs = [each for each in (alert.y, alert.x) if each]
    pair = " / ".join(legs) or "the desk"
    said = alert.words.removeprefix(f"{'/'.join(legs)}: ")  # the head names the pair
    over = " is over" if alert.kind == "resolved" else ""
    return {
        "id": alert.alert_id,
        "kind": alert.kind,
        "head": f"{formats.clipped(alert.rule)}{over}: {pair}",
        "words": formats.with_minus(formats.clipped(said, LONGEST_WORDS)),
        "view": alert_link(alert, at_us),
        "suppressed": bool(alert.suppressed),
    }


def _since(request: Request) -> int:
    asked = request.query_params.get("since", "0")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else 0
