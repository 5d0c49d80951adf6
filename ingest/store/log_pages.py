"""Which pages of a database its write-ahead log holds. Reads the log, never the database."""

import struct
from pathlib import Path
from typing import Final

# https://www.sqlite.org/fileformat2.html#the_write_ahead_log
_HEADER: Final = struct.Struct(">8xI4xII8x")  # size of a page, both salts
_FRAME: Final = struct.Struct(">I4xII8x")  # number of the page, both salts
_LOCK_BYTE: Final = 0x4000_0000  # SQLite never writes the page that holds it


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
    found: set[int] = set()
    with log.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return found
        page_size, *salts = _HEADER.unpack(header)
        if page_size != page_bytes:
            return found
        while len(frame := file.read(_FRAME.size)) == _FRAME.size:
            number, *own_salts = _FRAME.unpack(frame)
            if own_salts != salts:  # frames from here on are of before the log began anew
                return found
            found.add(number)
            file.seek(page_bytes, 1)
    return found
