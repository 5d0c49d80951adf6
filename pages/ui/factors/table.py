"""The tables of the Factors page: a row a symbol, and the factors' largest weights."""

from typing import Final

import pandas as pd

from analytics.factors import OPEN_AT, FactorScores
from pages.ui.factors.words import LEVEL, NO_RETURN
from pages.ui.parts import formats, markup
from pages.ui.parts.markup import Cell, Html

MOST_ROWS: Final = 200
HEAD: Final = (
    "Symbol", "s-score", "Beyond ±1.25", "Return", "p", "q", "Half-life (bars)", "95 % interval",
    "β factor 1", "R²", "s with drift", "Filter",
)  # fmt: skip
WEIGHTS_SHOWN: Final = 30


def symbols_table(scores: FactorScores) -> Html:
    """List the symbols, those farthest from their level first."""
    rows = [_row(row) for _, row in scores.table.head(MOST_ROWS).iterrows()]
    return markup.table("Symbols by the size of their s-score", HEAD, rows)


def _row(row: pd.Series) -> list[str | Cell]:
    shown = float(row["qvalue"]) < LEVEL
    score = float(row["s_score"])
    return [
        str(row["symbol"]), formats.zscore(score), _mark(score, shown=shown),
        _shown(row, shown=shown), formats.pvalue(float(row["pvalue"])),
        formats.pvalue(float(row["qvalue"])), half_life(float(row["half_life"])),
        _interval(float(row["half_life_low"]), float(row["half_life_high"])),
        formats.estimate(float(row["beta_1"])), formats.statistic(float(row["r_squared"])),
        formats.zscore(float(row["s_drift"])), "passes" if row["passes"] else "–",
    ]  # fmt: skip


def _mark(score: float, *, shown: bool) -> str | Cell:
    """Mark a score beyond the paper's threshold; in colour only where a return is shown."""
    if not abs(score) > OPEN_AT:
        return "–"
    words = "▼ above" if score > 0 else "▲ below"
    return Cell(words, ("sell" if score > 0 else "buy") if shown else "muted")


def _shown(row: pd.Series, *, shown: bool) -> Cell:
    if row["reason"]:
        return Cell(str(row["reason"]), "muted", words=True)
    return Cell("✓ shown", "good") if shown else Cell("not shown", "muted")


def half_life(bars: float) -> str:
    """Format a half-life; infinite where no return is more likely than one."""
    if bars == float("inf"):
        return NO_RETURN
    return "< 1" if bars < 1 else formats.number(bars, 1)


def _interval(low: float, high: float) -> str:
    ends = [("∞" if end == float("inf") else formats.number(end, 1)) for end in (low, high)]
    return "∞" if ends == ["∞", "∞"] else f"{ends[0]} to {ends[1]}"


def weights_table(scores: FactorScores) -> Html:
    """List the largest weights of the factors taken out, in % of the money in each."""
    weights = pd.DataFrame(scores.weights, index=list(scores.names))
    order = weights[0].abs().sort_values(ascending=False, kind="stable").index[:WEIGHTS_SHOWN]
    head = ("Symbol", *(f"Factor {n}" for n in range(1, scores.factors + 1)))
    rows = [
        [str(name), *(formats.percent(float(weight), 1) for weight in weights.loc[name])]
        for name in order
    ]
    return markup.table("Weights of the factors", head, rows)
