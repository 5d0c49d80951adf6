"""What a rule would have told: the same alerts as bar by bar, and what became of the spread."""

import math
from dataclasses import replace

import pytest
from alert_samples import NO_DATA, START_US, reading, run, sample, zscores

from analytics.alerts import AlertRule, RuleState, Sample, preview
from analytics.spread import SpreadKind

RULE = AlertRule("wide", rearm=1.0)
PATH = [0, 2.2, 2.9, NO_DATA, 0.9, 0.2, -0.1, -2.4, -1.2, -3.1, -0.4]


def test_it_tells_what_comes_of_the_same_bars_one_by_one() -> None:
    rule = replace(RULE, tells_resolved=True)
    seen = preview(rule, zscores(PATH))
    steps = run(rule, zscores(PATH))
    told = [(row, each.event) for row, each in enumerate(steps) if each.event]
    assert [((each.bar_us - START_US) // 1_000_000, each.event) for each in seen.events] == told
    assert seen.state == steps[-1].state
    assert (seen.bars, seen.first_us) == (len(PATH), START_US)


def test_it_says_how_soon_z_came_back_and_how_far_it_went() -> None:
    up, down = preview(RULE, zscores(PATH)).fired
    assert (up.zscore, up.bars_to_rearm, up.bars_to_mean, up.worst_zscore) == (2.2, 3, 5, 2.9)
    assert (down.zscore, down.bars_to_rearm, down.bars_to_mean) == (-2.4, 3, None)
    assert down.worst_zscore == 3.1


def test_the_summary_is_of_those_that_fired() -> None:
    seen = preview(RULE, zscores(PATH))
    assert (len(seen.fired), seen.back_at_rearm, seen.back_at_mean) == (2, 2, 1)
    assert (seen.median_bars_to_rearm, seen.median_bars_to_mean) == (3, 5)
    assert seen.median_worst_zscore == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("kind", "against"),
    [
        ("price difference", (104 - 50) - (101 - 50)),
        ("hedged", (104 - 2 * 50) - (101 - 2 * 50)),
        ("log", math.log(104) - math.log(101)),
        ("ratio", 104 / 50 - 101 / 50),
    ],
)
def test_against_is_on_the_line_of_the_bar_that_fired(kind: SpreadKind, against: float) -> None:
    prices = [(2.2, 101.0, 2.0), (2.5, 104.0, 1.0), (1.5, 99.0, 9.0), (-0.1, 200.0, 2.0)]
    seen = [sample(bar, reading(z, y=y, beta=beta)) for bar, (z, y, beta) in enumerate(prices)]
    assert preview(RULE, seen, kind).median_against == pytest.approx(against)


def test_a_sell_of_a_low_spread_goes_against_as_it_falls() -> None:
    seen = [sample(0, reading(-2.2, y=100)), sample(1, reading(-2.0, y=97)), sample(2, 0.1)]
    assert preview(RULE, seen).fired[0].against == 3.0


def test_favour_says_whether_the_spread_came_to_the_mean_or_the_mean_to_the_spread() -> None:
    came = [sample(0, reading(2.2, y=100)), sample(1, reading(0.0, y=98))]
    stayed = [sample(0, reading(2.2, y=100)), sample(1, reading(-0.1, y=103))]
    never = [sample(0, reading(2.2, y=100)), sample(1, reading(0.1, y=98))]
    moves = [preview(RULE, each).fired[0].favour for each in (came, stayed, never)]
    assert moves == pytest.approx([2.0, -3.0, math.nan], nan_ok=True)


def test_against_is_not_known_without_a_line() -> None:
    line = [replace(reading(z, bar=bar), alpha=math.nan) for bar, z in enumerate((2.2, 2.5, -0.1))]
    seen = [sample(bar, each) for bar, each in enumerate(line)]
    fired = preview(RULE, seen, "hedged").fired[0]
    assert (fired.bars_to_mean, fired.worst_zscore) == (2, 2.5)
    assert math.isnan(fired.against)
    assert math.isnan(fired.favour)


def test_without_a_length_bars_are_counted() -> None:
    seen = [replace(each, step_us=0) for each in zscores([2.2, NO_DATA, 0.5, -0.1])]
    fired = preview(RULE, seen).fired[0]
    assert (fired.bars_to_rearm, fired.bars_to_mean) == (2, 3)


def test_from_one_side_to_the_other_it_was_at_the_mean_and_never_back() -> None:
    fired = preview(RULE, zscores([2.3, -2.3, 0.1])).fired[0]
    assert (fired.bars_to_rearm, fired.bars_to_mean) == (None, 1)


def test_what_is_not_sent_and_what_waits_are_counted_with_their_reason() -> None:
    rule = replace(RULE, rearm=None, quiet_hours="12:00-13:00", cooldown_s=5)
    seen = preview(rule, zscores([2.2, 0, 2.2, 0, 2.2, 2.2]))
    assert dict(seen.suppressed) == {"quiet hours": 2}
    assert dict(seen.waited) == {"cool-down": 2}


def test_other_rules_have_no_way_back_to_a_mean() -> None:
    rule = AlertRule("turns", when="signal", to=("SELL",))
    fired = preview(rule, [sample(0, reading(2.2, signal="SELL")), sample(1, -1.0)]).fired[0]
    assert (fired.signal, fired.value, fired.bars_to_mean) == ("SELL", 2.2, None)
    assert math.isnan(fired.worst_zscore)


def test_it_goes_on_from_where_a_rule_stands() -> None:
    firing = run(RULE, zscores([2.2]))[-1].state
    assert preview(RULE, zscores([0, 2.2])[1:], state=firing).events == ()


@pytest.mark.parametrize("samples", [[], zscores([NO_DATA]), [sample(0, None)]])
def test_without_bars_or_figures_nothing_fires(samples: list[Sample]) -> None:
    seen = preview(RULE, samples)
    assert seen.events == ()
    assert math.isnan(seen.median_bars_to_mean)
    assert seen.bars == len(samples)
    assert seen.state.fired == RuleState().fired
