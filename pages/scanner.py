"""The scanner page: which of many pairs keep together, counted honestly, and one click to each."""

from pathlib import Path

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui import (
    file_choice,
    notices,
    pair_data,
    scanner_body,
    scanner_data,
    scanner_files,
    scanner_run,
    scanner_settings,
    scanner_store,
    scanner_words,
)
from pages.ui.recording import current_recorder

REFRESH_MS = 2_000


def main() -> None:
    """Show the source that the sidebar says."""
    with st.sidebar:
        source = scanner_settings.choose_source()
    with notices.shown_in_place():
        SOURCES[source]()


def show_recorded() -> None:
    """Rank the recorded symbols, and again at every closed bar."""
    symbols = pair_data.recorded_symbols(pair_data.database_path())
    if len(symbols) < 2:
        notices.show(notices.too_few(symbols, is_recording=current_recorder() is not None))
        return
    with st.sidebar:
        settings = scanner_settings.choose_settings(symbols, scanner_settings.RECORDED)
    live_scan(settings)


@st.fragment
def live_scan(settings: scanner_settings.ScanSettings) -> None:
    """Scan the closed bars; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        path = pair_data.database_path()
        newest_us = scanner_data.newest_bar_us(path, settings)
        if newest_us is not None:
            material = scanner_data.live_material(path, settings, newest_us)
            show_scan(material, settings)
    st_autorefresh(REFRESH_MS, key="scan_refresh")


def show_closes() -> None:
    """Scan a file of closes."""
    chosen = scanner_files.choose_closes()
    if chosen is None:
        return
    name, content, closes = chosen
    with st.sidebar:
        symbols = [str(each) for each in closes.columns]
        settings = scanner_settings.choose_settings(symbols, scanner_settings.CLOSES)
    show_still(scanner_data.of_closes(name, content, closes, settings), settings)


def show_ticks() -> None:
    """Scan one or more files of ticks."""
    files = scanner_files.choose_tick_files()
    if not files:
        return
    symbols = scanner_data.symbols_of(files)
    if len(symbols) < 2:
        notices.show(scanner_words.too_few_symbols(len(symbols), "These files"))
        return
    with st.sidebar:
        settings = scanner_settings.choose_settings(symbols, scanner_settings.TICKS)
    show_still(scanner_data.of_ticks(files, settings), settings)


@st.fragment
def show_still(
    material: scanner_data.ScanMaterial, settings: scanner_settings.ScanSettings
) -> None:
    """Show a scan that does not change; apart from the sidebar, so that filters redraw only it."""
    with notices.shown_in_place():
        show_scan(material, settings)


def show_scan(material: scanner_data.ScanMaterial, settings: scanner_settings.ScanSettings) -> None:
    """Scan, unless the reader has cancelled it, and show it."""
    scan = scanner_run.run(material, settings)
    if scan is None:
        notices.show(scanner_words.cancelled())
        st.button("Scan again", key="scan_again", on_click=scanner_run.forget_cancel)
        return
    moves = scanner_run.moves(scan, material.last_bar) if material.is_live else {}
    scanner_body.show(scan, moves, open_pair)


def show_saved() -> None:
    """Show a scan kept earlier."""
    names = scanner_store.saved_names()
    if not names:
        notices.show(notices.Notice(
            "No scan is kept yet", "Scan something, then choose Keep this scan below its table.",
            is_fault=False,
        ))  # fmt: skip
        return
    chosen = st.sidebar.selectbox("Saved scan", names, key="scan_saved", bind="query-params")
    show_kept(str(chosen))


@st.fragment
def show_kept(name: str) -> None:
    """Show a kept scan; apart from the sidebar."""
    with notices.shown_in_place():
        scanner_body.show(scanner_store.load(name), {}, open_pair)


def open_pair(y: str, x: str, scan: scanner_store.KeptScan) -> None:
    """Open the pair on Live, from the recorded market or from the bundled sample."""
    query = {"interval": scan.settings.interval, "spread": "log", "s1": y, "s2": x}
    if scan.source == file_choice.SAMPLE_NAME:
        query |= {"mode": "NDJSON File", "file_s1": y, "file_s2": x}
        st.switch_page("live.py", query_params=query)
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [symbol for symbol in (y, x) if symbol not in recorded]
    if lacking:
        notices.show(scanner_words.not_on_live(lacking[0]))
        return
    st.switch_page(Path("live.py"), query_params=query)


SOURCES = {
    scanner_settings.RECORDED: show_recorded,
    scanner_settings.CLOSES: show_closes,
    scanner_settings.TICKS: show_ticks,
    scanner_settings.SAVED: show_saved,
}

main()
