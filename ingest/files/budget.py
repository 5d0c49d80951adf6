"""How much text, and how much computing, one file may cost."""

import time
from collections.abc import Callable

from ingest.errors import FileLimitError

Progress = Callable[[int, int], None]

# A recording packs 10 to 30 times; deflate alone could do 1,030 times.
MAX_RATIO = 200
_RATIO_FROM_BYTES = 16 * 2**20

# The row-by-row path reads some 10 MB of text a second: no recording takes ten times as long.
_BASE_CPU_S = 8.0
_CPU_S_A_BYTE = 10.0 / 2**20


class Budget:
    """What one file has used of its allowance.

    Parameters
    ----------
    name
        Of the file, for messages.
    size
        Its bytes as it lies on disk, packed if it is packed.
    max_bytes
        Bytes of text it may hold, after unpacking.
    progress
        Called at each check with (bytes read as it lies, `size`); what it raises ends the reading.
    """

    def __init__(self, name: str, size: int, max_bytes: int, progress: Progress | None) -> None:
        self.text_bytes = 0
        self._name, self._size, self._max_bytes = name, size, max_bytes
        self._progress = progress
        self._raw_bytes = 0
        self._started_s = time.thread_time()
        self._allowed_s = _BASE_CPU_S + size * _CPU_S_A_BYTE

    def spend(self, text_bytes: int, raw_bytes: int) -> None:
        """Count text that was unpacked, with the place reached in the file.

        Raises
        ------
        FileLimitError
            That was too much.
        """
        self.text_bytes += text_bytes
        self._raw_bytes = max(self._raw_bytes, min(raw_bytes, self._size))
        if self.text_bytes > self._max_bytes:
            limit = f"{self._max_bytes:,}"
            raise FileLimitError(f"{self._name} holds more than {limit} bytes of text: split it")
        if self.text_bytes > max(_RATIO_FROM_BYTES, MAX_RATIO * self._size):
            raise FileLimitError(
                f"{self._name} unpacks to more than {MAX_RATIO} times its size, which no recording "
                "does: it cannot be read"
            )
        self.check()

    def check(self) -> None:
        """Say how far the reading is.

        Raises
        ------
        FileLimitError
            It takes too long.
        """
        if time.thread_time() - self._started_s > self._allowed_s:
            raise FileLimitError(
                f"{self._name} takes more than {self._allowed_s:,.0f} s of computing, far more "
                "than trades do: it cannot be read"
            )
        if self._progress is not None:
            self._progress(self._raw_bytes, self._size)

    def finish(self) -> None:
        """Say that the whole file was read."""
        self._raw_bytes = self._size
        if self._progress is not None:
            self._progress(self._size, self._size)
