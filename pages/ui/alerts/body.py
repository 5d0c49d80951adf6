"""The Alerts page's body: one view at a time."""

from typing import Final

import streamlit as st
from streamlit_autorefresh import st_autorefresh

from ingest.watch import Watch
from pages.ui.alerts import channels, draft, editor, log, rules, silences, watch_file
from pages.ui.parts import markup, notices, plain

VIEWS: Final = ("Log", "Rules", "Silences", "Channels", "Watch file")
REFRESH_MS: Final = 2_000


def head() -> None:
    """Name the page."""
    markup.show(markup.block(markup.heading("Alerts"), css="pd-head"))


def show(watch: Watch) -> None:
    """Show the view that the reader chose."""
    why_not = watch.status().why_not
    if why_not:
        plain.info(f"{notices.sentence(why_not)}.")
    chosen = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], key="alerts_view", required=True, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    _SHOWN[str(chosen)](watch)


@st.fragment
def _show_log(watch: Watch) -> None:
    with notices.shown_in_place():
        log.show(watch.store)
    st_autorefresh(REFRESH_MS, key="refresh")


def _show_rules(watch: Watch) -> None:
    rules.show(watch.store)
    draft_ = draft.current()
    if draft_ is not None:
        editor.show(watch, draft_)


def _show_silences(watch: Watch) -> None:
    silences.show(watch.store)


_SHOWN: Final = {
    "Log": _show_log,
    "Rules": _show_rules,
    "Silences": _show_silences,
    "Channels": channels.show,
    "Watch file": watch_file.show,
}
