"""From one bar to the next: where a rule stands, and whether it fires or is over.

| from | at a closed bar | to |
|---|---|---|
| normal, no data | it holds, fewer bars than `for_bars` | pending |
| normal, no data, pending | it holds for `for_bars` bars in a row | firing: **fired** |
| the same | and the last alert is within the cool-down, or of this bar | pending, until then |
| pending | it does not hold, or its gates close | normal |
| normal, pending | no data | no data; bars count anew |
| firing | strictly back past the re-arm level, and `hold_bars` are over | normal: **resolved** |
| firing | anything else, no data too | firing |
| no data | it does not hold | normal |
| any | bars of more than an hour were left out | normal and armed, then as above |

A signal that changes from one told of to another told of is over and fires, in one event. What
comes back (`inside`) can fire once the value was strictly past the re-arm level. The β that it
moved from is that of the first bar, then of the bar of the last alert.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from analytics.alerts.level import holds, is_back
from analytics.alerts.quiet_hours import is_quiet
from analytics.alerts.rule import TESTS_WHENS, WITHOUT_LEVEL, AlertRule, RuleState, StateName
from analytics.alerts.sample import Sample, value_of

Event = Literal["fired", "resolved"]

QUIET_HOURS: Final = "quiet hours"
COOL_DOWN: Final = "cool-down"
NEXT_BAR: Final = "next bar"
# Where more of bars was left out, what a rule saw before says nothing of now.
LONGEST_ABSENCE_US: Final = 3_600_000_000
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one sample.

    Attributes
    ----------
    state
        Where the rule stands now.
    event
        It fired, or is over (where the rule tells that); None for neither.
    value
        The figure it looked at: of a signal the z-score, of β its distance in errors; NaN where
        there is none, and where it did not look.
    suppressed
        With an event, why it is kept in the log and not sent; without one, why an alert waits.
    """

    state: RuleState
    event: Event | None = None
    value: float = math.nan
    suppressed: str = ""


def step(rule: AlertRule, state: RuleState, sample: Sample) -> Step:
    """Move a rule on by one sample, by the time of its bar alone.

    A rule begins armed: a first bar that is already beyond fires. A bar that is not later than one
    seen already is ignored, as is every bar while the rule is off or past its end. A bar that
    still forms can do nothing but fire; when it closes it cannot fire again, and may say that it
    is over.

    Parameters
    ----------
    rule : AlertRule
        One that `check_rule` lets pass.
    state : RuleState
        As the bar before left it; ``RuleState()`` before the first.
    sample : Sample
        Of the next bar.
    """
    if _was_away(state, sample):
        state = rested(rule, state, sample)
    if not _looks_at(rule, state, sample):
        return Step(state)
    moved = _moved(rule, _begun(rule, state, sample), sample)
    is_ignored = sample.is_forming and moved.event != "fired"
    return Step(state, value=moved.value) if is_ignored else moved


def rested(rule: AlertRule, state: RuleState, sample: Sample | None = None) -> RuleState:
    """Begin anew, normal and armed: what it saw last is too long ago, or it was off.

    How often and when it fired last stays, and the β it compares with; with a sample, this is the
    next that it looks at.
    """
    new = replace(
        RuleState(seen_us=state.seen_us), fired=state.fired, fired_us=state.fired_us,
        anchor=state.anchor if rule.when == "beta" else math.nan,
    )  # fmt: skip
    if sample is None:
        return new
    fired_us, seen_us = min(state.fired_us, sample.bar_us - 1), sample.bar_us - sample.step_us
    return replace(new, fired_us=fired_us, seen_us=seen_us)


def _was_away(state: RuleState, sample: Sample) -> bool:
    """Say whether bars lie between that nobody looked at, or those seen are of another time."""
    if not (state.seen_us and sample.step_us):
        return False
    return abs(sample.bar_us - state.seen_us) - sample.step_us > LONGEST_ABSENCE_US


def _looks_at(rule: AlertRule, state: RuleState, sample: Sample) -> bool:
    is_over = rule.expires_us is not None and sample.bar_us >= rule.expires_us
    if not rule.enabled or is_over or (sample.is_forming and not rule.forming):
        return False
    if rule.when in TESTS_WHENS:
        tests_us = 0 if sample.tests is None else sample.tests.time_us
        if tests_us == 0 or tests_us <= state.anchor:
            return False
    return sample.bar_us > state.seen_us and sample.bar_us >= state.since_us


def _begun(rule: AlertRule, state: RuleState, sample: Sample) -> RuleState:
    """Set what a first sample sets, and what each new one is compared to."""
    seen_us = state.seen_us if sample.is_forming else sample.bar_us
    if not state.since_us:
        comes_back = rule.crosses == "inside" and rule.when not in WITHOUT_LEVEL
        state = replace(state, since_us=sample.bar_us, is_armed=not comes_back)
    # By hand: `replace` takes three times as long, and this is done a rule, a pair and a bar.
    return RuleState(
        state.name, state.since_us, state.bars, state.is_armed, state.fired_us, state.fired,
        _anchor(rule, state, sample), seen_us, state.was_quiet,
    )  # fmt: skip


def _anchor(rule: AlertRule, state: RuleState, sample: Sample) -> float:
    if rule.when in TESTS_WHENS and sample.tests is not None:
        waits = rule.gated and not sample.is_open and state.name != "firing"
        return state.anchor if waits else float(sample.tests.time_us)
    if rule.when != "beta" or sample.reading is None or math.isnan(sample.reading.beta):
        return state.anchor
    return sample.reading.beta if math.isnan(state.anchor) else state.anchor


def _moved(rule: AlertRule, state: RuleState, sample: Sample) -> Step:
    value = value_of(rule, sample, state.anchor)
    reported = sample.reading.zscore if rule.when == "signal" and sample.reading else value
    if math.isnan(value):
        after = state if state.name == "firing" else _to(state, "no data", sample)
        return Step(after, value=reported)
    if state.name != "firing":
        return _towards_firing(rule, state, sample, value, reported)
    if not is_back(rule, value, state.anchor) or _has_to_stay(rule, state, sample):
        return Step(state, value=reported)
    return _over(rule, state, sample, value, reported)


def _over(rule: AlertRule, state: RuleState, sample: Sample, value: float, reported: float) -> Step:
    """End an alert; the same bar may fire anew. The end of what was not sent is not sent either."""
    normal = _to(replace(state, is_armed=True), "normal", sample)
    after = _towards_firing(rule, normal, sample, value, reported)
    if after.event or not rule.tells_resolved:
        return after
    unsent = QUIET_HOURS if state.was_quiet else _unsent(rule, sample)
    return replace(after, event="resolved", suppressed=unsent)


def _has_to_stay(rule: AlertRule, state: RuleState, sample: Sample) -> bool:
    return sample.bar_us - state.since_us < rule.hold_bars * sample.step_us


def _towards_firing(
    rule: AlertRule, state: RuleState, sample: Sample, value: float, reported: float
) -> Step:
    """Move on a rule that does not fire."""
    if not state.is_armed:
        state = replace(state, is_armed=is_back(rule, value, state.anchor))
    if not (state.is_armed and holds(rule, value) and _may_fire(rule, state, sample)):
        return Step(_to(state, "normal", sample), value=reported)
    before = _bars_before(rule, state, value)
    bars = min(before + 1, rule.for_bars)
    anchor = value if rule.when == "signal" else state.anchor
    since_us = state.since_us if before else sample.bar_us
    pending = replace(state, name="pending", bars=bars, anchor=anchor, since_us=since_us)
    if bars < rule.for_bars:
        return Step(pending, value=reported)
    if wait := _must_wait(rule, state, sample):
        return Step(pending, value=reported, suppressed=wait if before < bars else "")
    unsent = _unsent(rule, sample)
    fired = replace(_fired(rule, pending, sample), was_quiet=bool(unsent))
    return Step(fired, "fired", reported, unsent)


def _may_fire(rule: AlertRule, state: RuleState, sample: Sample) -> bool:
    has_ended = rule.once and state.fired > 0
    return not has_ended and (sample.is_open or not rule.gated)


def _bars_before(rule: AlertRule, state: RuleState, value: float) -> int:
    """Count the bars in a row before this one; another signal begins a new row."""
    is_another = rule.when == "signal" and value != state.anchor
    return 0 if is_another else state.bars


def _must_wait(rule: AlertRule, state: RuleState, sample: Sample) -> str:
    """Say what it waits for where the last alert is too near, or of this very bar."""
    since_us = sample.bar_us - state.fired_us
    if not state.fired or since_us >= max(rule.cooldown_s * _SECOND_US, 1):
        return ""
    return COOL_DOWN if rule.cooldown_s else NEXT_BAR


def _unsent(rule: AlertRule, sample: Sample) -> str:
    return QUIET_HOURS if is_quiet(rule.quiet_hours, sample.known_us) else ""


def _fired(rule: AlertRule, state: RuleState, sample: Sample) -> RuleState:
    beta = sample.reading.beta if sample.reading else math.nan
    return replace(
        state,
        name="firing",
        since_us=sample.bar_us,
        is_armed=False,
        fired_us=sample.bar_us,
        fired=state.fired + 1,
        anchor=beta if rule.when == "beta" else state.anchor,
    )


def _to(state: RuleState, name: StateName, sample: Sample) -> RuleState:
    """Come to a state in which no bars are counted."""
    if name == state.name:
        return state
    return replace(state, name=name, since_us=sample.bar_us, bars=0)
