"""Waiting for the statistics that are compiled beside the pages."""

import threading
from collections.abc import Sequence

from analytics import warm
from analytics.warm import Part

_changed = threading.Condition()
_pages_drawn = _waiting = 0


def wait(parts: Sequence[Part], timeout_s: float) -> bool:
    """Wait until these parts are ready, for so long at most; return whether they are.

    They come next, after what is being compiled now.
    """
    global _waiting  # noqa: PLW0603 - one warm-up a process
    warm.prefer(parts)
    with _changed:
        _waiting += 1
        _changed.notify_all()
        try:
            return _changed.wait_for(lambda: warm.is_ready(*parts), timeout_s)
        finally:
            _waiting -= 1


def page_drawn() -> None:
    """Note that a page is drawn: what it did not need may be made ready now."""
    global _pages_drawn  # noqa: PLW0603 - of this process
    with _changed:
        _pages_drawn += 1
        _changed.notify_all()


def let_a_page_go_first(within_s: float, browser_s: float) -> None:
    """Wait until a first page is drawn, and a browser has had that long to show it.

    Not longer than `within_s` for a page, and not at all once one waits for what is not ready.
    """
    with _changed:
        _changed.wait_for(lambda: _pages_drawn > 0 or _waiting > 0, within_s)
        if _pages_drawn:
            _changed.wait_for(lambda: _waiting > 0, browser_s)


def _tell() -> None:
    with _changed:
        _changed.notify_all()


warm.on_change(_tell)
