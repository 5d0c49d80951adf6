"""Settings that come back at the next start, and views saved under a name: the sidebar's part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import streamlit as st

from ingest.settings import current_settings
from pages.ui.parts import plain
from pages.ui.state import choices, views
from pages.ui.state.views import ViewError

BEGUN: Final = "session_begun"
SAID: Final = "views_said"
BASELINE: Final = "views_baseline"


def take_up() -> None:
    """Begin a visit with the last settings, unless its link says what to show.

    A link means the same to everyone: what it does not say is as it is at first. How often to
    refresh is no part of a link.
    """
    if st.session_state.get(BEGUN):
        return
    st.session_state[BEGUN] = True
    saved = views.read(_path())
    if saved.damage:
        st.session_state[SAID] = (False, saved.damage)
    is_link = not st.query_params.to_dict().keys().isdisjoint(choices.CHOICES)
    returning = {
        key: value
        for key, value in _lasting(saved.last).items()
        if key in choices.NOT_IN_LINK or not is_link
    }
    choices.begin_with({**returning, **choices.asked_for()})


def keep() -> None:
    """Keep what is chosen for the next start, once the reader changed something.

    Not where the data is from, and no stretch of the past: a visit begins with the live database.
    """
    now = _lasting(choices.chosen())
    before = st.session_state.setdefault(BASELINE, now)
    if now != before:
        st.session_state[BASELINE] = now
        views.remember(_path(), now)


def _lasting(settings: Mapping[str, choices.Value]) -> dict[str, choices.Value]:
    passing = {*choices.SOURCES, *choices.STRETCH}
    return {key: value for key, value in settings.items() if key not in passing}


def manage() -> None:
    """Show the saved views: open, save, delete."""
    with st.expander("Saved views", key="saved_views"):
        names = sorted(views.read(_path()).views, key=str.casefold)
        if names:
            name = str(st.selectbox("View", names, key="view_name"))
            left, right = st.columns(2)
            left.button("Open", key="open_view", on_click=_open, args=(name,), width="stretch")
            right.button("Delete", key="delete_view", on_click=_delete, args=(name,),
                         width="stretch")  # fmt: skip
        else:
            st.caption("A view is pair, interval, range, method and tab under a name.")
        with st.form("save_view", clear_on_submit=True, border=False):
            st.text_input("Save what is shown as", key="new_view", max_chars=views.LONGEST_NAME)
            st.form_submit_button("Save", on_click=_save, width="stretch")
    is_well, said = st.session_state.get(SAID, (True, ""))
    if said:
        (plain.caption if is_well else plain.warning)(said)


def _path() -> Path:
    return views.file_beside(current_settings().db)


def _open(name: str) -> None:
    view = views.read(_path()).views.get(name)
    if view is None:
        st.session_state[SAID] = (False, f"The view {name} is gone.")
        return
    choices.apply(view)
    st.session_state[SAID] = (True, f"Opened {name}.")


def _save() -> None:
    name = str(st.session_state.get("new_view", ""))
    try:
        views.save(_path(), name, choices.chosen())
    except ViewError as error:
        st.session_state[SAID] = (False, str(error))
    else:
        st.session_state[SAID] = (True, f"Saved {name.strip()}.")


def _delete(name: str) -> None:
    try:
        views.delete(_path(), name)
    except ViewError as error:
        st.session_state[SAID] = (False, str(error))
    else:
        st.session_state[SAID] = (True, f"Deleted {name}.")
