"""Which seconds changed behind the newest bar: what a reader that knows the rest reads again.

A reader that holds all bars of some revision reads from its newest bar on, and what stands here
under later revisions: nothing else can have changed. The newest bar and those after it are never
noted, so a live feed in order costs no row at all.
"""

import sqlite3
from collections.abc import Iterable

# A reader further behind than this reads everything again.
KEPT_REVISIONS = 20_000
# Late seconds nearer together than this are noted as one span.
_JOINED_S = 60

_NOTE = (
    "INSERT OR IGNORE INTO repaired"
    " SELECT stream_id, revision + 1, ?, ? FROM stream WHERE stream_id = ?"
)
_FORGET = (
    "DELETE FROM repaired WHERE stream_id = ? AND revision <="
    " (SELECT revision FROM stream WHERE stream_id = ?) - ?"
)
_NEWEST = (
    "SELECT stream_id, (SELECT max(second) FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
    " FROM stream AS s"
)


class RepairLog:
    """Notes what a transaction changes behind the newest bar. Belongs to the writing connection.

    To be made again after a rollback: it knows the newest second of each stream.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        rows: list[tuple[int, int | None]] = connection.execute(_NEWEST).fetchall()
        self._newest = {stream_id: second for stream_id, second in rows if second is not None}

    def note(self, bars: Iterable[tuple[int, int]]) -> None:
        """Note bars ``(stream_id, second)`` that this transaction writes, in any order.

        To be called inside the transaction, before the streams' revision grows.
        """
        late: dict[int, list[int]] = {}
        newest = dict(self._newest)
        for stream_id, second in bars:
            before = self._newest.get(stream_id)
            if before is not None and second < before:
                late.setdefault(stream_id, []).append(second)
            elif second > newest.get(stream_id, -1):
                newest[stream_id] = second
        self._newest = newest
        for stream_id, seconds in late.items():
            for low, high in spans(seconds):
                self.note_span(stream_id, low, high)

    def note_span(self, stream_id: int, low: int, high: int) -> None:
        """Note that seconds from `low` to `high`, both inclusive, may have changed."""
        self._connection.execute(_NOTE, (low, high, stream_id))
        self._connection.execute(_FORGET, (stream_id, stream_id, KEPT_REVISIONS))


def repaired_since(
    connection: sqlite3.Connection, stream_id: int, revision: int
) -> list[tuple[int, int]]:
    """Seconds, both ends inclusive, that later commits than one may have changed."""
    return connection.execute(
        "SELECT low, high FROM repaired WHERE stream_id = ? AND revision > ?",
        (stream_id, revision),
    ).fetchall()


def spans(seconds: Iterable[int], joined_s: int = _JOINED_S) -> list[tuple[int, int]]:
    """Cover seconds by spans, both ends inclusive; those `joined_s` apart or less are joined."""
    joined: list[tuple[int, int]] = []
    for second in sorted(seconds):
        if joined and second - joined[-1][1] <= joined_s:
            joined[-1] = (joined[-1][0], second)
        else:
            joined.append((second, second))
    return joined
