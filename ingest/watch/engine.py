"""The engine: one thread that keeps the board's rows as the lists have them."""

import logging
import threading
from collections.abc import Mapping
from typing import Final

from ingest.recorder import FailureLog, RestartingThread
from ingest.watch.board import Board, WatchRow
from ingest.watch.model import WatchList
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore

_LOG: Final = logging.getLogger("pairdesk.watch")

# A change of lists or rules is on the board within this.
LOOK_EVERY_S: Final = 0.2


class Engine:
    """Evaluates each watched pair at each closed bar, in a thread of its own.

    Parameters
    ----------
    store, board
        What is watched, and where the rows go.
    why_not
        Why nothing is evaluated by this process; "" where it is.
    """

    def __init__(self, store: WatchStore, board: Board, why_not: str = "") -> None:
        self._store, self._board, self._why_not = store, board, why_not
        self._ending = threading.Event()
        self._failures = FailureLog()
        self._last_error: str | None = None
        self._revision = -1
        self._thread = RestartingThread("watch", self._run, self._failed)

    def start(self) -> None:
        """Show what is watched, then begin."""
        self._take_up_changes()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End after the pass that runs; whether it did within the time."""
        self._ending.set()
        self._thread.end()
        return self._thread.join(timeout_s)

    def status(self) -> WatchStatus:
        """What is happening; never waits."""
        rows = self._board.rows()
        pairs = {row.pair.params for each in rows.values() for row in each}
        return WatchStatus(
            is_evaluating=not self._why_not,
            why_not=self._why_not,
            pairs=len(pairs),
            last_error=self._last_error,
        )

    def _run(self) -> None:
        while not self._ending.wait(LOOK_EVERY_S):
            self._take_up_changes()

    def _take_up_changes(self) -> None:
        revision = self._store.revision()
        if revision != self._revision:
            self._board.publish(_rows(self._store.lists(), self._why_not))
            self._revision = revision

    def _failed(self, thread: str, error: BaseException) -> None:
        self._last_error = self._failures.note(thread, error)


def _rows(lists: tuple[WatchList, ...], problem: str) -> Mapping[str, tuple[WatchRow, ...]]:
    return {
        each.name: tuple(WatchRow(pair, problem=problem) for pair in each.pairs) for each in lists
    }
