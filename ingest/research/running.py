"""Running a piece of research: what is not done yet is done, each result kept as it comes."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from analytics.research import Closes, ResearchResult, Task, TaskResult, combine
from ingest.research.coming import Check
from ingest.research.saved import SavedResearch


class Executor(Protocol):
    """Where tasks are done."""

    @property
    def words(self) -> str:
        """Where that is, in words."""
        ...

    def results(
        self, saved: SavedResearch, closes: Closes, pending: Sequence[Task], check: Check
    ) -> Iterator[TaskResult]:
        """Give each task's result as it comes, in any order; closing it ends the work.

        `check` is called a few times a second; what it raises ends the work as well.
        """
        ...


class Progress(Protocol):
    """Who is told how far it is; it raises where the work is to end."""

    def update(
        self, done: int | None = None, total: int | None = None, step: str | None = None
    ) -> None:
        """Say how many tasks are done, of how many, and what is done just now."""
        ...

    def check(self) -> None:
        """Raise where the work is to end."""
        ...


def run_research(saved: SavedResearch, executor: Executor, progress: Progress) -> ResearchResult:
    """Do what is left to do, and put it together.

    Killed at any moment and called again, it goes on: a task is done, and its result whole on
    disk, or it is not.

    Raises
    ------
    ResearchError
        The closes are not what they were; the cluster is gone; someone else works on it.
    """
    if saved.is_finished:
        return saved.result()
    with saved.locked():
        results, pending = _sorted_out(saved)
        total = len(results) + len(pending)
        progress.update(len(results), total, executor.words)
        if pending:
            coming = executor.results(saved, saved.closes(), pending, progress.check)
            try:
                for result in coming:
                    saved.keep(result)
                    results.append(result)
                    progress.update(len(results), total)
            finally:
                _close(coming)
        progress.update(step="putting together")
        combined = combine(saved.spec, saved.grid, results)
        saved.finish(combined)
        return combined


def _sorted_out(saved: SavedResearch) -> tuple[list[TaskResult], list[Task]]:
    """Results that are there, and tasks whose results are not, or are damaged."""
    there = saved.done()
    results, pending = [], []
    for task in saved.tasks():
        result = saved.kept(task.number) if task.number in there else None
        if result is None:
            pending.append(task)
        else:
            results.append(result)
    return results, pending


def _close(coming: Iterator[TaskResult]) -> None:
    """End the work of an iterator that is not read to its end."""
    close = getattr(coming, "close", None)
    if close is not None:
        close()
