"""The windows of all sessions: one a symbol and interval, those not used for longest let go."""

import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path

from ingest.store.bars import interval_seconds
from ingest.store.window.bar_window import BarWindow

# Each holds a connection, of three files.
MOST_WINDOWS = 128
# A day of seconds takes about 6 MB, a day of minutes next to nothing.
MOST_BYTES = 256 << 20


class BarWindows:
    """Windows by database, symbol and interval; those not used for longest go first.

    Any thread. Whoever asks for a window at the same time as others gets the same one, and its own
    lock makes them read once.
    """

    def __init__(self, most: int = MOST_WINDOWS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[Path, str, int], BarWindow] = OrderedDict()

    def get(self, path: Path | str, symbol: str, interval: str) -> BarWindow:
        """Find the window, or make one that is read when it is looked at.

        Raises
        ------
        StoreError
            An unknown interval.
        """
        key = (Path(path), symbol, interval_seconds(interval))
        with self._lock:
            window = self._windows.pop(key, None)
            evicted = [] if window is not None else self._make_room()
            window = window or BarWindow(*key[:2], interval)
            self._windows[key] = window
        for old in evicted:
            old.close()
        return window

    def _make_room(self) -> list[BarWindow]:
        """Take out those not used for longest until there is room for one more."""
        evicted = []
        previous = sum(window.size_bytes() for window in self._windows.values())
        while self._windows and (len(self._windows) >= self._most or previous > self._most_bytes):
            _, old = self._windows.popitem(last=False)
            previous -= old.size_bytes()
            evicted.append(old)
        return evicted

    def size_bytes(self) -> int:
        """Bytes of all arrays in memory."""
        with self._lock:
            return sum(window.size_bytes() for window in self._windows.values())


@cache
def shared_windows() -> BarWindows:
    """The windows every page uses."""
    return BarWindows()
