"""The legend of the pair figure: what each entry is called, looks like, and reads where one points.

Its order is that of the panels, top to bottom, whatever else is chosen. `hides` names the traces
that an entry hides: by what they mean, so that a swap of the legs hides the same symbol.
"""

from collections.abc import Sequence
from typing import Any, Final

from pages.charts import theme
from pages.charts.pair_series import PairLabels, Panel

Entry = dict[str, Any]
FIRST_RANK: Final = 1


def pair_legend(labels: PairLabels, panels: Sequence[Panel]) -> list[Entry]:
    """List the entries of the chosen panels.

    Returns
    -------
    list of dict
        `key`: what the traces are found by. `name`. `looks`: "line", "dashes", "dots", "area",
        "block", "down" or "up", in its `color`. `reads`: the column of the table `bars`, or a
        kind of its own, with `decimals`. `hides`: whether the reader may hide it. `panel`.
    """
    makers = {
        "prices": _prices,
        "spread": _spread,
        "zscore": _zscore,
        "volume": _volume,
        "correlation": _correlation,
    }
    return [entry | {"panel": panel} for panel in panels for entry in makers[panel](labels)]


def ranked(traces: list[dict[str, Any]], legend: Sequence[Entry]) -> list[dict[str, Any]]:
    """Give each trace the place of its entry, for a legend that the library draws."""
    places = {entry["key"]: FIRST_RANK + place for place, entry in enumerate(legend)}
    return [
        trace | {"legendrank": places[key]} if (key := hidden_by(trace)) in places else trace
        for trace in traces
    ]


def hidden_by(trace: dict[str, Any]) -> str:
    """Name what hides a trace: its group, or itself."""
    return str(trace.get("legendgroup", trace["uid"]))


def leg_key(symbol: str) -> str:
    """Name a leg's line by its symbol, not by its place."""
    return f"leg-{symbol}"


def _entry(key: str, name: str, looks: str, color: str, **reads: Any) -> Entry:
    return {
        "key": key, "name": name, "looks": looks, "color": color, "reads": reads, "hides": True,
    }  # fmt: skip


def _prices(labels: PairLabels) -> list[Entry]:
    legs = (
        (labels.symbol_y, "price_y", "line", theme.LEG_Y, labels.price_decimals_y),
        (labels.symbol_x, "price_x", "dashes", theme.LEG_X, labels.price_decimals_x),
    )
    return [
        _entry(leg_key(symbol), symbol, looks, color, column=column, decimals=decimals)
        for symbol, column, looks, color, decimals in legs
    ]


def _spread(labels: PairLabels) -> list[Entry]:
    decimals = labels.spread_decimals
    band = f"± {labels.band_std:g} std"
    return [
        _entry("spread", "Spread", "line", theme.SERIES, column="spread", decimals=decimals),
        _entry("mean", "Mean", "dots", theme.MUTED, column="mean", decimals=decimals),
        _entry("band", band, "area", theme.BAND, kind="band", times=labels.band_std,
               decimals=decimals),
    ]  # fmt: skip


def _zscore(_: PairLabels) -> list[Entry]:
    zscore = _entry(
        "zscore",
        "z-score",
        "line",
        theme.SERIES,
        column="zscore",
        decimals=2,
        plus=True,
        says_signal=True,
    )
    return [
        zscore | {"hides": False},
        _entry("SELL", "SELL", "down", theme.SELL, kind="entries"),
        _entry("BUY", "BUY", "up", theme.BUY, kind="entries"),
    ]


def _volume(labels: PairLabels) -> list[Entry]:
    legs = (
        (labels.symbol_y, "volume_y", "block", theme.LEG_Y),
        (labels.symbol_x, "volume_x", "pale", theme.LEG_X),
    )
    return [
        _entry(f"volume-{symbol}", f"Vol. {symbol}", looks, color, kind="volume", column=column)
        | {"hides": False}
        for symbol, column, looks, color in legs
    ]


def _correlation(_: PairLabels) -> list[Entry]:
    line = _entry(
        "correlation", "Correlation", "line", theme.SERIES, column="correlation", decimals=3
    )
    return [line | {"hides": False}]
