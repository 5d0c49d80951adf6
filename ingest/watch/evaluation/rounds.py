"""The expensive tests of all pairs, within a share of a core: for rules, and for what is shown."""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from analytics.errors import AnalyticsError
from ingest.watch.evaluation.bar_watch import BarWatch
from ingest.watch.evaluation.pair_watch import PairWatch
from ingest.watch.model import SECOND_US

Watch = TypeVar("Watch", bound=BarWatch)

# Of one core, for the tests of all pairs together.
SHARE: Final = 0.05
# Rules look at tests so often, or at each bar where that is longer.
RULES_EVERY_US: Final = 30 * SECOND_US
# So long a time's share may be spent in advance on tests for rules; then they are left out.
MOST_AHEAD_S: Final = 60.0


class Share:
    """A share of a core, for tests: those for rules may spend it in advance. The engine's thread.

    Parameters
    ----------
    share
        Of one core.
    clock, cpu_clock
        Monotonic seconds, and seconds of the thread that tests on a core.
    is_replay
        Tests for rules are never left out, however fast the bars come.

    Attributes
    ----------
    left_out
        How many tests for rules there was no room for.
    """

    def __init__(
        self,
        share: float,
        clock: Callable[[], float],
        cpu_clock: Callable[[], float],
        *,
        is_replay: bool,
    ) -> None:
        self._share, self._clock, self._cpu_clock = share, clock, cpu_clock
        self._is_replay = is_replay
        self.left_out = 0
        self._next_s = 0.0

    @property
    def is_free(self) -> bool:
        """Whether all that was spent is of the past."""
        return self._clock() >= self._next_s

    def allows(self, watch: BarWatch, bar_us: int) -> bool:
        """Whether a rule looks at the tests of a pair or basket at a bar, and there is room."""
        if not (watch.has_tests_rule and is_for_rules(watch.key, bar_us, watch.step_us)):
            return False
        if self._is_replay or self._next_s - self._clock() <= MOST_AHEAD_S:
            return True
        self.left_out += 1
        return False

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count what is spent inside, in the thread that tests."""
        begun_s = self._cpu_clock()
        try:
            yield
        finally:
            spent_s = self._cpu_clock() - begun_s
            self._next_s = max(self._next_s, self._clock()) + spent_s / self._share

    def pop_left_out(self, whose: str) -> str:
        """Say that rules missed tests since the last call; "" where none did."""
        left_out, self.left_out = self.left_out, 0
        if not left_out:
            return ""
        return (
            "rules of p-value and half-life missed bars: "
            f"the tests of all {whose} take more than {self._share * 100:.0f} % of a core"
        )


class Turns(Generic[Watch]):
    """Gives what has news for its tests, one after the other."""

    def __init__(self) -> None:
        self._turn = 0

    def next(self, watches: Sequence[Watch]) -> Watch | None:
        """Return the next that would be tested at a later bar than it was; None without any."""
        for turn in range(self._turn, self._turn + len(watches)):
            watch = watches[turn % len(watches)]
            if watch.has_new_tests:
                self._turn = turn % len(watches) + 1
                return watch
        return None


class Rounds:
    """Goes round all pairs; the age of what is shown follows from how many there are.

    Parameters
    ----------
    clock, cpu_clock
        Monotonic seconds, and seconds of this thread on a core.
    is_replay
        Tests for rules are never left out, however fast the bars come.

    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
        *,
        is_replay: bool = False,
    ) -> None:
        self._share = Share(SHARE, clock, cpu_clock, is_replay=is_replay)
        self._turns: Turns[PairWatch] = Turns()

    def run_one(self, pairs: Sequence[PairWatch]) -> PairWatch | None:
        """Test the next pair that has news, if it is time; returns it."""
        pair = self._turns.next(pairs) if self._share.is_free else None
        if pair is not None:
            self._test(pair)
        return pair

    def run_for_rules(self, pair: PairWatch, bar_us: int) -> None:
        """Test a pair at the bar it was just read at, where its rules are to look at tests there.

        Which bars these are follows from the pair and the bar alone, so that a replay tells what
        live told. At no others, and not where the share is spent.
        """
        if self._share.allows(pair, bar_us):
            self._test(pair)

    def pop_left_out(self) -> str:
        """Say that rules missed tests since the last call; "" where none did."""
        return self._share.pop_left_out("pairs")

    def _test(self, pair: PairWatch) -> None:
        with self._share.spending():
            try:
                pair.read_tests()
            except AnalyticsError as error:
                pair.problem = str(error)


def is_for_rules(key: str, bar_us: int, step_us: int) -> bool:
    """Whether rules look at the tests of a pair or basket at a bar: every so many since the epoch.

    Each has bars of its own, by a checksum of the key, so that not all are tested at one.
    """
    every = max(1, RULES_EVERY_US // step_us)
    return (bar_us // step_us + zlib.crc32(key.encode())) % every == 0
