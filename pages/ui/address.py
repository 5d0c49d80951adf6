"""A link is the view: what a change of page loses of the address is put back."""

from typing import Final

import streamlit as st

from pages.ui import choices
from pages.ui.streamlit_private import complete_address

COMPLETE: Final = "address_complete"


def complete(page: str, *, is_drawn: bool = False) -> None:
    """Say in the address what is chosen, until the first run of a page has ended.

    On later runs the browser itself writes what the reader changes, and this does nothing.

    Parameters
    ----------
    page
        Name of the page that runs.
    is_drawn
        Whether it has run, so that no control is to come.
    """
    if st.session_state.get(COMPLETE) == page:
        return
    complete_address(choices.in_link())
    if is_drawn:
        st.session_state[COMPLETE] = page
