"""Futures as they are done, with a look at whether anybody still waits for them."""

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeVar

LOOK_EVERY_S: Final = 0.25

Check = Callable[[], None]
"""Raises where the work is to end."""


class Awaited(Protocol):
    """A future of the standard library, or of Dask."""

    def add_done_callback(self, call: Callable[[Any], object], /) -> object:
        """Have something called with it once it is done, failed or cancelled."""
        ...


F = TypeVar("F", bound=Awaited)


def as_they_come(futures: Sequence[F], check: Check) -> Iterator[F]:
    """Give each future once it is done, failed or cancelled; call `check` while there is none."""
    done: queue.SimpleQueue[F] = queue.SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    for _ in futures:
        yield _next(done, check)


def _next(done: "queue.SimpleQueue[F]", check: Check) -> F:
    while True:
        try:
            return done.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            check()
