"""The recorder of this process, for whoever looks for it."""

import sys

from ingest.recorder.recorder import Recorder

# Kept where neither a cleared cache nor a reloaded module can make a second one.
_HOLDER = "_pairdesk_recorder"


def current_recorder() -> Recorder | None:
    """Return this process's recorder, or None where it does not record."""
    recorder = sys.__dict__.get(_HOLDER)
    return recorder if isinstance(recorder, Recorder) else None


def install_recorder(recorder: Recorder | None) -> None:
    """Make a recorder this process's, for the pages to find."""
    sys.__dict__[_HOLDER] = recorder
