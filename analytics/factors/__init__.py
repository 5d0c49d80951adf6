"""Common factors of many symbols, and what is left of each without them."""

from analytics.factors.common_returns import LEAST_SYMBOLS
from analytics.factors.path import score_paths
from analytics.factors.reversion import CLOSE_PURCHASE_AT, CLOSE_SALE_AT, OPEN_AT
from analytics.factors.scores import LEAST_WINDOW, FactorScores, factor_scores
from analytics.factors.white_residual import WhiteShares

__all__ = [
    "CLOSE_PURCHASE_AT",
    "CLOSE_SALE_AT",
    "LEAST_SYMBOLS",
    "LEAST_WINDOW",
    "OPEN_AT",
    "FactorScores",
    "WhiteShares",
    "factor_scores",
    "score_paths",
]
