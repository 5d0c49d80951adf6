"""The health pill of the header: it moves by itself, and asks no page to run for it."""

import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse

from ingest.recorder import current_recorder
from ingest.replay import current_replay
from pages.ui.desk.recording import status_at_moment
from pages.ui.parts.status import FILE_PILL, NO_REPLAY_PILL, Pill, pill_of

_HTML = """
<div class="pd-pill">
  <a class="pd-state" href="feed" target="_blank"
    title="State of the recording. Opens the Feed page, which has the details.">
    <span class="pd-pill-sign" aria-hidden="true"></span>
    <span class="pd-pill-word" role="status"></span>
    <span class="pd-pill-number"></span>
  </a>
</div>
"""

_mount = st.components.v2.component(
    "pairdesk_health_pill",
    html=_HTML,
    js=(Path(__file__).parent / "health_pill.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show_pill(*, is_file: bool, is_replay: bool) -> None:
    """Show the state of the recording or of a replay, or that a file is looked at."""
    pill = FILE_PILL if is_file else current_pill(is_replay=is_replay)
    url = f"{PILL_PATH.lstrip('/')}{'?of=replay' if is_replay else ''}"
    # A file does not change, but the server that reads it may be gone.
    data = {"pill": asdict(pill), "url": url, "follows": not is_file, "start": START}
    _mount(key="health_pill", data=data)


PILL_PATH: Final = "/pairdesk/pill"


# Tells this start of the server from any other: a page of another one has to be loaded again.
START: Final = secrets.token_hex(8)


async def pill(request: Request) -> JSONResponse:
    """Answer the pill in the browser: the state as the header shows it, and which start this is."""
    told = current_pill(is_replay=request.query_params.get("of") == "replay")
    return JSONResponse({**asdict(told), "start": START}, headers={"Cache-Control": "no-store"})


def current_pill(*, is_replay: bool = False) -> Pill:
    """Say the state of this process's recording, or of its replay, at this moment."""
    recorder = current_replay() if is_replay else current_recorder()
    if recorder is None:
        return NO_REPLAY_PILL if is_replay else pill_of(None, time.time_ns() // 1_000)
    return pill_of(status_at_moment(recorder), recorder.clock_us())
