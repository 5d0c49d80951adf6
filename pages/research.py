"""The research page: all pairs of many symbols with many settings, over months, as a job."""

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui.desk import header
from pages.ui.parts import notices
from pages.ui.research import body, data, jobs, words
from pages.ui.research import settings as research_settings
from pages.ui.scanner import files as closes_files
from pages.ui.state.source import current_recorder

REFRESH_MS = 2_000


def main() -> None:
    """Show the form, what is under way, and what is kept."""
    body.head()
    with st.expander("New research", expanded=not body.has_any()), notices.shown_in_place():
        SOURCES[research_settings.choose_source()]()
    show_jobs(was_busy=bool(jobs.running()))
    show_kept()


def ask_of_recorded() -> None:
    """Offer the recorded symbols, with their history."""
    symbols, days = data.recorded()
    if len(symbols) < 2:
        notices.show(words.too_few(len(symbols), "The recording and the history"))
        return
    offered = header.by_volume(symbols, current_recorder())
    wanted = research_settings.choose(offered, days, body.taken_names())
    if body.begins(wanted):
        jobs.start(wanted, data.reading(wanted), research_settings.RECORDED)
        st.rerun()


def ask_of_closes() -> None:
    """Offer the symbols of a file of closes."""
    chosen = closes_files.choose_closes()
    if chosen is None:
        return
    name, _, closes = chosen
    symbols = [str(each) for each in closes.columns]
    wanted = research_settings.choose(symbols, data.days_of(closes), body.taken_names())
    if body.begins(wanted):
        jobs.start(wanted, data.reading_file(closes, wanted), name)
        st.rerun()


@st.fragment
def show_jobs(*, was_busy: bool) -> None:
    """Show what is under way; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        is_busy = body.show_jobs()
        if is_busy:
            st_autorefresh(REFRESH_MS, key="research_refresh")
        elif was_busy:
            # What it came to stands below.
            st.rerun()


@st.fragment
def show_kept() -> None:
    """Show what is kept; apart from the form, so that filters redraw only this."""
    with notices.shown_in_place():
        body.show_saved()


SOURCES = {
    research_settings.RECORDED: ask_of_recorded,
    research_settings.CLOSES: ask_of_closes,
}

main()
