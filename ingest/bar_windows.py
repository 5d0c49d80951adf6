"""The windows of bars of this process, shared by all pages and sessions."""

import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path

from ingest.bar_window import BarWindow
from ingest.stored_bars import interval_seconds

# A day of seconds takes about 6 MB.
MOST_WINDOWS = 24


class BarWindows:
    """Windows by database, symbol and interval; those not used for longest go first.

    Any thread. Whoever asks for a window at the same time as others gets the same one, and its own
    lock makes them read once.
    """

    def __init__(self, most: int = MOST_WINDOWS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[Path, str, int], BarWindow] = OrderedDict()

    def get(self, path: Path | str, symbol: str, interval: str) -> BarWindow:
        """Find the window, or make one that is read when it is looked at.

        Raises
        ------
        StoreError
            An interval that is none.
        """
        key = (Path(path), symbol, interval_seconds(interval))
        with self._lock:
            window = self._windows.pop(key, None) or BarWindow(*key[:2], interval)
            self._windows[key] = window
            gone = []
            while len(self._windows) > self._most:
                gone.append(self._windows.popitem(last=False)[1])
        for old in gone:
            old.close()
        return window

    def size_bytes(self) -> int:
        """Bytes of all arrays held."""
        with self._lock:
            return sum(window.size_bytes() for window in self._windows.values())


@cache
def shared_windows() -> BarWindows:
    """The windows every page uses."""
    return BarWindows()
