"""A recording or a file played again, as if it came now."""

from ingest.replay.recorder import (
    ReplayRecorder,
    begin_replay,
    check_replay,
    current_replay,
    end_replay,
    replay_request,
)
from ingest.replay.source import ReplayRequest

__all__ = [
    "ReplayRecorder",
    "ReplayRequest",
    "begin_replay",
    "check_replay",
    "current_replay",
    "end_replay",
    "replay_request",
]
