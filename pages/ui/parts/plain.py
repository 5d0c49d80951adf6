"""Sentences that may hold words from outside, shown as the text they are: never as Markdown.

A name from a link, a file, the exchange or a visitor would become a picture or a link in what
Streamlit shows. Whatever is not written out in the code goes through here.
"""

from collections.abc import Callable
from typing import Final, Literal

import streamlit as st

from pages.charts.plain_text import bounded
from pages.ui.parts import formats

LONGEST: Final = 1_000  # characters of what is shown at once


def text(words: str) -> str:
    """Give words in Markdown that shows them as they are, on one line, no name without end."""
    return formats.as_written(bounded(formats.clipped(words, LONGEST)))


def caption(words: str) -> None:
    """Show words small."""
    st.caption(text(words))


def info(words: str) -> None:
    """Show what is so, or not there yet."""
    st.info(text(words))


def success(words: str) -> None:
    """Show what was done."""
    st.success(text(words))


def warning(words: str) -> None:
    """Show what to look out for."""
    st.warning(text(words))


def error(words: str) -> None:
    """Show what is wrong."""
    st.error(text(words))


Tone = Literal["success", "info", "warning", "error"]

# How each tone is shown.
SAYS: Final[dict[Tone, Callable[[str], None]]] = {
    "success": success,
    "info": info,
    "warning": warning,
    "error": error,
}


def progress(share: float, words: str) -> None:
    """Show how far something is, from 0 to 1."""
    st.progress(share, text(words))
