"""A page whose work has no end but Cancel, for the browser test; its argument is a folder."""

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pages.ui.parts.long_work import LongWork
from pages.ui.parts.notices import Notice

FOLDER = Path(sys.argv[1])
WORK = LongWork(
    "count", "Counting", "sheep", Notice("The count was cancelled", "Count again."), "Count again",
    left_by=("leave",),
)  # fmt: skip


def count(progress: Callable[[int, int], None]) -> None:
    """Count until told to stop, and leave a file for each time it did."""
    try:
        for step in itertools.count():
            sum(range(100_000))
            progress(min(step, 999), 1_000)
    finally:
        (FOLDER / f"ended{len(list(FOLDER.iterdir()))}").touch()


@st.fragment
def show() -> None:
    """Count in a part of the page, as the backtest does; a button beside it leaves it."""
    if st.button("Leave", key="leave"):
        st.write("Left.")
        return
    WORK.run("all", count)


show()
