"""All recorded symbols scanned at every closed minute, with no page open, where a rule asks for it.

The scan is that of the Scanner page over its last 24 hours. Pairs that it finds and that hold go to
the rules of `find`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import AnalyticsError
from ingest.errors import IngestError
from ingest.recorder import RestartingThread
from ingest.store import SECOND_US, StreamChanges, shared_windows
from ingest.watch.model import WatchedPair
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")
INTERVAL: Final = "1min"
MINUTE_US: Final = 60 * SECOND_US
BARS: Final = 1_440
WINDOW: Final = 60
LEVEL: Final = 0.05
# A minute counts as closed so long after the first trade of the next: all legs are stored then.
SETTLE_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class MarketScanStatus:
    """The latest scan of the market.

    Attributes
    ----------
    is_asked
        Whether a rule asks for scans.
    bar_us
        Open of the last bar of the latest one, µs since the epoch; 0 before the first.
    symbols, pairs, found
        Symbols scanned, pairs tried, pairs found that hold.
    took_s, cpu_s
        From the look at the bars to the table, and what all threads of this process spent
        meanwhile.
    error
        Why the latest could not be made; "" where it was.
    """

    is_asked: bool = False
    bar_us: int = 0
    symbols: int = 0
    pairs: int = 0
    found: int = 0
    took_s: float = 0.0
    cpu_s: float = 0.0
    error: str = ""


class MarketScan:
    """Scans in a thread of its own; a minute that closes meanwhile is left for the one after.

    Parameters
    ----------
    path
        The tick database.
    store
        Whose rules say whether scans are asked for.
    report
        Takes the pairs that a scan found, all of them.
    workers
        Threads of a scan; by default the cores, four at most.
    clock
        Monotonic seconds.
    history
        Folder of the lake that is read with the database as one; None: the database alone.
    """

    def __init__(
        self,
        path: Path,
        store: WatchStore,
        report: Callable[[Sequence[WatchedPair]], None],
        workers: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        history: Path | None = None,
    ) -> None:
        self._clock, self._history = clock, history
        self._path, self._store, self._report, self._workers = path, store, report, workers
        self._changes = StreamChanges(path)
        self._newest: dict[str, int] = {}
        self._revision = -1
        self._settled_s: tuple[int, float] = (0, 0.0)
        self._status = MarketScanStatus()
        self._ending = threading.Event()
        self._thread = RestartingThread("market-scan", self._run, self._failed)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End, a scan that runs with its next tile; whether it did within the time."""
        self._ending.set()
        self._thread.end()
        return self._thread.join(timeout_s)

    def status(self) -> MarketScanStatus:
        """How the latest scan was; any thread, never waits."""
        return self._status

    def run_once(self) -> bool:
        """Scan if a rule asks for it and a minute has closed since the last one; whether it did.

        Raises
        ------
        StoreError
            The database or the watch cannot be read.
        """
        if not self._is_asked():
            return False
        self._newest |= self._changes.look()
        minute = max(self._newest.values(), default=0) // MINUTE_US
        if minute != self._settled_s[0]:
            self._settled_s = minute, self._clock()
        is_settled = self._clock() - self._settled_s[1] >= SETTLE_S
        if (minute - 1) * MINUTE_US <= self._status.bar_us or not is_settled:
            return False
        self._scan(minute)
        return True

    def _is_asked(self) -> bool:
        revision = self._store.revision()
        if revision != self._revision:
            is_asked = any(rule.when == "find" for rule in self._store.rules())
            self._status = replace(self._status, is_asked=is_asked)
            self._revision = revision
        return self._status.is_asked

    def _scan(self, minute: int) -> None:
        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        bar_us = (minute - 1) * MINUTE_US
        symbols = sorted(self._newest)
        try:
            closes = market_closes(self._path, symbols, minute, self._history)
            table = self._table(closes)
        except _EndedError:
            return
        except (AnalyticsError, IngestError) as error:
            self._status = MarketScanStatus(True, bar_us, len(symbols), error=str(error))
            return
        pairs = found_pairs(table)
        self._status = MarketScanStatus(
            True, bar_us, len(closes.columns), len(table), len(pairs),
            time.perf_counter() - begun_s, time.process_time() - begun_cpu_s,
        )  # fmt: skip
        self._report(pairs)

    def _table(self, closes: pd.DataFrame) -> pd.DataFrame:
        from analytics.scanner import scan_pairs  # noqa: PLC0415 - numba, when needed

        return scan_pairs(
            closes, window=WINDOW, level=LEVEL, workers=self._workers,
            progress=self._check, draw_progress=self._check,
        )  # fmt: skip

    def _check(self, _done: int, _steps: int) -> None:
        if self._ending.is_set():
            raise _EndedError

    def _run(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_S):
            try:
                self.run_once()
            except IngestError as error:
                self._status = replace(self._status, error=str(error))
        self._changes.close()

    def _failed(self, thread: str, error: BaseException) -> None:
        _LOG.warning("%s failed and goes on: %r", thread, error)
        self._status = replace(self._status, error=repr(error))


class _EndedError(Exception):
    """The process ends while a scan runs."""


def market_closes(
    path: Path, symbols: Sequence[str], end: int, history: Path | None = None
) -> pd.DataFrame:
    """Closes of the day before a minute since the epoch, NaN where missing, a column a symbol.

    Raises
    ------
    StoreError
        The database cannot be read.
    """
    begin = end - BARS
    closes = np.full((len(symbols), BARS), np.nan)
    if history is not None and not history.is_dir():
        history = None  # as the pages have it: the windows are theirs too
    start_s = begin * MINUTE_US // SECOND_US
    views = shared_windows().views(path, symbols, INTERVAL, start_s, history=history)
    for row, symbol in zip(closes, symbols, strict=True):
        bars = views[symbol].before(end)
        skip = max(0, begin - bars.first)
        part = bars.close[skip:]
        row[bars.first + skip - begin :][: part.size] = part
    has_any = ~np.isnan(closes).all(axis=1)
    names = [symbol for symbol, is_there in zip(symbols, has_any, strict=True) if is_there]
    first = int(np.argmax(~np.isnan(closes).all(axis=0)))
    return pd.DataFrame(closes[has_any, first:].T, columns=names, copy=False)


def found_pairs(table: pd.DataFrame) -> list[WatchedPair]:
    """Pairs of a scan that stay below the level once all are counted, and hold afterwards."""
    is_found = (table["reason"] == "") & (table["qvalue"] < LEVEL) & (table["verdict"] == "holds")
    legs = table.loc[is_found, ["y", "x"]].itertuples(index=False)
    return [
        WatchedPair(str(y), str(x), INTERVAL, WINDOW, "log", lookback_s=BARS * 60, level=LEVEL)
        for y, x in legs
    ]
