"""What alerts a rule would have given over bars at hand, and what the spread did after."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from analytics.alerts.level import is_back
from analytics.alerts.rule import AlertRule, RuleState
from analytics.alerts.sample import Sample
from analytics.alerts.step import Event, Step, step
from analytics.pair import PairReading
from analytics.spread import SpreadKind


@dataclass(frozen=True, slots=True)
class PreviewEvent:
    """One alert that would have been, and what the spread did after.

    Attributes
    ----------
    event
        It fired, or is over.
    bar_us
        Open of the bar, µs since the epoch, UTC.
    value, zscore
        At that bar; NaN where not known.
    signal
        Of the bar; "" without a reading.
    suppressed
        Why it would not have been sent; "" where it would.
    bars_to_rearm, bars_to_mean
        Bars until z was strictly back past the re-arm level, and until it crossed 0; None where it
        did not within the bars at hand. Back past the re-arm level counts until z crossed 0, that
        bar with it: from +2 to −2 in one bar it was at the mean, and never back. Of rules of z
        that fired; None of others.
    worst_zscore
        The largest |z| on the side it fired on, until z crossed 0 or the bars end.
    against
        The furthest that the spread went the wrong way for a trade against the z-score, until z
        crossed 0 or the bars end, 0 or more; in units of the spread, with α and β of the bar that
        fired. NaN where not known.
    favour
        How far the spread itself had moved the right way when z crossed 0, in the same units: below
        0 where the mean came to the spread, and not the spread to the mean. NaN where z did not.
    """

    event: Event
    bar_us: int
    value: float
    zscore: float = math.nan
    signal: str = ""
    suppressed: str = ""
    bars_to_rearm: int | None = None
    bars_to_mean: int | None = None
    worst_zscore: float = math.nan
    against: float = math.nan
    favour: float = math.nan


@dataclass(frozen=True, slots=True)
class Preview:
    """What alerts a rule would have given over bars at hand.

    Attributes
    ----------
    bars, first_us, last_us
        Samples looked at, and opens of the first and the last; 0 without any.
    events
        Every alert, those kept and not sent too, in order.
    waited
        Crossings that an alert had to wait for, by reason; those that came back before it could
        fire gave no alert.
    state
        Where the rule stands after the last bar.
    """

    bars: int
    first_us: int
    last_us: int
    events: tuple[PreviewEvent, ...]
    waited: Mapping[str, int]
    state: RuleState

    @property
    def fired(self) -> tuple[PreviewEvent, ...]:
        """Events of the rule firing, in order; a repeat is not among them."""
        return tuple(each for each in self.events if each.event == "fired")

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How many alerts would have been kept and not sent, by reason."""
        return Counter(each.suppressed for each in self.events if each.suppressed)

    @property
    def back_at_rearm(self) -> int:
        """How many times z was back past the re-arm level."""
        return sum(each.bars_to_rearm is not None for each in self.fired)

    @property
    def back_at_mean(self) -> int:
        """How many times z came back to the mean."""
        return sum(each.bars_to_mean is not None for each in self.fired)

    @property
    def median_bars_to_rearm(self) -> float:
        """Of those that came back that far; NaN without any."""
        return _median([each.bars_to_rearm for each in self.fired])

    @property
    def median_bars_to_mean(self) -> float:
        """Of those that came back; NaN without any. The slow ones are not among them yet."""
        return _median([each.bars_to_mean for each in self.fired])

    @property
    def median_against(self) -> float:
        """Of all that fired, units of the spread; NaN without any."""
        return _median([each.against for each in self.fired])

    @property
    def median_favour(self) -> float:
        """Of those that came back to the mean, units of the spread; NaN without any."""
        return _median([each.favour for each in self.fired])

    @property
    def median_worst_zscore(self) -> float:
        """Median over all that fired of the largest |z| after; NaN without any."""
        return _median([each.worst_zscore for each in self.fired])


def _median(values: Sequence[float | None]) -> float:
    known = [each for each in values if each is not None and not math.isnan(each)]
    return float(median(known)) if known else math.nan


def preview(
    rule: AlertRule,
    samples: Iterable[Sample],
    kind: SpreadKind = "price difference",
    state: RuleState | None = None,
) -> Preview:
    """Run a rule over bars at hand, by the very `step` that runs live.

    Parameters
    ----------
    rule : AlertRule
        One that `check_rule` lets pass.
    samples : iterable of Sample
        Of one pair, in order of time.
    kind : str
        The spread of the pair, for how far it went against.
    state : RuleState, optional
        Where the rule stands before the first; as new by default.
    """
    seen = list(samples)
    state = state or RuleState()
    events: list[PreviewEvent] = []
    waited: Counter[str] = Counter()
    for row, sample in enumerate(seen):
        done = step(rule, state, sample)
        state = done.state
        if done.event is None:
            waited.update([done.suppressed] if done.suppressed else [])
            continue
        events.append(
            _event(rule, done.event, done, map(seen.__getitem__, range(row, len(seen))), kind)
        )
    ends = (seen[0].bar_us, seen[-1].bar_us) if seen else (0, 0)
    return Preview(len(seen), *ends, tuple(events), waited, state)


def _event(
    rule: AlertRule, event: Event, done: Step, after: Iterator[Sample], kind: SpreadKind
) -> PreviewEvent:
    """Describe an alert; the first of `after` is the bar of it."""
    at = next(after)
    reading = at.reading
    if reading is None:
        return PreviewEvent(event, at.bar_us, done.value, suppressed=done.suppressed)
    facts = (event, at.bar_us, done.value, reading.zscore, reading.signal, done.suppressed)
    if event != "fired" or rule.when != "zscore":
        return PreviewEvent(*facts)
    return PreviewEvent(*facts, *_aftermath(rule, at.bar_us, reading, after, kind))


def _aftermath(
    rule: AlertRule, bar_us: int, fired: PairReading, after: Iterator[Sample], kind: SpreadKind
) -> tuple[int | None, int | None, float, float, float]:
    """Follow z and the spread from the bar that fired until z crosses 0."""
    side = math.copysign(1.0, fired.zscore)
    to_rearm: int | None = None
    begin = _spread(kind, fired, fired)
    worst, furthest = abs(fired.zscore), math.nan if math.isnan(begin) else 0.0
    for row, sample in enumerate(after, 1):
        reading = sample.reading
        if reading is None or math.isnan(reading.zscore):
            continue
        bars = (sample.bar_us - bar_us) // sample.step_us if sample.step_us else row
        if to_rearm is None and is_back(rule, reading.zscore, math.nan):
            to_rearm = bars
        distance, moved = side * reading.zscore, side * (_spread(kind, reading, fired) - begin)
        if distance <= 0:
            return to_rearm, bars, worst, furthest, -moved
        worst, furthest = max(worst, distance), max(furthest, moved)
    return to_rearm, None, worst, furthest, math.nan


def _spread(kind: SpreadKind, now: PairReading, fired: PairReading) -> float:
    """Return the spread of one bar on the line of another."""
    if kind == "ratio":
        return now.y / now.x
    if kind == "log":
        return math.log(now.y) - fired.alpha - fired.beta * math.log(now.x)
    if kind == "hedged":
        return now.y - fired.alpha - fired.beta * now.x
    return now.y - now.x
