"""The evidence page's figures: the right p-value, the tempting one, and what goes with them."""

import math
from collections.abc import Callable

import pandas as pd

from analytics.evidence.asynchrony import Asynchrony, LeadLag
from analytics.evidence.stability import BreakTest, Stability
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife, JohansenResult
from pages.ui.evidence.data import SpreadTests
from pages.ui.evidence.tables import tested_name
from pages.ui.evidence.words import percent
from pages.ui.parts import formats
from pages.ui.parts.judge import judge, judge_name, shows_return
from pages.ui.parts.markup import Figure
from pages.ui.parts.notices import sentence

Lack = NotEnough | Degenerate


def main_figures(result: PairAnalytics, more: SpreadTests) -> list[Figure]:
    """Collect the right p-value, the other one beside it, and how fast the spread returns."""
    right, name = judge(result), judge_name(result)
    first = _pvalue(name, right, f"the test to go by, level {percent(result.params.level)}")
    if result.params.uses_beta:
        second = _second_opinion(more)
    else:
        asks = "asks another question: does any fixed ratio hold"
        second = _pvalue("Engle-Granger", result.engle_granger, asks)
    return [first, second, _half_life(result), _hurst(more)]


def lacking(label: str, lack: Lack) -> Figure:
    """Say in place of a number why there is none."""
    if isinstance(lack, NotEnough):
        return Figure(label, formats.NOT_KNOWN, (f"{lack.had:,} of {lack.needed:,} {lack.unit}",))
    return Figure(label, formats.NOT_KNOWN, (lack.cause,))


def _pvalue(name: str, test: ADFResult | EngleGrangerResult | Lack, note: str) -> Figure:
    if isinstance(test, NotEnough | Degenerate):
        return lacking(f"{name} p", test)
    return Figure(f"{name} p", formats.pvalue(test.pvalue), (note, formats.sample(test.nobs)))


def _between(estimate: HalfLife) -> str:
    """Say the median-unbiased half-life and its interval, whose ends may be open."""
    (low, high), middle = estimate.interval, estimate.median_unbiased
    if math.isnan(low):
        return "95 %: no bound"
    upper = "no bound" if math.isnan(high) else formats.number(high, 1)
    interval = f"95 %: {formats.number(low, 1)} to {upper}"
    if math.isnan(middle):
        return f"median-unbiased: none, {interval}"
    return f"median-unbiased {formats.number(middle, 1)}, {interval}"


def _second_opinion(more: SpreadTests) -> Figure:
    """Show the other tests that allow for an estimated β."""
    other, label = more.phillips_ouliaris, "Phillips-Ouliaris p"
    if isinstance(other, NotEnough | Degenerate):
        return lacking(label, other)
    notes = [formats.sample(other.nobs)]
    if isinstance(more.johansen, JohansenResult):
        notes.insert(0, f"Johansen p {formats.pvalue(float(more.johansen.max_eigen_pvalues[0]))}")
    return Figure(label, formats.pvalue(other.pvalue), tuple(notes))


def _half_life(result: PairAnalytics) -> Figure:
    """Show the half-life where a return is shown, and say so where none is."""
    label, estimate = f"Half-life of {tested_name(result.params)}", result.half_life
    if not isinstance(estimate, HalfLife):
        return lacking(label, estimate)
    sample = formats.sample(estimate.nobs)
    if not estimate.mean_reverting:
        return Figure(label, "none", ("not mean-reverting", sample))
    if not shows_return(result):
        return Figure(label, "not shown", ("as a random walk may look", sample))
    value = f"{formats.number(estimate.half_life, 1)} bars"
    return Figure(label, value, (_between(estimate), sample))


def _hurst(more: SpreadTests) -> Figure:
    hurst = more.hurst
    if isinstance(hurst, NotEnough | Degenerate):
        return lacking("Hurst exponent", hurst)
    low, high = (formats.number(end, 2) for end in hurst.estimate_interval)
    notes = (f"{low} to {high}; 0.5 is a random walk", formats.sample(hurst.nobs))
    return Figure("Hurst exponent", formats.number(hurst.estimate, 2), notes)


def stability_figures(stability: Stability, level: float) -> list[Figure]:
    """Collect the share of windows cointegrated, the break flag, and where β has been."""
    share = stability.share_cointegrated(level)
    shown = formats.NOT_KNOWN if math.isnan(share) else f"{share * 100:.0f} %"
    note = f"of {formats.count(stability.windows, 'window')}; {percent(level)} would be chance"
    return [
        Figure("Cointegrated in", shown, (note,)),
        _break_figure(stability, level),
        _range("β over the windows", stability.table["beta"], formats.estimate),
        _range("Half-life, windows cointegrated", stability.half_lives(level), _bars),
    ]


def _break_figure(stability: Stability, level: float) -> Figure:
    test = stability.break_test
    if not isinstance(test, BreakTest):
        return lacking("Break flag", test)
    notes = [
        f"CUSUM {formats.statistic(test.stat)}, p {bounded_pvalue(test.pvalue)}",
        formats.sample(test.nobs),
    ]
    if not test.pvalue < level:
        return Figure("Break flag", "no break shows", tuple(notes))
    notes.append(f"likeliest near {formats.moment(pd.Timestamp(str(test.time)))}")
    return Figure("Break flag", "▲ break", tuple(notes), "sell")


def bounded_pvalue(pvalue: float) -> str:
    """Write a p-value that is only known between 0.001 and 0.5."""
    return "above 0.5" if pvalue >= 0.5 else formats.pvalue(pvalue)


def _bars(value: float) -> str:
    return formats.number(value, 1)


def _range(label: str, values: pd.Series, written: Callable[[float], str]) -> Figure:
    known = values.dropna()
    if known.empty:
        return Figure(label, formats.NOT_KNOWN, ("known in no window",))
    between = f"{written(float(known.min()))} to {written(float(known.max()))}"
    return Figure(label, between, (f"latest {written(float(known.iloc[-1]))}",))


def together_figures(asynchrony: Asynchrony, lead: LeadLag | Lack) -> list[Figure]:
    """Collect the share of bars in which both traded, carried prices by leg, and who leads."""
    covered = asynchrony.coverage
    both = formats.share(covered.both_traded, covered.bars)
    items = [
        Figure("Both legs traded in", both, (f"of {formats.count(covered.bars, 'bar')}",)),
        Figure(
            "Carried prices",
            f"{covered.y_quiet:,} / {covered.x_quiet:,}",
            ("bars without a trade, S1 / S2", f"{covered.missing:,} missing"),
        ),
    ]
    return [*items, *lead_figures(lead)]


def lead_figures(lead: LeadLag | Lack) -> list[Figure]:
    """Say which leg moves first, and by how much."""
    if not isinstance(lead, LeadLag):
        return [lacking("Who moves first", lead), lacking("Lead-lag ratio", lead)]
    changes = f"{lead.y_changes:,} and {lead.x_changes:,} price changes"
    ratio = formats.number(lead.lead_lag_ratio, 2)
    return [
        Figure("Who moves first", _leads(lead), (sentence(lead.verdict()), changes)),
        Figure("Lead-lag ratio", ratio, (f"above 1: {lead.x_name} leads", changes)),
    ]


def _leads(lead: LeadLag) -> str:
    lag = lead.best_lag_s
    row = lead.table.loc[lag]
    if lag == 0 or not abs(row["correlation"]) > 3.0 * row["stderr"]:
        return "neither"
    return lead.x_name if lag > 0 else lead.y_name
