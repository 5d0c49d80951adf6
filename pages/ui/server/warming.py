"""The first start on a machine: what a page waits for while the statistics are compiled."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from analytics import warm
from analytics.warm import Part, Progress
from pages.ui.desk.header import Desk
from pages.ui.server import compiling

LOOK_EVERY_S: Final = 0.5
# Before that many are compiled the time that is left is anybody's guess.
FEW: Final = 5
PARTS: Final[dict[str, tuple[Part, ...]]] = {
    "Live": ("live", "gates"),
    "Evidence": ("live", "gates", "evidence"),
    "Scanner": ("scan",),
    "Backtest": ("live", "backtest"),
}
"""What a page needs, by its name; the others need nothing."""


def wait_for_page(name: str, desk: Desk) -> None:
    """Let a page wait for what it needs, with a line that says so and how far it is.

    The place of the line is there in every run: what stands below it keeps its own.
    """
    place = st.empty()
    parts = needed(name, desk)
    if not warm.is_ready(*parts):
        wait_for(parts, lambda progress, left_s: place.progress(*line(progress, left_s)))
        place.empty()


def needed(name: str, desk: Desk) -> tuple[Part, ...]:
    """Return what a page needs; nothing where there is no pair to look at."""
    return PARTS.get(name, ()) if desk.view is not None or name == "Scanner" else ()


def wait_for(
    parts: Sequence[Part],
    show: Callable[[Progress, float | None], object],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Wait until all parts are ready; `show` is told how far it is and how many seconds it takes.

    Parameters
    ----------
    parts
        What is waited for.
    show
        Called again and again, only while something has to be compiled indeed; the seconds are
        None while they cannot be known.
    look_every_s
        How often.
    """
    begun_s, first = time.monotonic(), None
    while not compiling.wait(parts, look_every_s):
        told = warm.progress(parts)
        if told is not None:
            first = told.done if first is None else first
            show(told, _left_s(told, first, time.monotonic() - begun_s))


def _left_s(told: Progress, first: int, waited_s: float) -> float | None:
    """Estimate the seconds that are left from the pace since the wait began."""
    done = told.done - first
    return None if done < FEW else (told.total - told.done) * waited_s / done


def line(progress: Progress, left_s: float | None) -> tuple[float, str]:
    """Say it in a line, with the share that is done."""
    told = "Preparing the compiled statistics, once on this machine"
    told = f"{told}: {progress.done} of {progress.total}"
    if left_s is not None:
        told = f"{told} · about {max(round(left_s), 1):,} s"
    return progress.done / max(progress.total, 1), told
