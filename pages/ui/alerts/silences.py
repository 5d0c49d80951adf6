"""Silences: begin one, see how long each lasts, end it before its time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from ingest.watch import Silence, WatchStore
from pages.ui.alerts import words
from pages.ui.alerts.pairs import Legs, legs_label, watched_legs
from pages.ui.desk.recording import now_us
from pages.ui.parts import formats, markup
from pages.ui.state.source import current_recorder

LENGTHS_S: Final = {
    "15 min": 900,
    "1 h": 3_600,
    "4 h": 14_400,
    "24 h": 86_400,
    "7 days": 604_800,
}
LONGEST_WHY: Final = 120
MOST_SAID: Final = 3
# No None: a form that is cleared would ask to choose where everything is chosen.
EVERY_RULE: Final = ""
EVERY_PAIR: Final[Legs] = ("", "")
SECOND_US: Final = 1_000_000


def show(store: WatchStore) -> None:
    """Show the form, and the silences that last."""
    _form(store)
    at_us = now_us(current_recorder())
    lasting = lasting_at(store, at_us)
    if not lasting:
        st.caption("Nothing is silenced.")
    for silence in lasting:
        with st.container(horizontal=True, vertical_alignment="center"):
            markup.show(markup.block(markup.text(line(silence, at_us))))
            st.button("End", key=f"silence_end_{silence.silence_id}", on_click=store.end_silence,
                      args=(silence.silence_id,))  # fmt: skip
    st.caption("What fires during a silence stands in the log with the reason, and is not sent.")


def show_running(store: WatchStore) -> None:
    """Say what is silenced at the moment, where anything is."""
    if said := running_words(lasting_at(store, now_us(current_recorder()))):
        markup.show(markup.block(markup.text(said, "wait", "p")))


def lasting_at(store: WatchStore, at_us: int) -> list[Silence]:
    """Return the silences that have not run out."""
    return [each for each in store.silences() if each.until_us > at_us]


def running_words(lasting: Sequence[Silence]) -> str:
    """Say in a line what is silenced and until when, the longest first; nothing where none is."""
    longest = sorted(lasting, key=lambda each: -each.until_us)
    said = [f"{words.silenced(each)}, until {_until(each)}" for each in longest[:MOST_SAID]]
    more = f"; and {len(lasting) - MOST_SAID} more" if len(lasting) > MOST_SAID else ""
    return f"Silenced: {'; '.join(said)}{more}" if said else ""


def line(silence: Silence, at_us: int) -> str:
    """Say what a silence keeps quiet, for how long still, and why."""
    left = formats.age((silence.until_us - at_us) / SECOND_US)
    until = _until(silence)
    why = f" ({formats.clipped(silence.why)})" if silence.why else ""
    return f"{formats.capital(words.silenced(silence))}: {left} left, until {until}{why}"


def _until(silence: Silence) -> str:
    return formats.moment(words.time_at(silence.until_us))


def _form(store: WatchStore) -> None:
    rules = [each.name for each in store.rules()]
    with (
        st.form("silence", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.selectbox("Rule", [EVERY_RULE, *rules], key="silence_rule", width=220,
                     format_func=_rule_label)  # fmt: skip
        st.selectbox("Pair", [EVERY_PAIR, *watched_legs(store)], key="silence_pair", width=220,
                     format_func=_pair_label)  # fmt: skip
        st.selectbox("For", list(LENGTHS_S), 1, key="silence_for", width=120)
        st.text_input("Why", key="silence_why", max_chars=LONGEST_WHY, width=260)
        st.form_submit_button("Silence", on_click=_begin, args=(store,))


def _rule_label(name: str) -> str:
    return formats.clipped(name) if name else "every rule"


def _pair_label(legs: Legs) -> str:
    return legs_label(None if legs == EVERY_PAIR else legs)


def _begin(store: WatchStore) -> None:
    state = st.session_state
    legs: Legs = state["silence_pair"]
    y, x = (None, None) if legs == EVERY_PAIR else legs
    at_us = now_us(current_recorder())
    until_us = at_us + LENGTHS_S[state["silence_for"]] * SECOND_US
    asked = Silence(0, until_us, state["silence_rule"] or None, y, x, state["silence_why"])
    begin(store, asked, at_us)


def begin(store: WatchStore, asked: Silence, at_us: int) -> None:
    """Begin a silence; one that keeps the same quiet already lasts until the later end, as one."""
    equal = [
        each
        for each in lasting_at(store, at_us)
        if (each.rule, each.y, each.x) == (asked.rule, asked.y, asked.x)
    ]
    until_us = max(each.until_us for each in (asked, *equal))
    why = next((each.why for each in (asked, *reversed(equal)) if each.why), "")
    # The new one first, so that nothing is sent between the two.
    store.add_silence(replace(asked, until_us=until_us, why=why))
    for each in equal:
        store.end_silence(each.silence_id)
