"""Many rows out of SQLite at once: half the time of taking them one by one, and not Python's.

Row by row, what costs is the interpreter: a tuple of seven objects each. So SQLite itself copies
long ranges into a temporary table in memory whose rows all have one form, and that table's pages
are read as arrays. The form of a page is the file format's (sqlite.org/fileformat2.html). Where
anything is not of the form expected, nothing is taken from it, and the rows are read one by one.
"""

import sqlite3
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.store.bars import STORED_ROW, StoredRows

# A volume past 2**63 units is stored as a float: the cast stops it at that.
COLUMNS: Final = "second, open, high, low, close, CAST(volume AS INTEGER), trades"
MANY: Final = 10_000  # rows from which on it surely pays
_ROWS_AT_ONCE: Final = 65_536  # 5 MB of pages, and as much again while they are read
# Numbers as doubles, eight bytes whatever they are; halves of a volume, so that each is exact.
_PACKED: Final = (
    "second, open, high, low, close, CAST(CAST(volume AS INTEGER) >> 32 AS REAL),"
    " CAST(CAST(volume AS INTEGER) & 0xFFFFFFFF AS REAL), CAST(trades AS REAL)"
)
_IN_SPAN: Final = "AND second >= ? AND second < ?"
_TABLE: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS packed"
    " (second INTEGER PRIMARY KEY, open, high, low, close, upper, lower, trades)"
)
_PRICES: Final = ("open", "high", "low", "close")
_CELL: Final = np.dtype(
    [
        ("size", "u1"),
        ("key", "u1", 5),
        ("header", "u1", 9),
        *((name, ">f8") for name in (*_PRICES, "upper", "lower", "trades")),
    ]
)
# Bytes of a header, a key that stands elsewhere, seven doubles.
_HEADER: Final = np.array([9, 0, 7, 7, 7, 7, 7, 7, 7], dtype=np.uint8)
_SIZE: Final = _CELL.itemsize - 6
_INNER, _LEAF = 5, 13  # kinds of pages of a table
_LEAF_HEAD, _INNER_HEAD = 8, 12  # bytes before the places of the cells

_Bytes = npt.NDArray[np.uint8]


def read_rows(
    connection: sqlite3.Connection, where: str, which: tuple[int, ...], span: tuple[int, int]
) -> StoredRows:
    """Read rows of a table of bars, in order of time. In a transaction of the caller's.

    Parameters
    ----------
    connection
        Where to read.
    where, which
        ``FROM … WHERE …`` as ours, with its parameters.
    span
        Seconds ``low, high`` in which they open, `high` excluded.
    """
    rows = _read_packed(connection, where, which, span) if span[1] - span[0] >= MANY else None
    if rows is not None:
        return rows
    return _read_each(connection, where, which, span)


def _read_each(
    connection: sqlite3.Connection, where: str, which: tuple[int, ...], span: tuple[int, int]
) -> StoredRows:
    cursor = connection.execute(
        f"SELECT {COLUMNS} {where} {_IN_SPAN} ORDER BY second",
        (*which, *span),
    )
    return np.fromiter(cursor, dtype=STORED_ROW)


def _read_packed(
    connection: sqlite3.Connection, where: str, which: tuple[int, ...], span: tuple[int, int]
) -> StoredRows | None:
    """Read the same by pages; None where these are of another form, or the rows are few."""
    count = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 {where} {_IN_SPAN} LIMIT ?)",  # noqa: S608 - ours
        (*which, *span, MANY),
    ).fetchone()[0]
    if count < MANY:
        return None
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(_TABLE)
    root: int = connection.execute(
        "SELECT rootpage FROM sqlite_temp_master WHERE name = 'packed'"
    ).fetchone()[0]
    parts: list[StoredRows] = []
    low, high = span
    try:
        while True:
            connection.execute("DELETE FROM packed")
            count = connection.execute(
                f"INSERT INTO packed SELECT {_PACKED} {where} {_IN_SPAN} ORDER BY second LIMIT ?",
                (*which, low, high, _ROWS_AT_ONCE),
            ).rowcount
            part = rows_of_pages(connection.serialize(name="temp"), root, count)
            if part is None:
                return None
            parts.append(part)
            if count < _ROWS_AT_ONCE:
                return parts[0] if len(parts) == 1 else np.concatenate(parts)
            low = int(part["at"][-1]) + 1
    finally:
        connection.execute("DELETE FROM packed")


def rows_of_pages(database: bytes, root: int, count: int) -> StoredRows | None:
    """Take `count` rows out of the pages of the table at page `root`; None where they are others.

    Parameters
    ----------
    database
        All pages, as a database file has them.
    root
        Number of the table's first page, from 1 on.
    count
        How many rows the table has.
    """
    rows = np.empty(count, dtype=STORED_ROW)
    if not count:
        return rows
    data = np.frombuffer(database, dtype=np.uint8)
    page_bytes = int.from_bytes(database[16:18], "big")
    pages = data.reshape(-1, 65_536 if page_bytes == 1 else page_bytes)
    leaves = _leaves(pages, root)
    heads = pages[leaves - 1, :_LEAF_HEAD].astype(np.int64)
    sizes = heads[:, 3] << 8 | heads[:, 4]
    full = int(sizes[0])
    # Rows came in order: each page is full but the last.
    is_whole = (heads[:, 0] == _LEAF).all() and (sizes[:-1] == full).all()
    if not is_whole or sizes.sum() != count:
        return None
    split = full * (leaves.size - 1)
    parts = (leaves[:-1], rows[:split], full), (leaves[-1:], rows[split:], int(sizes[-1]))
    is_filled = [_fill(part, pages[numbers - 1], size) for numbers, part, size in parts]
    return rows if all(is_filled) else None


def _fill(rows: StoredRows, leaves: _Bytes, size: int) -> bool:
    """Fill rows out of leaves of `size` cells each; whether the cells are of the form expected."""
    if not leaves.size:
        return True
    # The first cell stands last in its page, the others before it, without a gap.
    ends = np.ascontiguousarray(leaves[:, leaves.shape[1] - size * _CELL.itemsize :])
    cells = ends.view(_CELL)[:, ::-1]
    key = cells["key"]
    if not (
        (cells["size"] == _SIZE).all()
        and (cells["header"] == _HEADER).all()
        and (key[..., :4] >= 0x80).all()
        and (key[..., 4] < 0x80).all()
    ):
        return False
    out = rows.reshape(cells.shape)
    out["at"] = 0
    for place in range(key.shape[-1]):  # seven bits a byte
        out["at"] = out["at"] << 7 | (key[..., place] & 0x7F)
    for name in _PRICES:
        out[name] = cells[name]
    out["volume"] = (cells["upper"].astype(np.int64) << 32) | cells["lower"].astype(np.int64)
    out["trades"] = cells["trades"]
    return True


def _leaves(pages: _Bytes, number: int) -> npt.NDArray[np.int64]:
    """Numbers of the pages that hold a table's rows, in order."""
    page = pages[number - 1]
    if page[0] != _INNER:
        return np.array([number], dtype=np.int64)
    size = int(page[3]) << 8 | int(page[4])
    places = page[_INNER_HEAD : _INNER_HEAD + 2 * size].view(">u2").astype(np.int64)
    below = page[places[:, None] + np.arange(4)].view(">u4").ravel()
    last = page[_LEAF_HEAD:_INNER_HEAD].view(">u4")
    children = np.concatenate([below, last]).astype(np.int64).tolist()
    if pages[children[0] - 1, 0] != _INNER:
        return np.array(children, dtype=np.int64)
    return np.concatenate([_leaves(pages, each) for each in children])
