"""The scan's table as the page shows it: columns, their words, formats, filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui import formats

MOST_ROWS: Final = 200

VERDICT_SIGNS: Final = {
    "holds": "✓ holds",
    "shifted": "~ shifted",
    "unproven": "· unproven",
    "broke": "✕ broke",
    "": formats.NOT_KNOWN,
}
# Column of the scan, its heading, what it means.
_COLUMNS: Final = (
    ("move", "Move", "Places up or down since the bar before."),
    ("y", "S1", "The dependent leg: S1 is regressed on S2. The ordering with the smaller p."),
    ("x", "S2", "The other leg."),
    ("spread", "Spread", "S1 − (α + β·S2) over the sample, the held-out part included."),
    ("pvalue", "p", "Engle-Granger, the smaller of both orderings, times two: both are tried."),
    ("qvalue", "q", ("Benjamini-Hochberg over all pairs tried: among pairs below 5 %, at most 5 % "
     "are expected to be false.")),
    ("pvalue_bonferroni", "Bonferroni", "p times the number of pairs tried."),
    ("verdict", "Held-out part", ("Whether the spread, with β from the first part, still comes "
     "back in the part that was held out.")),
    ("holdout_pvalue", "Held-out p", ("ADF of the held-out spread. β was given, so the plain "
     "Dickey-Fuller values apply.")),
    ("zscore", "z now", "Of the spread at the last closed bar, over the window."),
    ("half_life", "Half-life (bars)", "Bars until half of a deviation is gone."),
    ("interval", "95 % interval", "Of the half-life; open where the spread may not return."),
    ("correlation", "Correlation", "Of log returns from bar to bar."),
    ("beta", "β S1 on S2", "Slope of S1 on S2."),
    ("beta_swapped", "β S2 on S1", "Slope of S2 on S1."),
    ("share_traded", "Both traded", "Share of bars in which both legs traded."),
    ("liquidity", "Volume a bar", "Mean quote volume a bar of the thinner leg."),
    ("bars", "n (bars)", "Bars that both legs know, in the first part."),
    ("reason", "Remark", "Why a pair has no p-value, or is not to be trusted."),
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which rows to show."""

    symbol: str | None
    highest_pvalue: float
    least_correlation: float
    longest_half_life: float
    least_traded: float
    held: bool


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
    if wanted.held:
        keep &= table["verdict"] == "holds"
    return table[keep]


def shown_table(rows: pd.DataFrame, moves: Mapping[frozenset[str], int]) -> Styler:
    """Lay the rows out as they are read; sorting still goes by the numbers beneath."""
    view = rows.head(MOST_ROWS).reset_index(drop=True)
    legs = zip(view["y"], view["x"], strict=True)
    view = view.assign(
        move=[_move(moves.get(frozenset(pair), 0)) for pair in legs],
        verdict=view["verdict"].map(VERDICT_SIGNS),
        interval=[
            _interval(low, high)
            for low, high in zip(view["half_life_low"], view["half_life_high"], strict=True)
        ],
    )
    if "spread" not in view:
        view["spread"] = [[] for _ in range(len(view))]
    view = view[[name for name, _, _ in _COLUMNS if not _is_empty(view, name)]]
    return view.style.format({key: each for key, each in _FORMATS.items() if key in view.columns})


def _is_empty(view: pd.DataFrame, name: str) -> bool:
    """Whether a column says nothing in any row, where it may be left out."""
    if name in {"move", "reason"}:
        return bool((view[name] == "").all())
    return name in {"share_traded", "liquidity"} and bool(view[name].isna().all())


def _move(places: int) -> str:
    if places == 0:
        return ""
    return f"▲ {places}" if places > 0 else f"▼ {-places}"


def _interval(low: float, high: float) -> str:
    if not np.isfinite(low):
        return formats.NOT_KNOWN
    return f"{low:,.1f} to {f'{high:,.1f}' if np.isfinite(high) else '∞'}"


def _volume(value: float) -> str:
    return formats.number(value, 0 if value >= 100 else 2)


_FORMATS: Final[dict[str, Any]] = {
    "pvalue": formats.pvalue,
    "qvalue": formats.pvalue,
    "pvalue_bonferroni": formats.pvalue,
    "holdout_pvalue": formats.pvalue,
    "zscore": formats.zscore,
    "half_life": lambda value: formats.number(value, 1),
    "correlation": formats.statistic,
    "beta": formats.estimate,
    "beta_swapped": formats.estimate,
    "share_traded": formats.percent,
    "liquidity": _volume,
    "bars": lambda value: formats.number(value, 0),
}


def column_config() -> dict[str, Any]:
    """Name and explain the columns."""
    config: dict[str, Any] = {}
    for name, label, tip in _COLUMNS:
        if name == "spread":
            config[name] = st.column_config.LineChartColumn(label, help=tip, width="small")
        elif name in {"y", "x"}:
            config[name] = st.column_config.TextColumn(label, help=tip, pinned=True)
        elif name in _FORMATS:
            config[name] = st.column_config.NumberColumn(label, help=tip)
        else:
            config[name] = st.column_config.TextColumn(label, help=tip)
    return config
