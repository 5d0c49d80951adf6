"""A watched pair or basket as the address of its page has it, and as the database names it."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Final
from urllib.parse import urlencode

from analytics.baskets import BasketMethod, BasketParams
from analytics.pair import DATA_GATES, NO_GATES, Gates, PairParams
from analytics.signals import DEFAULT_THRESHOLDS, PRESETS
from ingest.watch.model import Watched, WatchedBasket, WatchedPair

# Ranges that the page offers, by their length in seconds.
RANGES: Final = {
    300: "5min",
    900: "15min",
    1_800: "30min",
    3_600: "1h",
    14_400: "4h",
    86_400: "24h",
    259_200: "3d",
    604_800: "7d",
    2_592_000: "30d",
    7_776_000: "90d",
    31_536_000: "1y",
}
# What the Baskets page offers, by its names.
BASKET_METHODS: Final[Mapping[BasketMethod, str]] = {
    "johansen": "Johansen",
    "box_tiao": "Box-Tiao",
    "min_half_life": "Shortest half-life",
}
BASKET_GATES: Final[Mapping[str, Gates]] = {
    "none": NO_GATES,
    "data": DATA_GATES,
    "data and p": replace(DATA_GATES, pvalue=True),
    "data, p and half-life": replace(DATA_GATES, pvalue=True, half_life=True),
}
_SWITCHED_GATES: Final = ("leg_stale", "window_covered", "enough_bars", "pvalue", "half_life")


def pair_key(params: PairParams | BasketParams) -> str:
    """Name a pair with its settings in the database: equal for equal settings, over versions too.

    ``"ETHUSDT/BTCUSDT 1s lookback=1800 spread=log"``: what is as usual is left out. A basket is
    named so too: ``"BTCUSDT/ETHUSDT+BNBUSDT 1s lookback=1800"``.
    """
    if isinstance(params, BasketParams):
        usual: PairParams | BasketParams = BasketParams(params.symbols)
    else:
        usual = PairParams(params.y, params.x)
    return " ".join([params.label, params.interval, *_unusual(params, usual)])


def link_of(pair: Watched) -> str:
    """Return the query of the address at which its page shows a pair or basket with its settings.

    A pair's is of the Live page; a basket's of the Baskets page, and begins with
    ``basket_symbols``.
    """
    if isinstance(pair, WatchedBasket):
        return urlencode(basket_choices(pair), doseq=True)
    choices = {"s1": pair.y, "s2": pair.x, "interval": pair.params.interval}
    choices |= {"window": str(pair.window), "spread": pair.spread, "hedge": pair.hedge}
    if pair.lookback_s in RANGES:
        choices["lookback"] = RANGES[pair.lookback_s]
    if pair.level != 0.05:  # the page's own
        choices["level"] = f"{pair.level * 100:g}"
    return urlencode(choices | _rule(pair) | _gates(pair.gates))


def is_of_basket(link: str) -> bool:
    """Whether the query is of the Baskets page."""
    return link.startswith("basket_")


def basket_choices(basket: WatchedBasket) -> dict[str, object]:
    """Say what the Baskets page is to show so that it shows a basket with its settings."""
    names = [name for name, gates in BASKET_GATES.items() if gates == basket.gates]
    return {
        "basket_symbols": list(basket.symbols),
        "basket_method": BASKET_METHODS[basket.method],
        "basket_interval": basket.params.interval,
        "basket_range": RANGES.get(basket.lookback_s or 0, "auto"),
        "basket_window": basket.window,
        "basket_sell": basket.sell_above,
        "basket_buy": basket.buy_below,
        **({"basket_level": f"{basket.level * 100:g}"} if basket.level != 0.05 else {}),
        **({"basket_gates": names[0]} if names else {}),
    }


def _unusual(chosen: object, usual: object, names: str = "") -> list[str]:
    words: list[str] = []
    for each in fields(chosen):  # type: ignore[arg-type] # both are dataclasses
        value, default = getattr(chosen, each.name), getattr(usual, each.name)
        if value == default or each.name in ("y", "x", "symbols", "interval"):
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
