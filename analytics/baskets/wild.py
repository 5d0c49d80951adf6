"""A basket's test with the volatility of its own bars in place of the tables.

The tables are those of shocks of one size. Where volatility comes in clusters or steps, unrelated
legs reach them too often. Here the null is drawn from the basket: the change of each bar keeps its
size in all legs and takes a new sign common to them, the weights are searched for anew, and the
statistic of the basket is counted among those.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.baskets.judge import basket_adf, basket_test
from analytics.baskets.params import BasketMethod
from analytics.baskets.weights import Direction, find_direction, fit_basket
from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray
from analytics.outcome import attempt
from analytics.stationarity import (
    LEAST_DRAWS,
    ADFResult,
    SpreadTest,
    WildDraws,
    adf_test,
    counted_pvalue,
)

_LEVELS: Final = (1, 5, 10)
# A draw of so many bars takes some 2 ms.
_MOST_BARS: Final = 5_000


def default_draws(bars: int) -> int:
    """Draws that a page can wait for, of so many bars; 0 of too many."""
    return LEAST_DRAWS if bars <= _MOST_BARS else 0


def wild_basket_test(
    logs: pd.DataFrame, method: BasketMethod = "johansen", draws: int = LEAST_DRAWS
) -> SpreadTest:
    """Test a basket as `basket_test` does, allowing for volatility that comes and goes.

    Parameters
    ----------
    logs : DataFrame, shape (n, k)
        Log prices of the bars that the weights stand on, a column a symbol, NaN missing:
        `BasketAnalytics.sample`.
    method
        How the weights are found, in the sample and in each draw.
    draws : int
        Baskets drawn, the same ones each time; the smallest p-value is 1 in draws + 1.

    Returns
    -------
    SpreadTest
        The statistic of `basket_test`; p-value and critical values of the draws.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        As `fit_basket`; DegenerateSeriesError too where most draws have no answer.

    References
    ----------
    Cavaliere, Rahbek & Taylor (2010), Econometric Theory 26, 1719-1760, (2014), Econometric Reviews
    33, 606-650: one weight of 1 or -1 a bar for all legs, under the null.
    """
    plain = _test_of(logs, method)
    # Of the trace large values speak against the null, of the other statistics small ones.
    side = -1.0 if method == "johansen" else 1.0
    drawn = side * np.array([_stat(each, method) for each in _null_baskets(logs.to_numpy(), draws)])
    pvalue = counted_pvalue(side * plain.stat, drawn)
    if np.isnan(pvalue):
        what = f"the wild bootstrap of {'+'.join(map(str, logs.columns))}"
        raise DegenerateSeriesError(what, "most draws have no answer")
    quantiles = {f"{level}%": side * float(np.nanquantile(drawn, level / 100)) for level in _LEVELS}
    return replace(
        plain,
        name=f"{plain.name}, wild bootstrap",
        pvalue=pvalue,
        critical_values=quantiles,
        if_rejected=f"{plain.if_rejected}, volatility allowed for",
        if_not=f"{plain.if_not}, once volatility is allowed for",
        reference=f"{plain.reference.partition(';')[0]}; Cavaliere, Rahbek & Taylor (2010, 2014)",
    )


def _test_of(logs: pd.DataFrame, method: BasketMethod) -> SpreadTest:
    fit = fit_basket(logs, method)
    return basket_test(basket_adf(fit.spread(logs), fit), fit)


def _stat(values: FloatArray, method: BasketMethod) -> float:
    """Statistic of `basket_test`; NaN for a draw without an answer."""
    found = attempt(lambda: find_direction(values, method, "a draw"))
    if not isinstance(found, Direction):
        return float("nan")
    if method == "johansen":
        return found.stat
    adf = attempt(lambda: adf_test(values @ found.vector))
    return adf.stat if isinstance(adf, ADFResult) else float("nan")


def _null_baskets(values: FloatArray, draws: int) -> Iterator[FloatArray]:
    """Draw baskets without a relation, with the holes of the one given."""
    known = ~np.isnan(values.sum(axis=1))
    changes = np.diff(values[known], axis=0, prepend=values[known][:1])
    for signs in WildDraws.exactly(draws, len(changes)).signs:
        drawn = np.full(values.shape, np.nan)
        drawn[known] = (changes * signs[:, np.newaxis]).cumsum(axis=0)
        yield drawn
