"""A basket tested over many spans: weights fitted anew to the bars of each, as the gates ask."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analytics.baskets.judge import basket_adf, basket_test
from analytics.baskets.params import BasketMethod
from analytics.baskets.weights import BasketFit, fit_basket
from analytics.frames import FloatArray, IntArray
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.stationarity import half_life

Lack = NotEnough | Degenerate


@dataclass(frozen=True, slots=True, eq=False)
class BasketTrailing:
    """The tests of a basket's gates; see `analytics.pair.closed_gates.TrailingTests`.

    Each span is fitted once, for both tests.
    """

    logs: pd.DataFrame
    method: BasketMethod
    name: str = field(default="refitted basket", init=False)
    _fits: dict[tuple[int, int], BasketFit | Lack] = field(default_factory=dict, init=False)

    def pvalues(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """p-value of each span, by the test that the basket is judged by; NaN where it has none."""
        return self._each(starts, stops, _pvalue)

    def half_lives(self, starts: IntArray, stops: IntArray) -> FloatArray:
        """Half-life of each span's own spread, bars; NaN where there is no fit or no return."""
        return self._each(starts, stops, _half_life)

    def _each(
        self,
        starts: IntArray,
        stops: IntArray,
        compute: Callable[[pd.DataFrame, BasketFit], float],
    ) -> FloatArray:
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        return np.array([self._value(start, stop, compute) for start, stop in spans])

    def _value(
        self, start: int, stop: int, compute: Callable[[pd.DataFrame, BasketFit], float]
    ) -> float:
        logs = self.logs.iloc[start:stop]
        if (start, stop) not in self._fits:
            self._fits[start, stop] = attempt(lambda: fit_basket(logs, self.method))
        fit = self._fits[start, stop]
        if not isinstance(fit, BasketFit):
            return float("nan")
        value = attempt(lambda: compute(logs, fit))
        return float("nan") if isinstance(value, Lack) else value


def _pvalue(logs: pd.DataFrame, fit: BasketFit) -> float:
    return basket_test(basket_adf(fit.spread(logs), fit), fit).pvalue


def _half_life(logs: pd.DataFrame, fit: BasketFit) -> float:
    return half_life(fit.spread(logs)).half_life
