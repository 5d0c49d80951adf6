"""Connections to the database, a reader's short transactions, and the instants asked for."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ingest.errors import NewerDatabaseError, StoreError
from ingest.store.file_pages import is_whole, size_in_use
from ingest.store.schema import (
    APPLICATION_ID,
    OLDEST_READABLE,
    PAGE_BYTES,
    SCHEMA_VERSION,
    migrate,
    open_for_writing,
)

Instant = pd.Timestamp | datetime | str | int | None

EVER = (-(2**62), 2**62)  # in microseconds
EVER_S = (-(2**62) // 1_000_000, 2**62 // 1_000_000)


class one_transaction:  # noqa: N801 - reads as a verb where it is used
    """A read transaction: all statements inside see one state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        """Begin."""
        self._connection.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        """End: a reader that kept it open would let the write-ahead log grow."""
        self._connection.execute("COMMIT")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a database that is only read.

    Raises
    ------
    StoreError
        No such file, or not a Pairdesk database of this version; `NewerDatabaseError` of a later
        one.
    """
    if not path.is_file():
        raise StoreError(f"no database at {path}: start the recorder to make one")
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=5.0,
            isolation_level=None,
            check_same_thread=False,
        )
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise StoreError(f"cannot read the database {path}: {error}") from error
    is_readable = OLDEST_READABLE <= version <= SCHEMA_VERSION
    if application_id != APPLICATION_ID or not is_readable:
        connection.close()
        if application_id == APPLICATION_ID and version > SCHEMA_VERSION:
            raise NewerDatabaseError(version, SCHEMA_VERSION)
        older = application_id == APPLICATION_ID and version < SCHEMA_VERSION
        remedy = "; start the recorder on it once to bring it up to date" if older else ""
        raise StoreError(f"{path} is not a Pairdesk database of version {SCHEMA_VERSION}{remedy}")
    return connection


def open_nothing() -> sqlite3.Connection:
    """Open a database without a row, in memory: what there is of one that is not there."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(connection)
    return connection


class WritingConnection:
    """What of the one that writes has nothing to do with trades: its settings, its log, its size.

    Parameters
    ----------
    path
        The database file; its folder is made if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_for_writing(path)

    def setting(self, key: str) -> str | None:
        """A remembered value, or None."""
        row = self._connection.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def remember(self, key: str, value: str) -> None:
        """Keep a value for the next start."""
        self._connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, value))

    def settings(self) -> dict[str, str]:
        """All remembered values."""
        return dict(self._connection.execute("SELECT key, value FROM setting").fetchall())

    def is_whole(self) -> bool:
        """Whether file and log have all pages that SQLite knows of: one cut short has not.

        Of an empty file whoever opens it next throws the log away.
        """
        return is_whole(self._connection, self.path)

    def checkpoint(self) -> int | None:
        """Move what the write-ahead log holds into the database, as far as readers allow.

        Returns the bytes that only the log has after it; None while another program is at it.
        """
        moving = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        is_busy, pages, moved = moving.fetchone()
        return None if is_busy else (pages - moved) * PAGE_BYTES

    def size_bytes(self) -> int:
        """Bytes the database's rows take: its pages in use."""
        return size_in_use(self._connection)


def bounds_us(start: Instant, end: Instant) -> tuple[int, int]:
    """Two instants as microseconds; None is no bound."""
    return (
        EVER[0] if start is None else _microseconds(start),
        EVER[1] if end is None else _microseconds(end),
    )


def utc_time(time_us: int) -> pd.Timestamp:
    """Microseconds since the epoch as a UTC time."""
    return pd.Timestamp(time_us, unit="us", tz="UTC").as_unit("us")


def up(value: int, step: int) -> int:
    """The next multiple of `step` at or above a value."""
    return -(-value // step) * step


def _microseconds(instant: pd.Timestamp | datetime | str | int) -> int:
    if isinstance(instant, int):
        return instant
    stamp = pd.Timestamp(instant)
    stamp = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp.tz_convert(UTC)
    return int(stamp.value // 1000)  # `value` counts nanoseconds, whatever the unit
