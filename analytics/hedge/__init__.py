"""Hedge ratios: how much of S2 (x) stands against one S1 (y)."""

from analytics.hedge.fit import HedgeFit, Legs
from analytics.hedge.least_squares import line_on_sums, ols_on_sums
from analytics.hedge.methods import (
    CAUSAL_HEDGES,
    FILTERS,
    HEDGE_METHODS,
    HEDGE_WORDS,
    bars_before_path,
    fit_hedge,
)
from analytics.hedge.paths import lines_of_windows

__all__ = [
    "CAUSAL_HEDGES",
    "FILTERS",
    "HEDGE_METHODS",
    "HEDGE_WORDS",
    "HedgeFit",
    "Legs",
    "bars_before_path",
    "fit_hedge",
    "line_on_sums",
    "lines_of_windows",
    "ols_on_sums",
]
