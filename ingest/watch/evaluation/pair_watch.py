"""One watched pair: what it says at each closed bar of both legs, and at the one that forms."""

from collections.abc import Iterator

from analytics.leg import Leg
from analytics.pair import LatestPair, PairReading, read_latest, read_tests
from ingest.watch.evaluation.bar_watch import BarWatch
from ingest.watch.evaluation.market import WatchedLeg
from ingest.watch.model import WatchedPair


class PairWatch(BarWatch):
    """A pair with its settings; see `BarWatch`.

    Attributes
    ----------
    is_waiting
        Whether its next bar waits for the repair of a gap.
    """

    def __init__(
        self,
        pair: WatchedPair,
        legs: tuple[WatchedLeg, WatchedLeg],
        evaluated_us: int,
        *,
        is_whole: bool = False,
    ) -> None:
        super().__init__(pair, legs, evaluated_us, is_whole=is_whole)
        self._params, self._y, self._x = pair.params, *legs
        self.is_waiting = False
        self._carried: LatestPair | None = None

    @property
    def has_forming_rule(self) -> bool:
        """Whether a rule looks at the bar that still forms."""
        return any(rule.forming for rule in self.rules)

    def evaluate(self) -> Iterator[PairReading]:
        """Read each closed bar since the last, in order, as far as they are known.

        A bar inside a gap ends it until that is repaired, or was waited for long enough.
        """
        self.is_waiting = False
        for bar_us in self._due():
            if not self.is_known(bar_us):
                self.is_waiting = True
                return
            yield self._read(bar_us)

    def read_forming(self) -> PairReading | None:
        """Read the bar after the last closed one as it stands; None where a leg has none yet."""
        bar_us = self.evaluated_us + self.step_us
        y, x = self._y.with_forming(bar_us), self._x.with_forming(bar_us)
        if y is None or x is None or self.evaluated_us == 0 or bar_us <= self.newest_us:
            return None
        reading, _ = read_latest((y, x), self._params, self._carried, self._epoch)
        return reading

    def read_tests(self) -> None:
        """Look at the tests anew, as of the last evaluated bar."""
        if self.reading is not None:
            self.tests = read_tests(self._legs_until(self.reading.time_us), self._params)

    def skip(self, problem: str) -> None:
        """Leave the bars there are: they cannot be evaluated."""
        super().skip(problem)
        self._carried = None

    @property
    def _epoch(self) -> tuple[int, int]:
        return self._y.epoch, self._x.epoch

    def _read(self, bar_us: int) -> PairReading:
        reading, self._carried = read_latest(
            self._legs_until(bar_us), self._params, self._carried, self._epoch
        )
        self._take(reading)
        return reading

    def _legs_until(self, bar_us: int) -> tuple[Leg, Leg]:
        return self._y.until(bar_us), self._x.until(bar_us)
