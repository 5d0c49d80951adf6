"""A click on a pair of the scan: the header takes it up, and Live shows it."""

from typing import Any, Final

import streamlit as st

from pages.ui import choices, file_choice, notices, pair_data, scanner_words
from pages.ui.choices import FILE, LIVE, SAMPLE, Value
from pages.ui.scanner_store import KeptScan

TABLE: Final = "scan_table"
_LACKING: Final = "scan_lacking"
_OPENING: Final = "scan_opening"


def link(scan: KeptScan) -> dict[str, Any]:
    """Say how an address names a pair of the scan on Live, and what else it says there."""
    is_sample = _is_sample(scan)
    legs = ["file_s1", "file_s2"] if is_sample else ["s1", "s2"]
    return {"legs": legs, "choices": _choices(scan)}


def pick(scan: KeptScan) -> None:
    """Note the pair of the clicked row; the header takes it up in the next whole run."""
    pair = st.session_state[TABLE]["open"]
    st.session_state[_LACKING] = None
    if not _holds(scan, pair):
        return
    y, x = pair
    recorded = pair_data.symbols_or_none(pair_data.database_path())
    lacking = [symbol for symbol in (y, x) if symbol not in recorded]
    if lacking and not _is_sample(scan):
        st.session_state[_LACKING] = lacking[0]
        return
    legs = dict(zip(link(scan)["legs"], (y, x), strict=True))
    choices.wish({**_choices(scan), **legs})
    st.session_state[_OPENING] = True


def _holds(scan: KeptScan, pair: Any) -> bool:
    """Whether the browser named a pair of this scan."""
    table = scan.table
    if not (isinstance(pair, list | tuple) and len(pair) == 2):
        return False
    return bool(((table["y"] == pair[0]) & (table["x"] == pair[1])).any())


def _is_sample(scan: KeptScan) -> bool:
    return scan.source == file_choice.SAMPLE_NAME


def _choices(scan: KeptScan) -> dict[str, Value]:
    """What Live is to show besides the pair: the scan's interval, and the spread it tests."""
    shared: dict[str, Value] = {"interval": scan.settings.interval, "spread": "log"}
    if _is_sample(scan):
        return {"mode": FILE, "file": SAMPLE, **shared}
    return {"mode": LIVE, **shared}


def follow() -> None:
    """Go to Live with the pair taken up, or say why not."""
    lacking = st.session_state.get(_LACKING)
    if lacking:
        notices.show(scanner_words.not_on_live(lacking))
    if st.session_state.pop(_OPENING, False):
        # Given none, it would clear them by a call that refuses while a control is bound to one.
        st.switch_page("live.py", query_params={})
