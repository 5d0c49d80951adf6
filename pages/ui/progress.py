"""Bars for the recorder's long work: reading the exchange's own bars, fetching missing ids."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from ingest.gap_board import Progress
from ingest.status import RecorderStatus
from pages.ui import formats, plain

MOST_NAMED: Final = 4


def show_progress(status: RecorderStatus) -> None:
    """Show a bar for each kind of work that is not done: symbols that do the same share one."""
    for work in unfinished(status):
        plain.progress(work.done / work.total, progress_text(work))


def unfinished(status: RecorderStatus) -> list[Progress]:
    """List the work that is not done, a kind each."""
    asked_for = () if status.asked_for is None else (status.asked_for,)
    works = together((*status.warm_start, *asked_for, *status.backfill))
    return [work for work in works if work.done < work.total]


def together(works: Sequence[Progress]) -> list[Progress]:
    """Add up what is done of the same kind: its slowest symbol says how long it takes."""
    kinds: dict[tuple[str, str], list[Progress]] = {}
    for work in works:
        kinds.setdefault((work.what, work.unit), []).append(work)
    return [_sum(alike) for alike in kinds.values()]


def _sum(works: Sequence[Progress]) -> Progress:
    symbols = list(dict.fromkeys(work.symbol for work in works))
    named = ", ".join(symbols) if len(symbols) <= MOST_NAMED else f"{len(symbols)} symbols"
    return replace(
        works[0],
        symbol=named,
        done=sum(work.done for work in works),
        total=sum(work.total for work in works),
        waiting_s=_longest(work.waiting_s for work in works),
        eta_s=_longest(work.eta_s for work in works),
    )


def _longest(times_s: Iterable[float | None]) -> float | None:
    return max((time_s for time_s in times_s if time_s is not None), default=None)


def progress_text(work: Progress) -> str:
    """Say what is going on, how far it is, what it waits for and how long it will take."""
    told = [f"{work.symbol}: {work.what}", f"{work.done:,} of {work.total:,} {work.unit}".rstrip()]
    if work.waiting_s is not None and work.waiting_s > 0:
        told.append(f"waiting {formats.age(work.waiting_s)} as the exchange asks")
    if work.eta_s is not None:
        told.append(f"about {formats.age(work.eta_s)} left")
    return ", ".join(told)
