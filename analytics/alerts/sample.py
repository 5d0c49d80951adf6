"""What a rule sees at one bar, and the figure that it looks at."""

import math
from dataclasses import dataclass

from analytics.alerts.rule import READING_WHENS, TESTS_WHENS, AlertRule
from analytics.pair import PairReading, PairTestsReading
from analytics.signals import SIGNALS


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair at one bar, or the desk at one moment.

    Attributes
    ----------
    bar_us
        Open of the bar, µs since the epoch, UTC, above 0; of the desk the moment itself.
    step_us
        Length of the bar; 0 for the desk.
    reading
        Of the pair at this bar; None where there is none, which is no data.
    tests
        The latest tests of the pair; None before there are any. A rule looks at the same tests
        once, however many bars they come with.
    value
        For rules that look neither at the reading nor at the tests: seconds since a leg traded
        (stale), seconds a gap is open, 0 without one (gap), and of the desk as `AlertRule.when`
        says; for ``"find"`` 1 while the pair is found and holds, else 0. NaN is no data.
    is_forming
        Whether the bar still forms: such a sample may come many times before the closed one.
    at_us
        Of a bar that forms, when it was as it is seen here: its latest trade, µs since the epoch;
        0 for its open.
    """

    bar_us: int
    step_us: int = 0
    reading: PairReading | None = None
    tests: PairTestsReading | None = None
    value: float = math.nan
    is_forming: bool = False
    at_us: int = 0

    @property
    def is_open(self) -> bool:
        """Whether all gates of the pair are open."""
        return self.reading is not None and not self.reading.gate

    @property
    def known_us(self) -> int:
        """When what is seen here is known: at the bar's end, or as it forms."""
        return max(self.bar_us, self.at_us) if self.is_forming else self.bar_us + self.step_us


def value_of(rule: AlertRule, sample: Sample, anchor: float) -> float:
    """Return the figure that a rule compares; NaN for no data.

    A signal is its place in `SIGNALS`, and no data where there is no z-score; β is how far it is
    from `anchor`, in errors of its own.
    """
    if rule.when in READING_WHENS:
        return math.nan if sample.reading is None else _of_reading(rule, sample.reading, anchor)
    if rule.when in TESTS_WHENS:
        return math.nan if sample.tests is None else _of_tests(rule, sample.tests)
    return sample.value


def _of_reading(rule: AlertRule, reading: PairReading, anchor: float) -> float:
    if rule.when == "zscore":
        return reading.zscore
    if rule.when == "correlation":
        return reading.correlation
    if rule.when == "beta":
        error = reading.beta_stderr
        return abs(reading.beta - anchor) / error if error > 0 else math.nan
    return math.nan if math.isnan(reading.zscore) else float(SIGNALS.index(reading.signal))


def _of_tests(rule: AlertRule, tests: PairTestsReading) -> float:
    return tests.pvalue if rule.when == "pvalue" else tests.half_life
