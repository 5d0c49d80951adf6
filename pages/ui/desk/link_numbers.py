"""Numbers of a link that their control does not take: the default stands in, and a notice says so.

Streamlit would stop at a number that no float holds, and change others without a word.
"""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from pages.ui.parts import notices
from pages.ui.state import choices
from pages.ui.state.choices import CHOICES, PAGE_NUMBERS, Number

NUMBERS: Final[dict[str, Number]] = {
    **{key: kind for key, kind in CHOICES.items() if isinstance(kind, Number)},
    **PAGE_NUMBERS,
}
REFUSED: Final = "link_numbers_refused"


@dataclass(frozen=True)
class Refused:
    """A number that a link to a page said, and the control it was meant for."""

    page: str
    key: str
    asked: str


def correct(page: str) -> None:
    """Have the address say the default for each number that is none of its control's.

    Before any control is drawn. Runs the page again where there is one, for Streamlit reads the
    address at the start of a run.
    """
    refused = [Refused(page, key, text) for key in NUMBERS if (text := _refused(key)) is not None]
    for each in refused:
        st.query_params[each.key] = choices.written(NUMBERS[each.key].default)
        st.session_state.pop(each.key, None)
    if refused:
        st.session_state[REFUSED] = refused
        st.rerun()


def _refused(key: str) -> str | None:
    """Return what the address says that the control does not take; None where all is well."""
    said = st.query_params.get_all(key)
    return next((text for text in said if choices.read_number(NUMBERS[key], text) is None), None)


def show_refused(page: str) -> None:
    """Say which numbers were refused, on the page that they were meant for, until they change."""
    standing = [
        (each.key, each.asked, NUMBERS[each.key])
        for each in st.session_state.get(REFUSED, [])
        if each.page == page and _is_default(each.key)
    ]
    if standing:
        notices.show(notices.refused_numbers(standing))


def _is_default(key: str) -> bool:
    return bool(st.session_state.get(key, NUMBERS[key].default) == NUMBERS[key].default)
