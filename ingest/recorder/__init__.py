"""The recording of this process: its threads, from the feed to the database."""

from ingest.recorder.current import current_recorder, install_recorder
from ingest.recorder.recorder import Recorder

__all__ = [
    "Recorder",
    "current_recorder",
    "install_recorder",
]
