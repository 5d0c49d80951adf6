"""The live page: a pair from the recorded market or from a file, its signal, charts and exports."""

from functools import partial

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui import (
    body,
    exports,
    file_choice,
    header,
    notices,
    pair_data,
    recording,
    replaying,
    status,
)


def main() -> None:
    """Show what the header asks for."""
    desk = header.current()
    desk.show_missing()
    with notices.shown_in_place():
        if not desk.is_file:
            show_database(desk)
        elif desk.view is None or desk.file is None:
            desk.show_why_not()
        else:
            show_file_pair(desk, desk.file)
            body.show_report(file_choice.load(desk.file).attrs["report"])


def show_database(desk: header.Desk) -> None:
    """Show the recorded market; only the fragment inside is drawn anew."""
    live_body(desk)
    if desk.view is not None:
        offer_stored_ticks(desk)


@st.fragment
def live_body(desk: header.Desk) -> None:
    """Draw everything that moves; the timer stands inside, so that only this is redrawn."""
    recorder = recording.current_recorder()
    recorded = recorder.status() if recorder else None
    with st.container():  # one place, empty or not: what stands below keeps its position
        notices.show_standing(recorded)
        trouble = status.last_error(recorded)
        if trouble:
            st.error(f"Last error: {trouble}")
        if recorded is not None and recorded.replay is not None:
            st.progress(*replaying.progress(recorded.replay))
    with notices.shown_in_place():
        if pair_data.has_other_symbols(pair_data.database_path(), desk.symbols):
            st.rerun()
        if desk.view is None:
            desk.show_why_not()
        else:
            show_stored_pair(desk, body.Source.of(desk, status.feed_words(recorded)))
    if not desk.refresh.is_paused:
        st_autorefresh(desk.refresh.every_s * 1_000, key="refresh")


def show_stored_pair(desk: header.Desk, source: body.Source) -> None:
    """Read the pair back from its last trade and show it."""
    view = desk.checked_view()
    params = view.params
    bars = pair_data.read_pair(
        pair_data.database_path(), params.y, params.x, params.interval, view.lookback_s
    )
    body.show_pair(bars, params, source)


@st.fragment
def offer_stored_ticks(desk: header.Desk) -> None:
    """Offer the stored ticks; apart from the live body, so that no refresh closes it."""
    params = desk.checked_view().params
    path, legs = pair_data.database_path(), (params.y, params.x)
    with notices.shown_in_place():
        span = pair_data.recorded_span(path, legs)
        if span is not None:
            read = partial(exports.stored_ticks, path, legs)
            count = partial(exports.count_stored_ticks, path, legs)
            exports.offer_ticks(exports.TickSource(*legs, *span, read, count))


@st.fragment
def show_file_pair(desk: header.Desk, file: file_choice.TickFile) -> None:
    """Show the same body as live, over a file's ticks."""
    view, ticks = desk.checked_view(), file_choice.load(file)
    params = view.params
    with notices.shown_in_place():
        bars = pair_data.bars_of_ticks(ticks, file.content, params, view.lookback_s)
        body.show_pair(bars, params, body.Source.of(desk, []))
        legs = (params.y, params.x)
        exports.offer_ticks(exports.source_of_file(ticks, *legs, is_synthetic=file.is_synthetic))


main()
