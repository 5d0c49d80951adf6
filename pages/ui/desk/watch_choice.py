"""Which list pairs are put into, from pages other than the lists' own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import streamlit as st

from ingest.errors import IngestError
from ingest.watch import Watched, WatchStore
from pages.ui.desk.watching import FIRST_LIST, add_pairs
from pages.ui.parts import plain
from pages.ui.parts.notices import sentence

SAID: Final = "watch_choice_said"
_WIDTH_PX: Final = 420


@contextmanager
def offered(label: str, *, key: str) -> Iterator[None]:
    """Show the block's controls where a button asks for them, and what they came to below.

    The way to the lists stands first and the width is one: what a click changes would else move
    the link away between the press and the release of the next click.
    """
    with st.popover(label, key=key), st.container(width=_WIDTH_PX):
        st.page_link("watch.py", label="Open the Watch page")
        yield
        tone, words = st.session_state.get(SAID, ("success", ""))
        if words:
            plain.SAYS[tone](words)


def choose_list(store: WatchStore, *, key: str) -> str:
    """Choose one of the lists; the first is begun where there is none."""
    names = [each.name for each in store.lists()]
    if len(names) < 2:
        return names[0] if names else FIRST_LIST
    return str(st.selectbox("List", names, key=key))


def add_button(
    label: str, store: WatchStore, name: str, pairs: Sequence[Watched], *, key: str
) -> None:
    """Show a button that puts pairs into a list; `offered` tells what it came to."""
    st.button(label, key=key, disabled=not pairs, on_click=partial(_add, store, name, pairs))


def _add(store: WatchStore, name: str, pairs: Sequence[Watched]) -> None:
    try:
        added = add_pairs(store, name, pairs)
        st.session_state[SAID] = (added.tone, added.words)
    except IngestError as error:
        st.session_state[SAID] = ("error", f"{sentence(str(error))}.")
