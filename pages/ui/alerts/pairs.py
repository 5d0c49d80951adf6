"""The watched pairs that rules, silences and the preview choose from."""

from collections.abc import Iterable

from analytics.alerts import AlertRule
from ingest.watch import WatchedPair, WatchList, WatchStore

Legs = tuple[str, str]


def watched_legs(store: WatchStore) -> list[Legs]:
    """Name the pairs of all lists, each once, in the reader's order."""
    return list(dict.fromkeys((each.y, each.x) for each in _pairs(store.lists())))


def legs_label(legs: Legs | None) -> str:
    """Name a pair on a form; None is every pair."""
    return "every pair" if legs is None else f"{legs[0]} / {legs[1]}"


def pairs_of(rule: AlertRule, lists: Iterable[WatchList]) -> list[WatchedPair]:
    """Return the watched pairs that a rule looks at, rows of equal settings once."""
    listed = [each for each in lists if rule.list is None or each.name == rule.list]
    legs = (rule.y, rule.x) if rule.y and rule.x else None
    wanted = (each for each in _pairs(listed) if legs is None or (each.y, each.x) == legs)
    return list({each.params: each for each in wanted}.values())


def pair_label(pair: WatchedPair) -> str:
    """Name a watched pair with the settings that tell it from others of the same legs."""
    return f"{pair.y} / {pair.x}, {pair.interval}, window {pair.window}, {pair.spread}"


def _pairs(lists: Iterable[WatchList]) -> list[WatchedPair]:
    return [pair for watched in lists for pair in watched.pairs]
