"""One database as all its windows see it: few connections, and one look for all of them."""

import itertools
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from ingest.errors import StoreError
from ingest.store.connecting import open_for_reading, open_nothing
from ingest.store.future_rows import NEWEST_FIRST, newest_first_bounds
from ingest.store.pieces import LakeStream

# So many windows read at once; each connection is of three files.
_MOST_AT_ONCE: Final = 4
# So many connections stay open while nobody reads.
_MOST_IDLE: Final = 2
_STREAMS: Final = (
    "SELECT market, symbol, kind, stream_id, revision FROM stream AS s"  # noqa: S608
    " WHERE EXISTS (SELECT 1 FROM bar_1s AS b WHERE b.stream_id = s.stream_id)"
    f" OR EXISTS (SELECT 1 FROM kline AS k WHERE k.stream_id = s.stream_id){NEWEST_FIRST}"
)

FileId = tuple[int, int] | None

# Never the same twice in a process, whatever becomes of files and their numbers.
_openings = itertools.count(1)


class StreamSight(NamedTuple):
    """A stream as it was last seen."""

    stream: LakeStream
    stream_id: int
    revision: int


class Sight(NamedTuple):
    """What a look sees: the streams by symbol, of which opening of the file (none is opened twice).

    A file that comes where another was, or none, is opened anew.
    """

    opening: int
    streams: dict[str, StreamSight]


class WindowDatabase:
    """A database that several windows read. Any thread.

    Parameters
    ----------
    path
        The database file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._name = path, os.fspath(path)
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(_MOST_AT_ONCE)
        self._looking: sqlite3.Connection | None = None
        self._seen: int | None = None  # SQLite's own count of foreign commits
        self._sight = Sight(0, {})
        self._file: FileId = None
        self._idle: list[sqlite3.Connection] = []

    def look(self, *, may_be_absent: bool = False) -> Sight:
        """See what was committed since the last look; next to nothing where nothing was.

        Raises
        ------
        StoreError
            No Pairdesk database; or no file, unless it may be absent.
        """
        with self._lock:
            file = self._file_now()
            if file is None and not may_be_absent:
                self._close()
                raise StoreError(f"no database at {self.path}: start the recorder to make one")
            if self._looking is None or file != self._file:
                self._close()
                self._looking = open_nothing() if file is None else open_for_reading(self.path)
                self._file, self._sight = file, Sight(next(_openings), {})
            seen = self._looking.execute("PRAGMA data_version").fetchone()[0]
            if seen != self._seen:
                self._sight = Sight(self._sight.opening, _streams(self._looking))
                self._seen = seen
            return self._sight

    @contextmanager
    def reading(self, opening: int) -> Iterator[sqlite3.Connection]:
        """Lend a connection to what a look saw; one at a time has it."""
        with self._turns:
            connection = self._lent()
            try:
                yield connection
            finally:
                self._give_back(connection, opening)

    def close(self) -> None:
        """Close all connections that nobody reads with; a later look opens them again."""
        with self._lock:
            self._close()

    def __del__(self) -> None:
        """Close what is open once no window is left."""
        self._close()

    def _lent(self) -> sqlite3.Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            is_absent = self._file is None
        return open_nothing() if is_absent else open_for_reading(self.path)

    def _give_back(self, connection: sqlite3.Connection, opening: int) -> None:
        with self._lock:
            if opening == self._sight.opening and self._looking and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _file_now(self) -> FileId:
        try:
            stat = os.stat(self._name)  # noqa: PTH116 - asked 400 times a bar
        except OSError:
            return None
        return (stat.st_dev, stat.st_ino)

    def _close(self) -> None:
        for each in (self._looking, *self._idle):
            if each is not None:
                each.close()
        self._looking, self._seen, self._sight = None, None, Sight(0, {})
        self._idle.clear()


def _streams(connection: sqlite3.Connection) -> dict[str, StreamSight]:
    """Streams that hold anything, by symbol: of several of one symbol the newest."""
    streams: dict[str, StreamSight] = {}
    for market, symbol, kind, *rest in connection.execute(_STREAMS, newest_first_bounds()):
        streams.setdefault(symbol, StreamSight(LakeStream(market, symbol, kind), *rest))
    return streams


_databases: weakref.WeakValueDictionary[Path, WindowDatabase] = weakref.WeakValueDictionary()
_databases_lock = threading.Lock()


def window_database(path: Path) -> WindowDatabase:
    """Find the one that other windows of the same file read with, or make it.

    Its connections are closed once nobody has it any more.
    """
    with _databases_lock:
        database = _databases.get(path.absolute())
        if database is None:
            database = _databases[path.absolute()] = WindowDatabase(path)
        return database
