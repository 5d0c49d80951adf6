"""A rule from bar to bar: each transition, in a table of z-scores, events and states."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from alert_samples import (
    NO_DATA,
    SECOND_US,
    START_US,
    events,
    of_tests,
    of_value,
    reading,
    run,
    sample,
    states,
    zscores,
)

from analytics.alerts import AlertRule, RuleState, step
from analytics.signals import Signal

RULE = AlertRule("wide", tells_resolved=True)
HYSTERESIS = replace(RULE, rearm=1.0)
N = None


@pytest.mark.parametrize(
    ("rule", "values", "what_happens", "where_it_stands"),
    [
        pytest.param(RULE, [2.5, 2.5], "F.", "ff", id="already beyond at the first bar"),
        pytest.param(RULE, [0, 2, -2], ".F.", "nff", id="the level itself is beyond"),
        pytest.param(RULE, [0, 2.1, 1.9, 2.1], ".FRF", "nfnf", id="re-armed at the level"),
        pytest.param(
            HYSTERESIS, [2.1, 1.5, 2.1, 1.0, 0.99, 2], "F...RF", "ffffnf",
            id="re-armed strictly past the re-arm level alone",
        ),
        pytest.param(
            HYSTERESIS, [2.1, -2.1, -0.5, -2.1], "F.RF", "ffnf",
            id="from one side to the other it was never back",
        ),
        pytest.param(
            replace(RULE, crosses="above", rearm=1.0), [-3, 2, 3, 1, 0.9], ".F..R", "nfffn",
            id="above",
        ),
        pytest.param(
            replace(RULE, crosses="below", level=-2.0, rearm=-1.0), [3, -2, -3, -1, -0.9],
            ".F..R", "nfffn", id="below",
        ),
        pytest.param(
            replace(RULE, crosses="inside", level=0.5, rearm=2.0),
            [0, 0.4, 1.9, 0.1, -2.1, -0.5, 0, 1.9, 2.1, 0.5], ".....F..RF", "nnnnnfffnf",
            id="comes back only after it was outside",
        ),
        pytest.param(
            replace(RULE, for_bars=3), [2, 2, 0, 2, 2, 2, 2], ".....F.", "ppnppff",
            id="pending until it held for three bars in a row",
        ),
        pytest.param(
            replace(RULE, for_bars=3), [2, 2, NO_DATA, 2, 2, 2], ".....F", "ppdppf",
            id="no data breaks the row",
        ),
        pytest.param(
            RULE, [0, NO_DATA, N, 0, N, 2], ".....F", "nddndf", id="no data, and data again"
        ),
        pytest.param(
            HYSTERESIS, [2.1, N, 2.1, NO_DATA, N, 1.5, N, 0], "F......R", "fffffffn",
            id="data that flaps neither ends nor fires again",
        ),
        pytest.param(
            replace(RULE, hold_bars=3), [2, 0, 0, 0, 0], "F..R.", "fffnn", id="held for three bars"
        ),
        pytest.param(
            replace(RULE, hold_bars=3), [2, 0, 2, 0, 0], "F..R.", "fffnn",
            id="held from the bar that fired",
        ),
        pytest.param(
            replace(RULE, once=True), [2, 0, 2, 0, 2], "FR...", "fnnnn", id="once, and over once"
        ),
        pytest.param(
            replace(RULE, tells_resolved=False), [2, 0, 2], "F.F", "fnf", id="over, and not told"
        ),
        pytest.param(
            replace(RULE, cooldown_s=4), [2, 0, 2, 2, 2, 2], "FR..F.", "fnppff",
            id="waits for the end of the cool-down",
        ),
        pytest.param(
            replace(RULE, cooldown_s=4), [2, 0, 2, 2, 0, 2], "FR...F", "fnppnf",
            id="back before the cool-down is over is never told",
        ),
        pytest.param(
            replace(RULE, expires_us=START_US + 2 * SECOND_US), [0, 0, 2, 2], "....", "nnnn",
            id="no bar that opens at its end or later",
        ),
        pytest.param(replace(RULE, enabled=False), [2, 0], "..", "nn", id="off"),
    ],
)  # fmt: skip
def test_a_rule_of_z(
    rule: AlertRule, values: list[float | None], what_happens: str, where_it_stands: str
) -> None:
    steps = run(rule, zscores(values))
    assert (events(steps), states(steps)) == (what_happens, where_it_stands)


def test_a_step_says_when_it_fired_how_often_and_of_what() -> None:
    steps = run(HYSTERESIS, zscores([0, 2.5, 0, -3]))
    last = steps[-1].state
    assert (last.fired, last.fired_us, last.since_us) == (
        2,
        START_US + 3 * SECOND_US,
        last.fired_us,
    )
    assert [each.value for each in steps] == [0, 2.5, 0, -3]


@pytest.mark.parametrize("again", [3, 2, 0])
def test_a_bar_that_is_not_later_than_one_seen_is_ignored(again: int) -> None:
    seen = run(RULE, zscores([0, 0, 0, 0]))[-1].state
    late = step(RULE, seen, sample(again, 9.0))
    assert (late.event, late.state, late.state.seen_us) == (None, seen, seen.seen_us)


def test_after_a_restart_a_bar_before_the_last_change_is_ignored() -> None:
    kept = replace(run(RULE, zscores([2, 2, 2, 0]))[-1].state, seen_us=0)
    assert step(RULE, kept, sample(1, 2.0)).event is None


def test_a_state_is_equal_while_there_is_nothing_to_keep() -> None:
    steps = run(replace(RULE, cooldown_s=60), zscores([2, 2, 2, 0, 0, 2, 2, 2]))
    changed = [a.state != b.state for a, b in pairwise(steps)]
    assert changed == [False, False, True, False, True, False, False]


def test_what_waits_for_the_cool_down_says_so_once() -> None:
    steps = run(replace(RULE, cooldown_s=5), zscores([2, 0, 2, 2, 2, 2]))
    assert [each.suppressed for each in steps] == ["", "", "cool-down", "", "", ""]


@pytest.mark.parametrize(
    ("hours", "suppressed"),
    [
        (None, ""),
        ("11:00-12:00", ""),
        ("12:00-12:01", "quiet hours"),
        ("22:00-12:01", "quiet hours"),
        ("12:01-12:00", ""),
        ("12:30-06:30", ""),
    ],
)
def test_quiet_hours_keep_an_alert_and_send_none(hours: str | None, suppressed: str) -> None:
    fired, over = run(replace(RULE, quiet_hours=hours), zscores([2, 0]))
    assert (fired.event, fired.suppressed) == ("fired", suppressed)
    assert (over.event, over.suppressed) == ("resolved", suppressed)


@pytest.mark.parametrize("over_at", [30, 90])
def test_the_end_of_what_was_not_sent_is_not_sent(over_at: int) -> None:
    rule = replace(RULE, quiet_hours="12:00-12:01")
    _, over = run(rule, [sample(0, 2.0), sample(over_at, 0.0)])
    assert (over.event, over.suppressed) == ("resolved", "quiet hours")


def test_quiet_hours_go_by_the_end_of_the_bar() -> None:
    last_bar_before = START_US - 60 * SECOND_US
    minute = replace(sample(0, 2.0), bar_us=last_bar_before, step_us=60 * SECOND_US)
    rule = replace(RULE, quiet_hours="12:00-13:00", forming=True)
    assert step(rule, RuleState(), minute).suppressed == "quiet hours"
    assert step(rule, RuleState(), replace(minute, is_forming=True)).suppressed == ""


@pytest.mark.parametrize(
    ("hours", "of_alert", "of_end"),
    [("11:00-12:00", "quiet hours", "quiet hours"), ("12:00-12:30", "", "")],
)
def test_the_end_goes_by_whether_the_alert_of_a_forming_bar_was_sent(
    hours: str, of_alert: str, of_end: str
) -> None:
    rule = replace(RULE, quiet_hours=hours, forming=True)
    minute = replace(sample(-60, 2.0), step_us=60 * SECOND_US)
    later = replace(sample(40 * 60, 0.0), step_us=60 * SECOND_US)
    fired, over = run(rule, [replace(minute, is_forming=True), later])
    assert (fired.event, fired.suppressed) == ("fired", of_alert)
    assert (over.event, over.suppressed) == ("resolved", of_end)


def test_a_forming_bar_is_judged_by_its_latest_trade() -> None:
    hour = replace(sample(0, 2.0), step_us=3_600 * SECOND_US, is_forming=True)
    rule = replace(RULE, quiet_hours="12:30-13:30", forming=True)
    late = replace(hour, at_us=START_US + 40 * 60 * SECOND_US)
    assert step(rule, RuleState(), hour).suppressed == ""
    assert step(rule, RuleState(), late).suppressed == "quiet hours"


@pytest.mark.parametrize(
    ("absence_s", "value", "event"),
    [(3_600, -3.0, None), (3_602, -3.0, "fired"), (3_602, 0.0, None), (-3_700, -3.0, "fired")],
)
def test_after_bars_that_nobody_looked_at_a_rule_begins_anew(
    absence_s: int, value: float, event: str | None
) -> None:
    before = run(replace(HYSTERESIS, once=False), zscores([0, 2.5]))[-1].state
    after = step(HYSTERESIS, before, sample(1 + absence_s, value))
    assert after.event == event
    assert after.state.fired == 1 + (event == "fired")


def test_a_bar_that_forms_after_an_absence_fires_once() -> None:
    firing = run(FORMING, zscores([2.5]))[-1].state
    seen = [sample(5_000 + bar, -3.0, is_forming=bar < 1) for bar in (0, 0, 0, 1, 2)]
    seen[2] = replace(seen[2], is_forming=False)
    assert events(run(FORMING, seen, firing)) == "F...."


def test_closed_gates_break_a_row_and_hold_an_alert_back() -> None:
    closed = reading(2.5, gate="leg stale")
    rule = replace(RULE, gated=True, for_bars=2)
    seen = [sample(bar, closed if bar in {1, 4} else 2.5) for bar in range(6)]
    steps = run(rule, seen)
    assert (events(steps), states(steps)) == ("...F..", "pnpfff")


@pytest.mark.parametrize(
    ("signals", "to", "for_bars", "what_happens"),
    [
        ("BBNB", ("BUY",), 1, "F.RF"),
        ("NSBN", ("BUY", "SELL"), 1, ".FFR"),
        ("NSBN", ("SELL",), 1, ".FR."),
        ("BNNB", ("NEUTRAL",), 1, ".F.R"),
        ("NBSSS", ("BUY", "SELL"), 2, "...F."),
        ("BBSSNS", ("BUY", "SELL"), 2, ".FRFR."),
        ("B-B-N", ("BUY",), 1, "F...R"),
    ],
)
def test_a_signal(signals: str, to: tuple[Signal, ...], for_bars: int, what_happens: str) -> None:
    names: dict[str, Signal] = {"B": "BUY", "S": "SELL", "N": "NEUTRAL", "-": "NEUTRAL"}
    rule = replace(RULE, when="signal", to=to, for_bars=for_bars)
    seen = [
        sample(bar, reading(math.nan if each == "-" else 0.1, signal=names[each]))
        for bar, each in enumerate(signals)
    ]
    assert events(run(rule, seen)) == what_happens


def test_beta_is_compared_with_the_first_and_then_with_that_of_the_last_alert() -> None:
    rule = replace(RULE, when="beta", level=2.0, tells_resolved=False)
    betas = [1.0, 1.19, 1.21, 1.35, 1.4, 1.42, 1.0]
    steps = run(rule, [sample(bar, reading(beta=beta)) for bar, beta in enumerate(betas)])
    assert events(steps) == "..F..FF"
    assert [each.value for each in steps[:3]] == pytest.approx([0, 1.9, 2.1])
    assert steps[-1].state.anchor == 1.0


@pytest.mark.parametrize("error", [0.0, math.nan])
def test_beta_without_an_error_is_no_data(error: float) -> None:
    rule = replace(RULE, when="beta")
    unknown = [sample(bar, reading(beta=9.0 * bar, beta_stderr=error)) for bar in range(3)]
    assert states(run(rule, unknown)) == "ddd"


def test_a_beta_that_is_not_known_leaves_nothing_to_keep() -> None:
    rule = replace(RULE, when="beta")
    one, two = run(rule, [sample(bar, reading(beta=float("nan"))) for bar in range(2)])
    assert one.state == two.state
    assert run(rule, [sample(2, reading(beta=1.5))], two.state)[0].state.anchor == 1.5


def test_the_same_tests_are_looked_at_once() -> None:
    rule = replace(RULE, when="pvalue", crosses="below", level=0.05, for_bars=2)
    made = [(0, 0, 0.01), (1, 0, 0.01), (2, 0, 0.01), (3, 3, 0.02), (4, 3, 0.02), (5, 5, 0.2)]
    steps = run(rule, [of_tests(bar, at, pvalue=p) for bar, at, p in made])
    assert (events(steps), states(steps)) == ("...F.R", "pppffn")
    assert math.isnan(steps[1].value)


def test_tests_that_come_while_the_gates_are_closed_are_looked_at_as_they_open() -> None:
    rule = replace(RULE, when="pvalue", crosses="below", level=0.05, gated=True)
    closed = [True, True, False, False, True, False]
    made = [(0, 0.01), (0, 0.01), (0, 0.01), (0, 0.01), (4, 0.2), (5, 0.01)]
    seen = [
        replace(of_tests(bar, at, pvalue=p), reading=reading(bar=bar, gate="stale" * is_closed))
        for bar, ((at, p), is_closed) in enumerate(zip(made, closed, strict=True))
    ]
    steps = run(rule, seen)
    assert (events(steps), states(steps)) == ("..F.RF", "nnffnf")


def test_what_waits_without_a_cool_down_waits_for_the_next_bar() -> None:
    rule = replace(FORMING, when="signal", rearm=None, tells_resolved=False)
    forming = sample(0, reading(2.5, signal="SELL"), is_forming=True)
    (_, closed) = run(rule, [forming, sample(0, reading(-2.5, signal="BUY"))])
    assert (closed.event, closed.suppressed) == (None, "next bar")


def test_in_a_cool_down_a_signal_in_between_is_never_told() -> None:
    rule = replace(RULE, when="signal", cooldown_s=10, tells_resolved=False)
    names: list[Signal] = ["BUY", "BUY", "SELL", "SELL", *["BUY"] * 10]  # type: ignore[list-item]
    seen = [sample(bar, reading(2.5, signal=each)) for bar, each in enumerate(names)]
    steps = run(rule, seen)
    told = [names[row] for row, each in enumerate(steps) if each.event]
    assert told == ["BUY", "BUY"]


def test_tests_kept_over_a_restart_are_not_looked_at_again() -> None:
    rule = replace(RULE, when="pvalue", crosses="below", level=0.05, for_bars=2)
    kept = replace(run(rule, [of_tests(0, 0, pvalue=0.01)])[-1].state, seen_us=0)
    assert step(rule, kept, of_tests(1, 0, pvalue=0.01)).state.bars == 1


def test_an_infinite_half_life_is_above_any_level() -> None:
    rule = replace(RULE, when="half_life", crosses="above", level=60.0)
    seen = [of_tests(0, 0), of_tests(1, 1, half_life=math.inf), of_tests(2, 2, half_life=math.nan)]
    assert events(run(rule, seen)) == ".F."


def test_correlation() -> None:
    rule = replace(RULE, when="correlation", crosses="below", level=0.3, rearm=0.5)
    values = [0.6, 0.3, 0.4, 0.5, 0.51]
    seen = [sample(bar, reading(correlation=each)) for bar, each in enumerate(values)]
    assert events(run(rule, seen)) == ".F..R"


@pytest.mark.parametrize(
    ("rule", "values", "what_happens"),
    [
        (replace(RULE, when="stale", crosses="above", level=30.0), [0, 30, 31, 0], ".F.R"),
        (replace(RULE, when="gap", crosses="above", level=5.0), [0, 9, 0], ".FR"),
        (replace(RULE, when="disk", crosses="below", level=5, rearm=6), [9, 4, 5.5, 7], ".F.R"),
        (replace(RULE, when="clock", level=500.0), [-600, -400], "FR"),
        (replace(RULE, when="find", tells_resolved=False), [0, 1, 1, 0, 1], ".F..F"),
        (replace(RULE, when="find", tells_resolved=False, crosses="inside"), [1, 0, 1], "F.F"),
        (
            replace(RULE, when="recorder", crosses="above", level=5),
            [NO_DATA, 6, NO_DATA, 1],
            ".F.R",
        ),
    ],
)
def test_what_is_counted_beside_a_reading(
    rule: AlertRule, values: list[float], what_happens: str
) -> None:
    steps = run(rule, [of_value(at, value) for at, value in enumerate(values)])
    assert events(steps) == what_happens


FORMING = replace(HYSTERESIS, forming=True)


def closed_and_forming(values: str) -> list[tuple[int, float, bool]]:
    """`"0 ~2.5 2.5"`: a closed bar, then the next as it forms and as it closes."""
    seen, bar = [], 0
    for word in values.split():
        seen.append((bar, float(word.strip("~")), word.startswith("~")))
        bar += not word.startswith("~")
    return seen


@pytest.mark.parametrize(
    ("values", "what_happens"),
    [
        pytest.param("0 ~2.5 ~2.6 2.5", ".F..", id="once, and not again as the bar closes"),
        pytest.param("0 ~2.5 ~0 ~2.5 2.5", ".F...", id="once, however the bar moves"),
        pytest.param("0 ~2.5 0.1 ~2.5 2.5", ".FRF.", id="over, as the bar closes below"),
        pytest.param("2.5 ~0 1.5 2.5", "F...", id="what forms ends nothing"),
        pytest.param("2.5 0 ~0 0 2.5", "FR..F", id="what forms arms nothing"),
    ],
)  # fmt: skip
def test_a_bar_that_forms_can_only_fire(values: str, what_happens: str) -> None:
    seen = [sample(bar, z, is_forming=forms) for bar, z, forms in closed_and_forming(values)]
    assert events(run(FORMING, seen)) == what_happens


def test_a_bar_that_forms_is_not_counted_among_those_in_a_row() -> None:
    rule = replace(FORMING, for_bars=3)
    seen = [sample(b, z, is_forming=f) for b, z, f in closed_and_forming("2 ~2 ~2 2 ~2 2")]
    assert events(run(rule, seen)) == "....F."


def test_a_bar_fires_once_though_it_closes_with_another_signal() -> None:
    rule = replace(FORMING, when="signal", rearm=None)
    seen = [
        sample(0, reading(2.5, signal="SELL"), is_forming=True),
        sample(0, reading(-2.5, signal="BUY")),
        sample(1, reading(-2.5, signal="BUY")),
    ]
    steps = run(rule, seen)
    assert events(steps) == "FRF"
    assert steps[1].state.name == "pending"


def test_without_the_wish_a_bar_that_forms_is_not_looked_at() -> None:
    assert events(run(HYSTERESIS, [sample(0, 9.0, is_forming=True)])) == "."
