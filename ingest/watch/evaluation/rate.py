"""How many bars were evaluated a second, of late."""

from collections import deque
from collections.abc import Callable
from typing import Final

_OVER_S: Final = 10.0


class Rate:
    """Counts over the last ten seconds. Noted by one thread, read by any.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: deque[tuple[float, int]] = deque()

    def note(self, count: int) -> None:
        """Count what was done just now."""
        now_s = self._clock()
        if count:
            self._counts.append((now_s, count))
        while self._counts and self._counts[0][0] < now_s - _OVER_S:
            self._counts.popleft()

    def per_s(self) -> float:
        """Return how many there were a second."""
        since_s = self._clock() - _OVER_S
        return sum(count for at_s, count in tuple(self._counts) if at_s > since_s) / _OVER_S
