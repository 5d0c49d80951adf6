"""How many of the calls that compile the statistics are made, and waiting for those a page needs.

One number: parts are made in one order, and a page waits for all up to the one that it needs.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from analytics.warm import Call, Part
from pages.ui.server import compiler


class Progress(NamedTuple):
    """How many of the calls that a page waits for are made."""

    done: int
    total: int


class Preparation:
    """Calls made one after another, part by part; to be asked by any thread."""

    def __init__(self, calls: Mapping[Part, Sequence[Call]]) -> None:
        self._calls = calls
        # Calls up to the last one of each part, and of all.
        self._until = dict(zip(calls, accumulate(map(len, calls.values())), strict=True))
        self._all = sum(map(len, calls.values()))
        self._changed = threading.Condition()
        self._missing = 0  # until they begin, what a page calls is compiled as it is called
        self.is_compiling = False  # else all comes from the cache, and no page need say how far
        self._is_drawn, self._pages_waiting = False, 0

    def run(self, compiled: Iterator[str] | None, after_each: Callable[[Part], object]) -> None:
        """Make all calls, each once another process has `compiled` it; None: all are cached.

        What that process failed in is compiled here. At the end, or where this fails too, no page
        waits any longer.
        """
        self.is_compiling = compiled is not None
        self._note(self._all)
        try:
            for part, calls in self._calls.items():
                for call in calls:
                    next(compiled or iter(()), None)
                    call()
                    self._note(self._missing - 1)
                after_each(part)
        finally:
            self._note(0)

    def _note(self, missing: int) -> None:
        with self._changed:
            self._missing = missing
            self._changed.notify_all()

    def progress(self, part: Part | None) -> Progress:
        """Return how far the calls up to a part are."""
        total = 0 if part is None else self._until[part]
        return Progress(min(self._all - self._missing, total), total)

    def is_ready(self, part: Part | None) -> bool:
        """Whether a page that needs this part has nothing to wait for."""
        done, total = self.progress(part)
        return done == total

    def wait(self, part: Part | None, timeout_s: float) -> bool:
        """Wait until a part is ready, for so long at most; return whether it is."""
        with self._changed:
            self._pages_waiting += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self.is_ready(part), timeout_s)
            finally:
                self._pages_waiting -= 1

    def page_drawn(self) -> None:
        """Note that a page is drawn: what it did not need may be made ready now."""
        with self._changed:
            self._is_drawn = True
            self._changed.notify_all()

    def let_a_page_go_first(self, within_s: float, browser_s: float) -> None:
        """Wait until a first page is drawn, and a browser has had that long to show it.

        Not longer than `within_s` for a page, and not at all once one waits for what is missing.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_drawn or self._pages_waiting > 0, within_s)
            if self._is_drawn:
                self._changed.wait_for(lambda: self._pages_waiting > 0, browser_s)


PREPARATION: Final = Preparation(compiler.calls())
"""Of this process."""
