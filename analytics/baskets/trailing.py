"""A basket tested over many spans: weights fitted anew to the bars of each, as the gates ask."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from analytics.baskets.judge import basket_adf, basket_test
from analytics.baskets.params import BasketMethod
from analytics.baskets.weights import fit_basket
from analytics.frames import FloatArray, IntArray
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.stationarity import half_life


@dataclass(frozen=True, slots=True, eq=False)
class BasketTrailing:
    """The tests of a basket's gates; see `analytics.pair.closed_gates.TrailingTests`."""

    logs: pd.DataFrame
    method: BasketMethod
    name: str = field(default="refitted basket", init=False)

    def pvalues(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """p-value of each span, by the test that the basket is judged by."""
        return self._each(starts, stops, self._pvalue)

    def half_lives(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """Half-life of each span's own spread, bars."""
        return self._each(starts, stops, self._half_life)

    def _each(
        self, starts: IntArray, stops: IntArray, compute: Callable[[pd.DataFrame], float]
    ) -> FloatArray:
        spans = (self.logs.iloc[start:stop] for start, stop in zip(starts, stops, strict=True))
        return np.array(list(_known(attempt(partial(compute, logs)) for logs in spans)))

    def _pvalue(self, logs: pd.DataFrame) -> float:
        fit = fit_basket(logs, self.method)
        return basket_test(basket_adf(fit.spread(logs), fit), fit).pvalue

    def _half_life(self, logs: pd.DataFrame) -> float:
        fit = fit_basket(logs, self.method)
        return half_life(fit.spread(logs)).half_life


def _known(found: Iterable[float | NotEnough | Degenerate]) -> Iterator[float]:
    for each in found:
        yield np.nan if isinstance(each, NotEnough | Degenerate) else each
