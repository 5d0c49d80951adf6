"""What the API reads of the watch: rows from its board, alerts with their deliveries."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from ingest.errors import IngestError
from ingest.watch import Alert, Delivery, Watch, current_watch
from pages.ui.server.api_values import Json, alert_values, pair_values

MOST_ALERTS: Final = 1_000
_WHOLE: Final = re.compile(r"[0-9]{1,18}")


class ApiError(IngestError):
    """A question that is not answered: one line, and HTTP's number for it."""

    def __init__(self, words: str, status: int) -> None:
        self.status = status
        super().__init__(words)


def watch_of_process() -> Watch:
    """Return the watch.

    Raises
    ------
    ApiError
        There is none.
    """
    watch = current_watch()
    if watch is None:
        raise ApiError("there is no watch: its database could not be opened at the start", 503)
    return watch


def whole_number(text: str, name: str, least: int, most: int) -> int:
    """Read a number of a question.

    Raises
    ------
    ApiError
        It is none, or beyond what it may be.
    """
    if _WHOLE.fullmatch(text) and least <= int(text) <= most:
        return int(text)
    raise ApiError(f"{name} = {text[:40]!r}: must be a whole number from {least} to {most}", 400)


def since_number(watch: Watch, text: str, name: str = "since") -> int:
    """Read the number after which alerts are asked for; an alert's `id` stands for its number.

    Raises
    ------
    ApiError
        It is none; or it is of another database, in which there were more: going on from it
        would pass over what comes.
    """
    newest = watch.store.newest_alert_id()
    of_this_watch = watch.store.public_id(0).removesuffix("0")
    since = whole_number(text.removeprefix(of_this_watch), name, 0, 10**18)
    if since > newest:
        raise ApiError(f"{name} = {since}: the newest alert is {newest}; begin again from 0", 400)
    return since


def pairs(watch: Watch, list_name: str | None) -> list[Json]:
    """Say what is known of every row of every list, or of one.

    Raises
    ------
    ApiError
        No list has that name.
    """
    rows = watch.board.rows()
    if list_name is not None and list_name not in rows:
        raise ApiError(f"no list is named {list_name[:120]!r}", 404)
    names = rows if list_name is None else (list_name,)
    return [pair_values(name, row) for name in names for row in rows[name]]


def alerts(watch: Watch, since: int, limit: int = MOST_ALERTS) -> list[Json]:
    """Say the alerts after a number, oldest first."""
    found = watch.store.alerts(since, limit)
    deliveries = _deliveries(watch, since, found)
    return [
        alert_values(each, watch.store.public_id(each.alert_id), deliveries[each.alert_id])
        for each in found
    ]


def _deliveries(watch: Watch, since: int, found: Sequence[Alert]) -> dict[int, list[Delivery]]:
    """Read the deliveries of these alerts: each has one for each of its channels."""
    by_alert: dict[int, list[Delivery]] = defaultdict(list)
    count = sum(len(each.channels) for each in found)
    for each in watch.store.deliveries(since, count) if count else ():
        by_alert[each.alert_id].append(each)
    return by_alert
