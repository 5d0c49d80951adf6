"""Channels: how each does, a test with the service's own answer, and how to set one up."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ingest.watch import ChannelStanding, Watch
from ingest.watch.heartbeat import HeartbeatStanding
from pages.ui.alerts import words
from pages.ui.parts import formats, markup, notices, plain
from pages.ui.parts.markup import Cell, Html, Tone

HEAD: Final = (
    "Channel", Cell("Service", words=True), Cell("Address from", words=True),
    Cell("State", words=True), "Waiting", Cell("Last delivered", words=True),
    Cell("Last error", words=True),
)  # fmt: skip
ANSWERS: Final = "channel_answers"


def show(watch: Watch) -> None:
    """Show the channels, never their addresses, and a test of each."""
    standings = watch.channels()
    if standings:
        markup.show(markup.block(table(standings), css="pd-alert-channels"))
        _tests(watch, [each.name for each in standings])
    else:
        notices.show(words.NO_CHANNELS)
    markup.show(markup.block(markup.text(heartbeat_words(watch.heartbeat()), kind="p")))
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
        formats.clipped(standing.name),
        Cell(standing.kind or formats.NOT_KNOWN, words=True),
        Cell(standing.source or formats.NOT_KNOWN, words=True),
        Cell(standing.state, tone, words=True),
        f"{standing.waiting:,}",
        Cell(last, words=True),
        Cell(error or formats.NOT_KNOWN, "muted", words=True),
    ]


def heartbeat_words(standing: HeartbeatStanding) -> str:
    """Say whether a service outside hears that the desk lives, and how to set that up."""
    if not standing.source:
        return f"Heartbeat: not set up. {words.HEARTBEAT}"
    last = formats.moment(words.time_at(standing.last_us)) if standing.last_us else "not yet"
    said = f"Heartbeat (address from {standing.source}): {standing.state}, last taken {last}"
    if standing.failures_in_a_row:
        failures = formats.count(standing.failures_in_a_row, "failure")
        said += f"; {failures} in a row, {formats.clipped(standing.last_error, 200)}"
    return f"{said}."


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
        plain.info(f"Test of {formats.clipped(name)}: {answer_words(answers[name])}")


def answer_words(answer: str) -> str:
    """Say what became of a test: "delivered (HTTP 200 OK)"."""
    outcome, _, why = answer.partition(": ")
    return f"{outcome} ({why})" if why else outcome
