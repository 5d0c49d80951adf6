"""Traces that say what they draw, filled from tables: for figures that leave the page.

The page's own charts are filled in the browser (`chart_fill.js`), from the same tables.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pages.charts import axes, theme

Arrays = dict[str, NDArray]


def filled(
    trace: dict[str, Any], tables: dict[str, Arrays], bases: dict[str, float]
) -> dict[str, Any]:
    """Return the trace with its data in place of what it `draws`."""
    draws = trace["draws"]
    data = _KINDS[draws["kind"]](draws, tables[draws["table"]], bases)
    if "fade" in trace:
        data["fillcolor"] = theme.faded(trace["fillcolor"], trace["fade"])
    return {name: value for name, value in trace.items() if name not in {"draws", "fade"}} | data


def _line(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    data: dict[str, Any] = {"x": table["time"], "y": table[draws["column"]]}
    if "words" in draws:
        words = draws["words"]
        data["text"] = [words.get(str(int(position)), "") for position in table["held"]]
    return data


def _rebased(draws: dict[str, Any], table: Arrays, bases: dict[str, float]) -> dict[str, Any]:
    prices = table[draws["column"]]
    rebased = prices / bases[draws["column"]] * 100.0
    return {"x": table["time"], "y": rebased, "customdata": prices}


def _band(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    reach = draws["times"] * table["std"]
    mean = table["mean"]
    x, y = axes.band_outline(table["time"], mean - reach, mean + reach)
    return {"x": x, "y": y}


def _level(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    span = table["time"][[0, -1]] if len(table["time"]) else table["time"]
    return {"x": span, "y": np.full(len(span), draws["at"])}


def _marks(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    chosen = table["held"] == draws["is"]
    return {"x": table["time"][chosen], "y": table[draws["column"]][chosen]}


def _stretches(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    chosen = table["held"] == draws["is"]
    shape = axes.stretches("", table["time"][chosen], table["end"][chosen], "y", "#000000")
    return {"x": shape.x, "y": shape.y}


def _stack(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    columns = [table[name] for name in draws["columns"]]
    return {"x": table["time"], "y": np.sum(columns, axis=0), "customdata": columns[-1]}


def _candles(draws: dict[str, Any], table: Arrays, _: dict[str, float]) -> dict[str, Any]:
    known = np.isfinite(table["close"])
    chosen = known & ((table["close"] >= table["open"]) == draws["rises"])
    x, y = axes.candle_outline({name: values[chosen] for name, values in table.items()})
    return {"x": x, "y": y}


_KINDS = {
    "candles": _candles,
    "line": _line,
    "rebased": _rebased,
    "band": _band,
    "level": _level,
    "marks": _marks,
    "stretches": _stretches,
    "stack": _stack,
}
