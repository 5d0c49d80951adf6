"""What an alert says: in the usual words, and by a template."""

import math
from dataclasses import replace

import pytest
from alert_samples import SECOND_US, of_tests, of_value, reading, sample
from hypothesis import given
from hypothesis import strategies as st

from analytics.alerts import FIELDS, AlertRule, RuleState, Sample, Step, check_rule, words
from analytics.alerts.sample import value_of
from analytics.errors import ParameterError

RULE = AlertRule("wide")
AT = "2026-01-31 12:00:07 UTC"
SELL = sample(7, reading(2.314, bar=7, signal="SELL", correlation=0.4242))


def said(rule: AlertRule, seen: Sample, event: str = "fired", about: str = "") -> str:
    value = value_of(rule, seen, 0.4)
    told = seen.reading.zscore if rule.when == "signal" and seen.reading else value
    pair = {"y": "ETHUSDT", "x": "BTCUSDT"} if seen.reading else {}
    done = Step(RuleState(), "fired" if event == "fired" else "resolved", told)
    return words(rule, seen, done, **pair, about=about)


@pytest.mark.parametrize(
    ("rule", "seen", "sentence"),
    [
        (RULE, SELL, f"z = +2.31, outside ±2 (1s bars, {AT}), signal SELL"),
        (replace(RULE, crosses="above"), SELL, "z = +2.31, at or above +2"),
        (replace(RULE, crosses="below", level=2.5), SELL, "z = +2.31, at or below +2.5"),
        (replace(RULE, crosses="inside", level=2.5), SELL, "z = +2.31, back inside ±2.5"),
        (replace(RULE, when="signal"), SELL, f"signal SELL, z = +2.31 (1s bars, {AT})"),
        (
            replace(RULE, when="correlation", crosses="below", level=0.5),
            SELL, "correlation 0.42, at or below 0.5",
        ),
        (replace(RULE, when="beta"), SELL, "β moved by 6.0 of its errors, limit 2"),
        (
            replace(RULE, when="pvalue", crosses="below", level=0.05),
            of_tests(7, 7, pvalue=0.0312),
            f"p = 0.031 (Engle-Granger), at or below 0.05 (1s bars, {AT}), signal NEUTRAL",
        ),
        (
            replace(RULE, when="half_life", crosses="above", level=60.0),
            of_tests(7, 7, half_life=math.inf),
            "half-life infinitely many bars, at or above 60",
        ),
        (
            RULE,
            replace(SELL, is_forming=True),
            f"z = +2.31, outside ±2 (1s bars, {AT}, bar still forms), signal SELL",
        ),
        (RULE, replace(SELL, step_us=300 * SECOND_US), "z = +2.31, outside ±2 (5min bars, "),
    ],
)  # fmt: skip
def test_the_usual_words_of_a_pair(rule: AlertRule, seen: Sample, sentence: str) -> None:
    assert said(rule, seen).startswith(f"ETHUSDT/BTCUSDT: {sentence}")


@pytest.mark.parametrize(
    ("rule", "value", "about", "sentence"),
    [
        (replace(RULE, when="recorder", crosses="above", level=5.0), 12.0, "",
         f"nothing recorded for 12 s, at or above 5 s ({AT})"),
        (replace(RULE, when="disk", crosses="below", level=5.0), 4.21, "",
         f"disk free 4.21 GB, at or below 5 ({AT})"),
        (replace(RULE, when="clock", level=500.0), -812.0, "",
         f"our clock is off by -812 ms, outside ±500 ({AT})"),
        (replace(RULE, when="channel", crosses="above", level=3.0), 3.0, "phone",
         f"phone: failures in a row: 3, at or above 3 ({AT})"),
        (replace(RULE, when="engine", crosses="above", level=3.0), 8.0, "",
         f"the watch is behind by 8 s, at or above 3 s ({AT})"),
        (replace(RULE, when="find"), 1.0, "SOLUSDT/ETHUSDT",
         f"SOLUSDT/ETHUSDT: found by the scan, and it holds ({AT})"),
    ],
)  # fmt: skip
def test_the_usual_words_of_the_desk(
    rule: AlertRule, value: float, about: str, sentence: str
) -> None:
    assert said(rule, of_value(7, value), about=about) == sentence


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (replace(RULE, rearm=1.0), "over: z = +0.42, back inside ±1"),
        (replace(RULE, crosses="above"), "over: z = +0.42, back below +2"),
        (replace(RULE, crosses="below", level=-2.0), "over: z = +0.42, back above -2"),
        (replace(RULE, when="signal"), "over: signal NEUTRAL, z = +0.42"),
    ],
)
def test_the_usual_words_when_it_is_over(rule: AlertRule, sentence: str) -> None:
    over = said(rule, sample(7, 0.42), "resolved")
    assert over.startswith(f"ETHUSDT/BTCUSDT: {sentence}")


@pytest.mark.parametrize(
    ("level", "value", "sentence"),
    [
        (2.005, 2.3, "z = +2.30, outside ±2.005 "),
        (1.996, 1.998, "z = +2.00, outside ±1.996 "),
        (12_500.0, 20_000.4, "z = +20,000, outside ±12,500 "),
    ],
)
def test_a_level_is_written_as_the_reader_wrote_it(
    level: float, value: float, sentence: str
) -> None:
    assert sentence in said(replace(RULE, level=level), sample(7, value))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (119.4, "nothing recorded for 119.4 s, at or above 90 s"),
        (126.0, "nothing recorded for 2.1 min, at or above 90 s"),
        (7_199.0, "nothing recorded for 120 min"),
        (86_400.0, "nothing recorded for 24 h"),
        (86_400.0 * 1_000, "nothing recorded for 24,000 h"),
    ],
)
def test_what_lasts_long_is_written_in_minutes_and_hours(value: float, sentence: str) -> None:
    rule = replace(RULE, when="recorder", crosses="above", level=90.0)
    assert said(rule, of_value(7, value)).startswith(sentence)


def test_a_large_figure_has_no_exponent_and_a_small_p_is_not_zero() -> None:
    slow = replace(RULE, when="half_life", crosses="above", level=60.0)
    assert "half-life 23,456 bars," in said(slow, of_tests(7, 7, half_life=23_456.3))
    assert "half-life 10,000 bars," in said(slow, of_tests(7, 7, half_life=9_999.7))
    sure = replace(RULE, when="pvalue", crosses="below", level=0.0005)
    told = said(sure, of_tests(7, 7, pvalue=0.0004))
    assert "p < 0.001 (Engle-Granger), at or below 0.0005 " in told


def test_zero_has_no_minus() -> None:
    still = sample(7, reading(-0.001, bar=7, correlation=-0.001))
    apart = replace(RULE, when="correlation", crosses="below", level=0.5)
    assert "correlation 0.00, " in said(apart, still)
    assert "z = +0.00, back inside ±2 " in said(RULE, still, "resolved")
    written = replace(RULE, message="{zscore} {zscore:.1f} {correlation:+,.1f} {correlation:.0%}")
    assert said(written, still) == "+0.00 0.0 +0.0 0%"


def test_a_template_has_every_figure() -> None:
    message = " ".join(f"{name}={{{name}}}" for name in FIELDS)
    assert said(replace(RULE, message=message), SELL) == (
        "pair=ETHUSDT/BTCUSDT y=ETHUSDT x=BTCUSDT rule=wide signal=SELL bar=2026-01-31T12:00:07Z"
        " zscore=+2.31 value=2.314 level=2 spread=50 beta=1 correlation=0.42 price_y=100 price_x=50"
    )


def test_a_template_formats_a_figure_as_it_says() -> None:
    rule = replace(RULE, message="{{{zscore:.1f}}} {price_y:,.2f} {correlation:.0%}")
    assert said(rule, SELL) == "{2.3} 100.00 42%"


def test_what_is_not_known_says_so() -> None:
    rule = replace(RULE, message="{zscore:.1f} {signal}.", when="disk")
    assert said(rule, of_value(7, 1.0)) == "not known ."


def test_a_name_with_braces_is_no_template() -> None:
    rule = replace(RULE, name="{y.__class__}", message="{rule}")
    assert said(rule, SELL) == "{y.__class__}"


@given(st.text(alphabet="{}:!.[]_+,0159fegx%zscorepair \n", max_size=40))
def test_a_template_is_refused_or_filled_and_never_long(message: str) -> None:
    rule = replace(RULE, message=message)
    try:
        check_rule(rule)
    except ParameterError:
        return
    assert len(said(rule, SELL)) <= 1_000
