"""What the reader can tell the recorder: symbols, pause, repair, backup."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from ingest.errors import IngestError
from ingest.recorder import Recorder
from ingest.replay import ReplayRecorder
from ingest.status import RecorderStatus
from pages.ui.parts import formats, plain
from pages.ui.state.once import Once

SAID = "recorder_said"
BOX = "recorded_symbols"
NEW = "new_symbol"
MOMENTS_A_SECOND: Final = 4

# Of the recording and of a replay.
_statuses: Final[Once[RecorderStatus]] = Once(2, most_a_line=1)


def now_us(recorder: Recorder | None) -> int:
    """Now, as the recorder has it, whose clock a replay turns back; µs since the epoch."""
    return time.time_ns() // 1_000 if recorder is None else recorder.clock_us()


def status_at_moment(recorder: Recorder) -> RecorderStatus:
    """Return what a recorder is doing; who asks in the same quarter of a second shares one look.

    It is gathered over all symbols, and each page and each pill asks once a second. What a reader
    does (a pause, a new symbol) shows at once.
    """
    moment = int(time.monotonic() * MOMENTS_A_SECOND)
    # By its id: an ended replay holds all its trades, and must not be held by what it said last.
    which = id(recorder)
    key = (which, recorder.state, recorder.symbols, moment)
    return _statuses.get(key, recorder.status, which)


def manage_symbols(recorder: Recorder) -> None:
    """Show the recorded symbols, with a box to add and one to remove."""
    if isinstance(recorder, ReplayRecorder):  # its symbols are the file's
        return
    box = st.expander("Recorded symbols", key=BOX, on_change="rerun")
    with box:
        plain.caption(", ".join(recorder.symbols) or "None yet.")
        with st.form("add_symbol", clear_on_submit=True, border=False):
            symbol = st.selectbox(
                "Add a symbol", addable(recorder) if box.open else (), index=None, key=NEW,
                placeholder="Search, or type SOLUSDT", accept_new_options=True,
                filter_mode="contains",
            )  # fmt: skip
            if st.form_submit_button("Add", width="stretch") and symbol:
                _add(recorder, symbol)
        if recorder.symbols:
            with st.form("remove_symbol", border=False):
                leaving = str(st.selectbox("Remove a symbol", list(recorder.symbols)))
                if st.form_submit_button("Remove", width="stretch"):
                    recorder.remove_symbol(leaving)
                    plain.success(f"No longer recording {leaving}. Stored trades are kept.")


def addable(recorder: Recorder) -> list[str]:
    """Name what the exchange trades and is not recorded: thousands, so only sent to an open box."""
    recorded = set(recorder.symbols)
    return [symbol for symbol in recorder.listed() if symbol not in recorded]


def _add(recorder: Recorder, symbol: str) -> None:
    """Ask the recorder; a symbol it refuses costs one line, not the page."""
    try:
        tone, words = begin(recorder, symbol)
    except IngestError as error:
        plain.error(f"{error}.")
        return
    plain.SAYS[tone](words)


def begin(recorder: Recorder, symbol: str) -> tuple[plain.Tone, str]:
    """Have a symbol recorded; returns how well that stands, and in words.

    Raises
    ------
    IngestError
        The recorder does not take it.
    """
    name = recorder.add_symbol(symbol)
    standing = recorder.standing(name)
    if standing == "not traded":
        return "warning", f"The exchange lists {name}, but does not trade it at present."
    if standing == "not known":
        return "info", (
            f"Recording {name}. The exchange's list could not be had: whether it has {name} is "
            "not known yet."
        )
    return "success", f"Recording {name}."


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
