"""One watched basket: which bar of it is to be read next, and what was read."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from analytics.baskets import BasketReading, read_basket
from analytics.leg import Leg
from ingest.watch.board import WatchRow
from ingest.watch.evaluation.bar_watch import MOST_BACK_US, BarWatch
from ingest.watch.evaluation.market import WatchedLeg
from ingest.watch.model import SECOND_US, Watched, WatchedBasket

# A basket that is further back passes over what is older.
MOST_BACK_BARS: Final = 600
# It is said to be behind from so many bars and seconds on.
_BEHIND_BARS: Final = 3
_BEHIND_US: Final = 5 * SECOND_US


class BasketWatch(BarWatch):
    """A basket with its settings; see `BarWatch`. It is read a bar at a time, on the bench.

    Its tests are left out: draws of a basket cost seconds. The Baskets page has them.

    Attributes
    ----------
    weights, closes
        Of the last reading, as `BasketReading` has them; empty before one.
    """

    bars_at_once = 1

    def __init__(
        self,
        basket: WatchedBasket,
        legs: tuple[WatchedLeg, ...],
        evaluated_us: int,
        *,
        is_whole: bool = False,
    ) -> None:
        super().__init__(basket, legs, evaluated_us, is_whole=is_whole)
        self._params = basket.params
        self.most_back_us = min(MOST_BACK_US, MOST_BACK_BARS * self.step_us)
        self.weights: tuple[float, ...] = ()
        self.closes: tuple[float, ...] = ()

    def next_reading(self) -> Callable[[], BasketReading] | None:
        """Return what reads the next bar, in any thread; None while none is due."""
        for bar_us in self._due():
            if self.is_known(bar_us):
                legs = [_own(leg.until(bar_us), self._params.reach) for leg in self.legs]
                return partial(read_basket, legs, self._params)
        return None

    def take(self, found: BasketReading) -> None:
        """Take what was read, and say where it is behind."""
        self._take(found.reading)
        self.weights, self.closes = found.weights, found.closes
        if self.behind_us > max(_BEHIND_US, _BEHIND_BARS * self.step_us):
            self.problem = (
                f"{self.behind_us // SECOND_US:,} s behind: baskets are read one after the other"
            )

    def skip(self, problem: str) -> None:
        """Leave the bars there are: they cannot be evaluated."""
        super().skip(problem)
        self.weights = self.closes = ()

    def row(self, pair: Watched, newest_us: int) -> WatchRow:
        """Make a list's row of it, with the market's newest trade at a time."""
        return replace(super().row(pair, newest_us), weights=self.weights, closes=self.closes)


def _own(leg: Leg, bars: int | None) -> Leg:
    """Give the last bars as a leg that shares arrays, and nothing that is worked out later."""
    cut = leg if bars is None else leg.last(bars)
    return Leg(cut.start_us, cut.step_us, cut.close, cut.volume, cut.trades, cut.coverage)
