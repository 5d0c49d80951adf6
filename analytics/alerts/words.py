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

_FIGURES: Final = {
    "zscore": ("z = ", "+.2f", ""),
    "correlation": ("correlation ", ".2f", ""),
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
_INTERVALS: Final = {each.us: each.name for each in INTERVALS}


def words(
    rule: AlertRule, sample: Sample, step: Step, *, y: str = "", x: str = "", about: str = ""
) -> str:
    """Say what fired or is over: ``"ETHUSDT/BTCUSDT: z = +2.31, outside ±2.00 (…), signal SELL"``.

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
        return f"signal {signal}, z = {step.value:+.2f}"
    before, spec, unit = _FIGURES[rule.when]
    test = f" ({sample.tests.test})" if rule.when == "pvalue" and sample.tests else ""
    value = _number(step.value, spec)
    return f"{before}{value}{unit}{test}, {_level_words(rule, step, spec.strip('+'))}"


def _number(value: float, spec: str) -> str:
    return "infinitely many" if math.isinf(value) else format(value, spec)


def _level_words(rule: AlertRule, step: Step, spec: str) -> str:
    if step.event == "resolved":
        return f"back {_sides(rule, rearm_of(rule), spec)[1]}"
    return _sides(rule, rule.level, spec)[0]


def _sides(rule: AlertRule, level: float, spec: str) -> tuple[str, str]:
    """Name the side on which it holds, and the other one."""
    sign = "+" if rule.when in {"zscore", "clock"} else ""
    plain, both = f"{level:{sign}{spec}}", f"±{level:{spec}}"
    if rule.when == "beta":
        return f"limit {level:{spec}}", ""
    return {
        "above": (f"at or above {plain}", f"below {plain}"),
        "below": (f"at or below {plain}", f"above {plain}"),
        "outside": (f"outside {both}", f"inside {both}"),
        "inside": (f"back inside {both}", f"outside {both}"),
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
