"""What the evidence page stands on: bars taken once, and every result computed once for them."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import streamlit as st

from analytics.evidence.asynchrony import Asynchrony, LeadLag, asynchrony, lead_lag
from analytics.evidence.error_correction import ErrorCorrection, error_correction
from analytics.evidence.momentum import MomentumTest, momentum_test
from analytics.evidence.regime_shift import SHIFTS, ShiftTest, shift_test
from analytics.evidence.stability import Stability, stability
from analytics.frames import closed_bars
from analytics.hedge import CAUSAL_HEDGES, HEDGE_METHODS, HedgeFit, fit_hedge
from analytics.leg import Leg, align_legs
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import (
    DATA_GATES,
    NO_GATES,
    PairAnalytics,
    PairParams,
    fitted_legs,
    judged,
)
from analytics.series import longest_run
from analytics.stationarity import (
    HalfLife,
    JohansenResult,
    SpreadTest,
    half_life,
    hurst_exponent,
    johansen_test,
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
    wild_bootstrap_test,
    without_drift,
)
from pages.ui.desk import pair_data
from pages.ui.desk.material import TICKS_S, Material, TicksBetween
from pages.ui.desk.method_controls import GATE_SWITCHES

Lack = NotEnough | Degenerate


@dataclass(frozen=True, eq=False)
class SpreadTests:
    """The tests beside those of the live page.

    `drawn` is the half-life of the spread as drawn, where its β follows the bars; else None.
    """

    kpss: SpreadTest | Lack
    phillips_perron: SpreadTest | Lack
    variance_ratio: SpreadTest | Lack
    hurst: SpreadTest | Lack
    phillips_ouliaris: SpreadTest | Lack
    johansen: JohansenResult | Lack
    wild_bootstrap: SpreadTest | Lack
    drawn: HalfLife | Lack | None


@dataclass(frozen=True, eq=False)
class FittedHedge:
    """One method's hedge ratio, or why it has none."""

    method: str
    intercept: bool
    fit: HedgeFit | Lack


@dataclass(frozen=True)
class GivingWay:
    """How the legs answer the gap between them, or why that is not known."""

    correction: ErrorCorrection | Lack
    momentum: MomentumTest | Lack


@dataclass(frozen=True)
class GateAlone:
    """What a gate does by itself: bars at which it is closed, and whether the latest is one."""

    field: str
    closed: int
    is_closed_now: bool


def tested(params: PairParams) -> PairParams:
    """Drop what no test depends on, so that a threshold or a gate costs no new computation."""
    return replace(params, sell_above=2.0, buy_below=0.0, level=0.05, gates=DATA_GATES)


def spread_tests(material: Material, result: PairAnalytics) -> SpreadTests:
    """Return the tests of the spread and of the legs that the live page has no room for."""
    return _spread_tests(result, material.bars.key, tested(material.params))


@st.cache_resource(max_entries=8, show_spinner=False)
def _spread_tests(
    _result: PairAnalytics,
    key: Hashable,  # noqa: ARG001 - stands for the result in the cache key
    params: PairParams,  # noqa: ARG001 - in the cache key
) -> SpreadTests:
    residual, chosen = _result.residual, _result.params
    if isinstance(_result.adf, Degenerate):
        # A residual that moves by rounding only: no test of it has a meaning.
        residual = _result.adf
    return SpreadTests(
        judged("KPSS on", kpss_test, residual, chosen),
        judged("Phillips-Perron on", phillips_perron_test, residual, chosen),
        judged("variance ratio on", variance_ratio_test, residual, chosen),
        judged("Hurst exponent of", hurst_exponent, residual, chosen),
        *_leg_tests(_result.sample.y, _result.sample.x),
        drawn_half_life(_result),
    )


def drawn_half_life(result: PairAnalytics) -> HalfLife | Lack | None:
    """Estimate how fast a spread comes back whose β follows it; None for any other."""
    if not (result.params.uses_beta and result.params.hedge in CAUSAL_HEDGES):
        return None
    return attempt(lambda: half_life(result.sample.spread))


def _leg_tests(
    y: pd.Series, x: pd.Series
) -> tuple[SpreadTest | Lack, JohansenResult | Lack, SpreadTest | Lack]:
    run = longest_run((y.notna() & x.notna()).to_numpy())
    # Johansen's model cannot leave bars out: it takes the longest run without a missing one.
    whole = pd.DataFrame({str(y.name): y.iloc[run], str(x.name): x.iloc[run]})
    return (
        attempt(lambda: phillips_ouliaris_test(y, x)),
        attempt(lambda: without_drift(johansen_test(whole))),
        attempt(lambda: wild_bootstrap_test(y, x)),
    )


def hedges(material: Material, result: PairAnalytics) -> tuple[FittedHedge, ...]:
    """Fit the hedge ratio by every method."""
    legs = material.bars.closed.legs
    return _hedges(result, legs, material.bars.key, tested(material.params))


@st.cache_resource(max_entries=8, show_spinner=False)
def _hedges(
    _result: PairAnalytics,
    _legs: tuple[Leg, Leg],
    key: Hashable,  # noqa: ARG001 - stands for the result and the legs in the cache key
    params: PairParams,
) -> tuple[FittedHedge, ...]:
    def fitted(method: str, *, intercept: bool = True) -> FittedHedge:
        """Fit a method with this pair's window and options."""
        chosen = replace(params, hedge=method)
        y, x = _result.sample.y, _result.sample.x
        if method in CAUSAL_HEDGES:
            y, x = _hedge_legs(_legs, chosen)
        options = chosen.hedge_options
        fit = attempt(lambda: fit_hedge(y, x, method, intercept=intercept, **options))
        return FittedHedge(method, intercept, fit)

    fits = [fitted(method) for method in HEDGE_METHODS]
    fits.insert(1, fitted("ols", intercept=False))
    return tuple(fits)


def _hedge_legs(legs: tuple[Leg, Leg], params: PairParams) -> tuple[pd.Series, pd.Series]:
    """Take the closes that a causal hedge ratio follows: those it starts up on, and the range."""
    y, x = align_legs(*legs, params.reach)
    return fitted_legs(
        pd.Series(y.close, index=y.index, name=params.y),
        pd.Series(x.close, index=x.index, name=params.x),
        params,
    )


def paths(material: Material, result: PairAnalytics) -> Stability | Lack:
    """Follow β, the p-value and the half-life over trailing windows."""
    return _paths(result, material.bars.key, tested(material.params))


@st.cache_resource(max_entries=8, show_spinner=False)
def _paths(
    _result: PairAnalytics,
    key: Hashable,  # noqa: ARG001 - stands for the result in the cache key
    params: PairParams,  # noqa: ARG001 - in the cache key
) -> Stability | Lack:
    return attempt(lambda: stability(_result.sample.y, _result.sample.x))


def shifts(material: Material, result: PairAnalytics) -> tuple[ShiftTest | Lack, ...]:
    """Test for a line that may have shifted once, in each of the three ways."""
    return _shifts(result, material.bars.key, tested(material.params))


@st.cache_resource(max_entries=8, show_spinner=False)
def _shifts(
    _result: PairAnalytics,
    key: Hashable,  # noqa: ARG001 - stands for the result in the cache key
    params: PairParams,  # noqa: ARG001 - in the cache key
) -> tuple[ShiftTest | Lack, ...]:
    y, x = _result.sample.y, _result.sample.x
    return tuple(attempt(partial(shift_test, y, x, shift)) for shift in SHIFTS)


def giving_way(material: Material, result: PairAnalytics) -> GivingWay:
    """Fit how each leg answers the gap, and whether it closes alike from either side."""
    return _giving_way(result, material.bars.key, tested(material.params))


@st.cache_resource(max_entries=8, show_spinner=False)
def _giving_way(
    _result: PairAnalytics,
    key: Hashable,  # noqa: ARG001 - stands for the result in the cache key
    params: PairParams,  # noqa: ARG001 - in the cache key
) -> GivingWay:
    y, x = _result.sample.y, _result.sample.x
    return GivingWay(
        attempt(lambda: error_correction(y, x)), attempt(lambda: momentum_test(y, x))
    )  # fmt: skip


def together(material: Material, result: PairAnalytics) -> Asynchrony:
    """Count carried prices, and compare the correlation over several intervals."""
    return _together(
        material.bars.y_bars, material.bars.x_bars, result.sample.y.index[0], material.bars.key,
        material.params.interval,
    )  # fmt: skip


@st.cache_resource(max_entries=8, show_spinner=False)
def _together(
    _y_bars: pd.DataFrame,
    _x_bars: pd.DataFrame,
    start: pd.Timestamp,
    key: Hashable,  # noqa: ARG001 - stands for the bars in the cache key
    interval: str,
) -> Asynchrony:
    # The forming bar goes first: a slice would lose the mark that says which it is.
    y, x = (closed_bars(bars).loc[start:] for bars in (_y_bars, _x_bars))
    return asynchrony(y, x, interval)


def lead(material: Material, result: PairAnalytics) -> LeadLag | Lack:
    """Correlate the legs tick by tick over the last quarter of an hour of the range."""
    end = result.y.index[-1] + material.params.bar.timedelta
    start = max(result.y.index[0], end - pd.Timedelta(seconds=TICKS_S))
    legs = (material.params.y, material.params.x)
    return _lead(material.ticks, material.bars.key, legs, start, end)


@st.cache_resource(max_entries=8, show_spinner=False)
def _lead(
    _ticks: TicksBetween,
    key: Hashable,  # noqa: ARG001 - stands for the ticks in the cache key
    legs: tuple[str, str],
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> LeadLag | Lack:
    y, x = (_ticks(symbol, start, end) for symbol in legs)
    return attempt(lambda: lead_lag(y, x))


def gates_alone(material: Material) -> tuple[GateAlone, ...]:
    """Find what each gate does when it alone is on."""
    single_gates = []
    for switch in GATE_SWITCHES:
        gates = replace(NO_GATES, **{switch.field: True})
        path = pair_data.analyse(material.bars, replace(material.params, gates=gates)).gate
        closed = path.ne("")
        single_gates.append(GateAlone(switch.field, int(closed.sum()), bool(closed.iloc[-1])))
    return tuple(single_gates)
