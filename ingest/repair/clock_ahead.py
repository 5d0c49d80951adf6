"""A clock of ours that is days ahead, named as soon as the trades show it."""

import asyncio
from collections.abc import Callable
from typing import Final

from ingest.counts import Counts
from ingest.settings import say
from ingest.trade_times import TradeTimes
from ingest.wrong_clock import LagWatch, sentence

LOOK_EVERY_S: Final = 1.0


class ClockAhead:
    """Looks each second whether all that comes is dated days before, until REST tells the time.

    Parameters
    ----------
    counts, times
        What came; what is to know by how much our clock is wrong.
    is_measured
        Whether the exchange itself has told its time.
    now_us
        Wall clock.
    """

    def __init__(
        self,
        counts: Counts,
        times: TradeTimes,
        is_measured: Callable[[], bool],
        now_us: Callable[[], int],
    ) -> None:
        self._counts, self._times = counts, times
        self._is_measured, self._now_us = is_measured, now_us
        self._watch = LagWatch()

    def clock_jumped(self) -> None:
        """Look anew: what came before was dated by another clock."""
        self._watch = LagWatch()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Look at what came since the last time."""
        skew_us = self._watch.look(self._counts.symbols)
        if not self._is_measured():
            self._name(skew_us)

    def _name(self, skew_us: int | None) -> None:
        """Say it once; forget it once trades are dated as they come, whoever said it."""
        known_us = self._times.skew_us
        if skew_us is not None and known_us is None:
            self._times.know_skew(skew_us / 1000, is_measured=False)
            message = sentence(skew_us, is_measured=False) or ""
            self._counts.note(self._now_us(), "clock", message)
            say(message)
        elif self._watch.are_dated_as_they_come and known_us is not None and known_us < 0:
            self._times.know_skew(None)
