"""The factors page: what all symbols do together, and which of them stands apart from it."""

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from pages.ui.desk import header, many_symbols, pair_data
from pages.ui.factors import body, data, run, words
from pages.ui.factors import settings as factor_settings
from pages.ui.parts import notices
from pages.ui.parts.notices import Notice
from pages.ui.state.source import current_recorder

REFRESH_MS = 2_000


def main() -> None:
    """Show the factors of what the reader chose."""
    source = factor_settings.choose_source()
    with notices.shown_in_place():
        SOURCES[source]()


def show_recorded() -> None:
    """Score the recorded symbols, and again at every closed bar."""
    symbols = pair_data.recorded_symbols(pair_data.database_path())
    if not symbols:
        wait(notices.too_few(symbols, is_recording=current_recorder() is not None))
    elif not factor_settings.are_enough(symbols):
        wait(words.too_few_symbols(len(symbols), "The recorded trades"))
    else:
        settings = factor_settings.choose_settings(symbols, factor_settings.RECORDED)
        live_factors(settings)


def wait(notice: Notice) -> None:
    """Say what is not there yet, and look again: the page fills by itself."""
    notices.show(notice)
    st_autorefresh(REFRESH_MS, key="factors_waiting")


@st.fragment
def live_factors(settings: factor_settings.FactorSettings) -> None:
    """Score the closed bars; the timer stands inside, so that only this is redrawn."""
    with notices.shown_in_place():
        path = pair_data.database_path()
        desk = header.current()
        newest_us = data.newest_bar_us(path, settings)
        if newest_us is not None:
            material = data.live_material(
                path, settings, newest_us, desk.source, is_synthetic=desk.is_synthetic
            )
            show(material, settings)
    st_autorefresh(REFRESH_MS, key="factors_refresh")


def show_files() -> None:
    """Score the symbols of tick files."""
    chosen = data.choose_files()
    if not chosen:
        notices.show(Notice("No tick file chosen yet", "Choose one above.", is_fault=False))
        return
    symbols = many_symbols.symbols_of(chosen)
    if not factor_settings.are_enough(symbols):
        notices.show(words.too_few_symbols(len(symbols), "The chosen files"))
        return
    settings = factor_settings.choose_settings(symbols, factor_settings.TICKS)
    show_still(data.of_files(chosen, settings), settings)


@st.fragment
def show_still(material: data.FactorMaterial, settings: factor_settings.FactorSettings) -> None:
    """Show what does not change; apart from the settings, so that a choice redraws only it."""
    with notices.shown_in_place():
        show(material, settings)


def show(material: data.FactorMaterial, settings: factor_settings.FactorSettings) -> None:
    """Score and show, or say what is lacking."""
    body.head(material.name, is_synthetic=material.is_synthetic)
    result = run.run(material, settings)
    if isinstance(result, Notice):
        notices.show(result)
    else:
        body.show(result)


SOURCES = {factor_settings.RECORDED: show_recorded, factor_settings.TICKS: show_files}

main()
