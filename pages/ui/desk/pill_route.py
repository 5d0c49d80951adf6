"""The route by which the pill in the browser asks how the recording goes.

Apart from the pill, whose component Streamlit wants registered after its server is made.
"""

import secrets
import time
from dataclasses import asdict
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from ingest.recorder import current_recorder
from ingest.replay import current_replay
from pages.ui.desk.recording import status_at_moment
from pages.ui.parts.status import NO_REPLAY_PILL, Pill, pill_of

PILL_PATH: Final = "/pairdesk/pill"
# Tells this start of the server from any other: a page of another one has to be loaded again.
START: Final = secrets.token_hex(8)


async def pill(request: Request) -> JSONResponse:
    """Answer the pill in the browser: the state as the header shows it, and which start this is."""
    shown = current_pill(is_replay=request.query_params.get("of") == "replay")
    return JSONResponse({**asdict(shown), "start": START}, headers={"Cache-Control": "no-store"})


def current_pill(*, is_replay: bool = False) -> Pill:
    """Say the state of this process's recording, or of its replay, at this moment."""
    recorder = current_replay() if is_replay else current_recorder()
    if recorder is None:
        return NO_REPLAY_PILL if is_replay else pill_of(None, time.time_ns() // 1_000)
    return pill_of(status_at_moment(recorder), recorder.clock_us())
