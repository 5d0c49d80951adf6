"""The scanner page: which of many pairs keep together, counted honestly, and one click to each."""

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui.desk import header, many_symbols, pair_data
from pages.ui.parts import notices
from pages.ui.scanner import body, data, run, store, watch, words
from pages.ui.scanner import files as scanner_files
from pages.ui.scanner import settings as scanner_settings
from pages.ui.state.source import current_recorder

REFRESH_MS = 2_000


def main() -> None:
    """Show what the reader wants scanned."""
    source = scanner_settings.choose_source()
    with notices.shown_in_place():
        SOURCES[source]()


def show_recorded() -> None:
    """Rank the recorded symbols, and again at every closed bar."""
    symbols = pair_data.recorded_symbols(pair_data.database_path())
    if len(symbols) < 2:
        notices.show(notices.too_few(symbols, is_recording=current_recorder() is not None))
        return
    offered = header.by_volume(symbols, current_recorder())
    settings = scanner_settings.choose_settings(offered, scanner_settings.RECORDED)
    if not scanner_settings.refuse_too_large(settings):
        live_scan(settings)


@st.fragment
def live_scan(settings: scanner_settings.ScanSettings) -> None:
    """Scan the closed bars; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        path = pair_data.database_path()
        newest_us = data.newest_bar_us(path, settings)
        if newest_us is not None:
            material = data.live_material(path, settings, newest_us)
            show_scan(material, settings)
    watch.show_market_scan()
    if settings.until is None:
        st_autorefresh(REFRESH_MS, key="scan_refresh")


def show_closes() -> None:
    """Scan a file of closes."""
    chosen = scanner_files.choose_closes()
    if chosen is None:
        return
    name, content, closes = chosen
    symbols = [str(each) for each in closes.columns]
    settings = scanner_settings.choose_settings(symbols, scanner_settings.CLOSES)
    show_still(data.of_closes(name, content, closes, settings), settings)


def show_ticks() -> None:
    """Scan one or more files of ticks."""
    files = scanner_files.choose_tick_files()
    if not files:
        return
    symbols = many_symbols.symbols_of(files)
    if len(symbols) < 2:
        notices.show(words.too_few_symbols(len(symbols), "These files"))
        return
    settings = scanner_settings.choose_settings(symbols, scanner_settings.TICKS)
    show_still(data.of_ticks(files, settings), settings)


@st.fragment
def show_still(material: data.ScanMaterial, settings: scanner_settings.ScanSettings) -> None:
    """Show a scan that does not change; apart from the settings, so that filters redraw only it."""
    with notices.shown_in_place():
        show_scan(material, settings)


def show_scan(material: data.ScanMaterial, settings: scanner_settings.ScanSettings) -> None:
    """Scan, unless the reader has cancelled it, and show it."""
    scan = run.run(material, settings)
    if scan is None:
        return
    moves = run.moves(scan, material.last_bar) if material.is_live else {}
    if material.is_live:
        watch.report(scan)
    body.show(scan, moves, is_live=material.is_live)


def show_saved() -> None:
    """Show a scan saved earlier."""
    names = store.saved_names()
    if not names:
        notices.show(notices.Notice(
            "No scan is kept yet", "Scan something, then choose Keep this scan below its table.",
            is_fault=False,
        ))  # fmt: skip
        return
    chosen = st.selectbox("Saved scan", names, key="scan_saved", bind="query-params")
    show_saved_scan(str(chosen))


@st.fragment
def show_saved_scan(name: str) -> None:
    """Show a saved scan; apart from the choice of it."""
    with notices.shown_in_place():
        body.show(store.load(name), {})


SOURCES = {
    scanner_settings.RECORDED: show_recorded,
    scanner_settings.CLOSES: show_closes,
    scanner_settings.TICKS: show_ticks,
    scanner_settings.SAVED: show_saved,
}

main()
