"""Files being read and kept as read, for all sessions: each content once, several at a time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

import pandas as pd

from ingest.errors import IngestError

MAX_FRAMES: Final = 8
MAX_BYTES: Final = 1_000_000_000
MAX_READING_BYTES: Final = 1_500_000_000
ABANDONED_AFTER_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.1

Progress = Callable[[int, int], None]
"""Told how many bytes are read, and how many there are; what it raises ends the reading."""


class _AbandonedError(Exception):
    """Nobody waits for the file any more."""


class Readings:
    """Reads files in threads of their own, and keeps the frames asked for latest.

    Sessions that ask for one content wait for one reading; others have their own, as many at a
    time as memory allows. A session that goes away or chooses something else stops waiting; when
    nobody has waited for `abandoned_after_s`, the reading ends. Until then it goes on, so that a
    rerun of the page finds it further on.

    Parameters
    ----------
    max_frames, max_bytes
        Frames kept, and their memory; the newest is kept whatever it takes.
    most_reading_bytes
        Memory that all readings together may be expected to take; a larger one is read alone.
    """

    def __init__(
        self,
        max_frames: int = MAX_FRAMES,
        max_bytes: int = MAX_BYTES,
        most_reading_bytes: int = MAX_READING_BYTES,
        abandoned_after_s: float = ABANDONED_AFTER_S,
    ) -> None:
        self._max_frames, self._max_bytes = max_frames, max_bytes
        self._abandoned_after_s = abandoned_after_s
        self._lock = threading.Lock()
        self._readings: OrderedDict[Hashable, _Reading] = OrderedDict()
        self._room = _Room(most_reading_bytes)

    def __len__(self) -> int:
        return len(self._readings)

    def get(
        self,
        key: Hashable,
        need_bytes: int,
        read: Callable[[Progress], pd.DataFrame],
        show: Progress,
    ) -> pd.DataFrame:
        """Return what `read` gave for a key: the same frame for all, never to be changed.

        Parameters
        ----------
        need_bytes
            Memory that reading may take.
        read
            Called in a thread with the progress to tell.
        show
            Called here now and then while it is read; may raise, as Streamlit does at a click.

        Raises
        ------
        IngestError
            The file cannot be read; its content is not read again for that.
        """
        while True:
            reading = self._begin_or_join(key, need_bytes, read)
            while not reading.ended.wait(_LOOK_EVERY_S):
                reading.look()
                show(*reading.progress)
            self._make_room()
            if not reading.is_abandoned:
                return reading.result()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._readings.clear()

    def _begin_or_join(
        self, key: Hashable, need_bytes: int, read: Callable[[Progress], pd.DataFrame]
    ) -> "_Reading":
        with self._lock:
            reading = self._readings.pop(key, None)
            if reading is None or not reading.is_worth_keeping:
                reading = _Reading(read, self._room, need_bytes, self._abandoned_after_s)
                reading.begin()
            self._readings[key] = reading
            reading.look()
            return reading

    def _make_room(self) -> None:
        """Let the frames go that were not asked for longest; what is being read stays."""
        with self._lock:
            ended = [key for key, reading in self._readings.items() if reading.ended.is_set()]
            count = len(ended)
            used = sum(self._readings[key].frame_bytes for key in ended)
            for key in ended[:-1]:
                if count <= self._max_frames and used <= self._max_bytes:
                    break
                used -= self._readings.pop(key).frame_bytes
                count -= 1


class _Room:
    """Memory for readings: whoever needs more than is left waits for the others."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._used = 0
        self._changed = threading.Condition()

    def take(self, need_bytes: int, check: Callable[[], None]) -> int:
        """Wait for room, calling `check` now and then, and return what was taken."""
        taken = min(need_bytes, self._most_bytes)
        with self._changed:
            while self._used + taken > self._most_bytes:
                check()
                self._changed.wait(_LOOK_EVERY_S)
            self._used += taken
        return taken

    def give(self, taken: int) -> None:
        """Give back what was taken."""
        with self._changed:
            self._used -= taken
            self._changed.notify_all()


class _Reading:
    """One content being read, or read."""

    def __init__(
        self, read: Callable[[Progress], pd.DataFrame], room: _Room, need_bytes: int,
        abandoned_after_s: float,
    ) -> None:  # fmt: skip
        self.ended = threading.Event()
        self.progress = (0, 0)
        self.is_abandoned = False
        self.frame_bytes = 0
        self._read, self._room, self._need_bytes = read, room, need_bytes
        self._abandoned_after_s = abandoned_after_s
        self._looked_s = time.monotonic()
        self._ticks: pd.DataFrame | None = None
        self._error: Exception | None = None

    def begin(self) -> None:
        """Read in a thread of its own; `ended` says when it is done."""
        threading.Thread(target=self._run, name="pairdesk-file", daemon=True).start()

    def look(self) -> None:
        """Say that somebody waits for it."""
        self._looked_s = time.monotonic()

    @property
    def is_worth_keeping(self) -> bool:
        """Whether it is going on, or came to something that reading again would not change."""
        failed = self._error is not None and not isinstance(self._error, IngestError)
        return not (failed or self.is_abandoned)

    def result(self) -> pd.DataFrame:
        """Return the ticks, or raise what reading them raised; once `ended` is set."""
        if isinstance(self._error, IngestError):
            # Many raise it: each has its own, and no traceback grows.
            raise type(self._error)(*self._error.args) from None
        if self._error is not None:
            raise self._error
        assert self._ticks is not None
        return self._ticks

    def _run(self) -> None:
        try:
            taken = self._room.take(self._need_bytes, self._check)
            try:
                self._ticks = self._read(self._tell)
            finally:
                self._room.give(taken)
            self.frame_bytes = int(self._ticks.memory_usage(deep=True).sum())
        except _AbandonedError:
            self.is_abandoned = True
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        finally:
            self._read = _ended
            self.ended.set()

    def _tell(self, done: int, size: int) -> None:
        self.progress = (done, size)
        self._check()

    def _check(self) -> None:
        if time.monotonic() - self._looked_s > self._abandoned_after_s:
            raise _AbandonedError


def _ended(_: Progress) -> pd.DataFrame:
    """Stands in for what was read from: an upload's bytes are not held any longer."""
    raise AssertionError
