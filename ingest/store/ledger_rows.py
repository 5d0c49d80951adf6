"""The ledgers as rows of the database: read at the opening, written with each batch."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.store.ledger import Gap, StreamLedger
from ingest.tick import StreamKey


@dataclass(slots=True)
class StreamState:
    """One stream's row id, its ledger, and why a gap would open just now."""

    stream_id: int
    ledger: StreamLedger
    cause: str = "started"
    contradicted_id: int | None = None  # the last id, while the ids that come contradict it
    contradictions: int = 0

    def contradict(self) -> int:
        """Count an id that cannot be of this stream; gives how many came since the last that is."""
        last_id = self.ledger.last_id
        if last_id is None or self.contradicted_id != last_id:
            self.contradicted_id, self.contradictions = last_id, 0
        self.contradictions += 1
        return self.contradictions


def load_ledgers(connection: sqlite3.Connection) -> Iterator[tuple[StreamKey, int, StreamLedger]]:
    """Read each stream's key, row id and ledger; of its gaps those that are not filled."""
    rows = connection.execute(
        "SELECT stream_id, market, symbol, kind, first_id, first_us, last_id, last_us FROM stream"
    ).fetchall()
    for stream_id, market, symbol, kind, first_id, first_us, last_id, last_us in rows:
        gaps = _load_gaps(connection, stream_id)
        ledger = StreamLedger(first_id, first_us or 0, last_id, last_us or 0, gaps)
        yield (market, symbol, kind), stream_id, ledger


def store_ledger(connection: sqlite3.Connection, stream_id: int, ledger: StreamLedger) -> bool:
    """Write a ledger and its changed gaps, in the caller's transaction.

    Returns whether gaps changed.
    """
    connection.execute(
        "UPDATE stream SET revision = revision + 1, first_id = ?, first_us = ?,"
        " last_id = ?, last_us = ? WHERE stream_id = ?",
        (ledger.first_id, ledger.first_us, ledger.last_id, ledger.last_us, stream_id),
    )
    has_changed = bool(ledger.changed)
    for gap in ledger.changed:
        _store_gap(connection, stream_id, gap)
    ledger.changed.clear()
    return has_changed


def _store_gap(connection: sqlite3.Connection, stream_id: int, gap: Gap) -> None:
    cursor = connection.execute(
        "INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            gap.gap_id,
            stream_id,
            gap.first_id,
            gap.last_id,
            gap.from_id,
            gap.to_id,
            gap.after_us,
            gap.before_us,
            gap.cause,
            gap.state,
            gap.reason,
            gap.opened_after_us,
            gap.opened_before_us,
        ),
    )
    gap.gap_id = cursor.lastrowid


def _load_gaps(connection: sqlite3.Connection, stream_id: int) -> list[Gap]:
    rows = connection.execute(
        "SELECT first_id, last_id, from_id, to_id, after_us, before_us, cause, state, reason,"
        " opened_after_us, opened_before_us, gap_id"
        " FROM gap WHERE stream_id = ? AND state <> 'filled' ORDER BY from_id",
        (stream_id,),
    )
    return [Gap(*row) for row in rows]
