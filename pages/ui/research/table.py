"""The results as a table: columns, their words and formats, filters, and the whole as CSV."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pages.ui.parts import formats, markup
from pages.ui.parts.markup import Cell, Html

MOST_ROWS: Final = 100
VERDICT_SIGNS: Final = {
    "holds": "✓ holds", "unproven": "· unproven", "lost": "✕ lost", "": formats.NOT_KNOWN,
}  # fmt: skip

_FORMATS: Final[dict[str, Callable[[float], str]]] = {
    "window": lambda value: formats.number(value, 0),
    "entry": lambda value: formats.number(value, 2),
    "chosen_share": formats.percent,
    "trades": lambda value: formats.number(value, 0),
    "net": lambda value: formats.percent(value, 1),
    "costs": lambda value: formats.percent(value, 1),
    "sharpe": lambda value: formats.number(value, 2),
    "drawdown": lambda value: formats.percent(value, 1),
    "pvalue": formats.pvalue,
    "qvalue": formats.pvalue,
    "held_net": lambda value: formats.percent(value, 1),
    "held_pvalue": formats.pvalue,
    "pvalue_null": formats.pvalue,
    "deflated": formats.percent,
    "effective_settings": lambda value: formats.number(value, 1),
}
_COLUMNS: Final = (
    ("window", "Window"), ("entry", "Entry"), ("chosen_share", "Chosen in"), ("trades", "Trades"),
    ("net", "Net"), ("costs", "Costs"), ("sharpe", "Sharpe a year"), ("drawdown", "Drawdown"),
    ("pvalue", "p"), ("qvalue", "q"), ("held_net", "Held-out net"), ("held_pvalue", "Held-out p"),
    ("pvalue_null", "p, unrelated legs"), ("deflated", "Deflated"),
    ("effective_settings", "Settings that count"),
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which rows to show."""

    symbol: str | None = None
    paid_only: bool = False
    holds_only: bool = False
    least_trades: int = 0


def filtered(table: pd.DataFrame, wanted: Filters) -> pd.DataFrame:
    """Keep the rows that the filters admit."""
    keep = pd.Series(data=True, index=table.index)
    if wanted.symbol is not None:
        keep &= (table["y"] == wanted.symbol) | (table["x"] == wanted.symbol)
    if wanted.paid_only:
        keep &= table["net"] > 0
    if wanted.holds_only:
        keep &= table["verdict"] == "holds"
    if wanted.least_trades:
        keep &= table["trades"] >= wanted.least_trades
    return table[keep]


def results_table(rows: pd.DataFrame) -> Html:
    """Lay the best rows out."""
    view = rows.head(MOST_ROWS)
    has_months = bool((view["months"] > 0).any())
    has_reasons = bool((view["reason"] != "").any())
    head: list[str | Cell] = ["Pair", *(label for _, label in _COLUMNS), "Held out"]
    head += ["Months below the level"] if has_months else []
    head += [Cell("Remark", words=True)] if has_reasons else []
    lines = []
    for row in view.to_dict("records"):
        cells: list[str | Cell] = [f"{row['y']} / {row['x']}"]
        cells += [_FORMATS[name](float(row[name])) for name, _ in _COLUMNS]
        cells.append(VERDICT_SIGNS.get(str(row["verdict"]), formats.NOT_KNOWN))
        if has_months:
            cells.append(f"{row['months_found']:.0f} of {row['months']:.0f}")
        if has_reasons:
            cells.append(Cell(str(row["reason"]), words=True))
        lines.append(cells)
    return markup.table(f"{formats.count(len(view), 'pair')}, the smallest q first", head, lines)
