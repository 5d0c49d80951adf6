"""The pages of a database: how many are in use, and whether file and log have all of them."""

import sqlite3
import struct
from pathlib import Path
from typing import Final

# https://www.sqlite.org/fileformat2.html#the_write_ahead_log
_HEADER: Final = struct.Struct(">8xI4xII8x")  # size of a page, both salts
_FRAME: Final = struct.Struct(">I4xII8x")  # number of the page, both salts
_LOCK_BYTE: Final = 0x4000_0000  # SQLite never writes the page that holds it


def size_in_use(connection: sqlite3.Connection) -> int:
    """Bytes the database's rows take: its pages in use."""
    pages, free, page_bytes = (
        _pragma(connection, name) for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes


def is_whole(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether file and log have all pages that SQLite knows of; False where neither can be read."""
    try:
        pages, page_bytes = _pragma(connection, "page_count"), _pragma(connection, "page_size")
        pages_in_file = path.stat().st_size // page_bytes
        log = path.with_name(f"{path.name}-wal")
        return pages_in_file > 0 and are_in_log(log, pages_in_file + 1, pages, page_bytes)
    except (sqlite3.DatabaseError, OSError):
        return False


def are_in_log(log: Path, first: int, last: int, page_bytes: int) -> bool:
    """Whether a log holds each of the pages ``first … last``, counted from 1.

    Raises
    ------
    OSError
        It cannot be read.
    """
    wanted = set(range(first, last + 1)) - {_LOCK_BYTE // page_bytes + 1}
    return not wanted or wanted <= pages_in_log(log, page_bytes)


def pages_in_log(log: Path, page_bytes: int) -> set[int]:
    """Numbers of the pages that a log holds; none where it is empty or of another page size."""
    numbers: set[int] = set()
    with log.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return numbers
        page_size, *salts = _HEADER.unpack(header)
        if page_size != page_bytes:
            return numbers
        while len(frame := file.read(_FRAME.size)) == _FRAME.size:
            number, *frame_salts = _FRAME.unpack(frame)
            if frame_salts != salts:  # frames from here on are of before the log began anew
                return numbers
            numbers.add(number)
            file.seek(page_bytes, 1)
    return numbers


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
