"""Rules that cannot be: each is refused in one line that says what to do."""

import math
from dataclasses import replace
from typing import Any

import pytest

from analytics.alerts import AlertRule, check_rule
from analytics.alerts.rule import Crosses, When
from analytics.errors import ParameterError

RULE = AlertRule("wide")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rearm": 1.0, "list": "majors"},
        {"rearm": 2.0},
        {"y": "ETHUSDT", "x": "BTCUSDT", "for_bars": 3, "hold_bars": 60, "cooldown_s": 0.5},
        {"crosses": "above", "level": -1.0, "rearm": -1.5},
        {"crosses": "below", "level": 0.0, "rearm": 0.0},
        {"crosses": "inside", "level": 0.5, "rearm": 2.0},
        {"when": "signal", "to": ("NEUTRAL",), "forming": True, "gated": True},
        {"when": "pvalue", "crosses": "below", "level": 0.05, "rearm": 0.1},
        {"when": "beta", "level": 3.0, "cooldown_s": 60.0},
        {"when": "disk", "crosses": "below", "level": 5.0, "for_bars": 2},
        {"when": "find"},
        {"when": "clock", "level": 500.0, "rearm": 100.0},
        {"when": "channel", "crosses": "above", "level": 1.0},
        {"when": "correlation", "crosses": "inside", "level": 0.2, "rearm": 0.4},
        {"quiet_hours": "22:00-06:30", "expires_us": 1, "channels": ("desk", "phone 2")},
        {"message": "{pair}: {zscore:+.2f} at {bar}\n{{braces}}"},
    ],
)
def test_a_rule_that_can_be_passes(changes: dict[str, Any]) -> None:
    check_rule(replace(RULE, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name = '': must be 1 to 60 printable characters"),
        ({"name": "x" * 61}, "1 to 60 printable"),
        ({"name": "a\nb"}, "1 to 60 printable"),
        ({"name": " wide"}, "no space at either end"),
        ({"when": "zscores"}, "when = 'zscores': must be one of zscore, signal"),
        ({"crosses": "over"}, "one of above, below, outside, inside"),
        ({"level": math.nan}, "level = nan: must be a finite number"),
        ({"level": math.inf}, "a finite number"),
        ({"level": 0.0}, "above 0 for outside; take above or below"),
        ({"level": -2.0, "crosses": "inside"}, "above 0 for inside"),
        ({"when": "correlation"}, "level = 2.0: must be above -1 and below 1 for correlation"),
        ({"when": "pvalue", "crosses": "below", "level": 5.0}, "above 0 and below 1 for pvalue"),
        ({"when": "beta", "crosses": "below"}, "above or outside a level above 0 for beta"),
        ({"when": "beta", "crosses": "above", "level": -1.0}, "a level above 0 for beta"),
        ({"rearm": 2.5}, "rearm = 2.5: must be at or below the level (2) for outside"),
        ({"rearm": 0.0}, "above 0 for outside"),
        ({"rearm": math.nan}, "rearm = nan: must be a finite number"),
        (
            {"rearm": -3.0, "crosses": "below", "level": -2.0},
            "at or above the level (-2) for below",
        ),
        ({"rearm": 2.1, "crosses": "above"}, "at or below the level (2) for above"),
        ({"rearm": 1.0, "crosses": "inside"}, "at or above the level (2) for inside"),
        ({"rearm": 1.0, "when": "signal"}, "left out: signal"),
        ({"when": "signal", "to": ()}, "one signal or more of SELL, BUY, NEUTRAL"),
        ({"when": "signal", "to": ("HOLD",)}, "to = 'HOLD': must be one of SELL, BUY, NEUTRAL"),
        ({"for_bars": 0}, "for_bars = 0: must be a whole number from 1"),
        ({"hold_bars": -1}, "a whole number from 0"),
        ({"cooldown_s": -1.0}, "0 or more seconds"),
        ({"cooldown_s": math.nan}, "0 or more seconds"),
        ({"expires_us": 0}, "after 1970"),
        ({"quiet_hours": "22-6"}, 'two times of the day, UTC, as "22:00-06:30"'),
        ({"quiet_hours": "24:00-06:00"}, "two times of the day"),
        ({"quiet_hours": "06:00-06:00"}, "two times of the day"),
        ({"quiet_hours": "２２:00-06:30"}, "two times of the day"),
        ({"list": "majors", "y": "A", "x": "B"}, "left out where y and x are given"),
        ({"y": "A"}, "x = None: must be given too"),
        ({"x": "B"}, "y = None: must be given too"),
        ({"y": "A", "x": "A"}, "another symbol than y"),
        ({"when": "disk", "gated": True}, "gated = True: must be left out: disk is of the desk"),
        ({"when": "clock", "list": "majors"}, "left out: clock is of the desk"),
        ({"when": "engine", "y": "A", "x": "B"}, "left out: engine is of the desk"),
        ({"when": "recorder", "hold_bars": 3}, "left out: recorder is of the desk"),
        ({"when": "stale", "gated": True}, "closes the gates itself"),
        (
            {"when": "gap", "hold_bars": 2},
            "hold_bars = 2: must be 0: gap is looked at by the clock",
        ),
        ({"when": "pvalue", "level": 0.1, "forming": True}, "forming = True: must be off"),
        ({"when": "beta", "tells_resolved": True}, "told of once and is never over"),
        ({"channels": ("desk", "")}, "channels = '': must be 1 to 60"),
        ({"message": ""}, "1 to 500 characters"),
        ({"message": "  "}, "not spaces alone"),
        ({"message": "\n"}, "not spaces alone"),
        ({"for_bars": 1.5}, "for_bars = 1.5: must be a whole number from 1"),
        ({"for_bars": True}, "for_bars = True: must be a whole number from 1"),
        ({"hold_bars": 0.5}, "hold_bars = 0.5: must be a whole number from 0"),
        ({"list": ""}, "list = '': must be the name of a list"),
        ({"channels": ("a", "b", "a")}, "channels = 'a': must be named once"),
        ({"message": "x" * 501}, "1 to 500 characters"),
        ({"message": "a\x00b"}, "printable text"),
        ({"message": "{z}"}, "message = '{z}': must be one of {pair}, {y}"),
        ({"message": "{}"}, "message = '{}': must be one of {pair}"),
        ({"message": "{0}"}, "one of {pair}"),
        ({"message": "{x.__class__}"}, "message = '{x.__class__}': must be one of {pair}"),
        ({"message": "{x[0]}"}, "one of {pair}"),
        ({"message": "{zscore!r}"}, "{zscore} without a !"),
        ({"message": "{zscore:>999999999}"}, "a plain format, as {zscore:+.2f}"),
        ({"message": "{zscore:{level}}"}, "a plain format"),
        ({"message": "{zscore:.999f}"}, "a plain format"),
        ({"message": "{pair:50}"}, "must be {pair}"),
        ({"message": "{pair"}, "text with names in braces"),
        ({"message": "pair}"}, "text with names in braces"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError) as refused:
        check_rule(replace(RULE, **changes))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


NEVER_NEGATIVE = ("half_life", "stale", "gap", "recorder", "disk", "engine", "channel", "pvalue")


@pytest.mark.parametrize("when", NEVER_NEGATIVE)
@pytest.mark.parametrize(
    "changes",
    [
        {"crosses": "above", "level": 0.0},
        {"crosses": "above", "level": 0.5, "rearm": 0.0},
        {"crosses": "above", "level": 0.5, "rearm": -1.0},
        {"crosses": "below", "level": -3.0},
        {"crosses": "below", "level": 0.0},
    ],
)
def test_a_figure_that_is_never_negative_has_no_room_below_0(
    when: When, changes: dict[str, Any]
) -> None:
    with pytest.raises(
        ParameterError, match=r"^(level|rearm) = \S+: must be above 0 .*for " + when
    ):
        check_rule(replace(RULE, when=when, **changes))


@pytest.mark.parametrize("when", NEVER_NEGATIVE)
@pytest.mark.parametrize("crosses", ["outside", "inside"])
def test_a_figure_that_is_never_negative_has_no_two_sides(when: When, crosses: Crosses) -> None:
    with pytest.raises(ParameterError, match=f"above or below for {when}, which is never negative"):
        check_rule(replace(RULE, when=when, crosses=crosses, level=0.5))


@pytest.mark.parametrize(
    "changes",
    [
        {"when": "pvalue", "crosses": "below", "level": 0.05, "rearm": 1.0},
        {"when": "pvalue", "crosses": "above", "level": 1.0},
        {"when": "correlation", "crosses": "below", "level": 0.5, "rearm": 1.0},
        {"when": "correlation", "crosses": "above", "level": 0.5, "rearm": -1.0},
        {"when": "correlation", "crosses": "inside", "level": 1.0},
        {"when": "correlation", "crosses": "inside", "level": 0.2, "rearm": 5.0},
        {"when": "correlation", "crosses": "outside", "level": 1.0, "rearm": 0.5},
    ],
)
def test_both_sides_of_a_level_have_room(changes: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"must be above \S+ and below 1 for "):
        check_rule(replace(RULE, **changes))
