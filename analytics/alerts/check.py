"""Whether a rule can be, and in one line what to do where it cannot."""

import math
from typing import Final

from analytics.alerts.quiet_hours import parse_quiet_hours
from analytics.alerts.rule import (
    CROSSES,
    PAIR_WHENS,
    READING_WHENS,
    WHENS,
    WITHOUT_LEVEL,
    AlertRule,
    When,
)
from analytics.alerts.template import check_template
from analytics.errors import ParameterError
from analytics.signals import SIGNALS

LONGEST_NAME: Final = 60
MOST_BARS: Final = 1_000_000
_ANY: Final = (-math.inf, math.inf)
# Where the figure of what it looks at lies: both sides of a level need room in there.
_RANGES: Final[dict[When, tuple[float, float]]] = {
    "correlation": (-1.0, 1.0),
    "pvalue": (0.0, 1.0),
    "half_life": (0.0, math.inf),
    "beta": (0.0, math.inf),
    "stale": (0.0, math.inf),
    "gap": (0.0, math.inf),
    "recorder": (0.0, math.inf),
    "disk": (0.0, math.inf),
    "engine": (0.0, math.inf),
    "channel": (0.0, math.inf),
}


def check_rule(rule: AlertRule) -> None:
    """Let a rule pass that `step` and `words` can go by.

    Raises
    ------
    ParameterError
        With the first thing that is wrong, as the field of `AlertRule` names it.
    """
    _check_name("name", rule.name)
    _check_choice("when", rule.when, WHENS)
    _check_choice("crosses", rule.crosses, CROSSES)
    _check_place(rule)
    _check_level(rule)
    _check_rearm(rule)
    _check_signals(rule)
    _check_times(rule)
    _check_channels(rule.channels)
    if rule.message is not None:
        check_template(rule.message)


def _check_name(field: str, name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        allowed = f"1 to {LONGEST_NAME} printable characters, no space at either end"
        raise ParameterError(field, name[: LONGEST_NAME + 1], allowed)


def _check_channels(channels: tuple[str, ...]) -> None:
    for place, channel in enumerate(channels):
        _check_name("channels", channel)
        if channel in channels[:place]:
            raise ParameterError("channels", channel, "named once")


def _check_choice(field: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise ParameterError(field, word, f"one of {', '.join(known)}")


def _check_place(rule: AlertRule) -> None:
    """A list, or both legs of a pair, or neither; and neither for what is of the desk."""
    if (rule.y is None) != (rule.x is None):
        name, value = ("x", rule.x) if rule.x is None else ("y", rule.y)
        raise ParameterError(name, value, "given too: a pair has two legs")
    if rule.y is not None and rule.y == rule.x:
        raise ParameterError("x", rule.x, "another symbol than y")
    if rule.list is not None and not rule.list.strip():
        raise ParameterError("list", rule.list, "the name of a list, or left out for all of them")
    if rule.list is not None and rule.y is not None:
        raise ParameterError(
            "list", rule.list, "left out where y and x are given, or they left out"
        )
    if rule.when not in PAIR_WHENS:
        _check_desk(rule)
    if rule.when in {"stale", "gap"}:
        _check_clocked(rule)
    if rule.forming and rule.when not in READING_WHENS:
        known = ", ".join(sorted(READING_WHENS))
        raise ParameterError("forming", rule.forming, f"off: only {known} are known as a bar forms")


def _check_clocked(rule: AlertRule) -> None:
    if rule.gated:
        allowed = f"off: what {rule.when} looks at closes the gates itself"
        raise ParameterError("gated", rule.gated, allowed)
    if rule.hold_bars:
        allowed = f"0: {rule.when} is looked at by the clock, not by bars"
        raise ParameterError("hold_bars", rule.hold_bars, allowed)


def _check_desk(rule: AlertRule) -> None:
    is_of_desk = f"left out: {rule.when} is of the desk as a whole"
    for name in ("list", "y", "gated", "hold_bars"):
        value = getattr(rule, name)
        if value:
            raise ParameterError(name, value, is_of_desk)


def _check_level(rule: AlertRule) -> None:
    if rule.when in WITHOUT_LEVEL:
        return
    if not math.isfinite(rule.level):
        raise ParameterError("level", rule.level, "a finite number")
    if rule.when == "beta" and (rule.crosses in {"below", "inside"} or rule.level <= 0):
        raise ParameterError("crosses", rule.crosses, "above or outside a level above 0 for beta")
    if rule.crosses in {"outside", "inside"}:
        _check_distance(rule)
    _check_room("level", rule.level, rule.when)


def _check_distance(rule: AlertRule) -> None:
    if rule.when != "beta" and _RANGES.get(rule.when, _ANY)[0] == 0:
        allowed = f"above or below for {rule.when}, which is never negative"
        raise ParameterError("crosses", rule.crosses, allowed)
    if rule.level <= 0:
        allowed = f"above 0 for {rule.crosses}; take above or below for a level of one side"
        raise ParameterError("level", rule.level, allowed)


def _check_room(field: str, level: float, when: When) -> None:
    """Let a level pass that the figure can be beyond, and back from."""
    low, high = _RANGES.get(when, _ANY)
    if not low < level < high:
        ends = [f"above {low:g}"] if math.isinf(high) else [f"above {low:g}", f"below {high:g}"]
        raise ParameterError(field, level, f"{' and '.join(ends)} for {when}: it lies within")


def _check_rearm(rule: AlertRule) -> None:
    if rule.rearm is None:
        return
    if rule.when in WITHOUT_LEVEL or rule.when == "beta":
        raise ParameterError("rearm", rule.rearm, f"left out: {rule.when} is not back past a level")
    if not math.isfinite(rule.rearm):
        raise ParameterError("rearm", rule.rearm, "a finite number, or left out for the level")
    beyond = rule.rearm > rule.level
    if beyond != (rule.crosses in {"below", "inside"}) and rule.rearm != rule.level:
        side = "at or below" if beyond else "at or above"
        allowed = f"{side} the level ({rule.level:g}) for {rule.crosses}"
        raise ParameterError("rearm", rule.rearm, allowed)
    if rule.crosses == "outside" and rule.rearm <= 0:
        raise ParameterError("rearm", rule.rearm, "above 0 for outside: |value| is never below it")
    _check_room("rearm", rule.rearm, rule.when)


def _check_signals(rule: AlertRule) -> None:
    if rule.when != "signal":
        return
    if not rule.to:
        raise ParameterError("to", rule.to, f"one signal or more of {', '.join(SIGNALS)}")
    for signal in rule.to:
        _check_choice("to", signal, SIGNALS)


def _check_times(rule: AlertRule) -> None:
    for name, bars, least in (("for_bars", rule.for_bars, 1), ("hold_bars", rule.hold_bars, 0)):
        if type(bars) is not int or not least <= bars <= MOST_BARS:
            raise ParameterError(name, bars, f"a whole number from {least} to {MOST_BARS:,}")
    if not 0 <= rule.cooldown_s < math.inf:
        raise ParameterError("cooldown_s", rule.cooldown_s, "0 or more seconds")
    if rule.expires_us is not None and rule.expires_us <= 0:
        raise ParameterError("expires_us", rule.expires_us, "after 1970, or left out for never")
    if rule.quiet_hours is not None:
        parse_quiet_hours(rule.quiet_hours)
    if rule.tells_resolved and rule.when in {"beta", "find"}:
        allowed = f"off: {rule.when} is told of once and is never over"
        raise ParameterError("tells_resolved", rule.tells_resolved, allowed)
