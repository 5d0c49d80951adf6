"""The watch of a desk: what is watched, the engine that evaluates it, and what carries alerts."""

from collections.abc import Callable
from typing import Final

from ingest.clock import now_us as wall_clock_us
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.watch.board import Board
from ingest.watch.engine import Engine
from ingest.watch.status import WatchStatus
from ingest.watch.store import WatchStore, watch_path

NOT_HERE: Final = "nothing is evaluated here: this process does not record (--no-ingest)"


class Watch:
    """Watches pairs with no browser open. Once per process; any thread.

    Parameters
    ----------
    settings
        Where the database is.
    recorder
        What records into it, a replay too; None where this process only shows, and evaluates
        nothing.
    now_us
        Our clock, µs since the epoch.

    Attributes
    ----------
    store
        Lists, rules, silences, alerts and their deliveries.
    board
        The latest figures of each row.

    Raises
    ------
    StoreError
        The watch's database cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder | None,
        *,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self.settings = settings
        self.store = WatchStore(watch_path(settings.db))
        self.board = Board()
        self._recorder, self._now_us = recorder, now_us
        self._engine = Engine(self.store, self.board, "" if recorder is not None else NOT_HERE)
        self._stopped = False

    def start(self) -> None:
        """Show the rows, then evaluate them from bar to bar."""
        self._engine.start()

    def stop(self, timeout_s: float = 4.0) -> bool:
        """Finish what is being evaluated and close the database; whether it did within the time.

        A second call does nothing.
        """
        if self._stopped:
            return True
        self._stopped = True
        ended = self._engine.stop(timeout_s)
        if ended:  # closed under a thread that still uses it, the connection ends the process
            self.store.close()
        return ended

    def status(self) -> WatchStatus:
        """What is happening; safe from any thread, never waits."""
        return self._engine.status()
