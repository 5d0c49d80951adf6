"""The evidence page: whether the pair's relation is real, on how much data, and how one knows."""

import streamlit as st

from pages.ui import controls, evidence_body, evidence_data, file_choice, notices, pair_data
from pages.ui.recording import current_recorder


def main() -> None:
    """Show the mode that the sidebar says; the controls are those of the live page."""
    with st.sidebar:
        mode = controls.choose_mode()
    with notices.shown_in_place():
        if mode == controls.FILE:
            show_file()
        else:
            show_database()


def show_database() -> None:
    """Show the recorded market as it was when last taken: this page does not refresh by itself."""
    symbols = pair_data.recorded_symbols(pair_data.database_path())
    if len(symbols) < 2:
        notices.show(notices.too_few(symbols, is_recording=current_recorder() is not None))
        return
    with st.sidebar:
        view = controls.choose_view(*controls.choose_pair(symbols), may_read_all=False)
    show_evidence(evidence_data.of_database(view))


def show_file() -> None:
    """Show a pair of a file."""
    file = file_choice.choose_file()
    if file is None:
        return
    symbols = sorted(file_choice.load(file).attrs["report"].symbols)
    if len(symbols) < 2:
        notices.show(notices.single_symbol(symbols[0], file.name))
        return
    with st.sidebar:
        view = controls.choose_view(*controls.choose_pair(symbols, "file_"), may_read_all=True)
    show_evidence(evidence_data.of_file(view, file))


@st.fragment
def show_evidence(material: evidence_data.Material) -> None:
    """Show all of it; apart from the sidebar, so that its buttons redraw only this."""
    with notices.shown_in_place():
        evidence_body.show(material)


main()
