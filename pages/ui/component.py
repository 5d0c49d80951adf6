"""A component of the browser's, of which Streamlit wants the script in one piece."""

import re
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_IMPORT: Final = re.compile(r'^import \{[^}]*\} from ".*?(\w+)\.js";\n', re.MULTILINE)
_COMMENT: Final = re.compile(r"^ *(//.*|/\*\*.*\*/)\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default)", re.MULTILINE)
_HERE: Final = Path(__file__).parent
# What scripts of several wings share.
_SHARED: Final = ("age", "settled")


def component(
    name: str, *, script: str, html: str = "", css: str = "", folder: Path = _HERE
) -> ComponentRenderer:
    """Register a component whose script begins with `settled`; returns what mounts it.

    Parameters
    ----------
    name
        Of its own, in all of the desk.
    script
        An ES module that imports `settled`; its default export is what Streamlit calls.
    html, css
        What stands in the page before the script runs.
    folder
        Where the other modules lie that it imports.
    """
    return st.components.v2.component(
        name, html=html, css=css or None, js=in_one_piece(script, folder), isolate_styles=False
    )


def in_one_piece(script: str, folder: Path = _HERE) -> str:
    """Put what a script imports in its imports' place: Streamlit takes no address of ours.

    Raises
    ------
    ValueError
        The script does not import `settled`.
    """
    if "settled" not in _IMPORT.findall(script):
        msg = "the script of a component has to import settled.js"
        raise ValueError(msg)
    parts: dict[str, str] = {}
    _gather(script, folder, parts)
    return "".join(parts.values()) + _IMPORT.sub("", script)


def _gather(script: str, folder: Path, parts: dict[str, str]) -> None:
    """Take in what a script imports, each module once, behind those that it imports itself.

    Sent with the script at every refresh: without comments.
    """
    for name in _IMPORT.findall(script):
        if name not in parts:
            path = (_HERE if name in _SHARED else folder) / f"{name}.js"
            text = path.read_text(encoding="utf-8")
            _gather(text, folder, parts)
            parts[name] = _EXPORT.sub("", _COMMENT.sub("", _IMPORT.sub("", text)))
