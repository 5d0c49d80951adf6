"""A click on a pair of the scan: the header takes it up, and Live shows it."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from pages.ui import file_choice, notices, pair_data, scanner_words
from pages.ui.choices import FILE, LIVE
from pages.ui.scanner_store import KeptScan

TABLE: Final = "scan_table"
_LACKING: Final = "scan_lacking"
_LINK: Final = "scan_link"
_OPENING: Final = "scan_opening"


def pick(pairs: Sequence[tuple[str, str]], scan: KeptScan) -> None:
    """Take up the clicked row's pair; runs before the page, when the header may still be set."""
    rows = st.session_state[TABLE]["selection"]["rows"]
    st.session_state[_LACKING] = st.session_state[_LINK] = None
    if not rows or rows[0] >= len(pairs):
        return
    y, x = pairs[rows[0]]
    shared = {"interval": scan.settings.interval, "spread": "log"}
    if scan.source == file_choice.SAMPLE_NAME:
        # Another source than the header shows: a link, which opens a desk of its own.
        query = {"mode": FILE, "file_s1": y, "file_s2": x, **shared}
        st.session_state[_LINK] = (f"Open {y} / {x} on Live", f"/?{urlencode(query)}")
        return
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [symbol for symbol in (y, x) if symbol not in recorded]
    if lacking:
        st.session_state[_LACKING] = lacking[0]
        return
    for key, value in {"mode": LIVE, "s1": y, "s2": x, **shared}.items():
        st.session_state[key] = value
    st.session_state[_OPENING] = True


def follow() -> None:
    """Go to Live with the pair taken up, or say why not."""
    lacking = st.session_state.get(_LACKING)
    if lacking:
        notices.show(scanner_words.not_on_live(lacking))
    link = st.session_state.get(_LINK)
    if link:
        st.link_button(*link)
    if st.session_state.pop(_OPENING, False):
        st.switch_page("live.py")
