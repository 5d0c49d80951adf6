"""What a listener of the stream is told: each alert after the one it had, each change of a signal.

The words are those of server-sent events (WHATWG HTML, 9.2): an alert's number is the event's id,
by which a listener that was cut off goes on, without a loss and without hearing one twice.
"""

import json
import threading
from collections.abc import Mapping
from typing import Final

from ingest.watch import Watch, Watched, WatchRow
from pages.ui.server import api_reader
from pages.ui.server.api_values import Json, pair_values

# Alerts that are read at once; a listener that has more to catch up with comes again at once.
AT_ONCE: Final = 200

Rows = Mapping[str, tuple[WatchRow, ...]]
Place = tuple[str, Watched]


class Signals:
    """The rows that have a signal, by list and pair: found once for all listeners."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Rows | None = None
        self._found: Mapping[Place, WatchRow] = {}

    def of(self, rows: Rows) -> Mapping[Place, WatchRow]:
        """Find them; the same object for the same rows."""
        with self._lock:
            if rows is not self._rows:
                self._rows, self._found = rows, _with_signal(rows)
            return self._found


_SIGNALS: Final = Signals()


class Events:
    """What one listener has not had yet.

    Parameters
    ----------
    watch
        Whose alerts and rows.
    since
        Number of the last alert that the listener had.
    """

    def __init__(self, watch: Watch, since: int) -> None:
        self._watch, self._since = watch, since
        self._known = _SIGNALS.of(watch.board.rows())

    def take(self) -> bytes:
        """Return what came since the last call, as it goes out; nothing where nothing did.

        Raises
        ------
        StoreError
            The watch cannot be read: the listener comes again, and misses nothing.
        """
        return b"".join((*self._alerts(), *self._signals()))

    def _alerts(self) -> list[bytes]:
        if self._watch.store.newest_alert_id() <= self._since:
            return []
        found = api_reader.alerts(self._watch, self._since, AT_ONCE)
        self._since = max([self._since, *(int(str(each["number"])) for each in found)])
        return [_event("alert", each, each["number"]) for each in found]

    def _signals(self) -> list[bytes]:
        before, self._known = self._known, _SIGNALS.of(self._watch.board.rows())
        if before is self._known:
            return []
        return [
            _event("signal", {**pair_values(place[0], row), "previous": _signal(before.get(place))})
            for place, row in self._known.items()
            if _signal(row) != _signal(before.get(place))
        ]


def _with_signal(rows: Rows) -> dict[Place, WatchRow]:
    return {(name, row.pair): row for name, each in rows.items() for row in each if row.reading}


def _signal(row: WatchRow | None) -> str | None:
    return None if row is None or row.reading is None else row.reading.signal


def _event(kind: str, values: Json, number: object = None) -> bytes:
    head = "" if number is None else f"id: {number}\n"
    data = json.dumps(values, allow_nan=False, separators=(",", ":"))
    return f"{head}event: {kind}\ndata: {data}\n\n".encode()
