"""Replay mode: choose what to play, hold it, step it, change its pace."""

import math
from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from ingest.errors import IngestError
from ingest.installation import tick_file
from ingest.replay import ReplayRecorder, ReplayRequest, begin_replay, current_replay, end_replay
from ingest.settings import REPLAY_DB, Settings, current_settings
from ingest.status import ReplayStatus
from pages.ui.desk import file_choice, pair_data
from pages.ui.parts import formats, plain
from pages.ui.parts.notices import Notice

RECORDING: Final = "This recording"
SPEEDS: Final = {"1×": 1.0, "2×": 2.0, "5×": 5.0, "10×": 10.0, "60×": 60.0, "max": math.inf}
STEPS_S: Final = {"1 s": 1.0, "10 s": 10.0, "1 min": 60.0, "5 min": 300.0}
SAID: Final = "replay_said"
US_PER_S: Final = 1_000_000


def nothing_played() -> Notice:
    """Say how a replay begins."""
    return Notice(
        "Nothing is being replayed", "Choose a file in the sidebar and start the replay.",
        is_fault=False,
    )  # fmt: skip


def is_synthetic() -> bool:
    """Whether what plays was made by a script."""
    replay = current_replay()
    return replay is not None and replay.replay_status().name == file_choice.SAMPLE_NAME


def show() -> None:
    """Draw the sidebar's part: what plays and how, or what could."""
    replay = current_replay()
    if replay is None or replay.status().state == "stopped":
        _choose()
    else:
        _control(replay)
    said = st.session_state.get(SAID)
    if said:
        plain.error(said)


def _choose() -> None:
    """Offer the files of the data folder, and what was recorded so far."""
    names = [file_choice.SAMPLE_NAME, *file_choice.file_names(file_choice.DATA_FOLDER)]
    recorded = _recorded_span()
    options = [*names, RECORDING] if recorded is not None else names
    what = st.selectbox(
        "Replay", options, key="replay_what",
        help="Plays recorded trades through the recorder into a database of its own, as if they "
        "came now.",
    )  # fmt: skip
    start, end = None, None
    if what == RECORDING and recorded is not None:
        start, end = _choose_span(*recorded)
    speed = st.selectbox("Speed", list(SPEEDS), index=3, key="replay_speed")
    path = tick_file(str(what), file_choice.DATA_FOLDER)
    if what == RECORDING:
        path = current_settings().db
    st.button(
        "Start the replay", key="replay_start", type="primary", width="stretch",
        on_click=_begin, args=(ReplayRequest(path, start=start, end=end), SPEEDS[str(speed)]),
    )  # fmt: skip


def _recorded_span() -> tuple[pd.Timestamp, pd.Timestamp] | None:
    path = current_settings().db
    symbols = tuple(pair_data.symbols_or_none(path))
    return pair_data.recorded_span(path, symbols) if symbols else None


def _choose_span(first: pd.Timestamp, last: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Choose a part of the recording, whole seconds, UTC."""
    begin = max(first, last - pd.Timedelta(hours=1)).floor("s")
    start = st.datetime_input("From (UTC)", begin.tz_localize(None), key="replay_from")
    end = st.datetime_input("To (UTC)", last.ceil("s").tz_localize(None), key="replay_to")
    return pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC")


def _control(replay: ReplayRecorder) -> None:
    """Hold, step, change the pace, end; the bar itself stands in `show_progress`."""
    status = replay.replay_status()
    plain.caption(f"Replaying {status.name}")
    left, right = st.columns(2)
    if status.is_paused:
        left.button("Resume", key="replay_resume", width="stretch", on_click=replay.resume)
    else:
        left.button("Pause", key="replay_pause", width="stretch", on_click=replay.pause)
    right.button("End", key="replay_end", width="stretch", on_click=end_replay,
                 disabled=replay.settings.replay is not None,
                 help="A replay named on the command line ends with the app.")  # fmt: skip
    step = st.segmented_control("Step", list(STEPS_S), default="1 s", key="replay_step",
                                required=True)  # fmt: skip
    st.button(
        f"Step {step}", key="replay_do_step", width="stretch",
        on_click=replay.step, args=(STEPS_S[str(step)],),
        help="Plays this much of the market's time, and holds there.",
    )  # fmt: skip
    names = {value: name for name, value in SPEEDS.items()}
    options = list(SPEEDS) if status.speed in names else [f"{status.speed:g}×", *SPEEDS]
    chosen = st.selectbox(
        "Speed", options, index=options.index(names.get(status.speed, options[0])),
        key="replay_pace", help="Market seconds a second; max is as fast as the disk takes them.",
    )  # fmt: skip
    speed = SPEEDS.get(str(chosen), status.speed)
    if speed != status.speed:
        replay.set_speed(speed)


def progress(status: ReplayStatus) -> tuple[float, str]:
    """Say how far a replay is and how long it goes on."""
    if status.is_loading:
        return 0.0, f"Reading {status.name}"
    moment = formats.moment(pd.Timestamp(status.position_us, unit="us", tz="UTC"))
    if status.has_ended:
        return 1.0, f"Replay of {status.name} ended at {moment}"
    words = [f"Replay of {status.name}: {moment}, {formats.percent(status.share)}"]
    if status.is_paused:
        words.append("paused")
    elif math.isinf(status.speed):
        words.append("as fast as it goes")
    else:
        left_s = (status.end_us - status.position_us) / US_PER_S / status.speed
        words.append(f"{status.speed:g}×, {formats.age(left_s)} left")
    return min(status.share, 1.0), ", ".join(words)


def _begin(request: ReplayRequest, speed: float) -> None:
    """Start it; what is refused costs one line."""
    settings = current_settings()
    try:
        begin_replay(_beside(settings), request, speed)
    except IngestError as error:
        st.session_state[SAID] = str(error)
    else:
        st.session_state[SAID] = ""


def _beside(settings: Settings) -> Settings:
    """The same options with a database of the replay's own, beside the recording's."""
    return replace(settings, db=settings.db.with_name(REPLAY_DB.name))
