"""Values of a link that their control does not take: the default stands in, and a notice says so.

Streamlit would stop at a number that no float holds, and change others without a word. Names that
depend on the data, symbols and files, are looked for where they are chosen from.
"""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from analytics.errors import ParameterError
from analytics.frames import parse_interval
from pages.ui.parts import notices
from pages.ui.state import choices
from pages.ui.state.choices import CHOICES, PAGE_CHOICES, PAGE_NUMBERS, Number, OneOf, Switch

NUMBERS: Final[dict[str, Number]] = {
    **{key: kind for key, kind in CHOICES.items() if isinstance(kind, Number)},
    **PAGE_NUMBERS,
}
KINDS: Final[dict[str, Number | OneOf | Switch]] = {
    **{key: kind for key, kind in CHOICES.items() if isinstance(kind, Number | OneOf | Switch)},
    **PAGE_NUMBERS,
    **PAGE_CHOICES,
}
REFUSED: Final = "link_numbers_refused"


@dataclass(frozen=True)
class Refused:
    """A value that a link to a page said, and the control it was meant for."""

    page: str
    key: str
    asked: str


def correct(page: str) -> None:
    """Have the address say the default for each value that is none of its control's.

    Before any control is drawn. Runs the page again where there is one, for Streamlit reads the
    address at the start of a run.
    """
    refused = [Refused(page, key, text) for key in KINDS if (text := _refused(key)) is not None]
    for each in refused:
        st.query_params[each.key] = choices.written(KINDS[each.key].default)
        st.session_state.pop(each.key, None)
    if refused:
        st.session_state[REFUSED] = refused
        st.rerun()


def _refused(key: str) -> str | None:
    """Return what the address says that the control does not take; None where all is well."""
    said = st.query_params.get_all(key)
    return next((text for text in said if not _is_taken(key, text)), None)


def _is_taken(key: str, text: str) -> bool:
    kind = KINDS[key]
    if isinstance(kind, Number):
        return choices.read_number(kind, text) is not None
    if isinstance(kind, Switch):
        return text.lower() in {"true", "false"}
    if key == "interval":
        return _is_interval(text)
    return kind.admits(choices.present_name(key, text) if key in CHOICES else text)


def show_refused(page: str) -> None:
    """Say which values were refused, on the page that they were meant for, until they change."""
    standing = [
        (each.key, each.asked, KINDS[each.key])
        for each in st.session_state.get(REFUSED, [])
        if each.page == page and _is_default(each.key)
    ]
    if standing:
        notices.show(notices.refused_values(standing))


def _is_default(key: str) -> bool:
    return bool(st.session_state.get(key, KINDS[key].default) == KINDS[key].default)


def _is_interval(text: str) -> bool:
    """Whether it names an interval, by any of the names it has."""
    try:
        parse_interval(text)
    except ParameterError:
        return False
    return True
