"""The expensive tests of all pairs, one after the other, within a share of a core."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from analytics.errors import AnalyticsError
from ingest.watch.evaluation.pair_watch import PairWatch

# Of one core, for the tests of all pairs together.
SHARE: Final = 0.05


class Rounds:
    """Goes round all pairs; the age of what is shown follows from how many there are.

    Parameters
    ----------
    clock, cpu_clock
        Monotonic seconds, and seconds of this thread on a core.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._next_s = 0.0
        self._turn = 0

    def run_one(self, pairs: Sequence[PairWatch]) -> PairWatch | None:
        """Test the next pair that has news, if it is time; returns it."""
        if self._clock() < self._next_s:
            return None
        pair = self._next(pairs)
        if pair is None:
            return None
        begun_s = self._cpu_clock()
        try:
            pair.read_tests()
        except AnalyticsError as error:
            pair.problem = str(error)
        self._next_s = self._clock() + (self._cpu_clock() - begun_s) / SHARE
        return pair

    def _next(self, pairs: Sequence[PairWatch]) -> PairWatch | None:
        for turn in range(self._turn, self._turn + len(pairs)):
            pair = pairs[turn % len(pairs)]
            if pair.has_new_tests:
                self._turn = turn % len(pairs) + 1
                return pair
        return None
