"""The spread of a basket, made as a pair's: ln S1 less what the others' weights make against it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analytics.baskets.params import BasketParams
from analytics.baskets.weights import BasketFit
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import SPREAD_ROUNDING, PairSpread, make_spread


def basket_spread(
    logs: pd.DataFrame, fit: BasketFit | NotEnough | Degenerate, params: BasketParams
) -> PairSpread:
    """Combine log closes by fitted weights; NaN where a leg is missing, everywhere without a fit.

    Parameters
    ----------
    logs : DataFrame, shape (n, k)
        Log closes, a column a symbol.
    fit
        The weights, or why there are none.
    params : BasketParams

    Returns
    -------
    PairSpread
        Its `y` is ln S1, its `x` minus the weighted logs of the others (and the intercept), its
        `path` the difference, with the moments that every z-score is measured by.
    """
    values, intercept = logs.to_numpy(), 0.0
    weights = np.full(values.shape[1], np.nan)
    if isinstance(fit, BasketFit):
        weights, intercept = fit.weights, fit.intercept
    others = intercept - values[:, 1:] @ weights[1:]
    y = logs.iloc[:, 0]
    x = pd.Series(others, index=logs.index, name=params.others)
    made = make_spread(y, x, params.as_pair)
    size = np.abs(values) @ np.abs(np.r_[1.0, weights[1:]]) + abs(intercept)
    return replace(made, rounding=SPREAD_ROUNDING * size)
