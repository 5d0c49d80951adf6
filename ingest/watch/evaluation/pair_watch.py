"""One watched pair: its legs, up to which bar it was evaluated, and what it says there."""

from collections.abc import Iterator
from typing import Final

from analytics.alerts import AlertRule
from analytics.leg import Leg
from analytics.pair import LatestPair, PairReading, PairTestsReading, read_latest, read_tests
from ingest.watch.board import WatchRow
from ingest.watch.evaluation.market import LAG_BARS, WatchedLeg
from ingest.watch.model import SECOND_US, Alert, WatchedPair
from ingest.watch.pair_link import link_of, pair_key

# How far back a pair goes on after a restart.
MOST_BACK_US: Final = 6 * 3600 * SECOND_US
# A pair evaluated so far beyond what is stored was so in another database.
_OTHER_DATABASE_US: Final = 3600 * SECOND_US
# Bars of a pair evaluated before others have their turn.
BARS_AT_ONCE: Final = 240
SPARKLINE: Final = 60
# A bar that closed so long before the engine began is said to be late.
_LATE_US: Final = 60 * SECOND_US


class PairWatch:
    """A pair with its settings, however many lists have it. The engine's thread.

    Parameters
    ----------
    pair
        The pair.
    legs
        Those of y and x.
    evaluated_us
        Up to which bar it was evaluated before; 0 for never.
    is_whole
        It is evaluated at every bar there is: of a replay, however fast.

    Attributes
    ----------
    key, link
        Of the pair in the database, and the address of its page.
    rules
        Those that look at it.
    reading, tests, signal_since_us, zscores, last_alert, problem
        As `WatchRow` has them.
    evaluated_at_us
        When it was evaluated last, on our clock.
    """

    def __init__(
        self,
        pair: WatchedPair,
        legs: tuple[WatchedLeg, WatchedLeg],
        evaluated_us: int,
        *,
        is_whole: bool = False,
    ) -> None:
        self.pair, self.params, self.legs = pair, pair.params, legs
        self.key, self.link = pair_key(self.params), link_of(pair)
        self.step_us = self.params.bar.us
        self._reach_us = ((self.params.reach or 0) + LAG_BARS) * self.step_us
        self.evaluated_us, self._is_whole = evaluated_us, is_whole
        self.rules: tuple[AlertRule, ...] = ()
        self.reading: PairReading | None = None
        self.tests: PairTestsReading | None = None
        self.signal_since_us = self.evaluated_at_us = 0
        self.zscores: tuple[float, ...] = ()
        self.last_alert: Alert | None = None
        self.problem = ""
        self._carried: LatestPair | None = None
        self._late_before_us: int | None = None

    @property
    def newest_us(self) -> int:
        """Open of the newest bar that both legs closed; 0 without any."""
        return min(leg.end_us for leg in self.legs)

    @property
    def behind_us(self) -> int:
        """How far what was evaluated is behind what is stored."""
        return max(0, self.newest_us - self.evaluated_us) if self.evaluated_us else 0

    @property
    def has_forming_rule(self) -> bool:
        """Whether a rule looks at the bar that still forms."""
        return any(rule.forming for rule in self.rules)

    @property
    def has_new_tests(self) -> bool:
        """Whether the tests would look at a later bar than they did."""
        if self.reading is None:
            return False
        return self.tests is None or self.tests.time_us < self.reading.time_us

    def needs_from_us(self, newest_us: int) -> int:
        """Open of the oldest bar that it needs, with the newest trade at a time."""
        if self._is_whole:
            return self.evaluated_us - self._reach_us
        begin_us = newest_us
        if self.evaluated_us:
            begin_us = max(newest_us - MOST_BACK_US, min(newest_us, self.evaluated_us))
        return begin_us - self._reach_us

    def evaluate(self) -> Iterator[PairReading]:
        """Read each closed bar since the last, in order, as far as they are known.

        A bar inside a gap ends it until that is repaired, or was waited for long enough.
        """
        for bar_us in self._due():
            if not all(leg.is_known(bar_us) for leg in self.legs):
                for leg in self.legs:
                    leg.is_waited_for |= not leg.is_known(bar_us)
                return
            yield self._read(bar_us)

    def read_forming(self) -> PairReading | None:
        """Read the bar after the last closed one as it stands; None where a leg has none yet."""
        bar_us = self.evaluated_us + self.step_us
        legs = [leg.with_forming(bar_us) for leg in self.legs]
        y, x = legs
        if y is None or x is None or self.evaluated_us == 0 or bar_us <= self.newest_us:
            return None
        reading, _ = read_latest((y, x), self.params, self._carried, self._epoch)
        return reading

    def read_tests(self) -> None:
        """Look at the tests anew, as of the last evaluated bar."""
        if self.reading is not None:
            self.tests = read_tests(self._legs_until(self.reading.time_us), self.params)

    def skip(self, problem: str) -> None:
        """Leave the bars there are: they cannot be evaluated."""
        self.problem, self.evaluated_us = problem, self.newest_us
        self.reading, self._carried = None, None

    def is_late(self, bar_us: int) -> bool:
        """Whether a bar closed long before the engine began."""
        late_us = self._late_before_us
        return late_us is not None and not self._is_whole and bar_us + self.step_us < late_us

    def row(self, pair: WatchedPair, newest_us: int) -> WatchRow:
        """Make a list's row of it, with the market's newest trade at a time."""
        y_age_s, x_age_s = (_age_s(leg, newest_us) for leg in self.legs)
        return WatchRow(
            pair,
            self.reading,
            self.evaluated_at_us,
            self.signal_since_us,
            self.zscores,
            self.tests,
            y_age_s,
            x_age_s,
            self.last_alert,
            self.problem or self._why_nothing(),
        )

    @property
    def _epoch(self) -> tuple[int, int]:
        y, x = self.legs
        return y.epoch, x.epoch

    def _due(self) -> range:
        newest_us = self.newest_us
        if not newest_us:
            return range(0)
        if self._late_before_us is None:
            self._late_before_us = newest_us - _LATE_US
        first_us = max(leg.leg.start_us for leg in self.legs if leg.leg is not None)
        next_us = max(first_us, self._next_us(newest_us))
        end_us = min(newest_us, next_us + (BARS_AT_ONCE - 1) * self.step_us)
        return range(next_us, end_us + 1, self.step_us)

    def _next_us(self, newest_us: int) -> int:
        next_us = self.evaluated_us + self.step_us
        if self._is_whole:
            return next_us
        is_first = not self.evaluated_us or self.evaluated_us > newest_us + _OTHER_DATABASE_US
        most_back_us = MOST_BACK_US // self.step_us * self.step_us
        return newest_us if is_first else max(next_us, newest_us - most_back_us)

    def _read(self, bar_us: int) -> PairReading:
        reading, self._carried = read_latest(
            self._legs_until(bar_us), self.params, self._carried, self._epoch
        )
        if self.reading is None or self.reading.signal != reading.signal:
            self.signal_since_us = bar_us
        self.reading, self.evaluated_us, self.problem = reading, bar_us, ""
        self.zscores = (*self.zscores[1 - SPARKLINE :], reading.zscore)
        return reading

    def _legs_until(self, bar_us: int) -> tuple[Leg, Leg]:
        y, x = self.legs
        return y.until(bar_us), x.until(bar_us)

    def _why_nothing(self) -> str:
        if self.reading is not None:
            return ""
        lacking = [leg.key.symbol for leg in self.legs if leg.last is None]
        if lacking:
            asked = "is it" if len(lacking) == 1 else "are they"
            return f"no trade of {' and '.join(lacking)} is stored: {asked} recorded?"
        return "no bar of both legs has closed yet"


def _age_s(leg: WatchedLeg, newest_us: int) -> float:
    return float("nan") if leg.last is None else max(0, newest_us - leg.last.time_us) / SECOND_US
