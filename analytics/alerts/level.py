"""Whether a figure is where a rule wants it, and whether it is back past the re-arm level."""

import math

from analytics.alerts.rule import WITHOUT_LEVEL, AlertRule
from analytics.signals import SIGNALS


def level_of(rule: AlertRule) -> float:
    """Return the level that a rule compares with; NaN where it has none."""
    return math.nan if rule.when in WITHOUT_LEVEL else rule.level


def rearm_of(rule: AlertRule) -> float:
    """Return the level past which it can fire again: its own, or the level itself."""
    return rule.level if rule.rearm is None else rule.rearm


def holds(rule: AlertRule, value: float) -> bool:
    """Say whether a known value is where the rule wants it; exactly at the level, it is."""
    if rule.when == "signal":
        return SIGNALS[int(value)] in rule.to
    if rule.when == "find":
        return value > 0
    if rule.crosses == "above":
        return value >= rule.level
    if rule.crosses == "below":
        return value <= rule.level
    is_outside = abs(value) >= rule.level
    return is_outside if rule.crosses == "outside" else abs(value) <= rule.level


def is_back(rule: AlertRule, value: float, anchor: float) -> bool:
    """Say whether a known value is strictly back past the re-arm level.

    A signal is back when it is another than the one told of, at `anchor`; a find when it is over;
    β always, since it is compared with that of the last alert.
    """
    if rule.when == "signal":
        return value != anchor
    if rule.when == "beta":
        return True
    if rule.when == "find":
        return value <= 0
    rearm = rearm_of(rule)
    if rule.crosses == "above":
        return value < rearm
    if rule.crosses == "below":
        return value > rearm
    return abs(value) < rearm if rule.crosses == "outside" else abs(value) > rearm
