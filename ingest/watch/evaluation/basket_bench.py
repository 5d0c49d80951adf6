"""Where baskets are read: a thread of its own, so that they hold up no pair."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from analytics.baskets import BasketReading
from ingest.watch.evaluation.basket_watch import BasketWatch

# Of one core, for all baskets together.
SHARE: Final = 0.25


class BasketBench:
    """Reads baskets one after the other, within a share of a core. Used by the engine's thread.

    Parameters
    ----------
    clock, cpu_clock
        Monotonic seconds, and seconds of the reading thread on a core.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._cpu_clock = clock, cpu_clock
        self._pool = ThreadPoolExecutor(1, "watch-baskets")
        self._running: dict[BasketWatch, Future[BasketReading]] = {}
        self._ending = threading.Event()
        self._next_s = 0.0

    def begin(self, basket: BasketWatch) -> None:
        """Have the next bar of a basket read, if one is due and none of it is being read."""
        if basket in self._running or self._ending.is_set():
            return
        read = basket.next_reading()
        if read is not None:
            self._running[basket] = self._pool.submit(self._read, read)

    def done(self) -> Iterator[tuple[BasketWatch, Future[BasketReading]]]:
        """Give what was read since the last call: each has its result or what it failed with."""
        for basket, future in list(self._running.items()):
            if future.done():
                del self._running[basket]
                yield basket, future

    def stop(self) -> None:
        """Begin nothing more; what is being read ends by itself, and is left."""
        self._ending.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, read: Callable[[], BasketReading]) -> BasketReading:
        self._ending.wait(max(0.0, self._next_s - self._clock()))
        begun_s = self._cpu_clock()
        try:
            return read()
        finally:
            took_s = self._cpu_clock() - begun_s
            self._next_s = self._clock() + took_s * (1 / SHARE - 1)
