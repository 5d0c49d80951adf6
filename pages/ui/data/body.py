"""The data page's body: what is held, the jobs under way, and the forms that begin one."""

from pathlib import Path

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ingest.errors import IngestError
from ingest.history import JobRunner, current_jobs
from ingest.settings import current_settings
from ingest.store.lake import Holding, Lake
from pages.ui.data import calendar, fetching, held, importing, jobs, removing, words
from pages.ui.parts import markup, notices, plain

REFRESH_MS = 1_000


def show() -> None:
    """Show the page; only the jobs move by themselves."""
    root = current_settings().history
    _head(root)
    runner = current_jobs()
    if runner is None:
        plain.info(words.NO_JOBS)
    with notices.shown_in_place():
        _holdings(root, runner)
    if runner is not None:
        with notices.shown_in_place():
            _begin(root, runner)


def _head(root: Path) -> None:
    name = markup.text(f"Parquet files in {root}", "muted")
    markup.show(markup.block(markup.heading("Data"), name, css="pd-head"))


@st.fragment
def _holdings(root: Path, runner: JobRunner | None) -> None:
    """Show jobs and what they brought; the timer stands inside, so that only this is redrawn."""
    is_moving = runner is not None and jobs.show(runner)
    try:
        holdings = Lake(root).holdings()
    except IngestError as error:
        plain.error(str(error))
        return
    if not holdings:
        plain.info(words.EMPTY)
    else:
        _show_holdings(root, holdings, runner)
    # A timer that stands still costs a page that nobody touches nothing.
    if is_moving:
        st_autorefresh(REFRESH_MS, key="data_refresh")


def _show_holdings(root: Path, holdings: list[Holding], runner: JobRunner | None) -> None:
    series = held.series_of(holdings)
    markup.show(markup.block(held.figures(series)))
    markup.show(markup.block(held.table(series)))
    chosen = held.choose(series)
    calendar.show(chosen)
    held.offer_files(root, holdings, chosen)
    if runner is not None:
        removing.show(root, chosen)


def _begin(root: Path, runner: JobRunner) -> None:
    """Show the forms, each in a tab."""
    fetch, take_in = st.tabs(["Fetch from the exchange", "Import files"])
    with fetch:
        fetching.show(root, runner)
    with take_in:
        importing.show(root, runner)
