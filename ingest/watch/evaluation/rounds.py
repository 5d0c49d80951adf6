"""The expensive tests of all pairs, within a share of a core: for rules, and for what is shown."""

import time
import zlib
from collections.abc import Callable, Sequence
from typing import Final

from analytics.errors import AnalyticsError
from analytics.pair import PairTestsReading
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.model import SECOND_US

# Of one core, for the tests of all pairs together.
SHARE: Final = 0.05
# Rules look at tests so often, or at each bar where that is longer.
RULES_EVERY_US: Final = 30 * SECOND_US
# So long a time's share may be spent in advance on tests for rules; then they are left out.
MOST_AHEAD_S: Final = 60.0
LEFT_OUT: Final = (
    "rules of p-value and half-life missed bars: "
    "the tests of all pairs take more than 5 % of a core"
)


class Rounds:
    """Goes round all pairs; the age of what is shown follows from how many there are.

    Parameters
    ----------
    clock, cpu_clock
        Monotonic seconds, and seconds of this thread on a core.
    is_replay
        Tests for rules are never left out, however fast the bars come.

    Attributes
    ----------
    left_out
        How many tests for rules the share left no room for.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
        *,
        is_replay: bool = False,
    ) -> None:
        self._clock, self._cpu_clock, self._is_replay = clock, cpu_clock, is_replay
        self.left_out = 0
        self._next_s = 0.0
        self._turn = 0

    def run_one(self, pairs: Sequence[PairWatch]) -> PairWatch | None:
        """Test the next pair that has news, if it is time; returns it."""
        if self._clock() < self._next_s:
            return None
        pair = self._next(pairs)
        if pair is None:
            return None
        self._test(pair)
        return pair

    def run_for_rules(self, pair: PairWatch, bar_us: int) -> PairTestsReading | None:
        """Test a pair at the bar it was just read at, where its rules are to look at tests there.

        Which bars these are follows from the pair and the bar alone, so that a replay tells what
        live told. None at all others, and where the share is spent.
        """
        if not (pair.has_tests_rule and is_for_rules(pair.key, bar_us, pair.step_us)):
            return None
        if self._next_s - self._clock() > MOST_AHEAD_S and not self._is_replay:
            self.left_out += 1
            return None
        self._test(pair)
        tests = pair.tests
        return tests if tests is not None and tests.time_us == bar_us else None

    def _test(self, pair: PairWatch) -> None:
        begun_s = self._cpu_clock()
        try:
            pair.read_tests()
        except AnalyticsError as error:
            pair.problem = str(error)
        spent_s = self._cpu_clock() - begun_s
        self._next_s = max(self._next_s, self._clock()) + spent_s / SHARE

    def _next(self, pairs: Sequence[PairWatch]) -> PairWatch | None:
        for turn in range(self._turn, self._turn + len(pairs)):
            pair = pairs[turn % len(pairs)]
            if pair.has_new_tests:
                self._turn = turn % len(pairs) + 1
                return pair
        return None


def is_for_rules(key: str, bar_us: int, step_us: int) -> bool:
    """Whether rules look at the tests of a pair at a bar: every so many bars since the epoch.

    Pairs have bars of their own, by a checksum of the key, so that not all are tested at one.
    """
    every = max(1, RULES_EVERY_US // step_us)
    return (bar_us // step_us + zlib.crc32(key.encode())) % every == 0
