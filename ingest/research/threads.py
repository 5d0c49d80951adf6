"""Tasks in this process's threads: the kernels hold no lock, so that each takes a core."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from analytics.research import Closes, Task, TaskResult, run_task
from ingest.research.coming import Check, as_they_come
from ingest.research.saved import SavedResearch


class _StoppedError(Exception):
    """Nobody waits for the result any more."""


@dataclass(frozen=True, slots=True)
class OnThreads:
    """Does tasks here.

    Attributes
    ----------
    workers
        Threads; None for the cores, eight at most.
    """

    workers: int | None = None

    @property
    def words(self) -> str:
        """Where the work is done."""
        return "on this machine"

    def results(
        self, saved: SavedResearch, closes: Closes, pending: Sequence[Task], check: Check
    ) -> Iterator[TaskResult]:
        """Give each task's result as it comes; closing the iterator ends the work."""
        stop = threading.Event()

        def go_on() -> None:
            """End a task at its next step once nobody wants the rest."""
            if stop.is_set():
                raise _StoppedError

        workers = self.workers or max(1, min(8, os.cpu_count() or 1))
        with ThreadPoolExecutor(workers, thread_name_prefix="research") as pool:
            futures = [pool.submit(run_task, task, saved.spec, closes, go_on) for task in pending]
            try:
                for future in as_they_come(futures, check):
                    yield future.result()
            finally:
                stop.set()
                for future in futures:
                    future.cancel()
