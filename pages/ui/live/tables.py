"""Tables of the Live page: statistics of each leg over the bars shown, and the latest signals."""

import math
from functools import lru_cache
from typing import Final

from analytics.pair import PairAnalytics
from analytics.signals import SignalChange
from pages.ui.live.chart_view import count_changes, leg_decimals
from pages.ui.parts import formats
from pages.ui.parts.markup import ICONS, TONES, Cell, Html, table
from pages.ui.state.clock import zone_label

PRICES: Final = {"first", "last", "mean", "std", "min", "max"}
COUNTS: Final = {"bars", "known bars", "returns", "trades"}
LABELS: Final = {
    "std": "std deviation",
    "min": "lowest close",
    "max": "highest close",
    "first": "first close",
    "last": "last close",
    "mean": "mean close",
    "returns": "log returns",
    "volume": "volume (base currency)",
}


def legs_table(result: PairAnalytics) -> Html:
    """Set both legs side by side."""
    stats, decimals = result.stats, leg_decimals(result)
    rows = []
    for name, values in zip(map(str, stats.index), stats.to_numpy().tolist(), strict=True):
        cells = [
            formatted(name, value, digits) for value, digits in zip(values, decimals, strict=True)
        ]
        rows.append((_label(name), *cells))
    return table("Statistics per leg", ("", *map(str, stats.columns)), rows)


def formatted(name: str, value: float, price_decimals: int) -> str:
    """Format one statistic by what it is: a price, a count, a share, a return."""
    if math.isnan(value):
        return formats.NOT_KNOWN
    if name in PRICES:
        return formats.number(value, price_decimals)
    if name in COUNTS:
        return f"{value:,.0f}"
    if name.startswith("share "):
        return formats.percent(value, 1)
    if name == "return std":
        return formats.percent(value, 4)
    return formats.number(value, 3)


def _label(name: str) -> str:
    label = LABELS.get(name, name)
    return label[:1].upper() + label[1:]


ROWS: Final = 15


def latest_changes(result: PairAnalytics) -> Html:
    """Set the latest changes of the signal as a table, newest first; it lasts until the next."""
    latest = tuple(result.signal_changes(ROWS))
    return _changes_table(latest, count_changes(result.signal_codes), zone_label())


@lru_cache(maxsize=64)
def _changes_table(latest: tuple[SignalChange, ...], count: int, _zone: str) -> Html:
    """Set them in the reader's zone."""
    rows = [
        (
            formats.moment(change.time),
            Cell(f"{ICONS[change.signal]} {change.signal}", TONES.get(change.signal)),
            change.previous,
            formats.zscore(change.zscore),
        )
        for change in latest
    ]
    caption = f"Latest signal changes ({len(rows)} of {count:,})"
    return table(caption, ("Bar open", "Signal", "Before", "z-score"), rows)
