"""A link is the view: the address says every choice, and what changes the view is a step back."""

from pathlib import Path
from typing import Final

import streamlit as st

from pages.ui.component import component
from pages.ui.state import choices
from pages.ui.streamlit_private import keep_defaults_in_address

# What the browser's Back undoes, beside a change of page; other choices change the address only.
STEPS: Final = (
    *choices.SOURCES, choices.UPLOAD_KEY, "interval", "lookback", "span", *choices.STRETCH,
)  # fmt: skip

_mount = component(
    "pairdesk_address",
    script=(Path(__file__).parent / "address.js").read_text(encoding="utf-8"),
)


keep_defaults_in_address(choices.first_in_address)


def complete() -> None:
    """Have the browser's address say what is chosen; once all controls of the page are drawn."""
    link = choices.in_link()
    known = [*choices.CHOICES, choices.UPLOAD_KEY, *choices.PAGE_KEYS]
    first = {key: choices.first_of(key) for key in choices.CHOICES}
    with st.container(key="address"):
        _mount(key="address_script", data={
            "link": link, "first": first, "known": known, "steps": STEPS,
            "own": [choices.UPLOAD_KEY], "optional": choices.STRETCH,
        })  # fmt: skip
