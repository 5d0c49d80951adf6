"""Which list is looked at, and its name: chosen, made, renamed, removed."""

from functools import partial
from typing import Final

import streamlit as st

from ingest.watch import WatchList, WatchStore
from pages.ui.desk.watching import LONGEST_NAME, make_list, rename_list
from pages.ui.parts import formats, plain
from pages.ui.state import choices
from pages.ui.streamlit_private import is_step_of_history
from pages.ui.watch import said

LIST: Final = "watch_list"
KEPT: Final = "watch_list_kept"
WANTED: Final = "watch_list_wanted"
NONE: Final = "watch_list_none"
REMOVING: Final = "watch_list_removing"
MISSING: Final = "watch_list_missing"


def choose(store: WatchStore) -> WatchList | None:
    """Choose a list; None while there is none."""
    by_name = {each.name: each for each in store.lists()}
    names = list(by_name)
    _note_missing(names)
    if not names:
        st.session_state[NONE] = True
        return None
    if st.session_state.pop(NONE, False):  # begun just now: the address is to say so
        st.rerun()
    _return_to(names)
    # No list is one that the address may leave out: the first is another one on another desk.
    chosen = st.selectbox(
        "List", names, None, key=LIST, bind="query-params", required=True, width=220
    )
    if chosen not in by_name:  # a step of the history to an address without a list
        go_to(names[0])
        st.rerun()
    st.session_state[KEPT] = name = str(chosen)
    choices.name_in_address(LIST, name)
    return by_name[name]


def show_missing() -> None:
    """Say that the list which a link names is not here; until another is chosen."""
    with st.container():  # one place, for the sake of what stands below
        missing, beside = st.session_state.get(MISSING, ("", ""))
        if missing and st.session_state.get(LIST, "") in ("", beside):
            plain.warning(f"There is no list {missing} here.")


def _note_missing(names: list[str]) -> None:
    """Note the list that a link names and nobody has; before the control is drawn."""
    asked = st.query_params.get(LIST, "")
    if LIST not in st.session_state or is_step_of_history():
        beside = names[0] if names else ""
        st.session_state[MISSING] = ("" if asked in names else asked, beside)


def _return_to(names: list[str]) -> None:
    """Take up the list that a step asks for, or that was looked at before another page."""
    wanted = st.session_state.pop(WANTED, None)
    if wanted is None and LIST not in st.session_state and LIST not in st.query_params:
        wanted = st.session_state.get(KEPT)
    if wanted in names:
        st.session_state[LIST] = wanted
    elif st.session_state.get(LIST, st.query_params.get(LIST)) not in names:
        st.session_state[LIST] = names[0]


def go_to(name: str) -> None:
    """Look at a list from the next run on."""
    st.session_state[WANTED] = name


def manage(store: WatchStore, watched: WatchList) -> None:
    """Offer a new list, another name, and removal."""
    with st.popover("Lists", key="watch_lists"):
        with st.form("watch_new", clear_on_submit=True, border=False):
            st.text_input("New list", key="watch_new_name", max_chars=LONGEST_NAME)
            st.form_submit_button("Make", on_click=partial(_make, store), width="stretch")
        with st.form("watch_rename", clear_on_submit=True, border=False):
            st.text_input("Other name for this list", key="watch_other_name",
                          max_chars=LONGEST_NAME)  # fmt: skip
            st.form_submit_button(
                "Rename", on_click=partial(_rename, store, watched.name), width="stretch"
            )
        plain.caption(_loss(store, watched))
        _offer_removal(store, watched)


def _offer_removal(store: WatchStore, watched: WatchList) -> None:
    """Offer to remove a list, and ask before it is done."""
    if st.session_state.get(REMOVING) != watched.name:
        st.button("Remove this list", key="watch_remove_list", width="stretch",
                  on_click=partial(_ask_removal, watched.name))  # fmt: skip
        return
    pairs = formats.count(len(watched.pairs), "pair")
    plain.warning(f"Remove {watched.name} with {pairs}?")
    st.button("Remove", key="watch_remove_sure", type="primary", width="stretch",
              on_click=partial(_remove, store, watched.name))  # fmt: skip
    st.button("Keep", key="watch_keep_list", width="stretch", on_click=partial(_ask_removal, ""))


def _ask_removal(name: str) -> None:
    st.session_state[REMOVING] = name


def _loss(store: WatchStore, watched: WatchList) -> str:
    """Say what goes with a list."""
    rules = sum(rule.list == watched.name for rule in store.rules())
    words = f"{watched.name} holds {formats.count(len(watched.pairs), 'pair')}"
    if watched.baskets:
        words += f" and {formats.count(len(watched.baskets), 'basket')}"
    words += "."
    if not rules:
        return words
    verb = "looks" if rules == 1 else "look"
    return f"{words} {formats.count(rules, 'rule')} of alerts {verb} at it, and at nothing then."


def _make(store: WatchStore) -> None:
    said.try_to(lambda: go_to(make_list(store, str(st.session_state["watch_new_name"]))))


def _rename(store: WatchStore, name: str) -> None:
    said.try_to(lambda: go_to(rename_list(store, name, str(st.session_state["watch_other_name"]))))


def _remove(store: WatchStore, name: str) -> None:
    def remove() -> tuple[plain.Tone, str]:
        store.remove_list(name)
        _ask_removal("")
        return "success", f"{name} is removed. The alerts of its pairs are kept."

    said.try_to(remove)
