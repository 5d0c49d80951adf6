"""The scan's table as the page shows it: columns, their words, formats, filters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analytics.stationarity import bars_for_power
from pages.ui.component import component
from pages.ui.parts import formats

MOST_ROWS: Final = 200
SPARK_STEPS: Final = 40

VERDICT_SIGNS: Final = {
    "holds": "✓ holds",
    "shifted": "~ shifted",
    "unproven": "· unproven",
    "broke": "✕ broke",
    "": formats.NOT_KNOWN,
}
# Column of the scan, its heading, what it means.
_COLUMNS: Final = (
    ("y", "S1", "The dependent leg: S1 is regressed on S2. The ordering with the smaller p."),
    ("x", "S2", "The other leg."),
    ("move", "Move", "Places up or down since the bar before."),
    ("spread", "Spread", "S1 − (α + β·S2) over the sample, the held-out part included."),
    ("pvalue", "p", "Engle-Granger, the smaller of both orderings, times two: both are tried."),
    ("pvalue_wild", "p, volatile", ("The same where each bar keeps its own volatility (wild "
     "bootstrap), for the rows that decide. The larger p counts.")),
    ("qvalue", "q", ("Benjamini-Hochberg over all pairs tried, of the larger p: among pairs below "
     "5 %, at most 5 % are expected to be false.")),
    ("pvalue_bonferroni", "Bonferroni", "The larger p times the number of pairs tried."),
    ("verdict", "Held-out part", ("Whether the spread, with β from the first part, still comes "
     "back in the part that was held out. unproven: after how many held-out bars ADF at 5 % finds "
     "a return of this half-life in 80 % of samples.")),
    ("holdout_pvalue", "Held-out p", ("ADF of the held-out spread. β was given, so the plain "
     "Dickey-Fuller values apply; where it and the first part are small, the wild bootstrap's, "
     "in the CSV, counts if it is larger.")),
    ("zscore", "z now", "Of the spread at the last closed bar, over the window."),
    ("half_life", "Half-life (bars)", "Bars until half of a deviation is gone."),
    ("interval", "95 % interval", "Of the half-life; open where the spread may not return."),
    ("pays_from", "Pays from |z|", ("Of a pair that q leaves: standard deviations of its residual "
     "from which a trade back to the mean earns more than its costs as chosen on Backtest; never "
     "where the best of them comes less than once in these bars.")),
    ("entry_level", "Best |z|", "From where it would earn most a bar (Zeng & Lee 2014)."),
    ("return_a_year", "A year from there", ("Of the money in both legs, if the residual goes on as "
     "fitted. Pairs picked for a small p look better than they are.")),
    ("return_in_bars", "In n bars from there", ("Of the money in both legs, in as many bars as the "
     "first part has, if the residual goes on as fitted; too few for a year's rate. Pairs picked "
     "for a small p look better than they are.")),
    ("correlation", "Correlation", "Of log returns from bar to bar."),
    ("beta", "β S1 on S2", "Slope of S1 on S2."),
    ("beta_swapped", "β S2 on S1", "Slope of S2 on S1."),
    ("share_traded", "Both traded", "Share of bars in which both legs traded."),
    ("liquidity", "Volume a bar", "Mean quote volume a bar of the thinner leg."),
    ("bars", "n (bars)", "Bars that both legs know, in the first part."),
    ("reason", "Remark", "Why a pair has no p-value, or is not to be trusted."),
)  # fmt: skip
_OPTIONAL: Final = {
    "pvalue_wild", "share_traded", "liquidity", "pays_from", "entry_level", "return_a_year",
    "return_in_bars",
}  # fmt: skip
_KINDS: Final = {
    "y": "name", "x": "name", "spread": "spark", "verdict": "words", "interval": "words",
    "reason": "words",
}  # fmt: skip
_HTML: Final = """
<div class="pd-scan">
  <table><caption></caption><thead><tr></tr></thead><tbody></tbody></table>
</div>
"""
_HERE: Final = Path(__file__).parent
_mount = component(
    "pairdesk_scanner_table",
    html=_HTML,
    css=(_HERE / "table.css").read_text(encoding="utf-8"),
    script=(_HERE / "table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Filters:
    """Which rows to show."""

    symbol: str | None
    highest_pvalue: float
    least_correlation: float
    longest_half_life: float
    least_traded: float
    confirmed_only: bool


def filtered(table: pd.DataFrame, wanted: Filters) -> pd.DataFrame:
    """Keep the rows that the filters admit; one that asks nothing keeps rows without a number."""
    keep = pd.Series(data=True, index=table.index)
    if wanted.symbol is not None:
        keep &= (table["y"] == wanted.symbol) | (table["x"] == wanted.symbol)
    if wanted.highest_pvalue < 1.0:
        keep &= table["pvalue"] <= wanted.highest_pvalue
    if wanted.least_correlation > -1.0:
        keep &= table["correlation"] >= wanted.least_correlation
    if np.isfinite(wanted.longest_half_life):
        keep &= table["half_life"] <= wanted.longest_half_life
    if wanted.least_traded > 0.0:
        keep &= table["share_traded"] >= wanted.least_traded
    if wanted.confirmed_only:
        keep &= table["verdict"] == "holds"
    return table[keep]


def table_data(
    rows: pd.DataFrame, moves: Mapping[frozenset[str], int], link: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay the best rows out as the table in the browser takes them.

    Parameters
    ----------
    rows
        Of a scan.
    moves
        Places each pair went up since the bar before.
    link
        What leads from a row to Live: `legs`, the names of the two legs in an address, and
        `choices`, what else the address says.

    Returns
    -------
    dict
        `columns` with label, tip and kind; `rows` with the pair, its cells (what is read, and what
        sorting goes by: None is last) and the path of its spread.
    """
    view = _worded(rows.head(MOST_ROWS).reset_index(drop=True), moves)
    shown = [each for each in _COLUMNS if each[0] in view and not _is_empty(view, each[0])]
    columns = [
        {"label": label, "tip": tip, "kind": _KINDS.get(name, "number")}
        for name, label, tip in shown
    ]
    cells = [_cells(name, view[name]) for name, _, _ in shown]
    legs = zip(view["y"], view["x"], strict=True)
    none: list[list[float]] = [[] for _ in range(len(view))]
    paths = view["spread"].tolist() if "spread" in view else none
    return {
        "caption": f"{formats.count(len(view), 'pair')}; a row opens its pair on Live",
        "columns": columns,
        "rows": [
            {"pair": list(pair), "cells": list(row), "path": _path(path)}
            for pair, row, path in zip(legs, zip(*cells, strict=True), paths, strict=True)
        ],
        "link": dict(link),
    }


def show_table(data: Mapping[str, Any], *, key: str, on_open: Callable[[], None]) -> None:
    """Show the table; a click or Enter on a row sets `open` to its pair and calls `on_open`."""
    _mount(key=key, data=dict(data), on_open_change=on_open)


def _worded(view: pd.DataFrame, moves: Mapping[frozenset[str], int]) -> pd.DataFrame:
    """Put words in place of what is no number of the scan's."""
    legs = zip(view["y"], view["x"], strict=True)
    return view.assign(
        move=[moves.get(frozenset(pair), 0) for pair in legs],
        verdict=[
            _verdict(verdict, half_life, bars)
            for verdict, half_life, bars in zip(
                view["verdict"], view["half_life"], view["holdout_bars"], strict=True
            )
        ],
        interval=[
            _interval(low, high)
            for low, high in zip(view["half_life_low"], view["half_life_high"], strict=True)
        ],
    )


def _verdict(verdict: str, half_life: float, bars: float) -> str:
    """Write the verdict; unproven says how many held-out bars ADF needs, if more than it had."""
    needed = bars_for_power(half_life, is_estimated=False) if verdict == "unproven" else np.nan
    sign = VERDICT_SIGNS[verdict]
    return f"{sign}: wants {needed:,.0f} bars" if needed > bars else sign


def _cells(name: str, values: pd.Series) -> list[tuple[str, str | float | None]]:
    """Pair what is read with what sorting goes by."""
    if name == "spread":
        return [("", None)] * len(values)
    if name not in _FORMATS:
        return [(str(value), str(value)) for value in values]
    form = _FORMATS[name]
    numbers = values.to_numpy(dtype=np.float64).tolist()
    return [(form(value), value if np.isfinite(value) else None) for value in numbers]


def _path(path: list[float]) -> list[int]:
    """Sample a spread coarsely, for a line of a few pixels."""
    if len(path) < 2:
        return []
    values = np.asarray(path)
    height = float(np.ptp(values)) or 1.0
    steps = np.rint((values - values.min()) / height * SPARK_STEPS)
    return [int(step) for step in steps]


def _is_empty(view: pd.DataFrame, name: str) -> bool:
    """Whether a column says nothing in any row, where it may be left out."""
    if name in {"move", "reason"}:
        return not view[name].astype(bool).any()
    return name in _OPTIONAL and bool(view[name].isna().all())


def _move(places: float) -> str:
    if places == 0:
        return ""
    return f"▲ {places:.0f}" if places > 0 else f"▼ {-places:.0f}"


def _interval(low: float, high: float) -> str:
    if not np.isfinite(low):
        return formats.NOT_KNOWN
    return f"{low:,.1f} to {f'{high:,.1f}' if np.isfinite(high) else '∞'}"


def _level(value: float, decimals: int) -> str:
    return "never" if np.isposinf(value) else formats.number(value, decimals)


def _volume(value: float) -> str:
    return formats.number(value, 0 if value >= 100 else 2)


_FORMATS: Final[dict[str, Callable[[float], str]]] = {
    "move": _move,
    "pvalue": formats.pvalue,
    "pvalue_wild": formats.pvalue,
    "qvalue": formats.pvalue,
    "pvalue_bonferroni": formats.pvalue,
    "holdout_pvalue": formats.pvalue,
    "zscore": formats.zscore,
    "pays_from": lambda value: _level(value, 1),
    "entry_level": lambda value: _level(value, 2),
    "return_a_year": formats.percent,
    "return_in_bars": lambda value: formats.percent(value, 2),
    "half_life": lambda value: formats.number(value, 1),
    "correlation": formats.statistic,
    "beta": formats.estimate,
    "beta_swapped": formats.estimate,
    "share_traded": formats.percent,
    "liquidity": _volume,
    "bars": lambda value: formats.number(value, 0),
}
