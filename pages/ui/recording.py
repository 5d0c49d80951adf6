"""What the reader can tell the recorder: symbols, pause, repair, backup."""

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from ingest.recorder import Recorder
from ingest.replay import ReplayRecorder
from ingest.tick import IngestError
from pages.ui import formats, plain
from pages.ui.source import current_recorder

__all__ = [
    "backup_path",
    "control_recorder",
    "current_recorder",
    "manage_symbols",
    "now_us",
    "show_said",
]

SAID = "recorder_said"


def now_us(recorder: Recorder | None) -> int:
    """Now, as the recorder has it, whose clock a replay turns back; µs since the epoch."""
    return time.time_ns() // 1_000 if recorder is None else recorder.clock_us()


def manage_symbols(recorder: Recorder) -> None:
    """Show the recorded symbols, with a box to add and one to remove."""
    if isinstance(recorder, ReplayRecorder):  # its symbols are the file's
        return
    with st.expander("Recorded symbols"):
        plain.caption(", ".join(recorder.symbols) or "None yet.")
        with st.form("add_symbol", clear_on_submit=True, border=False):
            symbol = st.text_input("Add a symbol", placeholder="SOLUSDT")
            if st.form_submit_button("Add", width="stretch"):
                _change("Recording", recorder.add_symbol, symbol)
        if recorder.symbols:
            with st.form("remove_symbol", border=False):
                leaving = st.selectbox("Remove a symbol", list(recorder.symbols))
                if st.form_submit_button("Remove", width="stretch"):
                    _change("No longer recording", recorder.remove_symbol, str(leaving))


def _change(done: str, change: Callable[[str], object], symbol: str) -> None:
    """Ask the recorder; a symbol it refuses costs one line, not the page."""
    name = symbol.strip().upper()
    try:
        change(name)
    except IngestError as error:
        plain.error(str(error))
    else:
        plain.success(f"{done} {name}. Stored trades are kept.")


def control_recorder(recorder: Recorder, *, is_paused: bool, is_repairing: bool) -> None:
    """Show the buttons for pause, repair and backup; `show_said` tells what they came to."""
    if is_paused:
        st.button("Resume recording", key="resume", on_click=_ask, args=(_resume, recorder))
    else:
        st.button(
            "Pause recording", key="pause_recording", on_click=_ask, args=(_pause, recorder),
            help="Trades missed meanwhile are fetched after resuming.",
        )  # fmt: skip
    st.button(
        "Repair now", key="repair", on_click=_ask, args=(_repair, recorder),
        help="Fetches every missing id at once, the given-up ones too, however many requests it "
        "takes: as far back as the exchange has them, futures 48 hours.",
    )  # fmt: skip
    if is_repairing:
        st.button(
            "Stop the repair", key="stop_repair", on_click=_ask, args=(_stop_repair, recorder),
            help="What is fetched stays; the rest is given up again.",
        )  # fmt: skip
    st.button(
        "Back up the database", key="backup", on_click=_ask, args=(_back_up, recorder),
        help="Writes a compact copy while recording goes on.",
    )  # fmt: skip


def _ask(what: Callable[[Recorder], str], recorder: Recorder) -> None:
    """Do it, and keep what is said of it: the next refresh must not wipe it away."""
    try:
        st.session_state[SAID] = (True, what(recorder))
    except IngestError as error:
        st.session_state[SAID] = (False, str(error))


def show_said() -> None:
    """Show what the last button came to, until the next one."""
    # One place, empty or not, for the sake of what stands below.
    with st.container():
        is_well, said = st.session_state.get(SAID, (True, ""))
        if said:
            (st.success if is_well else st.error)(said)


def _pause(recorder: Recorder) -> str:
    recorder.pause()
    return "Recording is paused. What is missed meanwhile is fetched after resuming."


def _resume(recorder: Recorder) -> str:
    recorder.resume()
    return "Recording goes on."


def _repair(recorder: Recorder) -> str:
    recorder.repair_now()
    return "Every missing id is being asked for, the given-up ones too; a bar above shows how far."


def _stop_repair(recorder: Recorder) -> str:
    recorder.stop_repair()
    return "The repair ends: what has not come yet is marked as given up again."


def _back_up(recorder: Recorder) -> str:
    started_s = time.monotonic()
    path = recorder.backup(backup_path(recorder.settings.db, pd.Timestamp.now(tz="UTC")))
    took = formats.age(time.monotonic() - started_s)
    size = formats.data_size(path.stat().st_size)
    return f"Backed up to {path.parent.name}/{path.name}: {size} in {took}."


def backup_path(database: Path, now: pd.Timestamp) -> Path:
    """Name a backup by its UTC time, in a folder beside the database."""
    return database.parent / "backups" / f"{database.stem}_{now:%Y%m%dT%H%M%SZ}{database.suffix}"
