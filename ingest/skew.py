"""How far the exchange's clock is from ours."""

import asyncio
from dataclasses import dataclass

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
    """Measures the skew every 10 minutes; `newest` is None before the first time."""

    def __init__(self, rest: RestClient) -> None:
        self.newest: Skew | None = None
        self._rest = rest

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            try:
                self.newest = await measure_skew(self._rest)
            except RestFailedError:  # the client keeps the reason for the status
                await asyncio.sleep(AGAIN_S)
            else:
                await asyncio.sleep(EVERY_S)
