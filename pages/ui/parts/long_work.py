"""Long work on a page: done once for its key, with a bar that tells how far it is and a way out."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import streamlit as st

from pages.ui.parts import notices
from pages.ui.parts.notices import Notice
from pages.ui.streamlit_private import is_click_waiting

MAX_RESULTS: Final = 4
TELL_EVERY_S: Final = 0.1

T = TypeVar("T")

Progress = Callable[..., None]
"""Told how many steps are done, how many there are, and, of a later stage, what is counted."""


class _CancelledError(Exception):
    """The reader clicked Cancel."""


class _LeftError(Exception):
    """The reader clicked what leaves the work behind."""


@dataclass(frozen=True)
class LongWork:
    """One kind of work.

    Attributes
    ----------
    name
        Of the widgets and of what is kept: ``"scan"``.
    doing
        What is going on, as the bar says it: ``"Scanning"``.
    steps
        What is counted: ``"pairs"``.
    cancelled
        What is said once the reader has ended it.
    again
        On the button that begins it anew.
    left_by
        Keys of buttons in the same fragment that leave what the work is for: a click ends it.
    """

    name: str
    doing: str
    steps: str
    cancelled: Notice
    again: str
    left_by: tuple[str, ...] = ()

    def run(
        self, key: Hashable, work: Callable[[Progress], T], *, asked: Hashable | None = None
    ) -> T | None:
        """Do the work, or return what the same key gave before; None once it was cancelled.

        Parameters
        ----------
        key
            Changes whenever the result would.
        work
            Calls what it is given after each step. A click on Cancel ends it inside that call.
        asked
            What the reader asked for, where that outlasts a key: work that is done anew as data
            come in stays cancelled as long as this is the same. None for the key.

        Returns
        -------
        object or None
            The result; the same object each time. Where the work was cancelled, a notice and a
            button that lets it run again are shown instead; where it was left, nothing.
        """
        results = _results_by_key(self.name)
        if key in results:
            return cast("T", results[key])
        request = key if asked is None else asked
        if st.session_state.get(self._mark) == request:
            self._show_cancelled()
            return None
        try:
            result = self._watched(work, request)
        except _LeftError:
            return None  # the click's own run follows
        except _CancelledError:
            self.cancel(request)
            self._show_cancelled()
            return None
        while len(results) >= MAX_RESULTS:
            results.pop(next(iter(results)), None)
        results[key] = result
        return result

    def cancel(self, request: Hashable) -> None:
        """Remember that the reader does not want it."""
        st.session_state[self._mark] = request

    def forget_cancel(self) -> None:
        """Let cancelled work run again."""
        st.session_state.pop(self._mark, None)

    def _show_cancelled(self) -> None:
        notices.show(self.cancelled)
        st.button(self.again, key=f"{self.name}_again", on_click=self.forget_cancel)

    @property
    def _mark(self) -> str:
        return f"{self.name}_cancelled"

    def _watched(self, work: Callable[[Progress], T], request: Hashable) -> T:
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, self.doing)
            button = f"{self.name}_cancel"
            st.button("Cancel", key=button, on_click=self.cancel, args=(request,))

        updated_s = 0.0

        def progress(done: int, steps: int, counting: str = "", /) -> None:
            """Show a step, not too often; raises where Cancel was clicked."""
            nonlocal updated_s
            if is_click_waiting(button):
                raise _CancelledError
            if any(map(is_click_waiting, self.left_by)):
                raise _LeftError
            # A browser that is told of each of a thousand steps a second shows none of them.
            if done < steps and time.monotonic() - updated_s < TELL_EVERY_S:
                return
            updated_s = time.monotonic()
            # Outside a fragment Streamlit itself ends this run at a click, inside this call.
            words = f"{self.doing}: {done:,} of {steps:,} {self.steps}"
            if counting:
                words = f"{counting}: {done:,} of {steps:,}"
            bar.progress(done / steps, words)

        try:
            return work(progress)
        finally:
            place.empty()


@st.cache_resource
def _results_by_key(name: str) -> dict[Hashable, Any]:  # noqa: ARG001 - each kind of work has its own
    """Results by key, oldest first. A plain cache would replay the progress bar at each hit."""
    return {}
