"""The recording of this process: its threads, from the feed to the database."""

from ingest.recorder.current import current_recorder, install_recorder
from ingest.recorder.recorder import Recorder
from ingest.recorder.threads import DaemonExecutor, FailureLog, RestartingThread

__all__ = [
    "DaemonExecutor",
    "FailureLog",
    "Recorder",
    "RestartingThread",
    "current_recorder",
    "install_recorder",
]
