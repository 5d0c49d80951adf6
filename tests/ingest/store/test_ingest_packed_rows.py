"""Tests for ingest.store.sources.packed_rows: the same rows as one by one, to the bit."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.store.bars import STORED_ROW, StoredRows
from ingest.store.connecting import open_for_reading, open_nothing
from ingest.store.schema import open_for_writing
from ingest.store.sources import packed_rows
from ingest.store.sources.packed_rows import MANY, read_rows, rows_of_pages

T0_S = 1_700_000_000
WHERE, WHICH = "FROM kline WHERE stream_id = ? AND length_s = ?", (1, 1)
EVER = (-(2**40), 2**40)
Row = tuple[int, float, float, float, float, float, int]

PRICES = st.one_of(
    st.floats(min_value=5e-324, allow_nan=False, allow_infinity=False),
    st.integers(1, 10**9).map(float),  # SQLite keeps these as integers
)
# A volume past 2**63 units is a float there.
VOLUMES = st.one_of(st.integers(0, 2**63 - 1), st.floats(2.0**63, 1e30))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """An empty database."""
    with closing(open_nothing()) as empty:
        yield empty


def store(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Store klines of one second, beside those of another stream."""
    connection.execute("INSERT OR IGNORE INTO stream (stream_id, market, symbol, kind)"
                       " VALUES (1, 'spot', 'AAAUSDT', 'aggTrade'),"
                       " (2, 'spot', 'BBBUSDT', 'aggTrade')")  # fmt: skip
    for stream_id in (1, 2):
        connection.executemany(
            f"INSERT INTO kline VALUES ({stream_id}, 1, ?, ?, ?, ?, ?, ?, ?)", rows[::stream_id]
        )


def many(count: int, first_s: int = T0_S) -> list[Row]:
    """Rows of a market, some seconds without one."""
    rng = np.random.default_rng(7)
    seconds = first_s + np.cumsum(rng.integers(1, 4, count))
    prices = np.round(100 + rng.normal(size=(count, 4)).cumsum(axis=0), 2)
    volume, trades = rng.integers(0, 2**62, count), rng.integers(0, 5_000, count)
    columns = (seconds, *prices.T, volume, trades)
    return list(zip(*(each.tolist() for each in columns), strict=True))


def one_by_one(connection: sqlite3.Connection, span: tuple[int, int] = EVER) -> StoredRows:
    """The same out of a plain query."""
    rows = connection.execute(
        "SELECT second, open, high, low, close, CAST(volume AS INTEGER), trades FROM kline"
        " WHERE stream_id = 1 AND second >= ? AND second < ? ORDER BY second",
        span,
    ).fetchall()
    return np.array(rows, dtype=STORED_ROW)


def assert_same(rows: StoredRows, others: StoredRows) -> None:
    """Equal to the bit."""
    assert rows.tobytes() == others.tobytes()


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(T0_S, T0_S + 300), st.integers(0, 2**36)),
            *(PRICES, PRICES, PRICES, PRICES),
            VOLUMES,
            st.one_of(st.integers(0, 10**6), st.integers(0, 2**53)),
        ),
        min_size=1,
        max_size=150,
        unique_by=lambda row: row[0],
    ),
    st.integers(1, 40),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_stored_comes_out(rows: list[Row], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch, closing(open_nothing()) as connection:
        patch.setattr(packed_rows, "MANY", 1)
        patch.setattr(packed_rows, "_ROWS_AT_ONCE", at_once)
        store(connection, rows)
        assert_same(read_rows(connection, WHERE, WHICH, EVER), one_by_one(connection))


@pytest.mark.parametrize("count", [MANY, 65_536, 150_001])
def test_long_ranges_come_by_pages_alone(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    store(connection, many(count))
    others = one_by_one(connection)
    monkeypatch.delattr(packed_rows, "_read_each")
    assert_same(read_rows(connection, WHERE, WHICH, EVER), others)
    # Pages let go before are taken again, in any order.
    assert_same(read_rows(connection, WHERE, WHICH, EVER), others)


def test_a_span_is_kept_to(connection: sqlite3.Connection) -> None:
    rows = many(3 * MANY)
    store(connection, rows)
    for span in ((rows[5][0], rows[-5][0]), (rows[5][0] + 1, rows[2 * MANY][0] + 1)):
        assert_same(read_rows(connection, WHERE, WHICH, span), one_by_one(connection, span))


def test_few_rows_in_a_long_span_make_no_table(connection: sqlite3.Connection) -> None:
    store(connection, many(MANY - 1))
    assert read_rows(connection, WHERE, WHICH, EVER).size == MANY - 1
    assert not connection.execute("SELECT * FROM sqlite_temp_master").fetchall()


def test_seconds_of_shorter_keys_are_read_one_by_one(connection: sqlite3.Connection) -> None:
    store(connection, many(MANY, first_s=2**28 - MANY))  # in 1978 they get a byte more
    assert_same(read_rows(connection, WHERE, WHICH, EVER), one_by_one(connection))


def test_a_reader_reads_in_its_transaction_beside_a_writer(tmp_path: Path) -> None:
    path, rows = tmp_path / "ticks.db", many(2 * MANY)
    with closing(open_for_writing(path)) as writer:
        store(writer, rows)
        with closing(open_for_reading(path)) as reader:
            reader.execute("BEGIN")
            before = one_by_one(reader)
            unread = reader.execute("SELECT second FROM kline")
            unread.fetchone()  # a statement that is not at its end
            writer.execute("DELETE FROM kline")
            assert_same(read_rows(reader, WHERE, WHICH, EVER), before)
            unread.close()
            reader.execute("COMMIT")
            assert read_rows(reader, WHERE, WHICH, EVER).size == 0


def test_pages_of_another_form_give_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TEMP TABLE other (second INTEGER PRIMARY KEY, a, b, c, d, e, f, g)")
    insert = "INSERT INTO other VALUES (?, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, ?)"
    for last, is_taken in ((1.5, True), (1, False), ("1", False)):
        connection.execute("DELETE FROM other")
        connection.executemany(insert, [(T0_S + each, 1.5) for each in range(200)])
        connection.execute(insert, (T0_S + 200, last))
        found = rows_of_pages(connection.serialize(name="temp"), 2, 201)
        assert (found is not None) == is_taken
    assert rows_of_pages(connection.serialize(name="temp"), 2, 200) is None
