"""The tests of baskets: drawn for in a thread of their own, so that they hold up no reading."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from analytics.pair import PairTestsReading
from ingest.watch.evaluation.basket_watch import BasketBars, BasketWatch
from ingest.watch.evaluation.rounds import Share, Turns

# Of one core, for the tests of all baskets together.
SHARE: Final = 0.10


class BasketTests:
    """Goes round all baskets as `Rounds` does round all pairs. Used by the engine's thread.

    Parameters
    ----------
    clock, cpu_clock
        Monotonic seconds, and seconds of the testing thread on a core.
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
        self._turns: Turns[BasketWatch] = Turns()
        self._pool = ThreadPoolExecutor(1, "watch-basket-tests")
        self._shown: tuple[BasketWatch, Future[PairTestsReading]] | None = None

    def begin_for_rules(
        self, basket: BasketWatch, bars: BasketBars
    ) -> Future[PairTestsReading] | None:
        """Have the bars tested that were just read, where rules are to look at tests there.

        Which these are follows from the basket and the bar alone, as of a pair. None at all
        others, and where the share is spent.
        """
        if not self._share.allows(basket, bars.bar_us):
            return None
        return self._pool.submit(self._test, bars)

    def run_one(self, baskets: Sequence[BasketWatch]) -> BasketWatch | None:
        """Have the next basket tested that has news, if it is time; returns one that was."""
        if self._shown is not None:
            basket, found = self._shown
            if not found.done():
                return None
            self._shown = None
            if basket in baskets:
                basket.take_tests(found)
                return basket
        next_one = self._turns.next(baskets) if self._share.is_free else None
        if next_one is not None:
            self._shown = next_one, self._pool.submit(self._test, next_one.bars_to_test())
        return None

    def pop_left_out(self) -> str:
        """Say that rules missed tests since the last call; "" where none did."""
        return self._share.pop_left_out("baskets")

    def stop(self) -> None:
        """Begin nothing more; what is being tested ends by itself, and is left."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _test(self, bars: BasketBars) -> PairTestsReading:
        with self._share.spending():
            return bars.test()
