"""A click on a pair of the scan: the header takes it up, and Live shows it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from pages.ui import choices, file_choice, notices, pair_data, scanner_words
from pages.ui.choices import FILE, LIVE, SAMPLE
from pages.ui.scanner_store import KeptScan

TABLE: Final = "scan_table"
_LACKING: Final = "scan_lacking"
_OPENING: Final = "scan_opening"


def pick(pairs: Sequence[tuple[str, str]], scan: KeptScan) -> None:
    """Note the clicked row's pair; the header takes it up in the next whole run."""
    rows = st.session_state[TABLE]["selection"]["rows"]
    st.session_state[_LACKING] = None
    if not rows or rows[0] >= len(pairs):
        return
    y, x = pairs[rows[0]]
    shared = {"interval": scan.settings.interval, "spread": "log"}
    if scan.source == file_choice.SAMPLE_NAME:
        choices.wish({"mode": FILE, "file": SAMPLE, "file_s1": y, "file_s2": x, **shared})
        st.session_state[_OPENING] = True
        return
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [symbol for symbol in (y, x) if symbol not in recorded]
    if lacking:
        st.session_state[_LACKING] = lacking[0]
        return
    choices.wish({"mode": LIVE, "s1": y, "s2": x, **shared})
    st.session_state[_OPENING] = True


def follow() -> None:
    """Go to Live with the pair taken up, or say why not."""
    lacking = st.session_state.get(_LACKING)
    if lacking:
        notices.show(scanner_words.not_on_live(lacking))
    if st.session_state.pop(_OPENING, False):
        # Given none, it would clear them by a call that refuses while a control is bound to one.
        st.switch_page("live.py", query_params={})
