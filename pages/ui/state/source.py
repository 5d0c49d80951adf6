"""Where the trades come from in the mode the reader chose: the recording, or a replay beside it."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ingest.recorder import Recorder
from ingest.recorder import current_recorder as recorder_of_process
from ingest.replay import current_replay
from ingest.research import RESEARCH_FOLDER
from ingest.settings import current_settings
from pages.ui.state.choices import FILE, REPLAY


def is_replay() -> bool:
    """Whether the reader looks at a replay; never outside a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return False
    return st.session_state.get("mode") == REPLAY


def is_file() -> bool:
    """Whether the reader looks at a file; never outside a page."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return False
    return st.session_state.get("mode") == FILE


def current_recorder() -> Recorder | None:
    """Return what brings the trades that the reader looks at; None where nothing does."""
    return current_replay() if is_replay() else recorder_of_process()


def database_path() -> Path:
    """Return the database that holds them."""
    replay = current_replay() if is_replay() else None
    return current_settings().db if replay is None else replay.settings.db


def history_of(path: Path) -> Path | None:
    """Return the folder of history that a database is read as one with; None where there is none.

    Of a replay only what it plays is looked at.
    """
    settings = current_settings()
    history = settings.read_history if path == settings.db else None
    return history if history is not None and history.is_dir() else None


def history_changes(path: Path, symbols: Sequence[str]) -> tuple[int, ...]:
    """Return numbers that change when what is held of these symbols in the history does."""
    history = history_of(path)
    if history is None:
        return ()
    folders = (folder for each in symbols for folder in sorted(history.glob(f"*/*/{each}")))
    return tuple(folder.stat().st_mtime_ns for folder in folders)


def research_folder() -> Path:
    """Return where research is kept: beside the database, whichever that is."""
    db = current_settings().db
    return RESEARCH_FOLDER if db.parent == RESEARCH_FOLDER.parent else db.parent / "research"
