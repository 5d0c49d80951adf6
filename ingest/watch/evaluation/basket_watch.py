"""One watched basket: which bar of it is to be read next, and what was read."""

from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

from analytics.baskets import BasketParams, BasketReading, read_basket, read_basket_tests
from analytics.errors import AnalyticsError
from analytics.leg import Leg
from analytics.pair import PairTestsReading
from ingest.watch.board import WatchRow
from ingest.watch.evaluation.bar_watch import MOST_BACK_US, BarWatch
from ingest.watch.evaluation.market import WatchedLeg
from ingest.watch.model import SECOND_US, Watched, WatchedBasket

# A basket that is further back passes over what is older.
MOST_BACK_BARS: Final = 600
# It is said to be behind from so many bars and seconds on.
_BEHIND_BARS: Final = 3
_BEHIND_US: Final = 5 * SECOND_US


@dataclass(frozen=True, slots=True, eq=False)
class BasketBars:
    """The bars of a basket up to one, as they were: read and tested in other threads.

    Attributes
    ----------
    bar_us
        Open of the last one.
    legs, params
        As `read_basket` takes them.
    """

    bar_us: int
    legs: tuple[Leg, ...]
    params: BasketParams

    def read(self) -> BasketReading:
        """Read the basket at the last bar."""
        return read_basket(self.legs, self.params)

    def test(self) -> PairTestsReading:
        """Test the basket over the bars that end with the last."""
        return read_basket_tests(self.legs, self.params)


class BasketWatch(BarWatch):
    """A basket with its settings; see `BarWatch`. It is read a bar at a time, on the bench.

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

    def next_bars(self) -> BasketBars | None:
        """Return the bars that end with the next one to read; None while none is due."""
        for bar_us in self._due():
            if self.is_known(bar_us):
                return self._bars_until(bar_us)
        return None

    def bars_to_test(self) -> BasketBars:
        """Return the bars that end with the last evaluated one, of which there is one."""
        assert self.reading is not None, "it was read"
        return self._bars_until(self.reading.time_us)

    def take_tests(self, found: Future[PairTestsReading]) -> None:
        """Take what its tests came to, unless later ones are known."""
        try:
            tests = found.result()
        except AnalyticsError as error:
            self.problem = str(error)
            return
        if self.tests is None or self.tests.time_us < tests.time_us:
            self.tests = tests

    def take(self, found: BasketReading, tests: Future[PairTestsReading] | None = None) -> None:
        """Take what was read, with its tests where it has any, and say where it is behind."""
        self._take(found.reading)
        self.weights, self.closes = found.weights, found.closes
        if self.behind_us > max(_BEHIND_US, _BEHIND_BARS * self.step_us):
            self.problem = (
                f"{self.behind_us // SECOND_US:,} s behind: baskets are read one after the other"
            )
        if tests is not None:
            self.take_tests(tests)

    def skip(self, problem: str) -> None:
        """Leave the bars there are: they cannot be evaluated."""
        super().skip(problem)
        self.weights = self.closes = ()

    def _bars_until(self, bar_us: int) -> BasketBars:
        legs = tuple(_own(leg.until(bar_us), self._params.reach) for leg in self.legs)
        return BasketBars(bar_us, legs, self._params)

    def row(self, pair: Watched, newest_us: int) -> WatchRow:
        """Make a list's row of it, with the market's newest trade at a time."""
        return replace(super().row(pair, newest_us), weights=self.weights, closes=self.closes)


def _own(leg: Leg, bars: int | None) -> Leg:
    """Give the last bars as a leg that shares arrays, and nothing that is worked out later."""
    cut = leg if bars is None else leg.last(bars)
    return Leg(cut.start_us, cut.step_us, cut.close, cut.volume, cut.trades, cut.coverage)
