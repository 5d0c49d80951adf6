"""Pairs put into a list: typed, several at once, or uploaded as a CSV."""

from collections.abc import Set
from functools import partial
from typing import Final

import streamlit as st

from ingest.watch import WatchedPair, WatchStore
from pages.ui.desk.watching import add_pairs
from pages.ui.parts import plain
from pages.ui.state.source import current_recorder
from pages.ui.watch import lists, said
from pages.ui.watch.parsing import Parsed, csv_pairs, typed_pairs

TYPED: Final = "watch_typed"
UPLOADS: Final = "watch_uploads"
MOST_MB: Final = 1
PLACEHOLDER: Final = "ETHUSDT BTCUSDT, SOL/USDT ETH/USDT, BTCUSDT+ETHUSDT+SOLUSDT"
CSV_HELP: Final = (
    "Columns y and x; as well interval, window, spread, hedge, range, sell, buy, level, group. "
    "In place of a pair y may be a basket, and hedge its method: BTCUSDT+ETHUSDT+SOLUSDT. "
    "What a line does not say is as the list has it. The table's own CSV is read as well."
)


def show(store: WatchStore, name: str, settings: WatchedPair) -> None:
    """Offer to type pairs or to upload them; they come with the list's settings."""
    with st.form("watch_add", border=False):
        st.text_area(
            "Pairs, S1 before S2", key=TYPED, placeholder=PLACEHOLDER, height=90,
            help="Two symbols with a space or a slash between them; several pairs on lines of "
            "their own or with a comma between them. Three to eight symbols with a plus between "
            "them are a basket. sol-usdt and SOL/USDT are SOLUSDT.",
        )  # fmt: skip
        st.form_submit_button("Watch these", on_click=partial(_add_typed, store, name, settings))
    key = f"watch_csv_{st.session_state.get(UPLOADS, 0)}"
    st.file_uploader(
        "Or a CSV", type=["csv", "txt"], key=key, help=CSV_HELP, max_upload_size=MOST_MB,
        on_change=partial(_add_uploaded, store, name, settings, key),
    )  # fmt: skip


def _add_typed(store: WatchStore, name: str, settings: WatchedPair) -> None:
    parsed = typed_pairs(str(st.session_state[TYPED]), settings, _known())
    if _add(store, name, parsed):
        st.session_state[TYPED] = "\n".join(parsed.left)  # to be corrected


def _add_uploaded(store: WatchStore, name: str, settings: WatchedPair, key: str) -> None:
    upload = st.session_state[key]
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1  # an empty box in its place
    if upload is not None:
        _add(store, name, csv_pairs(upload.getvalue(), settings, _known()))


def _known() -> Set[str]:
    """Symbols that are recorded, and those that the exchange trades as far as its list is here."""
    recorder = current_recorder()
    return (
        frozenset()
        if recorder is None
        else {*recorder.symbols, *recorder.bar_symbols, *recorder.listed()}
    )


def _add(store: WatchStore, name: str, parsed: Parsed) -> bool:
    """Add what was read, and say what was not; whether the list took it."""

    def add() -> tuple[plain.Tone, str] | None:
        if not parsed.pairs:
            return None if parsed.refused else ("info", "No pair and no basket was named.")
        lists.go_to(name)
        added = add_pairs(store, name, parsed.pairs)
        return added.tone, added.words

    is_done = said.try_to(add)
    if is_done:
        said.say(*st.session_state[said.SAID], *said.refusals(parsed))
    return is_done
