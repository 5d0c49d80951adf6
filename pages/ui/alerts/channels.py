"""Channels: how each does, a test with the service's own answer, and how to set one up."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ingest.watch import ChannelStanding, Watch
from pages.ui.alerts import words
from pages.ui.parts import formats, markup, notices, plain
from pages.ui.parts.markup import Cell, Html, Tone

HEAD: Final = (
    "Channel", "Service", "Address from", Cell("State", words=True), "Waiting", "Last delivered",
    Cell("Last error", words=True),
)  # fmt: skip
ANSWERS: Final = "channel_answers"


def show(watch: Watch) -> None:
    """Show the channels, never their addresses, and a test of each."""
    standings = watch.channels()
    if standings:
        markup.show(markup.block(table(standings)))
        _tests(watch, [each.name for each in standings])
    else:
        notices.show(words.NO_CHANNELS)
    with st.expander("How to set up a channel", expanded=not standings):
        markup.show(markup.block(markup.notes(words.HOW_TO_SET_UP)))


def table(standings: Sequence[ChannelStanding]) -> Html:
    """List channels with how each does."""
    return markup.table("Channels", HEAD, map(_row, standings))


def _row(standing: ChannelStanding) -> list[str | Cell]:
    last_us = standing.last_delivered_us
    failures = standing.failures_in_a_row
    error = formats.clipped(standing.last_error, 200)
    tone: Tone = "bad" if failures else "wait" if error else "good"
    if failures and error:
        error = f"{error} ({formats.count(failures, 'failure')} in a row)"
    last = formats.moment(words.time_at(last_us)) if last_us else formats.NOT_KNOWN
    return [
        formats.clipped(standing.name), standing.kind or formats.NOT_KNOWN,
        standing.source or formats.NOT_KNOWN, Cell(standing.state, tone, words=True),
        f"{standing.waiting:,}", last, Cell(error or formats.NOT_KNOWN, "muted", words=True),
    ]  # fmt: skip


def _tests(watch: Watch, names: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Channel", names, key="channel_chosen", width=240, format_func=formats.clipped
        )
        is_asked = st.button("Send a test", key="channel_test")
    answers: dict[str, str] = st.session_state.setdefault(ANSWERS, {})
    if is_asked:
        with st.spinner("Waiting for the service's answer"):
            answers[name] = watch.test_channel(name)
    if name in answers:
        plain.info(f"{name} answered: {answers[name]}")
