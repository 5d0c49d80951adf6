"""How often unrelated walks look as good: p-values of weights fitted to the very bars tested.

Every method picks, of all combinations, one that looks like a return. Read by the tables for a
spread whose weights were given, unrelated walks pass in most samples; the tables here are those of
the same search on walks of as many bars and symbols.
"""

from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from analytics.baskets.null_table import ADF, LEVELS, MINUS_TRACE, SIZES
from analytics.baskets.params import LEAST_SYMBOLS, METHODS, BasketMethod
from analytics.frames import FloatArray

_SCORES: Final[FloatArray] = ndtri(LEVELS)
CRITICAL_LEVELS: Final = (1, 5, 10)


def adf_quantiles(method: BasketMethod, symbols: int, bars: int) -> FloatArray:
    """Quantiles at `LEVELS` of a fitted basket's ADF statistic (lags by AIC), on unrelated walks.

    Of weights found by this method, of so many symbols on so many bars: below 50 as of 50.
    """
    return _at_size(ADF[METHODS.index(method), symbols - LEAST_SYMBOLS], bars)


def minus_trace_quantiles(symbols: int, bars: int) -> FloatArray:
    """Quantiles at `LEVELS` of Johansen's trace statistic times -1, one lagged change, no drift."""
    return _at_size(MINUS_TRACE[symbols - LEAST_SYMBOLS], bars)


def lower_pvalue(stat: float, quantiles: FloatArray) -> float:
    """Share of the walks below a statistic: between quantiles on a line of normal scores."""
    if np.isnan(stat):
        return float("nan")
    end = slice(0, 2) if stat < quantiles[0] else slice(-2, None)
    if quantiles[0] <= stat <= quantiles[-1]:
        return float(ndtr(np.interp(stat, quantiles, _SCORES)))
    slope = float(np.diff(_SCORES[end])[0] / np.diff(quantiles[end])[0])
    return float(ndtr(_SCORES[end][0] + slope * (stat - quantiles[end][0])))


def critical_of(quantiles: FloatArray) -> dict[str, float]:
    """Critical values at 1, 5 and 10 %."""
    return {
        f"{level}%": float(np.interp(ndtri(level / 100), _SCORES, quantiles))
        for level in CRITICAL_LEVELS
    }


def _at_size(table: FloatArray, bars: int) -> FloatArray:
    """Rows of a table, shape (sizes, levels), at so many bars: on a line of 1 / bars."""
    place = np.interp(1.0 / max(bars, 1), 1.0 / SIZES[::-1], np.arange(SIZES.size)[::-1])
    below = min(int(place), SIZES.size - 2)
    share = float(place) - below
    quantiles: FloatArray = (1.0 - share) * table[below] + share * table[below + 1]
    return quantiles
