"""What an alert says, in a trader's words or by the reader's own template."""

import math
from datetime import UTC, datetime
from typing import Final

from analytics.alerts.level import level_of, rearm_of
from analytics.alerts.rule import PAIR_WHENS, AlertRule
from analytics.alerts.sample import Sample
from analytics.alerts.step import Step
from analytics.alerts.template import filled
from analytics.frames import INTERVALS

_FIGURES: Final[dict[str, tuple[str, str, str]]] = {
    "zscore": ("z = ", "+z.2f", ""),
    "correlation": ("correlation ", "z.2f", ""),
    "pvalue": ("p = ", ".3f", ""),
    "half_life": ("half-life ", ".4g", " bars"),
    "beta": ("β moved by ", ".1f", " of its errors"),
    "stale": ("a leg has not traded for ", ".4g", " s"),
    "gap": ("a gap is open for ", ".4g", " s"),
    "recorder": ("nothing recorded for ", ".4g", " s"),
    "disk": ("disk free ", ".4g", " GB"),
    "clock": ("our clock is off by ", "+.4g", " ms"),
    "engine": ("the watch is behind by ", ".4g", " s"),
    "channel": ("failures in a row: ", ".4g", ""),
}
_SIGNED: Final = frozenset(("zscore", "clock"))
# From here on without decimals, and seconds in minutes, minutes in hours.
_LARGE: Final = 9_999.5
_LONG: Final = 120
_SMALLEST_P: Final = 0.001
_INTERVALS: Final = {each.us: each.name for each in INTERVALS}


def words(
    rule: AlertRule, sample: Sample, step: Step, *, y: str = "", x: str = "", about: str = ""
) -> str:
    """Say what fired or is over: ``"ETHUSDT/BTCUSDT: z = +2.31, outside ±2 (…), signal SELL"``.

    Parameters
    ----------
    rule, sample, step
        What fired, at which bar, and how. The rule is one that `check_rule` lets pass.
    y, x
        Symbols of the pair; "" for what is of the desk.
    about
        What of the desk it is about, such as the name of a channel.

    Returns
    -------
    str
        At most `LONGEST_WORDS` characters; a figure that is NaN is "not known".
    """
    if rule.message is None:
        return _sentence(rule, sample, step, _named(y, x) or about)
    reading = sample.reading
    texts = {
        "pair": _named(y, x) or about,
        "y": y,
        "x": x,
        "rule": rule.name,
        "signal": reading.signal if reading else "",
        "bar": f"{_time(sample):%Y-%m-%dT%H:%M:%SZ}",
    }
    names = {"price_y": "y", "price_x": "x"}
    read = ("zscore", "spread", "beta", "correlation", "price_y", "price_x")
    figures = {name: float(getattr(reading, names.get(name, name), math.nan)) for name in read}
    return filled(rule.message, texts, {**figures, "value": step.value, "level": level_of(rule)})


def _named(y: str, x: str) -> str:
    return f"{y}/{x}" if x else y  # a basket has no x


def _sentence(rule: AlertRule, sample: Sample, step: Step, subject: str) -> str:
    sentence = _says(rule, sample, step)
    if step.event == "resolved":
        sentence = f"over: {sentence}"
    start = f"{subject}: " if subject else ""
    return f"{start}{sentence} ({_when(rule, sample)}){_signal(rule, sample)}"


def _says(rule: AlertRule, sample: Sample, step: Step) -> str:
    if rule.when == "find":
        return "found by the scan, and it holds"
    if rule.when == "signal":
        signal = sample.reading.signal if sample.reading else ""
        return f"signal {signal}, z = {step.value:+z.2f}"
    test = f" ({sample.tests.test})" if rule.when == "pvalue" and sample.tests else ""
    return f"{_figure(rule.when, step.value)}{test}, {_level_words(rule, step)}"


def _figure(when: str, value: float) -> str:
    before, spec, unit = _FIGURES[when]
    if when == "pvalue" and value < _SMALLEST_P:
        return f"p < {_SMALLEST_P:g}"
    if unit == " s" and value >= _LONG:
        return f"{before}{_long(value / 60)}"
    return f"{before}{_number(value, spec)}{unit}"


def _long(minutes: float) -> str:
    number, unit = (minutes, "min") if minutes < _LONG else (minutes / 60, "h")
    return f"{_number(round(number, 1), ',.10g')} {unit}"


def _number(value: float, spec: str) -> str:
    if math.isinf(value):
        return "infinitely many"
    sign = "+" if spec.startswith("+") else ""
    return format(value, f"{sign},.0f" if abs(value) >= _LARGE else spec)


def _level_words(rule: AlertRule, step: Step) -> str:
    if step.event == "resolved":
        return f"back {_sides(rule, rearm_of(rule))[1]}"
    return _sides(rule, rule.level)[0]


def _sides(rule: AlertRule, level: float) -> tuple[str, str]:
    """Name the side on which it holds, and the other one, with the level as it was written."""
    unit = " s" if _FIGURES[rule.when][2] == " s" else ""
    number = f"{level:,.10g}{unit}"
    plain = f"{level:+,.10g}" if rule.when in _SIGNED else number
    if rule.when == "beta":
        return f"limit {number}", ""
    return {
        "above": (f"at or above {plain}", f"below {plain}"),
        "below": (f"at or below {plain}", f"above {plain}"),
        "outside": (f"outside ±{number}", f"inside ±{number}"),
        "inside": (f"back inside ±{number}", f"outside ±{number}"),
    }[rule.crosses]


def _when(rule: AlertRule, sample: Sample) -> str:
    time = f"{_time(sample):%Y-%m-%d %H:%M:%S} UTC"
    if rule.when not in PAIR_WHENS or not sample.step_us:
        return time
    bars = _INTERVALS.get(sample.step_us, f"{sample.step_us / 1e6:g}s")
    return f"{bars} bars, {time}{', bar still forms' if sample.is_forming else ''}"


def _signal(rule: AlertRule, sample: Sample) -> str:
    if sample.reading is None or rule.when == "signal":
        return ""
    return f", signal {sample.reading.signal}"


def _time(sample: Sample) -> datetime:
    return datetime.fromtimestamp(sample.bar_us // 1_000_000, UTC)
