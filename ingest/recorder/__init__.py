"""The recording of this process: its threads, from the feed to the database."""

from ingest.recorder.recorder import Recorder, current_recorder, install_recorder

__all__ = [
    "Recorder",
    "current_recorder",
    "install_recorder",
]
