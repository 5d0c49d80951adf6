"""What a basket says at its latest closed bar: the figures of the last row of an analysis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analytics.baskets.analysis import basket_correlation, basket_signal, gate_input
from analytics.baskets.judge import BasketHalfLife
from analytics.baskets.legs import align_all, closed_legs, log_closes
from analytics.baskets.params import BasketParams
from analytics.baskets.spread import basket_spread
from analytics.baskets.verdict import judge_sample
from analytics.baskets.weights import BasketFit, fit_basket
from analytics.errors import NotEnoughDataError
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import (
    PairReading,
    PairTestsReading,
    gate_codes,
    gate_names,
    with_latest_test,
)
from analytics.stationarity import SpreadTest


@dataclass(frozen=True, slots=True)
class BasketReading:
    """A basket at one closed bar; figures as `analyse_basket` over the range that ends there.

    Attributes
    ----------
    reading
        As a pair's. Closes, ratio and intercept are NaN: a basket has as many as it has legs.
        `y_coverage` is that of the first symbol, `x_coverage` the worst of the others.
    weights
        Of each symbol, the first 1; NaN without a fit.
    closes
        Of each symbol, quote currency; NaN where missing.
    """

    reading: PairReading
    weights: tuple[float, ...]
    closes: tuple[float, ...]


def read_basket(bars: Sequence[pd.DataFrame | Leg], params: BasketParams) -> BasketReading:
    """Read a basket at its latest closed bar.

    Parameters
    ----------
    bars, params
        As `analyse_basket` takes them.

    Returns
    -------
    BasketReading
        As the last row of ``analyse_basket(bars, params)`` has it, to the bit.

    Raises
    ------
    NotEnoughDataError
        No closed bar of all legs.
    ParameterError, FrameError, NonPositivePriceError
        As `analyse_basket`.

    Notes
    -----
    The weights are fitted to all bars of the sample at each reading, as the analysis does, so its
    cost grows with the range and the square of the symbols; what no signal stands on (tests, draws,
    statistics, notes, the gates' tests of earlier windows) is left out.
    """
    closed = closed_legs(bars, params)
    legs = align_all(closed, params.reach)
    if not len(legs[0]):
        raise NotEnoughDataError(f"a reading of {params.label}", 1, 0)
    logs = log_closes(legs, params.symbols)
    fit = attempt(lambda: fit_basket(params.sampled(logs), params.method))
    made = basket_spread(logs, fit, params)
    z = made.moments.zscore(made.rounding)
    given = gate_input(made, logs, legs, closed, params)
    codes, why = gate_codes(with_latest_test(given, params.gates), params.gates)
    now = basket_signal(made, z, fit, params, logs, why)
    reading = PairReading(
        time_us=legs[0].end_us,
        y=math.nan,
        x=math.nan,
        beta=math.nan,
        alpha=math.nan,
        beta_stderr=math.nan,
        spread=float(made.path.iloc[-1]),
        mean=float(made.moments.mean.iloc[-1]),
        std=float(made.moments.std.iloc[-1]),
        zscore=float(z.iloc[-1]),
        correlation=float(basket_correlation(legs, logs, fit, params).iloc[-1]),
        signal=now.signal,
        reason=now.reason,
        gate=str(gate_names(codes[-1:], z.index[-1:]).iloc[0]),
        y_coverage=int(legs[0].coverage[-1]),
        x_coverage=max(int(leg.coverage[-1]) for leg in legs[1:]),
    )
    return BasketReading(
        reading, _weights(fit, params), tuple(float(leg.close[-1]) for leg in legs)
    )


def _weights(fit: BasketFit | NotEnough | Degenerate, params: BasketParams) -> tuple[float, ...]:
    if isinstance(fit, BasketFit):
        return tuple(fit.weights.tolist())
    return (math.nan,) * len(params.symbols)


def read_basket_tests(bars: Sequence[pd.DataFrame | Leg], params: BasketParams) -> PairTestsReading:
    """Test a basket over the sample that ends with its latest closed bar.

    Parameters
    ----------
    bars, params
        As `analyse_basket` takes them.

    Returns
    -------
    PairTestsReading
        p-value and name of ``analyse_basket(bars, params).test``, and its half-life: the same
        numbers, the draws with them.

    Raises
    ------
    NotEnoughDataError
        No closed bar of all legs.
    ParameterError, FrameError, NonPositivePriceError
        As `analyse_basket`.

    Notes
    -----
    Of up to 5,000 bars it draws baskets: 0.3 s at 1,800 bars of 3 symbols, 0.9 s of 8.
    """
    legs = align_all(closed_legs(bars, params), params.reach)
    if not len(legs[0]):
        raise NotEnoughDataError(f"the tests of {params.label}", 1, 0)
    sample = params.sampled(log_closes(legs, params.symbols))
    fit = attempt(lambda: fit_basket(sample, params.method))
    verdict = judge_sample(sample, fit, params.method)
    test = verdict.test
    return PairTestsReading(
        time_us=legs[0].end_us,
        pvalue=test.pvalue if isinstance(test, SpreadTest) else math.nan,
        test=test.name if isinstance(test, SpreadTest) else "",
        half_life=_half_life(verdict.half_life),
        returns=isinstance(test, SpreadTest) and test.pvalue < params.level,
    )


def _half_life(found: BasketHalfLife | NotEnough | Degenerate) -> float:
    if not isinstance(found, BasketHalfLife):
        return math.nan
    return found.half_life if found.mean_reverting else math.inf
