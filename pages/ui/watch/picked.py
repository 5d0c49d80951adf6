"""What can be done with the rows that the reader picked."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import streamlit as st

from ingest.watch import Watched, WatchedBasket, WatchedPair, WatchList, WatchStore
from pages.ui.desk.watching import change_list
from pages.ui.parts import formats, markup
from pages.ui.watch import basket_settings, said, settings
from pages.ui.watch.parsing import LONGEST_GROUP
from pages.ui.watch.rows import row_id

PICKED: Final = "watch_picked"
GROUP: Final = "watch_group"

Change = Callable[[Watched], Watched | None]


def forget() -> None:
    """Begin with none, as a table that is new to the page does."""
    st.session_state.pop(PICKED, None)


def pick(ids: object) -> None:
    """Take over which rows are picked in the table."""
    known = ids if isinstance(ids, list | tuple) else ()
    st.session_state[PICKED] = tuple(str(each) for each in known)


def of(watched: WatchList) -> tuple[Watched, ...]:
    """Return the picked rows of a list, in its order."""
    ids = set(st.session_state.get(PICKED, ()))
    return tuple(pair for pair in watched.rows if row_id(pair.params) in ids)


def show(store: WatchStore, watched: WatchList, picked: tuple[Watched, ...]) -> None:
    """Offer settings, a group and removal; one place, empty or not."""
    with st.container(horizontal=True, vertical_alignment="center", key="watch_actions"):
        if not picked:
            return
        words = f"{formats.count(len(picked), 'row')} picked"
        if len(picked) != 2:
            words = f"{words}; two can be compared"
        markup.show(markup.block(markup.text(words, "muted")))
        pairs = tuple(row for row in picked if isinstance(row, WatchedPair))
        if pairs:
            settings.of_rows(store, watched, pairs)
        baskets = tuple(row for row in picked if isinstance(row, WatchedBasket))
        if baskets:
            basket_settings.of_baskets(store, watched, baskets)
        ids = frozenset(row_id(pair.params) for pair in picked)
        with st.popover("Group", key="watch_grouping"), st.form("watch_group_form", border=False):
            st.text_input("Group of these rows", key=GROUP, max_chars=LONGEST_GROUP,
                          help="Empty takes them out of their group.")  # fmt: skip
            st.form_submit_button("Set", on_click=partial(_group, store, watched.name, ids))
        st.button("Remove", key="watch_remove", on_click=partial(_remove, store, watched.name, ids))


def pin(store: WatchStore, name: str, which: object) -> None:
    """Pin a row, or take its pin."""

    def turn(row: Watched) -> Watched:
        return replace(row, is_pinned=not row.is_pinned)

    said.try_to(partial(_change, store, name, frozenset([str(which)]), turn))


def _group(store: WatchStore, name: str, ids: frozenset[str]) -> None:
    group = formats.clipped(st.session_state.get(GROUP, ""), LONGEST_GROUP)
    said.try_to(partial(_change, store, name, ids, lambda row: replace(row, group=group)))


def _remove(store: WatchStore, name: str, ids: frozenset[str]) -> None:
    if said.try_to(partial(_change, store, name, ids, lambda _: None)):
        said.say(("success", f"{formats.count(len(ids), 'row')} removed from {name}."))


def _change(store: WatchStore, name: str, ids: frozenset[str], change: Change) -> None:
    def changed(watched: WatchList) -> WatchList:
        rows = [change(row) if row_id(row.params) in ids else row for row in watched.rows]
        return replace(
            watched,
            pairs=tuple(row for row in rows if isinstance(row, WatchedPair)),
            baskets=tuple(row for row in rows if isinstance(row, WatchedBasket)),
        )

    change_list(store, name, changed)
