"""The first start on a machine: what a page waits for while the statistics are compiled."""

import time
from collections.abc import Callable
from typing import Final

import streamlit as st

from analytics.warm import Part
from pages.ui.desk.header import Desk
from pages.ui.parts import formats
from pages.ui.server.compiling import PREPARATION, Preparation, Progress

LOOK_EVERY_S: Final = 0.5
PARTS: Final[dict[str, Part]] = {
    "Live": "live",
    "Evidence": "evidence",
    "Scanner": "scan",
    "Baskets": "live",
    "Backtest": "backtest",
    "Research": "backtest",
}
"""The last part that a page needs, by its name; the others need none."""
PAIRLESS: Final = ("Scanner", "Baskets", "Research")


def wait_for_page(name: str, desk: Desk) -> None:
    """Let a page wait for what it needs, with a line that says so and how far it is.

    The place of the line is there in every run: what stands below it keeps its own.
    """
    place = st.empty()
    part = _needed(name, desk)
    if not PREPARATION.is_ready(part):
        wait_for(PREPARATION, part, lambda *each: place.progress(*line(*each)))
        place.empty()


def _needed(name: str, desk: Desk) -> Part | None:
    """Return what a page needs; nothing where there is no pair to look at."""
    return PARTS.get(name) if desk.view is not None or name in PAIRLESS else None


def wait_for(
    preparation: Preparation,
    part: Part | None,
    show: Callable[[Progress, float], object],
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Wait until a part is ready.

    While something is compiled `show` says how far it is, and for how many seconds so far.
    """
    begun_s = time.monotonic()
    while not preparation.wait(part, look_every_s):
        if preparation.is_compiling:
            show(preparation.progress(part), time.monotonic() - begun_s)


def line(progress: Progress, waited_s: float) -> tuple[float, str]:
    """Return the share that is done, and the words for it.

    A call takes up to a quarter of a minute: the seconds say that it goes on.
    """
    words = "Preparing the compiled statistics, once on this machine"
    text = f"{words}: {progress.done} of {progress.total} after {formats.age(waited_s)}"
    return progress.done / max(progress.total, 1), text
