"""What is said of a basket's spread: each test with the distribution of the search for weights."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analytics.baskets.memory_table import SIZES, T_QUANTILES
from analytics.baskets.null import (
    adf_quantiles,
    critical_of,
    lower_pvalue,
    minus_trace_quantiles,
)
from analytics.baskets.params import LEAST_SYMBOLS, METHODS, BasketMethod
from analytics.baskets.weights import BasketFit
from analytics.stationarity import (
    ADFResult,
    HalfLife,
    SpreadTest,
    adf_test,
    half_life,
    invert_quantiles,
    with_far_nodes,
)

_MEMORY: Final = with_far_nodes(T_QUANTILES)
_NULL: Final = "unrelated walks: no combination of the symbols returns"
_REJECTED: Final = "mean-reverting, the search for weights allowed for"
_NOT_REJECTED: Final = "no more of a return than unrelated walks show after the same search"


@dataclass(frozen=True, slots=True)
class BasketHalfLife(HalfLife):
    """Half-life of a spread whose weights a method chose from so many symbols on the same bars.

    The choice leaves the spread less memory than it had, which the interval allows for. The p-value
    is that of the basket's test: noise of single bars would make the half-life's own far too small.
    """

    method: BasketMethod = "johansen"
    symbols: int = LEAST_SYMBOLS

    def _unbiased(self) -> tuple[float, float, float]:
        estimate = np.array([self.theta]), np.array([self.theta_stderr]), np.array([self.bars])
        table = _MEMORY[METHODS.index(self.method), self.symbols - LEAST_SYMBOLS]
        slow, middle, fast = invert_quantiles(*estimate, table, SIZES)[:, 0].tolist()
        return _halving(slow), _halving(middle), _halving(fast)


def _halving(theta: float) -> float:
    return float(np.log(2) / -theta) if theta < 0 else float("nan")


def basket_adf(spread: pd.Series, fit: BasketFit) -> ADFResult:
    """Augmented Dickey-Fuller test of a basket's spread over the bars that its weights stand on.

    Lags by AIC. The p-value and critical values are those of the same search on unrelated walks;
    `plain_pvalue` is what the test would say had the weights been given.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        As `adf_test`.
    """
    plain = adf_test(spread)
    table = adf_quantiles(fit.method, len(fit.symbols), int(spread.notna().sum()))
    return replace(
        plain,
        pvalue=lower_pvalue(plain.stat, table),
        critical_values=critical_of(table),
        plain_pvalue=plain.pvalue,
        null_hypothesis=_NULL,
        reference="Dickey & Fuller (1979); p-values of the same search on unrelated walks",
    )


def basket_half_life(spread: pd.Series, fit: BasketFit, pvalue: float) -> BasketHalfLife:
    """Half-life of a basket's spread over the bars that its weights stand on.

    `pvalue` is that of the test which the basket is judged by.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        As `analytics.stationarity.half_life`.
    """
    plain = half_life(spread)
    return BasketHalfLife(
        half_life=plain.half_life,
        theta=plain.theta,
        theta_stderr=plain.theta_stderr,
        mean_reverting=plain.mean_reverting,
        stat=plain.stat,
        pvalue=pvalue,
        critical_values={},
        nobs=plain.nobs,
        bars=plain.bars,
        on_estimated_line=True,
        reference=f"{plain.reference}; the same search on simulated baskets",
        method=fit.method,
        symbols=len(fit.symbols),
    )


def basket_test(adf: ADFResult, fit: BasketFit) -> SpreadTest:
    """The one p-value that a basket is judged by.

    Of Johansen's vector the trace test of no relation among the symbols; of weights *chosen* to
    look mean-reverting the augmented Dickey-Fuller test of the spread, against the same choice on
    unrelated walks.
    """
    return _trace_test(fit) if fit.method == "johansen" else _search_test(adf, fit)


def _trace_test(fit: BasketFit) -> SpreadTest:
    symbols = len(fit.symbols)
    table = minus_trace_quantiles(symbols, fit.nobs + 2)
    return SpreadTest(
        name="Johansen trace",
        stat=fit.stat,
        pvalue=lower_pvalue(-fit.stat, table),
        critical_values={level: -value for level, value in critical_of(table).items()},
        lags=1,
        nobs=fit.nobs,
        left_out=fit.dropped,
        null_hypothesis=f"no cointegrating relation among the {symbols} symbols",
        if_rejected="cointegrated: some combination returns",
        if_not="no evidence that any combination returns",
        reference=f"{fit.reference}; distribution of {symbols} walks without drift, simulated",
    )


def _search_test(adf: ADFResult, fit: BasketFit) -> SpreadTest:
    return SpreadTest(
        name="ADF of the chosen combination",
        stat=adf.stat,
        pvalue=adf.pvalue,
        critical_values=adf.critical_values,
        lags=adf.lags,
        nobs=adf.nobs,
        left_out=fit.dropped,
        null_hypothesis=_NULL,
        if_rejected=_REJECTED,
        if_not=_NOT_REJECTED,
        reference=f"{fit.reference}; the same search on unrelated walks, simulated",
    )
