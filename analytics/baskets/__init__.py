"""Baskets of three to eight symbols: weights, the spread they make, and what it is worth."""

from analytics.baskets.analysis import BasketAnalytics, analyse_basket
from analytics.baskets.backtest import LEAST_TRAIN, BasketBacktest, backtest_basket
from analytics.baskets.judge import BasketHalfLife
from analytics.baskets.latest import BasketReading, read_basket, read_basket_tests
from analytics.baskets.legs import BasketCoverage
from analytics.baskets.lots import BasketSize, basket_lots
from analytics.baskets.params import (
    LEAST_SYMBOLS,
    METHOD_TITLES,
    METHODS,
    MOST_SYMBOLS,
    BasketMethod,
    BasketParams,
    check_method,
)
from analytics.baskets.weights import BasketFit, fit_basket
from analytics.baskets.wild import wild_basket_test

__all__ = [
    "LEAST_SYMBOLS",
    "LEAST_TRAIN",
    "METHODS",
    "METHOD_TITLES",
    "MOST_SYMBOLS",
    "BasketAnalytics",
    "BasketBacktest",
    "BasketCoverage",
    "BasketFit",
    "BasketHalfLife",
    "BasketMethod",
    "BasketParams",
    "BasketReading",
    "BasketSize",
    "analyse_basket",
    "backtest_basket",
    "basket_lots",
    "check_method",
    "fit_basket",
    "read_basket",
    "read_basket_tests",
    "wild_basket_test",
]
