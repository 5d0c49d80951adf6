"""Which symbols were written to since the last look: for one who watches many at once."""

import sqlite3
from pathlib import Path

from ingest.errors import StoreError
from ingest.store.bars import SECOND_US
from ingest.store.connecting import open_for_reading
from ingest.store.sources.sqlite_klines import bars_end


class StreamChanges:
    """A look at a database that costs next to nothing while nothing is committed. One thread.

    Parameters
    ----------
    path
        The database file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._seen: int | None = None
        self._revisions: dict[int, int] = {}

    def look(self) -> dict[str, int]:
        """Time of the newest id, µs, of each symbol written to since the last look; 0 without any.

        Where the exchange's own bars end later it is their end: bars alone may be recorded.
        A symbol that is recorded in several streams has the latest of those written to. All are
        named at the first look, and where another file is the database now.

        Raises
        ------
        StoreError
            The file is missing or no Pairdesk database.
        """
        connection = self._open()
        try:
            seen = connection.execute("PRAGMA data_version").fetchone()[0]
            if seen == self._seen:
                return {}
            rows = connection.execute(
                "SELECT stream_id, symbol, revision, coalesce(last_us, 0) FROM stream"
            ).fetchall()
            changed = [row for row in rows if self._revisions.get(row[0]) != row[2]]
            ends_us = {row[0]: bars_end(connection, row[0]) * SECOND_US for row in changed}
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"cannot read the database {self.path}: {error}") from error
        self._seen = seen
        newest: dict[str, int] = {}
        for stream_id, symbol, revision, last_us in changed:
            self._revisions[stream_id] = revision
            newest[symbol] = max(last_us, ends_us[stream_id], newest.get(symbol, 0))
        return newest

    def close(self) -> None:
        """Close the connection; the next look opens it again, and names all symbols."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._seen, self._revisions = None, None, {}

    def _open(self) -> sqlite3.Connection:
        try:
            stat = self.path.stat()
        except OSError:
            self.close()
            raise StoreError(f"no database at {self.path}") from None
        file = (stat.st_dev, stat.st_ino)
        if self._connection is None or file != self._file:
            self.close()
            self._connection, self._file = open_for_reading(self.path), file
        return self._connection
