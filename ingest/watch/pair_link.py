"""A watched pair as the address of its page has it, and as the database names it."""

from dataclasses import fields
from typing import Final
from urllib.parse import urlencode

from analytics.pair import DATA_GATES, Gates, PairParams
from analytics.signals import DEFAULT_THRESHOLDS, PRESETS
from ingest.watch.model import WatchedPair

# Ranges that the page offers, by their length in seconds.
_RANGES: Final = {
    300: "5min",
    900: "15min",
    1_800: "30min",
    3_600: "1h",
    14_400: "4h",
    86_400: "24h",
    259_200: "3d",
    604_800: "7d",
    2_592_000: "30d",
}
_SWITCHED_GATES: Final = ("leg_stale", "window_covered", "enough_bars", "pvalue", "half_life")


def pair_key(params: PairParams) -> str:
    """Name a pair with its settings in the database: equal for equal settings, over versions too.

    ``"ETHUSDT/BTCUSDT 1s lookback=1800 spread=log"``: what is as usual is left out.
    """
    words = [params.label, params.interval, *_unusual(params, PairParams(params.y, params.x))]
    return " ".join(words)


def link_of(pair: WatchedPair) -> str:
    """Return the query of the address at which the Live page shows a pair with its settings."""
    choices = {"s1": pair.y, "s2": pair.x, "interval": pair.params.interval}
    choices |= {"window": str(pair.window), "spread": pair.spread, "hedge": pair.hedge}
    if pair.lookback_s in _RANGES:
        choices["lookback"] = _RANGES[pair.lookback_s]
    if pair.level != 0.05:  # the page's own
        choices["level"] = f"{pair.level * 100:g}"
    return urlencode(choices | _rule(pair) | _gates(pair.gates))


def _unusual(chosen: object, usual: object, names: str = "") -> list[str]:
    words: list[str] = []
    for each in fields(chosen):  # type: ignore[arg-type] # both are dataclasses
        value, default = getattr(chosen, each.name), getattr(usual, each.name)
        if value == default or each.name in ("y", "x", "interval"):
            continue
        if isinstance(value, Gates):
            words += _unusual(value, default, "gates.")
        else:
            words.append(f"{names}{each.name}={value}")
    return words


def _rule(pair: WatchedPair) -> dict[str, str]:
    levels = (pair.sell_above, pair.buy_below)
    for preset in PRESETS:
        if (preset.sell_above, preset.buy_below) == levels:
            return {} if preset == DEFAULT_THRESHOLDS else {"rule": preset.name}
    return {"rule": "custom", "sell": f"{levels[0]:g}", "buy": f"{levels[1]:g}"}


def _gates(gates: Gates) -> dict[str, str]:
    return {
        f"gate_{name}": str(getattr(gates, name)).lower()
        for name in _SWITCHED_GATES
        if getattr(gates, name) != getattr(DATA_GATES, name)
    }
