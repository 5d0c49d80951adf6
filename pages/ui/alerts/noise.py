"""How often a rule fires on pairs that have nothing to do with each other."""

from analytics.alerts import AlertRule
from ingest.watch import WatchedPair


def sentence(rule: AlertRule, pair: WatchedPair) -> str:
    """Say it."""
    return f"{rule.name}{pair.y}"
