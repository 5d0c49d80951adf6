"""The database's tables, their version, and how an older file becomes a newer one."""

import sqlite3
from pathlib import Path

from ingest.errors import NewerDatabaseError, StoreError

APPLICATION_ID = 0x50414952  # "PAIR"

# Prices and quantities are integers in units of 1e-8 where that is exact (n / 1e8 then gives back
# the printed decimal: both are exact doubles and division rounds correctly), else the float itself.
UNITS = 100_000_000
EXACT_UNITS = 2**53  # below it every whole number is a double

# Rows of several symbols go into the middle of the tables, which splits pages: larger ones are
# fuller, 54.8 bytes a tick with bars in place of 55.4 at 4,096. Only a new file takes it.
PAGE_BYTES = 8192
_WAL_KEPT_BYTES = 64_000_000  # what the log's file is cut back to after a long reader is gone

_VERSION_1 = """
CREATE TABLE stream (
    stream_id INTEGER PRIMARY KEY,
    market    TEXT NOT NULL CHECK (market IN ('spot', 'usdm')),
    symbol    TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('aggTrade', 'trade')),
    revision  INTEGER NOT NULL DEFAULT 0,  -- grows with every commit that touches the stream
    first_id  INTEGER, first_us INTEGER,   -- the ledger's edges: ids between are stored or in a gap
    last_id   INTEGER, last_us  INTEGER,
    UNIQUE (market, symbol, kind)
) STRICT;

-- The id is the key: a replay inserts nothing twice, two trades of one millisecond are two rows.
CREATE TABLE tick (
    stream_id INTEGER NOT NULL,
    trade_id  INTEGER NOT NULL CHECK (trade_id >= 0),
    time_us   INTEGER NOT NULL CHECK (time_us > 0),
    received_delta_us INTEGER NOT NULL,    -- received_us - time_us
    price     ANY NOT NULL CHECK (price > 0 AND price < 9e999),
    quantity  ANY NOT NULL CHECK (quantity > 0 AND quantity < 9e999),
    flags     INTEGER NOT NULL,            -- trades * 2 + buyer_is_maker
    PRIMARY KEY (stream_id, trade_id)
) STRICT, WITHOUT ROWID;

-- Events that take up an id but are no trade.
CREATE TABLE non_trade (
    stream_id INTEGER NOT NULL,
    trade_id  INTEGER NOT NULL,
    time_us   INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (stream_id, trade_id)
) STRICT, WITHOUT ROWID;

-- One-second bars, written in the same transaction as their ticks. Volume in units of 1e-8.
CREATE TABLE bar_1s (
    stream_id INTEGER NOT NULL,
    second    INTEGER NOT NULL,
    open REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL, close REAL NOT NULL,
    volume    ANY NOT NULL,
    trades    INTEGER NOT NULL,
    open_us   INTEGER NOT NULL, open_id  INTEGER NOT NULL,
    close_us  INTEGER NOT NULL, close_id INTEGER NOT NULL,
    first_id  INTEGER NOT NULL, last_id  INTEGER NOT NULL,
    PRIMARY KEY (stream_id, second)
) STRICT, WITHOUT ROWID;

CREATE TABLE gap (
    gap_id    INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    first_id  INTEGER NOT NULL, last_id  INTEGER NOT NULL,   -- as it opened
    from_id   INTEGER NOT NULL, to_id    INTEGER NOT NULL,   -- still missing
    after_us  INTEGER NOT NULL, before_us INTEGER NOT NULL,
    cause     TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('open', 'filled', 'absent', 'expired'))
) STRICT;
CREATE INDEX gap_by_stream ON gap (stream_id, state);

CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE VIEW tick_data AS
SELECT s.market, s.symbol, s.kind AS stream, t.trade_id, t.time_us,
       t.time_us + t.received_delta_us AS received_us,
       CASE typeof(t.price) WHEN 'integer' THEN t.price / 1e8 ELSE t.price END AS price,
       CASE typeof(t.quantity) WHEN 'integer' THEN t.quantity / 1e8 ELSE t.quantity END AS quantity,
       t.flags & 1 AS buyer_is_maker
FROM tick AS t JOIN stream AS s USING (stream_id);
"""

_VERSION_2 = """
ALTER TABLE gap ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE gap ADD COLUMN opened_after_us  INTEGER NOT NULL DEFAULT 0;  -- its span as it opened
ALTER TABLE gap ADD COLUMN opened_before_us INTEGER NOT NULL DEFAULT 0;
UPDATE gap SET opened_after_us = after_us, opened_before_us = before_us;

-- The exchange's own bars, where no ticks are: before a stream's first tick, and in given-up gaps.
CREATE TABLE kline (
    stream_id INTEGER NOT NULL,
    length_s  INTEGER NOT NULL CHECK (length_s > 0),
    second    INTEGER NOT NULL,
    open REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL, close REAL NOT NULL,
    volume    ANY NOT NULL,
    trades    INTEGER NOT NULL,
    PRIMARY KEY (stream_id, length_s, second)
) STRICT, WITHOUT ROWID;

-- Frames that were no known message: the newest few, for a person to look at.
CREATE TABLE quarantine (
    number      INTEGER PRIMARY KEY,
    received_us INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    excerpt     TEXT NOT NULL
) STRICT;
"""

_VERSION_3 = """
-- Seconds that changed behind the stream's newest bar, under the revision that changed them: what
-- a reader that holds the bars must read again (see store/repair_log.py). Old rows are dropped.
CREATE TABLE repaired (
    stream_id INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    low       INTEGER NOT NULL, high INTEGER NOT NULL,   -- seconds, both inclusive
    PRIMARY KEY (stream_id, revision, low)
) STRICT, WITHOUT ROWID;
"""

_VERSION_4 = """
-- Minutes and hours of bar_1s, kept as data arrives (see store/rollups.py). Volume in units of
-- 1e-8, REAL where the sum does not fit 2**63: then it is not exact, and bar_1s is read instead.
CREATE TABLE rollup (
    stream_id INTEGER NOT NULL,
    length_s  INTEGER NOT NULL CHECK (length_s IN (60, 3600)),
    second    INTEGER NOT NULL,
    open REAL NOT NULL, high REAL NOT NULL, low REAL NOT NULL, close REAL NOT NULL,
    volume    ANY NOT NULL,
    trades    INTEGER NOT NULL,
    PRIMARY KEY (stream_id, length_s, second)
) STRICT, WITHOUT ROWID;
-- Seconds, multiples of 60, `rolled_high` excluded: every whole minute and every whole hour in
-- between that has a row in bar_1s has its row in rollup. NULL where none are kept yet.
ALTER TABLE stream ADD COLUMN rolled_low  INTEGER;
ALTER TABLE stream ADD COLUMN rolled_high INTEGER;
"""

MIGRATIONS: tuple[str, ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
SCHEMA_VERSION = len(MIGRATIONS)
# Readers do without what came since: rollups.
OLDEST_READABLE = 3


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a new or older database to this version, each step in one transaction.

    Raises
    ------
    StoreError
        The file belongs to another program, or to a newer Pairdesk.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application_id != APPLICATION_ID and tables:
        raise StoreError("the file is an SQLite database of another program; choose another --db")
    if version > SCHEMA_VERSION:
        raise NewerDatabaseError(version, SCHEMA_VERSION)
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {script}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )


def encode(value: float) -> int | float:
    """A price or quantity as stored: units of 1e-8 where exact, else the float itself."""
    units = round(value * UNITS)
    return units if units < EXACT_UNITS and units / UNITS == value else value


def storable(units: int) -> int | float:
    """A volume in units of 1e-8 as stored: a float where no integer of SQLite's holds it."""
    return units if units < 2**63 else float(units)


def decode(stored: float) -> float:
    """The float that `encode` was given."""
    return stored / UNITS if isinstance(stored, int) else stored


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or make a database for the one writer: WAL, FULL sync, this version's tables.

    Raises
    ------
    StoreError
        It cannot be written, or is another program's.
    """
    connection = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Autocommit: transactions are begun and ended by name. Made and used in different threads.
        connection = sqlite3.connect(
            path, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
        migrate(connection)
    except StoreError:
        _close(connection)
        raise
    except (OSError, sqlite3.Error) as error:
        _close(connection)
        raise StoreError(f"cannot write the database {path}: {error}") from error
    return connection


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()
