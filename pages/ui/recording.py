"""Adding and removing recorded symbols while the recorder runs."""

from collections.abc import Callable

import streamlit as st

from ingest.recorder import Recorder, current_recorder
from ingest.tick import IngestError

__all__ = ["current_recorder", "manage_symbols"]


def manage_symbols(recorder: Recorder) -> None:
    """Show the recorded symbols, with a box to add and one to remove."""
    with st.expander("Recorded symbols"):
        st.caption(", ".join(recorder.symbols) or "None yet.")
        with st.form("add_symbol", clear_on_submit=True, border=False):
            symbol = st.text_input("Add a symbol", placeholder="SOLUSDT")
            if st.form_submit_button("Add", width="stretch"):
                _change("Recording", recorder.add_symbol, symbol)
        if recorder.symbols:
            with st.form("remove_symbol", border=False):
                leaving = st.selectbox("Remove a symbol", list(recorder.symbols))
                if st.form_submit_button("Remove", width="stretch"):
                    _change("No longer recording", recorder.remove_symbol, str(leaving))


def _change(done: str, change: Callable[[str], object], symbol: str) -> None:
    """Ask the recorder; a symbol it refuses costs one line, not the page."""
    name = symbol.strip().upper()
    try:
        change(name)
    except IngestError as error:
        st.error(str(error))
    else:
        st.success(f"{done} {name}. Stored trades are kept.")
