"""How far the exchange's clock is from ours."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ingest.errors import RestFailedError
from ingest.rest import RestClient

EVERY_S = 600.0
AGAIN_S = 60.0  # after a failure
SIGNED_IN_S = 10.0  # while a login page answers: somebody signs in meanwhile
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
    measured = [await rest.clock_sample() for _ in range(samples)]
    best = min(measured, key=lambda sample: sample.rtt_s)
    skew_ms = (best.server_us - best.ours_us) / 1000
    return Skew(skew_ms, best.rtt_s * 500, best.ours_us)


class SkewMeter:
    """Measures the skew every 10 minutes, and when our clock jumps.

    Parameters
    ----------
    rest
        Asks the exchange.
    known
        Told each new skew in ms, and None when it is not known any more.

    Attributes
    ----------
    newest
        None while it is not known.
    """

    def __init__(
        self, rest: RestClient, known: Callable[[float | None], None] = lambda _: None
    ) -> None:
        self.newest: Skew | None = None
        self._rest, self._known = rest, known
        self._again = asyncio.Event()

    def clock_jumped(self) -> None:
        """Forget the skew and measure it again. From the loop.

        It cannot be reckoned: a machine that slept has the right time all the same.
        """
        self.newest = None
        self._known(None)
        self._again.set()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._again.clear()
            try:
                skew = await measure_skew(self._rest)
            except RestFailedError:  # the client keeps the reason for the status
                is_between = self._rest.interception is not None
                await self._wait(SIGNED_IN_S if is_between else AGAIN_S)
                continue
            if self._again.is_set():  # a jump in the midst of it
                continue
            self.newest = skew
            self._known(skew.skew_ms)
            await self._wait(EVERY_S)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._again.wait()
