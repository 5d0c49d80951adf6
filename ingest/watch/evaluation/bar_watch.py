"""What every watched row has: its legs, up to which bar it was evaluated, what it says there."""

from typing import Final

import numpy as np

from analytics.alerts import TESTS_WHENS, AlertRule
from analytics.pair import PairReading, PairTestsReading
from ingest.watch.board import WatchRow
from ingest.watch.evaluation.market import LAG_BARS, LegKey, WatchedLeg
from ingest.watch.model import SECOND_US, Alert, Watched, WatchedBasket
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


class BarWatch:
    """A pair or a basket with its settings, however many lists have it. The engine's thread.

    Parameters
    ----------
    pair
        The pair or the basket.
    legs
        Those of its symbols, in order.
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

    # How far back it goes on, and how many bars have their turn together.
    most_back_us = MOST_BACK_US
    bars_at_once = BARS_AT_ONCE

    def __init__(
        self, pair: Watched, legs: tuple[WatchedLeg, ...], evaluated_us: int, *, is_whole: bool
    ) -> None:
        params = pair.params
        self.pair, self.legs, self.label = pair, legs, params.label
        self.key, self.link = pair_key(params), link_of(pair)
        self.step_us = params.bar.us
        self._reach_us = ((params.reach or 0) + LAG_BARS) * self.step_us
        self.evaluated_us, self._is_whole = evaluated_us, is_whole
        self.rules: tuple[AlertRule, ...] = ()
        self.reading: PairReading | None = None
        self.tests: PairTestsReading | None = None
        self.signal_since_us = self.evaluated_at_us = 0
        self.zscores: tuple[float, ...] = ()
        self.last_alert: Alert | None = None
        self.problem = ""
        self._late_before_us: int | None = None

    @property
    def newest_us(self) -> int:
        """Open of the newest bar that all legs closed; 0 without any."""
        return min(leg.end_us for leg in self.legs)

    @property
    def traded_us(self) -> int:
        """Time of the latest trade of a leg; 0 without any."""
        return max((leg.last.time_us for leg in self.legs if leg.last is not None), default=0)

    @property
    def behind_us(self) -> int:
        """How far what was evaluated is behind what is stored."""
        return max(0, self.newest_us - self.evaluated_us) if self.evaluated_us else 0

    @property
    def has_tests_rule(self) -> bool:
        """Whether a rule looks at the tests."""
        return any(rule.when in TESTS_WHENS for rule in self.rules)

    @property
    def has_new_tests(self) -> bool:
        """Whether the tests would look at a later bar than they did."""
        if self.reading is None:
            return False
        return self.tests is None or self.tests.time_us < self.reading.time_us

    def tests_at(self, bar_us: int) -> PairTestsReading | None:
        """Return the tests where they are of a bar; None where they are of another."""
        return self.tests if self.tests is not None and self.tests.time_us == bar_us else None

    def needs_from_us(self, newest_us: int) -> int:
        """Open of the oldest bar that it needs, with the newest trade at a time."""
        if self._is_whole:
            return self.evaluated_us - self._reach_us
        begin_us = newest_us
        if self.evaluated_us:
            begin_us = max(newest_us - self.most_back_us, min(newest_us, self.evaluated_us))
        return begin_us - self._reach_us

    def is_known(self, bar_us: int) -> bool:
        """Whether a bar can be evaluated; where a gap is to be repaired first, it is waited for."""
        unknown = [leg for leg in self.legs if not leg.is_known(bar_us)]
        for leg in unknown:
            leg.is_waited_for = True
        return not unknown

    def skip(self, problem: str) -> None:
        """Leave the bars there are: they cannot be evaluated."""
        self.problem, self.evaluated_us = problem, self.newest_us
        self.reading = None

    def is_late(self, bar_us: int) -> bool:
        """Whether a bar closed long before the engine began."""
        late_us = self._late_before_us
        return late_us is not None and not self._is_whole and bar_us + self.step_us < late_us

    def row(self, pair: Watched, newest_us: int) -> WatchRow:
        """Make a list's row of it, with the market's newest trade at a time."""
        y_age_s, *ages_s = (_age_s(leg, newest_us) for leg in self.legs)
        return WatchRow(
            pair,
            self.reading,
            self.evaluated_at_us,
            self.signal_since_us,
            self.zscores,
            self.tests,
            y_age_s,
            float(np.max(ages_s)),
            self.last_alert,
            self.problem or self._why_nothing(),
        )

    def _due(self) -> range:
        newest_us = self.newest_us
        if not newest_us:
            return range(0)
        if self._late_before_us is None:
            self._late_before_us = newest_us - _LATE_US
        first_us = max(leg.leg.start_us for leg in self.legs if leg.leg is not None)
        if first_us > newest_us and self.behind_us:
            self.evaluated_us = newest_us  # no bar of all legs is left to evaluate
        next_us = max(first_us, self._next_us(newest_us))
        end_us = min(newest_us, next_us + (self.bars_at_once - 1) * self.step_us)
        return range(next_us, end_us + 1, self.step_us)

    def _next_us(self, newest_us: int) -> int:
        next_us = self.evaluated_us + self.step_us
        if self._is_whole:
            return next_us
        is_first = not self.evaluated_us or self.evaluated_us > newest_us + _OTHER_DATABASE_US
        most_back_us = self.most_back_us // self.step_us * self.step_us
        return newest_us if is_first else max(next_us, newest_us - most_back_us)

    def _take(self, reading: PairReading) -> None:
        if self.reading is None or self.reading.signal != reading.signal:
            self.signal_since_us = reading.time_us
        self.reading, self.evaluated_us, self.problem = reading, reading.time_us, ""
        self.zscores = (*self.zscores[1 - SPARKLINE :], reading.zscore)

    def _why_nothing(self) -> str:
        if self.reading is not None:
            return ""
        lacking = [leg.key.symbol for leg in self.legs if leg.last is None]
        if lacking:
            asked = "is it" if len(lacking) == 1 else "are they"
            return f"no trade of {' and '.join(lacking)} is stored: {asked} recorded?"
        legs = "both" if len(self.legs) == 2 else "all"
        return f"no bar of {legs} legs has closed yet"


def leg_keys(pair: Watched) -> list[LegKey]:
    """Name the legs of a pair or a basket, in order."""
    interval = pair.params.interval
    symbols = pair.symbols if isinstance(pair, WatchedBasket) else (pair.y, pair.x)
    return [LegKey(symbol, interval) for symbol in symbols]


def _age_s(leg: WatchedLeg, newest_us: int) -> float:
    return float("nan") if leg.last is None else max(0, newest_us - leg.last.time_us) / SECOND_US
