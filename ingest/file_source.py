"""A file of any kind as blocks of whole lines: opened, unpacked, told apart, bounded."""

import gzip
import io
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ingest.tick import IngestError

BLOCK_BYTES = 2**20  # larger ones leave the processor's cache
PIECE_BYTES = 64 * 1024
MAX_LINE_BYTES = 8 * 2**20
MAX_TEXT_BYTES = 4 * 2**30  # after unpacking: a bomb ends here, and so does memory
SNIFF_BYTES = 64 * 1024

Progress = Callable[[int, int], None]

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_OTHER_KINDS = {
    b"PK\x05\x06": "an empty zip",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database (choose it as the database, not as a file)",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xff\xfe": "text saved as UTF-16 (save it as UTF-8)",
    b"\xfe\xff": "text saved as UTF-16 (save it as UTF-8)",
}
_UTF8_BOM = b"\xef\xbb\xbf"
# gzip.BadGzipFile is an OSError, as is a disk that fails.
_READ_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
# What zipfile raises on a directory of nonsense: bad offsets, unknown methods, passwords.
_ZIP_ERRORS = (*_READ_ERRORS, ValueError, OverflowError, RuntimeError, struct.error)
WANTED = "needs trades as NDJSON (one JSON object a line), Binance frames, or CSV; .gz or .zip too"


class FileError(IngestError):
    """A file that cannot be read as trades at all: what was wrong, and what to do."""


@dataclass(frozen=True)
class Block:
    """Whole lines without the last line end, and the number of the first of them."""

    text: bytes
    first_line: int
    too_long: bool = False  # the one line here was cut: `text` is its beginning

    def pieces(self) -> Iterator["Block"]:
        """Yield the same lines in blocks of some 64 KB, so that one odd line slows few others."""
        start, line = 0, self.first_line
        while start < len(self.text):
            end = self.text.find(b"\n", start + PIECE_BYTES)
            text = self.text[start:] if end < 0 else self.text[start:end]
            yield Block(text, line)
            start, line = start + len(text) + 1, line + text.count(b"\n") + 1


class FileSource:
    """One file, open for reading as `blocks()`; a context manager.

    Parameters
    ----------
    source
        A path, or a binary file object that can seek (an upload).
    progress
        Called with bytes of the file read so far (packed, if it is packed) and its size.
    max_bytes
        More text than this, after unpacking, is refused.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        progress: Progress | None = None,
        max_bytes: int = MAX_TEXT_BYTES,
    ) -> None:
        self._stack = ExitStack()
        self._progress = progress
        self._max_bytes = max_bytes
        self.bytes_read = 0
        self.damage: str | None = None
        try:
            self._raw, self.name = self._open(source)
            self._size = self._raw.seek(0, io.SEEK_END)
            self._raw.seek(0)
            self._text, self.inner_name = self._unpacked()
            self.head = self._checked_head()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._stack.close()

    def blocks(self) -> Iterator[Block]:
        """Yield the text as blocks of whole lines; a line of more than 8 MB is cut."""
        pending, line, skipping = self.head.removeprefix(_UTF8_BOM), 1, False
        while True:
            data = self._read(BLOCK_BYTES)
            if skipping:
                _, end, data_after = data.partition(b"\n")
                pending, line, skipping = data_after, line + bool(end), not end and bool(data)
            else:
                pending += data
            whole, end, rest = pending.rpartition(b"\n")
            if end:
                yield Block(whole, line)
                line += whole.count(b"\n") + 1
                pending = rest
            if len(pending) > MAX_LINE_BYTES:
                yield Block(pending[:1000], line, too_long=True)
                pending, skipping = b"", True
            if not data and not skipping:
                break
        if pending:
            yield Block(pending, line)
        if self._progress is not None:
            self._progress(self._size, self._size)

    def _open(self, source: str | os.PathLike[str] | BinaryIO) -> tuple[BinaryIO, str]:
        if not isinstance(source, (str, os.PathLike)):
            return source, Path(str(getattr(source, "name", "upload"))).name
        path = Path(source)
        if path.is_dir():
            raise FileError(f"{path} is a folder: choose a file in it")
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is no regular file: choose one")
        try:
            return self._stack.enter_context(path.open("rb")), path.name
        except FileNotFoundError:
            raise FileError(f"{path} does not exist: check the path") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise FileError(f"{path} cannot be opened: {error}") from None

    def _unpacked(self) -> tuple[BinaryIO, str]:
        """The text inside, and the name that may tell its symbol."""
        magic = self._raw.read(4)
        self._raw.seek(0)
        if magic.startswith(_GZIP):
            stream = self._stack.enter_context(gzip.GzipFile(fileobj=self._raw, mode="rb"))
            return stream, re.sub(r"\.gz$", "", self.name, flags=re.IGNORECASE)  # type: ignore[return-value]  # GzipFile is a BinaryIO in all but name
        if magic == _ZIP:
            return self._zip_member()
        return self._raw, self.name

    def _zip_member(self) -> tuple[BinaryIO, str]:
        try:
            archive = self._stack.enter_context(zipfile.ZipFile(self._raw))
            members = [m for m in archive.infolist() if not _is_clutter(m)]
            if len(members) != 1:
                raise FileError(
                    f"{self.name} is a zip of {len(members)} files, needs one: unpack it"
                )
            stream = self._stack.enter_context(archive.open(members[0]))
        except _ZIP_ERRORS as error:
            raise FileError(f"{self.name} is a zip that cannot be read: {error}") from None
        return stream, Path(members[0].filename).name  # type: ignore[return-value]  # ZipExtFile is a BinaryIO in all but name

    def _checked_head(self) -> bytes:
        head = self._read(SNIFF_BYTES)
        if not head.strip():
            if self.damage:
                raise FileError(f"{self.name} cannot be read: {self.damage}")
            raise FileError(f"{self.name} is empty: {WANTED}")
        for magic, kind in {**_OTHER_KINDS, _GZIP: "packed twice", _ZIP: "packed twice"}.items():
            if head.startswith(magic):
                raise FileError(f"{self.name} is {kind}: {WANTED}")
        # Later NULs are what a crash leaves behind: broken lines, no reason to refuse the file.
        if b"\0" in head.lstrip().partition(b"\n")[0]:
            raise FileError(f"{self.name} is a binary file: {WANTED}")
        return head

    def _read(self, wanted: int) -> bytes:
        """Up to `wanted` bytes of text; what came before a damaged place is not lost."""
        # read1 hands out what it has: read(n) would throw a good part away with the bad.
        read = getattr(self._text, "read1", self._text.read)
        parts: list[bytes] = []
        missing = wanted
        while missing > 0 and self.damage is None:
            try:
                part = read(missing)
            except _READ_ERRORS as error:
                self.damage = f"the file is damaged or cut short ({error})"
                break
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self._account(wanted - missing)
        return b"".join(parts)

    def _account(self, count: int) -> None:
        self.bytes_read += count
        if self.bytes_read > self._max_bytes:
            limit = f"{self._max_bytes:,}"
            raise FileError(f"{self.name} holds more than {limit} bytes of text: split it")
        if self._progress is not None:
            self._progress(self._raw.tell(), self._size)


def _is_clutter(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    hidden = Path(name).name.startswith(".") or name.startswith("__MACOSX")
    return not name or name.endswith(("/", ".CHECKSUM")) or hidden
