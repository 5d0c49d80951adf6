"""How far the exchange's clock is from ours."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from ingest.rest import RestClient, RestFailedError

EVERY_S = 600.0
AGAIN_S = 60.0  # after a failure
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Skew:
    """The exchange's clock minus ours, known to ± `uncertainty_ms`; `checked_us` by our clock."""

    skew_ms: float
    uncertainty_ms: float
    checked_us: int


async def measure_skew(rest: RestClient, samples: int = SAMPLES) -> Skew:
    """Compare the clocks, half a round trip allowed for, by the quickest of some round trips.

    Raises
    ------
    RestFailedError
        The exchange did not tell its time.
    """
    taken = [await rest.clock_sample() for _ in range(samples)]
    best = min(taken, key=lambda sample: sample.rtt_s)
    skew_ms = (best.server_us - best.ours_us) / 1000
    return Skew(skew_ms, best.rtt_s * 500, best.ours_us)


class SkewMeter:
    """Measures the skew every 10 minutes, and when our clock jumps.

    Parameters
    ----------
    rest
        Asks the exchange.
    known
        Told each new skew, in ms.

    Attributes
    ----------
    newest
        None before the first time.
    """

    def __init__(self, rest: RestClient, known: Callable[[float], None] = lambda _ms: None) -> None:
        self.newest: Skew | None = None
        self._rest, self._known = rest, known
        self._again = asyncio.Event()

    def clock_jumped(self, jump_s: float) -> None:
        """Take our clock's jump into account at once, and measure anew. From the loop."""
        if self.newest is not None:
            self._take(replace(self.newest, skew_ms=self.newest.skew_ms - jump_s * 1000))
        self._again.set()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._again.clear()
            try:
                self._take(await measure_skew(self._rest))
            except RestFailedError:  # the client keeps the reason for the status
                await self._wait(AGAIN_S)
            else:
                await self._wait(EVERY_S)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()

    def _take(self, skew: Skew) -> None:
        self.newest = skew
        self._known(skew.skew_ms)
