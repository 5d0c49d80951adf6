"""The live page: a pair from the recorded market or from a file, its signal, charts and exports."""

import time
from functools import partial

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui import (
    body,
    controls,
    exports,
    file_choice,
    notices,
    pair_data,
    recording,
    status,
)


def main() -> None:
    """Show the mode that the sidebar says."""
    with st.sidebar:
        mode = controls.choose_mode()
    with notices.shown_in_place():
        if mode == controls.FILE:
            show_file()
        else:
            show_database()


def show_database() -> None:
    """Show the recorded market; only the fragment inside is drawn anew."""
    recorder = recording.current_recorder()
    symbols = pair_data.symbols_or_none(pair_data.database_path())
    view = None
    with st.sidebar:
        pair_controls = st.container()
        refresh = controls.choose_refresh()
        if recorder is not None:
            recording.manage_symbols(recorder)
        if len(symbols) >= 2:
            with pair_controls:
                view = controls.choose_view(*controls.choose_pair(symbols), may_read_all=False)
    live_body(view, refresh, tuple(symbols))
    if view is not None:
        offer_stored_ticks(view)


@st.fragment
def live_body(
    view: controls.View | None, refresh: controls.Refresh, symbols: tuple[str, ...]
) -> None:
    """Draw everything that moves; the timer stands inside, so that only this is redrawn."""
    recorder = recording.current_recorder()
    recorded = recorder.status() if recorder else None
    strip = status.strip(recorded, time.time_ns() // 1_000)
    if view is None:
        st.html(strip)
    with st.container():  # one place, empty or not: what stands below keeps its position
        notices.show_standing(recorded)
    with notices.shown_in_place():
        if tuple(pair_data.recorded_symbols(pair_data.database_path())) != symbols:
            st.rerun()
        if view is None:
            notices.show(notices.too_few(symbols, is_recording=recorder is not None))
        else:
            show_stored_pair(view, refresh, strip)
    if not refresh.is_paused:
        st_autorefresh(refresh.every_s * 1_000, key="refresh")


def show_stored_pair(view: controls.View, refresh: controls.Refresh, strip: str) -> None:
    """Read the pair back from its last trade and show it."""
    params = view.params
    bars = pair_data.read_pair(
        pair_data.database_path(), params.y, params.x, params.interval, view.lookback_s
    )
    source = body.Source("Live database", strip=strip, is_paused=refresh.is_paused)
    body.show_pair(bars, params, source)


@st.fragment
def offer_stored_ticks(view: controls.View) -> None:
    """Offer the stored ticks; apart from the live body, so that no refresh closes it."""
    path, legs = pair_data.database_path(), (view.params.y, view.params.x)
    with notices.shown_in_place():
        span = pair_data.recorded_span(path, legs)
        if span is not None:
            read = partial(exports.stored_ticks, path, legs)
            count = partial(exports.count_stored_ticks, path, legs)
            exports.offer_ticks(exports.TickSource(*legs, *span, read, count))


def show_file() -> None:
    """Show a file: what was read of it, and the same body as live."""
    file = file_choice.choose_file()
    if file is None:
        return
    ticks = file_choice.load(file)
    report = ticks.attrs["report"]
    symbols = sorted(report.symbols)
    if len(symbols) < 2:
        notices.show(notices.single_symbol(symbols[0], file.name))
        body.show_report(report)
        return
    with st.sidebar:
        view = controls.choose_view(*controls.choose_pair(symbols, "file_"), may_read_all=True)
    show_file_pair(view, file)
    body.show_report(report)


@st.fragment
def show_file_pair(view: controls.View, file: file_choice.TickFile) -> None:
    """Show the same body as live, over a file's ticks."""
    params, ticks = view.params, file_choice.load(file)
    source = body.Source(f"NDJSON file: {file.name}", is_synthetic=file.is_synthetic)
    with notices.shown_in_place():
        bars = pair_data.bars_of_ticks(ticks, file.content, params, view.lookback_s)
        body.show_pair(bars, params, source)
        legs = (params.y, params.x)
        exports.offer_ticks(exports.source_of_file(ticks, *legs, is_synthetic=file.is_synthetic))


main()
