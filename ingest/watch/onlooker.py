"""Rows of the lists where nothing is evaluated: another process records, or nobody."""

import threading
from typing import Final

from analytics.errors import AnalyticsError
from ingest.recorder import FailureLog, RestartingThread
from ingest.watch.board import Board, WatchRow
from ingest.watch.model import Watched, WatchList
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore

NOT_HERE: Final = "nothing is evaluated here: this process does not record (--no-ingest)"
_LOOK_EVERY_S: Final = 0.2


class Onlooker:
    """Keeps the board's rows as the lists have them, without figures, in a thread of its own.

    Parameters
    ----------
    store, board
        What is watched, and where the rows go.
    why_not
        Why nothing is evaluated, in a user's words.
    """

    def __init__(self, store: WatchStore, board: Board, why_not: str = NOT_HERE) -> None:
        self._store, self._board, self._why_not = store, board, why_not
        self._ending = threading.Event()
        self._failures = FailureLog()
        self._last_error: str | None = None
        self._revision = -1
        self._thread = RestartingThread("watch", self._run, self._failed)

    def start(self) -> None:
        """Show what is watched, then follow its changes."""
        self._take_up_changes()
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End; whether it did within the time."""
        self._ending.set()
        self._thread.end()
        return self._thread.join(timeout_s)

    def status(self) -> WatchStatus:
        """What is happening; never waits."""
        pairs = {row.pair for rows in self._board.rows().values() for row in rows}
        return WatchStatus(why_not=self._why_not, pairs=len(pairs), last_error=self._last_error)

    def _run(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_S):
            self._take_up_changes()

    def _take_up_changes(self) -> None:
        revision = self._store.revision()
        if revision != self._revision:
            self._board.publish(
                {each.name: _rows(each, self._why_not) for each in self._store.lists()}
            )
            self._revision = revision

    def _failed(self, thread: str, error: BaseException) -> None:
        self._last_error = self._failures.note(thread, error)


def _rows(watched: WatchList, why_not: str) -> tuple[WatchRow, ...]:
    return tuple(WatchRow(pair, problem=_problem(pair) or why_not) for pair in watched.rows)


def _problem(pair: Watched) -> str:
    try:
        pair.params  # noqa: B018 - raises where its settings cannot be
    except AnalyticsError as error:
        return str(error)
    return ""
