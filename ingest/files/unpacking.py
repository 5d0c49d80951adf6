"""Packed files, unpacked a bounded piece at a time: gzip by members, zip by its directory."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from ingest.errors import FileError

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
MAX_MEMBERS = 1_000
_MAX_DIRECTORY_BYTES = 2 * 2**20
_RAW_BYTES = 64 * 1024
_GZIP_WINDOW = 31  # zlib's word for a gzip header before the data

# What zipfile raises on a directory of nonsense: bad offsets, unknown methods, passwords.
_ZIP_ERRORS = (
    EOFError, OSError, zlib.error, zipfile.BadZipFile, ValueError, OverflowError, RuntimeError,
    struct.error,
)  # fmt: skip
# Other methods give out all that a piece of input holds at once: gigabytes from a megabyte.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Text(Protocol):
    """A stream of text: `read1` gives at most so many bytes, none at the end."""

    def read1(self, size: int, /) -> bytes:
        """Give at most `size` bytes."""
        ...


class Gunzip:
    """The text of a gzip file of one member or more.

    `gzip.GzipFile` reads names in headers byte by byte and empty members without end, both beyond
    any bound; here `check_budget` is called at each of them.
    """

    def __init__(self, raw: BinaryIO, check_budget: Callable[[], None]) -> None:
        self._raw, self._check_budget = raw, check_budget
        self._input = b""
        self._member: zlib._Decompress | None = None

    def read1(self, size: int) -> bytes:
        """Give at most `size` bytes, none at the end.

        Raises
        ------
        EOFError
            The file ends inside of a member.
        zlib.error
            It is damaged.
        """
        while True:
            self._check_budget()
            if not self._input:
                self._input = self._raw.read(_RAW_BYTES)
            if self._member is None:
                self._input = self._input.lstrip(b"\0")  # padding between and after members
                if not self._input:
                    if self._is_at_end():
                        return b""
                    continue
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            elif not self._input:
                raise EOFError("it ends too early")
            text = self._member.decompress(self._input, size)
            self._input = self._member.unconsumed_tail or self._member.unused_data
            if self._member.eof:
                self._member = None
            if text:
                return text

    def _is_at_end(self) -> bool:
        self._input = self._raw.read(_RAW_BYTES)
        return not self._input


def open_zip(raw: BinaryIO, name: str) -> zipfile.ZipFile:
    """Open a zip whose directory is of a bearable size.

    Raises
    ------
    FileError
        It cannot be read, or has too large a directory.
    """
    try:
        if _directory_bytes(raw) > _MAX_DIRECTORY_BYTES:
            raise FileError(f"{name} is a zip of more files than {MAX_MEMBERS:,}: unpack it")
        raw.seek(0)
        return zipfile.ZipFile(raw)
    except _ZIP_ERRORS as error:
        raise FileError(f"{name} is a zip that cannot be read: {error}") from None


def zip_members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Files of an archive that may hold trades, in its own order.

    Raises
    ------
    FileError
        There are none, or too many.
    """
    members = [member for member in archive.infolist() if not _is_clutter(member)]
    if not members or len(members) > MAX_MEMBERS:
        raise FileError(f"{name} is a zip of {len(members):,} files, needs 1 to {MAX_MEMBERS:,}")
    return members


def open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Text:
    """Open one file of an archive.

    Raises
    ------
    FileError
        It cannot be read.
    """
    if member.compress_type not in _METHODS:
        raise FileError(f"{name} is a zip that cannot be read: pack it by deflate")
    try:
        return archive.open(member)  # type: ignore[return-value]  # it reads bytes, whatever typeshed thinks
    except _ZIP_ERRORS as error:
        raise FileError(f"{name} is a zip that cannot be read: {error}") from None


def without_gz(name: str) -> str:
    """A name without the ending that only says that it is packed."""
    return re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)


def _directory_bytes(raw: BinaryIO) -> int:
    """Size of the directory that `zipfile` will read, by the record at the archive's end (APPNOTE
    4.3.16), or by the larger one of zip64 before it (4.3.14); 0 where there is no such record.
    """
    size = raw.seek(0, io.SEEK_END)
    raw.seek(max(size - 2**16 - 100, 0))
    tail = raw.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 16 > len(tail):
        return 0
    size_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    wide = tail[max(at - 76, 0) : at]
    if wide.startswith(b"PK\x06\x06"):
        size_bytes = max(
            size_bytes if size_bytes < 2**32 - 1 else 0, int.from_bytes(wide[40:48], "little")
        )
    return size_bytes


def _is_clutter(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    hidden = Path(name).name.startswith(".") or name.startswith("__MACOSX")
    return not name or name.endswith(("/", ".CHECKSUM")) or hidden
