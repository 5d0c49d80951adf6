"""The watch's own database: its tables, and a connection that any thread may use."""

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from ingest.errors import NewerDatabaseError, StoreError

APPLICATION_ID: Final = 0x50415757  # "PAWW"
VERSION: Final = 1
_LOCK_WITHIN_S: Final = 1.0  # a process that was killed may still be ending

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE watch_list (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rule (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE silence (
    silence_id INTEGER PRIMARY KEY AUTOINCREMENT,
    until_us INTEGER NOT NULL, rule TEXT, y TEXT, x TEXT, why TEXT NOT NULL
) STRICT;
-- Where each rule stands on each pair, and up to which bar a pair was evaluated: written in the
-- transaction of the alerts that follow from it.
CREATE TABLE rule_state (
    rule TEXT NOT NULL, pair TEXT NOT NULL,
    name TEXT NOT NULL, since_us INTEGER NOT NULL, bars INTEGER NOT NULL,
    is_armed INTEGER NOT NULL, fired_us INTEGER NOT NULL, fired INTEGER NOT NULL, anchor REAL,
    seen_us INTEGER NOT NULL, was_quiet INTEGER NOT NULL,
    PRIMARY KEY (rule, pair)
) STRICT, WITHOUT ROWID;
CREATE TABLE evaluated (pair TEXT PRIMARY KEY, bar_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE alert (
    alert_id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL, kind TEXT NOT NULL,
    bar_us INTEGER NOT NULL, fired_us INTEGER NOT NULL, words TEXT NOT NULL,
    y TEXT NOT NULL, x TEXT NOT NULL, interval TEXT NOT NULL, params TEXT NOT NULL,
    zscore REAL, value REAL, level REAL, signal TEXT NOT NULL,
    suppressed TEXT NOT NULL, channels TEXT NOT NULL, is_forming INTEGER NOT NULL
) STRICT;
CREATE TABLE delivery (
    alert_id INTEGER NOT NULL, channel TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'sending', 'delivered', 'failed', 'suppressed')),
    attempts INTEGER NOT NULL DEFAULT 0, next_us INTEGER NOT NULL DEFAULT 0, ended_us INTEGER,
    error TEXT NOT NULL DEFAULT '', is_repeated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (alert_id, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_by_state ON delivery (state, channel, alert_id);
"""

# While another process writes, it is tried again so long, a moment at a time: whoever reads here
# waits for no more than the moment.
_WRITE_WITHIN_S: Final = 10.0
_BUSY_MS: Final = 20
_AGAIN_S: Final = 0.03


def watch_path(database: Path) -> Path:
    """Return where the watch of a tick database is kept: beside it, and of it alone."""
    stem = database.stem if database.suffix == ".db" else database.name
    return database.with_name(f"{stem}.watch.db")


def try_lock(path: Path) -> FileLock | None:
    """Take the lock beside a watch, of who evaluates and sends; None where another has it.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
    try:
        lock.acquire(timeout=_LOCK_WITHIN_S)
    except Timeout:
        return None
    except OSError as error:
        raise StoreError(f"cannot write beside the watch {path}: {error.strerror}") from error
    return lock


class WatchDatabase:
    """One connection for all threads of the process: what is in a transaction is alone in it.

    A commit is on the disk when it returns.

    Raises
    ------
    StoreError
        The file is no watch database, or cannot be written; `NewerDatabaseError` of a later one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=10.0, isolation_level=None, check_same_thread=False
            )
            self._open()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open the watch {path}: {error}") from error
        self.name = str(self.read("SELECT value FROM meta WHERE key = 'name'")[0][0])

    def _open(self) -> None:
        run = self._connection.execute
        version = run("PRAGMA user_version").fetchone()[0]
        application = run("PRAGMA application_id").fetchone()[0]
        if application not in (0, APPLICATION_ID):
            raise StoreError(f"{self.path} is no watch of Pairdesk: move it away")
        if version > VERSION:
            raise NewerDatabaseError(version, VERSION)
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA busy_timeout = {_BUSY_MS}")
        run("PRAGMA synchronous = FULL")
        if version == 0:
            with self.transaction() as connection:
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(
                    "INSERT INTO meta VALUES ('name', ?), ('revision', 0)", (secrets.token_hex(4),)
                )
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written inside.

        Raises
        ------
        StoreError
            The database cannot be written, for the time being or for good.
        """
        self._lock_for_writing()
        try:
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise StoreError(f"the watch cannot be written: {error}") from error
            except BaseException:
                self._roll_back()
                raise
        finally:
            self._lock.release()

    def _lock_for_writing(self) -> None:
        """Begin a transaction, and keep our own lock; while another process writes, let it go."""
        until_s = time.monotonic() + _WRITE_WITHIN_S
        while True:
            self._lock.acquire()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                self._lock.release()
                if not _is_busy(error) or time.monotonic() > until_s:
                    raise StoreError(f"the watch cannot be written: {error}") from error
            else:
                return
            time.sleep(_AGAIN_S)  # the end of another process's transaction gives no event

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def read(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """Rows of a query.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"the watch cannot be read: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
