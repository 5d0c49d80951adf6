"""Which parts of the compiled statistics are ready, and waiting for those that are not."""

import threading
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from analytics.warm import PARTS, Part, calls_of


class Progress(NamedTuple):
    """How many of the calls that compile what is waited for are done."""

    done: int
    total: int


class Preparation:
    """Parts made ready one after another, those first that a page waits for; for any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._missing: list[Part] = []
        self._wanted: tuple[Part, ...] = ()
        self._current: Part | None = None
        self._compiled: dict[Part, int] = {}
        self._pages_drawn = self._pages_waiting = 0

    def run(self, prepare: Callable[[Part], object], after_each: Callable[[Part], object]) -> None:
        """Make all parts ready; at the end, or where that fails, no page waits any longer."""
        with self._changed:
            self._missing = list(PARTS)
        try:
            while (part := self._next()) is not None:
                prepare(part)
                with self._changed:
                    self._missing.remove(part)
                    self._changed.notify_all()
                after_each(part)
        finally:
            with self._changed:
                self._missing.clear()
                self._changed.notify_all()

    def _next(self) -> Part | None:
        with self._changed:
            in_order = (*self._wanted, *self._missing)
            self._current = next((each for each in in_order if each in self._missing), None)
            return self._current

    def count(self, part: Part, calls: int) -> None:
        """Note how many calls of a part are compiled; where all is cached nobody does."""
        self._compiled[part] = calls

    def is_ready(self, parts: Sequence[Part]) -> bool:
        """Whether a page that needs these parts has nothing to wait for.

        Where nothing prepares them, what a page calls is compiled as it is called.
        """
        return not set(parts) & set(self._missing)

    def progress(self, parts: Sequence[Part]) -> Progress | None:
        """Return how far the work is that these parts wait for; None where nothing is compiled."""
        if not self._compiled:
            return None
        current = (self._current,) if self._current is not None else ()
        totals = {part: len(calls_of(part)) for part in (*parts, *current)}
        missing = set(self._missing)
        done = sum(
            min(self._compiled.get(part, 0), total) if part in missing else total
            for part, total in totals.items()
        )
        return Progress(done, sum(totals.values()))

    def wait(self, parts: Sequence[Part], timeout_s: float) -> bool:
        """Wait until these parts are ready, for so long at most; return whether they are.

        They come next, after what is being compiled now.
        """
        with self._changed:
            self._wanted = tuple(parts)
            self._pages_waiting += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self.is_ready(parts), timeout_s)
            finally:
                self._pages_waiting -= 1

    def page_drawn(self) -> None:
        """Note that a page is drawn: what it did not need may be made ready now."""
        with self._changed:
            self._pages_drawn += 1
            self._changed.notify_all()

    def let_a_page_go_first(self, within_s: float, browser_s: float) -> None:
        """Wait until a first page is drawn, and a browser has had that long to show it.

        Not longer than `within_s` for a page, and not at all once one waits for what is missing.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._pages_drawn > 0 or self._pages_waiting > 0, within_s
            )
            if self._pages_drawn:
                self._changed.wait_for(lambda: self._pages_waiting > 0, browser_s)


PREPARATION: Final = Preparation()
"""Of this process."""
