"""The watch page: many pairs at one glance, as they are evaluated with no browser open."""

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ingest.watch import Watch, current_watch
from pages.ui.desk import controls, header
from pages.ui.parts import notices
from pages.ui.watch import body, words


@st.fragment
def watch_desk(watch: Watch, refresh: controls.Refresh) -> None:
    """Draw what stands still, and what the reader chooses in it."""
    with notices.shown_in_place():
        laid = body.lay_out(watch)
        live_rows(watch, laid, refresh)


@st.fragment
def live_rows(watch: Watch, laid: body.Laid, refresh: controls.Refresh) -> None:
    """Send what moves; the timer stands inside, so that only this is drawn anew."""
    with notices.shown_in_place():
        if not body.show_moving(watch, laid):
            st.rerun()
    if not refresh.is_paused:
        st_autorefresh(refresh.every_s * 1_000, key="refresh")


def main() -> None:
    """Show the lists of this process's watch."""
    watch = current_watch()
    if watch is None:
        notices.show(words.NO_WATCH)
    else:
        watch_desk(watch, header.current().refresh)


main()
