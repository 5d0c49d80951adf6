"""The windows of all sessions: one a symbol and interval, those not used for longest let go."""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from ingest.store.bars import interval_seconds
from ingest.store.sources.history import History
from ingest.store.window.bar_view import BarView
from ingest.store.window.bar_window import BarWindow
from ingest.store.window.many_windows import look_together

# A month of a pair's seconds takes 270 MB, a day of minutes of 400 symbols 30 MB.
MOST_BYTES: Final = 384 << 20

_Key = tuple[str, str, int, str | None]


class BarWindows:
    """Windows by database, symbol, interval and lake; those not used for longest go first.

    As many as the memory bound allows. Any thread. Whoever asks for a window at the same time as
    others gets the same one, and its own lock makes them read once.

    Parameters
    ----------
    most_bytes
        Of the arrays of all windows; the one asked for stays whatever it takes.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._windows: OrderedDict[_Key, BarWindow] = OrderedDict()
        self._histories: dict[str, History] = {}
        self._bytes = 0

    def get(
        self, path: Path | str, symbol: str, interval: str, *, history: Path | str | None = None
    ) -> BarWindow:
        """Find the window, or make one that is read when it is looked at.

        Parameters
        ----------
        path, symbol, interval
            As for `BarWindow`.
        history
            Folder of the lake to read with the database as one; None: the database alone.

        Raises
        ------
        StoreError
            An unknown interval.
        """
        return self._get(path, [symbol], interval, history)[0]

    def views(
        self,
        path: Path | str,
        symbols: Sequence[str],
        interval: str,
        start: int | None,
        *,
        history: Path | str | None = None,
    ) -> dict[str, BarView]:
        """View the bars of each symbol from the one that holds second `start` on: one look for all.

        As `get` and `BarWindow.view` of one after the other, to the bit.

        Parameters
        ----------
        path, interval, history
            As for `get`.
        symbols
            Of one database.
        start
            As for `BarWindow.view`.

        Raises
        ------
        StoreError
            An unknown interval; the file is missing or no Pairdesk database.
        """
        windows = self._get(path, list(dict.fromkeys(symbols)), interval, history)
        done = look_together(windows)
        views = {each.symbol: each.view(start, look=each not in done) for each in windows}
        with self._lock:
            evicted = self._make_room(keep=1)
        for old in evicted:
            old.close()
        return views

    def _get(
        self, path: Path | str, symbols: Sequence[str], interval: str, history: Path | str | None
    ) -> list[BarWindow]:
        lake = None if history is None else os.fspath(history)
        name, seconds = os.fspath(path), interval_seconds(interval)
        keys = [(name, symbol, seconds, lake) for symbol in symbols]
        with self._lock:
            windows = [self._take(key, interval) for key in keys]
            evicted = self._make_room()
            self._windows.update(zip(keys, windows, strict=True))
        for old in evicted:
            old.close()
        return windows

    def size_bytes(self) -> int:
        """Bytes of all arrays in memory."""
        with self._lock:
            return self._bytes

    def _take(self, key: _Key, interval: str) -> BarWindow:
        return self._windows.pop(key, None) or self._new(key, interval)

    def _new(self, key: _Key, interval: str) -> BarWindow:
        path, symbol, _, lake = key
        history = None if lake is None else self._histories.setdefault(lake, History(lake))
        return BarWindow(path, symbol, interval, history=history, on_resize=self._count)

    def _count(self, more_bytes: int) -> None:
        with self._lock:
            self._bytes += more_bytes

    def _make_room(self, keep: int = 0) -> list[BarWindow]:
        """Take out those not used for longest until the others are within the bound."""
        evicted: list[BarWindow] = []
        left = self._bytes
        while len(self._windows) > keep and left > self._most_bytes:
            _, old = self._windows.popitem(last=False)
            left -= old.size_bytes()
            evicted.append(old)
        return evicted


@cache
def shared_windows() -> BarWindows:
    """The windows every page uses."""
    return BarWindows()
