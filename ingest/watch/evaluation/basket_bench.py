"""Where baskets are read: a thread of its own, so that they hold up no pair."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from analytics.baskets import BasketReading
from analytics.pair import PairTestsReading
from ingest.watch.evaluation.basket_tests import BasketTests
from ingest.watch.evaluation.basket_watch import BasketBars, BasketWatch

# Of one core, for all baskets together.
SHARE: Final = 0.25


@dataclass(slots=True)
class BasketJob:
    """A basket's bars that are read, and tested where a rule looks at tests there.

    Attributes
    ----------
    reading, tests
        Each has its result in the end, or what it failed with.
    """

    bars: BasketBars
    reading: Future[BasketReading]
    tests: Future[PairTestsReading] | None = None
    is_tests_asked: bool = False


class BasketBench:
    """Reads baskets one after the other, within a share of a core. Used by the engine's thread.

    Where a rule looks at the tests of a bar, its reading is given out with them.

    Parameters
    ----------
    tests
        Tests them.
    clock, cpu_clock
        Monotonic seconds, and seconds of the reading thread on a core.
    """

    def __init__(
        self,
        tests: BasketTests,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._tests, self._clock, self._cpu_clock = tests, clock, cpu_clock
        self._pool = ThreadPoolExecutor(1, "watch-baskets")
        self._running: dict[BasketWatch, BasketJob] = {}
        self._ending = threading.Event()
        self._next_s = 0.0

    def begin(self, basket: BasketWatch) -> None:
        """Have the next bar of a basket read, if one is due and none of it is being read."""
        if basket in self._running or self._ending.is_set():
            return
        bars = basket.next_bars()
        if bars is not None:
            self._running[basket] = BasketJob(bars, self._pool.submit(self._read, bars))

    def done(self) -> Iterator[tuple[BasketWatch, BasketJob]]:
        """Give what was read since the last call, with its tests where a rule looks at them."""
        for basket, job in list(self._running.items()):
            if self._is_done(basket, job):
                del self._running[basket]
                yield basket, job

    def stop(self) -> None:
        """Begin nothing more; what is being read ends by itself, and is left."""
        self._ending.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._tests.stop()

    def _is_done(self, basket: BasketWatch, job: BasketJob) -> bool:
        if not job.reading.done():
            return False
        if not job.is_tests_asked and job.reading.exception() is None:
            job.tests = self._tests.begin_for_rules(basket, job.bars)
        job.is_tests_asked = True
        return job.tests is None or job.tests.done()

    def _read(self, bars: BasketBars) -> BasketReading:
        self._ending.wait(max(0.0, self._next_s - self._clock()))
        begun_s = self._cpu_clock()
        try:
            return bars.read()
        finally:
            took_s = self._cpu_clock() - begun_s
            self._next_s = self._clock() + took_s * (1 / SHARE - 1)
