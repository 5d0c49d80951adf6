"""The Alerts page's body: one view at a time."""

from typing import Final

import streamlit as st

from ingest.watch import Watch
from pages.ui.alerts import channels, draft, editor, log, rules, silences, watch_file
from pages.ui.parts import markup, notices, plain

VIEWS: Final = ("Log", "Rules", "Silences", "Channels", "Watch file")


def head() -> None:
    """Name the page."""
    markup.show(markup.block(markup.heading("Alerts"), css="pd-head"))


def choose_view(watch: Watch) -> str:
    """Ask for a view; says first where this process evaluates nothing."""
    why_not = watch.status().why_not
    if why_not:
        plain.info(f"{notices.sentence(why_not)}.")
    chosen = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="alerts_view", required=True, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    return str(chosen)


def _show_log(watch: Watch) -> None:
    silences.show_running(watch.store)
    log.show(watch.store)


def _show_standings(watch: Watch) -> None:
    silences.show_running(watch.store)
    rules.show_standings(watch.store)
    rules.show_scan(watch.market_scan())


def _show_form(watch: Watch) -> None:
    rules.show_buttons(watch.store)
    written = draft.current()
    if written is not None:
        editor.show(watch, written)


def _show_silences(watch: Watch) -> None:
    silences.show(watch.store)


# What moves by itself, and below it what the reader works at: drawn when he does.
MOVING: Final = {"Log": _show_log, "Rules": _show_standings}
STILL: Final = {
    "Rules": _show_form,
    "Silences": _show_silences,
    "Channels": channels.show,
    "Watch file": watch_file.show,
}
