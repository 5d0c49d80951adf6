"""Waiting for the statistics that are compiled beside the pages."""

import threading
from collections.abc import Sequence

from analytics import warm
from analytics.warm import Part

_changed = threading.Condition()


def wait(parts: Sequence[Part], timeout_s: float) -> bool:
    """Wait until these parts are ready, for so long at most; return whether they are.

    They come next, after what is being compiled now.
    """
    warm.prefer(parts)
    with _changed:
        return _changed.wait_for(lambda: warm.is_ready(*parts), timeout_s)


def _tell() -> None:
    with _changed:
        _changed.notify_all()


warm.on_change(_tell)
