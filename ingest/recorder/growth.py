"""By how much a day live trades make the database grow: nothing else is extrapolated. Pure."""

from collections import deque
from typing import Final

OVER_S: Final = 3600.0
ENOUGH_S: Final = 300.0
_DAY_S: Final = 86_400.0


class Growth:
    """Growth over the time of the last hour in which only live trades were stored.

    A first start stores a month of the exchange's bars in seconds, and a repair hours of trades in
    minutes: neither goes on, so the time in which they do counts for nothing.

    Attributes
    ----------
    per_day
        Bytes; None before `ENOUGH_S` of such time. May be read from any thread.
    """

    def __init__(self) -> None:
        self.per_day: float | None = None
        self._last: tuple[float, int, int] | None = None
        self._was_clean = False
        self._steps: deque[tuple[float, float, int]] = deque()  # end, seconds, bytes

    def note(self, now_s: float, size: int, others: int) -> None:
        """Take a measurement.

        Parameters
        ----------
        now_s
            Monotonic.
        size
            Bytes the database's rows take.
        others
            A count of what was stored that is no live trade.
        """
        if self._last is not None:
            past_s, past_size, past_others = self._last
            is_clean = others == past_others
            # What was fetched may have been stored a step later.
            if is_clean and self._was_clean:
                self._steps.append((now_s, now_s - past_s, size - past_size))
            self._was_clean = is_clean
        self._last = (now_s, size, others)
        while self._steps and now_s - self._steps[0][0] > OVER_S:
            self._steps.popleft()
        seconds = sum(step[1] for step in self._steps)
        grown = sum(step[2] for step in self._steps)
        self.per_day = grown / seconds * _DAY_S if seconds >= ENOUGH_S else None
