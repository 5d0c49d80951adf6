"""Asks for the symbol of a file whose rows name none."""

import re

import streamlit as st

from ingest.binance import valid_symbol
from ingest.errors import SymbolError
from pages.ui.parts import notices
from pages.ui.parts.notices import Notice

_LIKE_A_SYMBOL = re.compile(r"[A-Z0-9]{5,20}")


def ask_symbol(file_name: str, cause: str) -> str | Notice:
    """Return the symbol that the reader types; until then the cause as a notice."""
    typed = st.text_input(
        "Symbol of its trades", key="file_symbol", max_chars=40, placeholder=_example(file_name),
        help="The rows of this file do not say which symbol they are of.",
    )  # fmt: skip
    if not typed.strip():
        return Notice(
            notices.sentence(cause), "Type the symbol in the sidebar.", is_fault=False,
            offers_sample=True,
        )  # fmt: skip
    try:
        return valid_symbol(typed)
    except SymbolError as error:
        return notices.explain(error)


def _example(name: str) -> str:
    """What the file's name suggests, as an example: the reader decides."""
    match = _LIKE_A_SYMBOL.match(name)
    return f"For example {match[0] if match else 'BTCUSDT'}"
