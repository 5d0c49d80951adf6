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
from pages.ui.parts.notices import RefusedValue
from pages.ui.state import choices
from pages.ui.state.choices import CHOICES, Number, OneOf, Switch
from pages.ui.state.page_choices import PAGE_CHOICES, PAGE_NUMBERS
from pages.ui.streamlit_private import is_step_of_history

NUMBERS: Final[dict[str, Number]] = {
    **{key: kind for key, kind in CHOICES.items() if isinstance(kind, Number)},
    **PAGE_NUMBERS,
}
KINDS: Final[dict[str, Number | OneOf | Switch]] = {
    **{key: kind for key, kind in CHOICES.items() if isinstance(kind, Number | OneOf | Switch)},
    **PAGE_NUMBERS,
    **PAGE_CHOICES,
}
RANGES: Final = ("lookback", "span")
REFUSED: Final = "link_numbers_refused"


@dataclass(frozen=True)
class Refused:
    """What a link to a page said that its control does not take."""

    page: str
    value: RefusedValue


def correct(page: str) -> None:
    """Have the address say the default for each value that is none of its control's.

    Before any control is drawn. Runs the page again where there is one, for Streamlit reads the
    address at the start of a run.
    """
    values = [value for key in KINDS if (value := _refused(key)) is not None]
    for each in values:
        st.query_params[each.key] = choices.written(each.kind.default)
        st.session_state.pop(each.key, None)
    if values:
        st.session_state[REFUSED] = [Refused(page, each) for each in values]
        st.rerun()


def _refused(key: str) -> RefusedValue | None:
    """Return what the address says that the control does not take; None where all is well."""
    said = st.query_params.get_all(key)
    unknown = next((text for text in said if not _is_taken(key, text)), None)
    if unknown is not None:
        return RefusedValue(key, unknown, KINDS[key])
    return _refused_range(key, said[-1]) if said and key in RANGES and _is_followed() else None


def _is_followed() -> bool:
    """Whether the address is a link that was opened, and not what the reader has chosen since."""
    return "interval" not in st.session_state or is_step_of_history()


def _refused_range(key: str, text: str) -> RefusedValue | None:
    """Refuse a range that holds no two bars of the interval that the same link names.

    One that holds too many is refused where the bars would be read, with what helps.
    """
    interval = _interval_of_link()
    there = (*choices.lookbacks_on_offer(interval, choices.MOST_BARS), choices.WHOLE)
    if text in there or choices.holds_bars(text, interval):
        return None
    default = str(CHOICES[key].default)
    options = there
    return RefusedValue(key, text, OneOf(default, options), f" at {interval}")


def _interval_of_link() -> str:
    """Name the interval that the address says; where it is none, the default stands in."""
    text = st.query_params.get("interval")
    if text is None:
        return str(choices.value_of("interval"))
    return parse_interval(text if _is_interval(text) else str(CHOICES["interval"].default)).name


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
        each.value
        for each in st.session_state.get(REFUSED, [])
        if each.page == page and _is_default(each.value.key)
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
