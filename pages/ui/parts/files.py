"""Buttons that give a file at every click: before, after and in the midst of a refresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from pages.ui.component import component
from pages.ui.state.served_files import FILES_PATH, MakeFile, ServedFiles, new_files

HERE: Final = Path(__file__).parent
SERVED: Final = "_served_files"

_HTML = """
<div class="pd-files"><div class="pd-files-row"></div>
<p class="pd-file-error" role="alert"></p></div>
"""
_mount = component(
    "pairdesk_files", html=_HTML, script=(HERE / "files.js").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Offer:
    """A file on offer.

    Attributes
    ----------
    label
        What the button says.
    name
        Tells it from the session's other files; letters, digits and dashes.
    make
        Makes it at the click.
    is_empty
        There is nothing to put into it: the button cannot be clicked.
    """

    label: str
    name: str
    make: MakeFile
    is_empty: bool = False


def serve(offers: Sequence[Offer]) -> None:
    """Have clicks answered from now on with these; the buttons stay as they stand."""
    served = _served()
    for offer in offers:
        served.offer(offer.name, offer.make)


def show(offers: Sequence[Offer], *, key: str) -> None:
    """Show the buttons; what they need later is given by `serve`, without drawing them again."""
    serve(offers)
    token = _served().token
    buttons = [
        {
            "label": offer.label,
            "name": offer.name,
            "url": f"{FILES_PATH.lstrip('/')}/{token}/{offer.name}",
            "disabled": offer.is_empty,
        }
        for offer in offers
    ]
    _mount(key=key, data={"files": buttons}, width="content")


def _served() -> ServedFiles:
    """Return this session's files: as long as the session holds them, browsers find them."""
    if SERVED not in st.session_state:
        st.session_state[SERVED] = new_files()
    served: ServedFiles = st.session_state[SERVED]
    return served
