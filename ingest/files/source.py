"""A file of any kind as blocks of whole lines: opened, unpacked, identified, bounded."""

import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from ingest.errors import FileError
from ingest.files.budget import Budget, Progress
from ingest.files.errors import WANTED
from ingest.files.unpacking import (
    GZIP,
    ZIP,
    Gunzip,
    Text,
    open_member,
    open_zip,
    without_gz,
    zip_members,
)

BLOCK_BYTES = 2**20  # larger ones leave the processor's cache
PIECE_BYTES = 64 * 1024
MAX_LINE_BYTES = 8 * 2**20
MAX_TEXT_BYTES = 4 * 2**30  # after unpacking: a bomb ends here, and so does memory
SNIFF_BYTES = 64 * 1024

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
_NOT_BLANK = re.compile(rb"\S[^\n]*+")
_UTF8_BOM = b"\xef\xbb\xbf"
# gzip.BadGzipFile is an OSError, as is a disk that fails.
_READ_ERRORS = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def newlines(text: bytes) -> int:
    """How many line ends a large text has: five times as fast as `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


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

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that are not blank, each with its number; the blank ones cost nothing."""
        line, at = self.first_line, 0
        for match in _NOT_BLANK.finditer(self.text):
            start = self.text.rfind(b"\n", 0, match.start()) + 1
            line += self.text.count(b"\n", at, start)
            at = start
            yield line, self.text[start : match.end()]


class FileSource:
    """One file, open for reading: a text, or as a zip several; a context manager.

    Parameters
    ----------
    source
        A path, or a binary file object that can seek (an upload).
    progress
        Called with bytes of the file read so far (packed, if it is packed) and its size; what it
        raises ends the reading.
    max_bytes
        More text than this, after unpacking, is refused.

    Attributes
    ----------
    name
        Of the file, for messages.
    members
        Names of the texts in it: of a zip's files, else the one that may tell the symbol.

    Raises
    ------
    FileError
        It cannot be opened or unpacked.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        progress: Progress | None = None,
        max_bytes: int = MAX_TEXT_BYTES,
    ) -> None:
        self._stack = ExitStack()
        self._infos: list[zipfile.ZipInfo] = []
        try:
            self._raw, self.name = self._open(source)
            size = self._raw.seek(0, io.SEEK_END)
            self.budget = Budget(self.name, size, max_bytes, progress)
            self._raw.seek(0)
            self._magic = self._raw.read(4)
            self.members = self._list_members()
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

    def text(self, place: int) -> "FileText":
        """Open the text of that place among the members.

        Raises
        ------
        FileError
            It is empty, binary or damaged at its beginning.
        """
        name = self.name
        if self._infos:
            if len(self.members) > 1:
                name = f"{self.members[place]} in {self.name}"
            stream = open_member(self._archive, self._infos[place], self.name)
        else:
            self._raw.seek(0)
            is_gzip = self._magic.startswith(GZIP)
            stream = Gunzip(self._raw, self.budget.check) if is_gzip else _Plain(self._raw)
        return FileText(name, self.members[place], stream, self._raw, self.budget)

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

    def _list_members(self) -> list[str]:
        if self._magic != ZIP:
            return [without_gz(self.name) if self._magic.startswith(GZIP) else self.name]
        self._archive = self._stack.enter_context(open_zip(self._raw, self.name))
        self._infos = zip_members(self._archive, self.name)
        return [Path(info.filename).name for info in self._infos]


class FileText:
    """One text of a file, read once from its beginning.

    Attributes
    ----------
    name, inner_name
        For messages, and what may tell the symbol.
    head
        How it begins.
    damage
        What ended it too early, if anything did.
    """

    def __init__(
        self, name: str, inner_name: str, stream: Text, raw: BinaryIO, budget: Budget
    ) -> None:
        self.name, self.inner_name, self.budget = name, inner_name, budget
        self.damage: str | None = None
        self._stream, self._raw = stream, raw
        self.head = self._checked_head()

    def chunks(self) -> Iterator[bytes]:
        """Yield the text in pieces of about a megabyte, cut anywhere."""
        yield self.head
        while data := self._read(BLOCK_BYTES):
            yield data

    def blocks(self) -> Iterator[Block]:
        """Yield the text as blocks of whole lines; a line of more than 8 MB is cut."""
        pending, line, skipping = b"", 1, False
        for data in self.chunks():
            if skipping:
                _, end, data_after = data.partition(b"\n")
                pending, line, skipping = data_after, line + bool(end), not end
            else:
                pending += data
            whole, end, rest = pending.rpartition(b"\n")
            if end:
                yield Block(whole, line)
                line += newlines(whole) + 1
                pending = rest
            if len(pending) > MAX_LINE_BYTES:
                yield Block(pending[:1000], line, too_long=True)
                pending, skipping = b"", True
        if pending:
            yield Block(pending, line)

    def _checked_head(self) -> bytes:
        head = self._read(SNIFF_BYTES).removeprefix(_UTF8_BOM)
        if not head.strip():
            if self.damage:
                raise FileError(f"{self.name} cannot be read: {self.damage}")
            raise FileError(f"{self.name} is empty: {WANTED}")
        for magic, kind in {**_OTHER_KINDS, GZIP: "packed twice", ZIP: "packed twice"}.items():
            if head.startswith(magic):
                raise FileError(f"{self.name} is {kind}: {WANTED}")
        # Later NULs are what a crash leaves behind: unreadable lines, no reason to refuse the file.
        if b"\0" in head.lstrip().partition(b"\n")[0]:
            raise FileError(f"{self.name} is a binary file: {WANTED}")
        return head

    def _read(self, wanted: int) -> bytes:
        """Up to `wanted` bytes of text; what came before a damaged place is not lost."""
        parts: list[bytes] = []
        missing = wanted
        while missing > 0 and self.damage is None:
            try:
                # read1 hands out what it has: read(n) would throw a good part away with the bad.
                part = self._stream.read1(missing)
            except _READ_ERRORS as error:
                self.damage = f"the file is damaged or cut short ({error})"
                break
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self.budget.spend(wanted - missing, self._raw.tell())
        return b"".join(parts)


class _Plain:
    """Text as it lies in a file."""

    def __init__(self, raw: BinaryIO) -> None:
        self._read = getattr(raw, "read1", raw.read)

    def read1(self, size: int) -> bytes:
        """Return up to `size` bytes, nothing at the end."""
        part: bytes = self._read(size)
        return part


_HEAD_BYTES = 256 * 1024


_PACKED = b"\x1f\x8b"


def read_head(path: Path) -> io.BytesIO:
    """Read a file's beginning up to its last whole line (if it has one), under the file's name.

    A zip archive is read whole: its directory stands at its end.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(-1 if path.suffix.lower() == ".zip" else _HEAD_BYTES)
    if len(head) == _HEAD_BYTES and not head.startswith(_PACKED) and b"\n" in head:
        head = head[: head.rfind(b"\n") + 1]
    part = io.BytesIO(head)
    part.name = path.name
    return part
