"""A component of the browser's, of which Streamlit wants the script in one piece."""

import re
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_IMPORT: Final = re.compile(r'^import \{ settled \} from ".*/settled\.js";\n', re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *(//.*|/\*\*.*\*/)\n", re.MULTILINE)
# Sent with the script at every refresh: without its comments.
_SETTLED: Final = _COMMENT.sub(
    "", (Path(__file__).parent / "settled.js").read_text(encoding="utf-8")
).replace("export ", "")


def component(name: str, *, script: str, html: str = "", css: str = "") -> ComponentRenderer:
    """Register a component whose script begins with `settled`; returns what mounts it.

    Parameters
    ----------
    name
        Of its own, in all of the desk.
    script
        An ES module that imports `settled` alone; its default export is what Streamlit calls.
    html, css
        What stands in the page before the script runs.
    """
    return st.components.v2.component(
        name, html=html, css=css or None, js=in_one_piece(script), isolate_styles=False
    )


def in_one_piece(script: str) -> str:
    """Put `settled` in the place of its import: Streamlit takes a script from no address of ours.

    Raises
    ------
    ValueError
        The script does not import it.
    """
    body, found = _IMPORT.subn("", script)
    if not found:
        msg = "the script of a component has to import settled.js"
        raise ValueError(msg)
    return _SETTLED + body
