"""What holds of every rule on every path of values: Hypothesis looks for one where it does not."""

import math
from dataclasses import replace
from itertools import pairwise

from alert_samples import NO_DATA, SECOND_US, events, reading, run, sample
from hypothesis import given
from hypothesis import strategies as st

from analytics.alerts import AlertRule, Sample, Step, check_rule
from analytics.alerts.rule import Crosses

# Beyond level and re-arm level, between them, back, exactly at either, and no data.
VALUES = st.sampled_from([0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0, 2.5, -2.5, NO_DATA])
LEVELS: dict[Crosses, tuple[float, float]] = {
    "outside": (2.0, 1.0), "above": (2.0, 1.0), "below": (-2.0, -1.0), "inside": (1.0, 2.0),
}  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> AlertRule:
    crosses: Crosses = draw(st.sampled_from(tuple(LEVELS)))
    level, rearm = LEVELS[crosses]
    rule = AlertRule(
        "any",
        crosses=crosses,
        level=level,
        rearm=draw(st.sampled_from([rearm, None])),
        for_bars=draw(st.integers(1, 3)),
        hold_bars=draw(st.sampled_from([0, 0, 1, 4])),
        cooldown_s=draw(st.sampled_from([0.0, 0.0, 2.5, 6.0])),
        once=draw(st.sampled_from([False, False, True])),
        gated=draw(st.booleans()),
        forming=draw(st.booleans()),
        tells_resolved=True,
    )
    check_rule(rule)
    return rule


@st.composite
def paths(draw: st.DrawFn) -> list[Sample]:
    """Bars that close one after the other, each seen up to twice before as it forms."""
    seen = []
    for bar in range(draw(st.integers(1, 25))):
        forming = draw(st.lists(VALUES, max_size=2))
        gate = draw(st.sampled_from(["", "", "", "leg stale"]))
        for value in (*forming, draw(VALUES)):
            known = None if math.isnan(value) and draw(st.booleans()) else reading(value, gate=gate)
            seen.append(sample(bar, known, is_forming=True))
        seen[-1] = replace(seen[-1], is_forming=False)
    return seen


def is_back(rule: AlertRule, value: float) -> bool:
    level = rule.level if rule.rearm is None else rule.rearm
    return {
        "outside": abs(value) < level, "inside": abs(value) > level,
        "above": value < level, "below": value > level,
    }[rule.crosses]  # fmt: skip


def zscore(seen: Sample) -> float:
    return seen.reading.zscore if seen.reading else math.nan


def fires(steps: list[Step]) -> list[int]:
    return [row for row, each in enumerate(steps) if each.event == "fired"]


@given(rules(), paths())
def test_between_two_alerts_a_bar_closed_strictly_past_the_rearm_level(
    rule: AlertRule, path: list[Sample]
) -> None:
    for one, next_one in pairwise(fires(run(rule, path))):
        between = [each for each in path[one + 1 : next_one] if not each.is_forming]
        assert any(is_back(rule, zscore(each)) for each in between)


@given(rules(), paths())
def test_two_alerts_are_a_bar_and_the_cool_down_apart(rule: AlertRule, path: list[Sample]) -> None:
    times = [path[row].bar_us for row in fires(run(rule, path))]
    apart = max(rule.cooldown_s * SECOND_US, SECOND_US)
    assert all(later - earlier >= apart for earlier, later in pairwise(times))
    assert not rule.once or len(times) <= 1


@given(rules(), paths())
def test_it_fires_where_it_held_for_so_many_known_bars(rule: AlertRule, path: list[Sample]) -> None:
    for row in fires(run(rule, path)):
        closed = [each for each in path[:row] if not each.is_forming]
        for each in [*closed, path[row]][-rule.for_bars :]:
            at_level = abs(zscore(each)) == abs(rule.level) and zscore(each) * rule.level > 0
            assert at_level or not (math.isnan(zscore(each)) or is_back_of_level(rule, each))
            assert not rule.gated or each.is_open
        assert len(closed) + 1 >= rule.for_bars


def is_back_of_level(rule: AlertRule, seen: Sample) -> bool:
    return is_back(replace(rule, rearm=None), zscore(seen))


@given(rules(), paths())
def test_it_is_over_once_for_each_time_it_fired(rule: AlertRule, path: list[Sample]) -> None:
    steps = run(rule, path)
    told = events(steps).replace(".", "")
    assert told in {"FR" * (len(told) // 2), "FR" * (len(told) // 2) + "F"}
    assert steps[-1].state.fired == told.count("F")
    assert (steps[-1].state.name == "firing") == told.endswith("F")


@given(rules(), paths(), st.data())
def test_from_any_kept_state_it_goes_on_as_if_it_had_never_stopped(
    rule: AlertRule, path: list[Sample], data: st.DataObject
) -> None:
    whole = run(rule, path)
    row = data.draw(st.integers(0, len(path) - 1))
    if path[row].is_forming:
        return
    kept = replace(whole[row].state, seen_us=0)
    after = run(rule, path[row + 1 :], kept)
    assert [(each.event, each.state) for each in after] == [
        (each.event, each.state) for each in whole[row + 1 :]
    ]


@given(rules(), paths())
def test_every_sample_may_come_twice(rule: AlertRule, path: list[Sample]) -> None:
    once = events(run(rule, path))
    twice = events(run(rule, [each for each in path for _ in range(2)]))
    assert twice == "".join(each + "." for each in once)


@given(rules(), paths())
def test_bars_that_form_change_nothing_where_they_are_not_looked_at(
    rule: AlertRule, path: list[Sample]
) -> None:
    plain = replace(rule, forming=False)
    closed = [each for each in path if not each.is_forming]
    assert events(run(plain, path)).replace(".", "") == events(run(plain, closed)).replace(".", "")
    assert run(plain, path)[-1].state == run(plain, closed)[-1].state


@given(rules(), paths())
def test_a_bar_fires_once_at_most(rule: AlertRule, path: list[Sample]) -> None:
    times = [path[row].bar_us for row in fires(run(rule, path))]
    assert len(times) == len(set(times))
