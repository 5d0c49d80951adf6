"""What to look at and how: controls bound to the URL, so that a link opens the same view.

Drawn by the header, before any page: so they are the same ones on every page.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import streamlit as st

from analytics.errors import ParameterError
from analytics.frames import parse_interval
from analytics.pair import PairParams
from ingest.settings import current_settings
from pages.ui.parts import plain
from pages.ui.state import choices, ranges
from pages.ui.state.choices import (
    AUTO,
    AUTO_LOOKBACKS,
    FILE,
    LIVE,
    LOCAL_ZONE,
    REPLAY,
    UTC_ZONE,
    WHOLE,
    Mode,
    Number,
    OneOf,
)
from pages.ui.state.ranges import Range

BOUND: Final[Literal["query-params"]] = "query-params"
PAIR_BEFORE: Final = "pair_before"
RECENT: Final = "recent_legs"
RECENT_ORDER: Final = "recent_legs_of_page"
MOST_RECENT: Final = 12
TYPED: Final = "typed_range"
WRONG: Final = "typed_range_wrong"
INTERVAL_HELP: Final = "Length of a bar. 1s, 1min and 5min are also written 1S, 1T and 5T."
RANGE_HELP: Final = (
    "How far back from the last trade. β and the tests use these bars, 120 at least; windows at "
    "its beginning see the bars before it."
)
# Ranges that have no button of their own on Live, where they share a line; typed they are there.
SELDOM: Final = ("5min", "15min", "3d")
ZONE_HELP: Final = "Zone of all times on the pages; Local is your browser's. Files have UTC."


@dataclass(frozen=True)
class View:
    """What the reader asked for: the analysis, and the money to size."""

    params: PairParams
    capital: float = float(choices.CHOICES["capital"].default)


@dataclass(frozen=True)
class Refresh:
    """How often the live part is drawn anew; never while paused."""

    every_s: int
    is_paused: bool


# Of a page that stands still.
STILL: Final = Refresh(0, is_paused=True)


def select(
    label: str, key: str, options: Sequence[str] = (), *, first: int = 0, width: int | None = None,
    note: str | None = None,
) -> str:  # fmt: skip
    """Show a choice of names; those of `choices.CHOICES` where none are given.

    Options are shown as they are named: a bound selection puts what it shows into the URL.
    """
    kind = choices.CHOICES[key]
    _rename_in_url(key)
    known = list(options) or list(kind.options if isinstance(kind, OneOf) else ())
    choices.recall(key, known)
    index = known.index(str(kind.default)) if kind.default in known else first
    choices.begins_with(key, known[index])
    chosen = st.selectbox(
        label, known, index=index, key=key, bind=BOUND, help=note, width=width or "stretch"
    )
    return str(chosen)


def _rename_in_url(key: str) -> None:
    """Let a link of an earlier version say what it said; before the selection reads it.

    Runs the page again, for Streamlit reads the URL's values at the start of a run.
    """
    written = st.query_params.get(key)
    name = choices.present_name(key, written)
    if name != written:
        st.query_params[key] = name
        st.rerun()


def number(label: str, key: str, note: str | None = None) -> float:
    """Show a number in its range."""
    kind = choices.CHOICES[key]
    if not isinstance(kind, Number):
        raise TypeError(f"{key} is no number")
    choices.recall(key)
    shown = st.number_input(
        label, kind.low, kind.high, kind.default, kind.step, key=key, bind=BOUND, help=note,
        format="%d" if isinstance(kind.default, int) else "%g",
    )  # fmt: skip
    return float(shown)


def switch(label: str, key: str, note: str | None = None) -> bool:
    """Show a switch."""
    choices.recall(key)
    default = bool(choices.CHOICES[key].default)
    return bool(st.toggle(label, default, key=key, bind=BOUND, help=note))


def pick_mode() -> Mode:
    """Switch between the recorded market, a file and a replay."""
    # Started for a replay, the app records nothing.
    modes = [REPLAY, FILE] if current_settings().replay else [LIVE, FILE, REPLAY]
    choices.recall("mode", modes)
    chosen = st.radio("Source", modes, key="mode", bind=BOUND)
    return next((mode for mode in modes if mode == chosen), modes[0])


def recent_first(symbols: Sequence[str], page: str) -> tuple[str, ...]:
    """Put the legs that this visit looked at after the first pair, the latest first.

    In another order only on another page: a list that moves while it is open is not found again.
    """
    order, looked_at = RECENT_ORDER, st.session_state.get(RECENT, ())
    if st.session_state.get(order, ("",))[0] != page:
        st.session_state[order] = (page, *looked_at)
    recent = [each for each in st.session_state[order][1:] if each in symbols]
    return tuple(dict.fromkeys((*symbols[:2], *recent, *symbols)))


def pick_pair(symbols: Sequence[str], prefix: str = "") -> tuple[str, str]:
    """Choose the two legs, S1 the dependent one, with a button that swaps them.

    Parameters
    ----------
    symbols
        At least two.
    prefix
        Keeps the choice of one mode apart from the other's.
    """
    keys = (f"{prefix}s1", f"{prefix}s2")
    _keep_apart(*keys)
    _stand_apart(keys, symbols)
    y = select("S1 (y)", keys[0], symbols, width=150, note="The leg that is bought on BUY.")
    st.button(
        "Swap", key="swap", on_click=_swap, args=keys, help="Make S2 the dependent leg, and S1 the "
        "regressor. Tests and β change with it.",
    )  # fmt: skip
    x = select(
        "S2 (x)", keys[1], symbols, first=1, width=150, note="The leg that is sold against it."
    )
    st.session_state[PAIR_BEFORE] = (y, x)
    before = st.session_state.get(RECENT, ())
    st.session_state[RECENT] = tuple(dict.fromkeys((y, x, *before)))[:MOST_RECENT]
    return y, x


def _stand_apart(keys: tuple[str, str], symbols: Sequence[str]) -> None:
    """Where one leg is known and is the other's first choice, give the other one another."""
    known = [_known(key, symbols) for key in keys]
    for own, other, first in ((0, 1, symbols[1]), (1, 0, symbols[0])):
        if known[own] == first and not known[other]:
            st.session_state[keys[other]] = symbols[0] if first == symbols[1] else symbols[1]


def _known(key: str, symbols: Sequence[str]) -> str:
    """Return a leg that is chosen, or that a link asks for; nothing where it is not there."""
    symbol = str(choices.value_of(key))
    return symbol if symbol in symbols else ""


def _swap(y_key: str, x_key: str) -> None:
    legs = st.session_state[y_key], st.session_state[x_key]
    st.session_state[x_key], st.session_state[y_key] = legs


def _keep_apart(y_key: str, x_key: str) -> None:
    """Where the reader chose the other leg's symbol, give the other leg this one's."""
    before = st.session_state.get(PAIR_BEFORE)
    legs = st.session_state.get(y_key), st.session_state.get(x_key)
    if before is None or None in legs or legs[0] != legs[1] or before[0] == before[1]:
        return
    if legs[0] == before[1]:
        st.session_state[x_key] = before[0]
    elif legs[1] == before[0]:
        st.session_state[y_key] = before[1]


def pick_interval() -> str:
    """Choose the length of a bar."""
    _name_interval_of_url()
    return select("Interval", "interval", width=105, note=INTERVAL_HELP)


def _name_interval_of_url() -> None:
    """Let a link say ``1T`` or ``1m`` for ``1min``; only before the selection exists.

    Runs the page again, for Streamlit reads the URL's values at the start of a run.
    """
    written = st.query_params.get("interval")
    if written is None or "interval" in st.session_state:
        return
    with suppress(ParameterError):
        name = parse_interval(written).name
        if name != written:
            st.query_params["interval"] = name
            st.rerun()


def pick_range(interval: str, *, may_read_all: bool) -> Range:
    """Choose how far back from the last trade to look, or from one time to another."""
    key, offered = _ranges(interval, may_read_all=may_read_all)
    if chosen_stretch().range is None:
        select("Range", key, offered, width=105, note=_range_help(interval))
    offer_other_ranges(key)
    return chosen_range(interval, may_read_all=may_read_all)


def chosen_range(interval: str, *, may_read_all: bool) -> Range:
    """Return the same where its control stands further down the page."""
    stretch = chosen_stretch().range
    if stretch is not None:
        return stretch
    key, offered = _ranges(interval, may_read_all=may_read_all)
    chosen = str(choices.value_of(key))
    chosen = chosen if chosen in offered else str(choices.CHOICES[key].default)
    return Range(choices.lookback_seconds(chosen, interval))


def choose_range(interval: str, *, may_read_all: bool) -> None:
    """Show the ranges as buttons; a click on one runs the whole page, which reads it."""
    key, offered = _ranges(interval, may_read_all=may_read_all)
    chosen = str(choices.value_of(key))
    buttons = [each for each in offered if each not in SELDOM or each == chosen]
    if chosen_stretch().range is None:
        choices.recall(key, buttons)
        st.segmented_control(
            "Range", buttons, default=str(choices.CHOICES[key].default), key=key, required=True,
            bind=BOUND, help=_range_help(interval), label_visibility="collapsed",
            on_change=st.rerun,
        )  # fmt: skip
    offer_other_ranges(key)


def chosen_stretch() -> ranges.FromTo:
    """Read from – to as the reader wrote them."""
    return ranges.from_to(*(str(choices.value_of(name)).strip() for name in ("from", "to")))


def range_of(params: PairParams) -> Range:
    """Return the range of an analysis."""
    bar_s = params.bar.us // 1_000_000
    return Range(None if params.lookback is None else params.lookback * bar_s, params.until)


def marked_bar() -> int | None:
    """Return the bar that a link marks in its from – to, seconds since the epoch; None for none."""
    return ranges.moment_s(str(choices.value_of("bar")))


def offer_other_ranges(key: str) -> None:
    """Offer a range that is typed, and from – to; `key` names the choice of the range."""
    stretch = chosen_stretch()
    label = "From – to" if stretch.range is None else stretch.range.words
    with st.popover(label, key="other_range"):
        st.text_input(
            "Range back from the last trade", key=TYPED, placeholder=ranges.EXAMPLES,
            on_change=_take_typed, args=(key,),
        )  # fmt: skip
        for name, label in (("from", "From (UTC)"), ("to", "To (UTC)")):
            choices.recall(name)
            st.text_input(
                label, key=name, bind=BOUND, placeholder=ranges.MOMENT_EXAMPLES, max_chars=40,
                on_change=_take_stretch,
            )  # fmt: skip
        _mark()
        if wrong := st.session_state.get(WRONG):
            plain.error(f"{wrong}.")
    if (stretch.range is not None or stretch.wrong) and st.button(
        "Back to now", key="leave_stretch", on_click=choices.request, args=(choices.NO_STRETCH,)
    ):
        st.rerun()


def _mark() -> None:
    """Have the address name the marked bar as long as it is in its from – to."""
    choices.recall("bar")
    st.session_state["bar"] = marked = choices.value_of("bar")
    if not marked and "bar" in st.query_params:
        del st.query_params["bar"]  # no control writes it


def _take_typed(key: str) -> None:
    """Choose the range that was typed, or say what is wrong with it."""
    typed = str(st.session_state.get(TYPED, ""))
    name = ranges.length_name(typed)
    st.session_state[WRONG] = ""
    if name is not None:
        choices.request({key: name, **choices.NO_STRETCH})
        st.session_state[TYPED] = ""
    elif typed.strip():
        st.session_state[WRONG] = f"{typed[:40]!r} is no range: write {ranges.EXAMPLES}"
    st.rerun()


def _take_stretch() -> None:
    st.session_state[WRONG] = ""
    st.session_state["bar"] = ""
    st.rerun()


def _ranges(interval: str, *, may_read_all: bool) -> tuple[str, tuple[str, ...]]:
    """Name the choice and what it offers at an interval: a typed one, or too long a one, too."""
    key = "span" if may_read_all else "lookback"
    offered = (*choices.lookbacks_on_offer(interval, choices.MOST_BARS), WHOLE)
    chosen = str(choices.value_of(key))
    if chosen in offered or not choices.holds_bars(chosen, interval):
        return key, offered
    return key, (*offered, chosen)


def _range_help(interval: str) -> str:
    return f"{RANGE_HELP} {AUTO} takes {AUTO_LOOKBACKS[interval]} at {interval}."


def pick_zone() -> None:
    """Choose the zone that times are shown in."""
    choices.recall("zone", (UTC_ZONE, LOCAL_ZONE))
    st.segmented_control(
        "Times", (UTC_ZONE, LOCAL_ZONE), default=UTC_ZONE, key="zone", required=True, bind=BOUND,
        help=ZONE_HELP,
    )  # fmt: skip


def pick_refresh() -> Refresh:
    """Choose how often to refresh, or pause."""
    choices.recall("every")
    kind = choices.CHOICES["every"]
    every_s = st.slider("Refresh every (seconds)", 1, 60, int(kind.default), key="every",
                        persist_state="session")  # fmt: skip
    is_paused = st.toggle(
        "Pause", key="pause", persist_state="session", help="The recorder goes on meanwhile."
    )
    return Refresh(int(every_s), bool(is_paused))
