"""A bounded text as a stream that other readers take, pandas' among them."""

import io
from collections.abc import Iterator

from ingest.errors import FileLimitError
from ingest.files.source import FileText

MAX_WIDTH_BYTES = 2**18


class TextStream(io.RawIOBase):
    """The unpacked text of a file, within its budget and with no line beyond `max_width_bytes`.

    Raises
    ------
    FileLimitError
        When read: it holds more than it may.
    """

    def __init__(self, text: FileText, max_width_bytes: int = MAX_WIDTH_BYTES) -> None:
        self._name, self._max_width_bytes = text.name, max_width_bytes
        self._chunks: Iterator[bytes] = text.chunks()
        self._pending = memoryview(b"")
        self._width = 0

    def readable(self) -> bool:
        """It can be read, and no more."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than Buffer
        """Fill `buffer` with what comes next; 0 at the end."""
        if not self._pending:
            chunk = next(self._chunks, b"")
            self._check_width(chunk)
            self._pending = memoryview(chunk)
        part = self._pending[: len(buffer)]
        buffer[: len(part)] = part
        self._pending = self._pending[len(part) :]
        return len(part)

    def _check_width(self, chunk: bytes) -> None:
        """Refuse a line that a table would have to hold as millions of cells."""
        start = 0
        while start < len(chunk):
            end = chunk.rfind(b"\n", start, start + self._max_width_bytes)
            if end < 0:
                self._width += min(len(chunk) - start, self._max_width_bytes)
                start += self._max_width_bytes
            else:
                first = chunk.find(b"\n", start, end + 1)
                self._refuse(self._width + first - start)
                self._width, start = 0, end + 1
            self._refuse(self._width)

    def _refuse(self, width: int) -> None:
        if width > self._max_width_bytes:
            raise FileLimitError(
                f"{self._name} has a line of more than {self._max_width_bytes:,} bytes"
            )
