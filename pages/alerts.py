"""The alerts page: rules, what fired, what is silenced, and the channels it goes out by."""

from collections.abc import Callable

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ingest.watch import Watch, current_watch
from pages.ui.alerts import body, words
from pages.ui.parts import notices

REFRESH_MS = 2_000


def main() -> None:
    """Show the alerts of this process's watch."""
    body.head()
    watch = current_watch()
    if watch is None:
        notices.show(words.NO_WATCH)
        return
    with notices.shown_in_place():
        view = body.choose_view(watch)
        if view in body.MOVING:
            moving(body.MOVING[view], watch)
        if view in body.STILL:
            body.STILL[view](watch)


@st.fragment
def moving(show: Callable[[Watch], None], watch: Watch) -> None:
    """Show what moves by itself; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        show(watch)
    st_autorefresh(REFRESH_MS, key="refresh")


main()
