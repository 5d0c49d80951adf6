"""The evidence in tables: tests, hedge ratios, gates, intervals, validation."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from analytics.evidence.asynchrony import Asynchrony
from analytics.evidence.causality import PATH_WORDS, CausalityProof
from analytics.evidence.validation import ValidationCase
from analytics.hedge import HEDGE_WORDS, HedgeFit
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    JohansenResult,
    SpreadTest,
    verdict_words,
)
from pages.ui.desk.controls import GATE_SWITCHES
from pages.ui.evidence.data import FittedHedge, GateAlone, SpreadTests
from pages.ui.evidence.words import level_key, percent
from pages.ui.parts import formats
from pages.ui.parts.judge import judge, judge_name
from pages.ui.parts.markup import Cell, Figure, Html, table

Row = tuple[str | Cell, ...]
Test = ADFResult | EngleGrangerResult | SpreadTest | HalfLife
Lack = NotEnough | Degenerate

COINTEGRATED: Final = ("cointegrated", "no evidence of cointegration")


def tests_table(result: PairAnalytics, more: SpreadTests) -> Html:
    """Set every test: what it asks, what it found, and what follows at the level chosen."""
    y, x, level = result.params.y, result.params.x, result.params.level
    rows = [
        _row("ADF of the spread", result.adf, result, is_plain=True),
        _row(f"Engle-Granger, {y} on {x}", result.engle_granger, result),
        _row(f"Engle-Granger, {x} on {y}", result.engle_granger_swapped, result),
        _row(f"Engle-Granger, {y} on {x}, wild bootstrap", more.wild_bootstrap, result),
        _row("Phillips-Perron of the spread", more.phillips_perron, result, is_plain=True),
        _row(f"Phillips-Ouliaris, {y} on {x}", more.phillips_ouliaris, result),
        *_johansen_rows(more.johansen, level),
        _row("KPSS of the spread", more.kpss, result, is_plain=True),
        _row("Variance ratio of the spread", more.variance_ratio, result, is_plain=True),
        _row("Hurst exponent of the spread", more.hurst, result, is_plain=True),
        _row("Half-life of the spread", result.half_life, result, is_plain=True),
    ]
    head = (
        "Test", Cell("Null hypothesis", words=True), "Statistic", "p-value",
        f"Critical at {percent(level)}", "Lags", "n", Cell("Verdict", words=True),
    )  # fmt: skip
    return table("Tests of the spread and of the pair", head, rows)


def _row(name: str, test: Test | Lack, result: PairAnalytics, *, is_plain: bool = False) -> Row:
    """Set one test; `is_plain` says that it takes β as given."""
    if isinstance(test, NotEnough | Degenerate):
        return _lacking(name, test)
    level = result.params.level
    verdict = Cell(formats.capital(test.verdict(level)), words=True)
    if is_plain and result.params.uses_beta:
        verdict = Cell(f"{verdict.text}. {_too_optimistic(result, test)}", "wait", words=True)
    numbers = _numbers(test.stat, test.pvalue, test.critical_values, level)
    null = Cell(formats.capital(test.null_hypothesis), words=True)
    return (name, null, *numbers, f"{test.lags:,}", f"{test.nobs:,}", verdict)


def _too_optimistic(result: PairAnalytics, test: Test) -> str:
    right, fit = judge(result), result.hedge
    if isinstance(fit, HedgeFit) and fit.causal:
        return "Flattered here: β follows these prices, and the spread returns by its making."
    is_unit_root = isinstance(test, ADFResult) or getattr(test, "name", "") == "Phillips-Perron"
    if not is_unit_root or isinstance(right, NotEnough | Degenerate):
        return "Flattered here: β was chosen from these same bars."
    return (
        "Too optimistic here: it takes β as known, but β was chosen from these same bars. Judge by "
        f"{judge_name(result)}, p {formats.pvalue(right.pvalue)}."
    )


def _lacking(name: str, lack: Lack) -> Row:
    """Say in place of the numbers what is missing."""
    empty = [formats.NOT_KNOWN] * 6
    return (name, *empty, Cell(formats.capital(lack.reason), "muted", words=True))


def _numbers(
    stat: float, pvalue: float, critical: Mapping[str, float], level: float
) -> tuple[str, str, str]:
    at_level = formats.statistic(critical[level_key(level)])
    return formats.statistic(stat), formats.pvalue(pvalue), at_level


def _johansen_rows(test: JohansenResult | Lack, level: float) -> list[Row]:
    if isinstance(test, NotEnough | Degenerate):
        return [_lacking("Johansen", test)]
    both = (
        ("Johansen trace", test.trace_stat, test.trace_pvalues, "trace"),
        ("Johansen maximum eigenvalue", test.max_eigen_stat, test.max_eigen_pvalues, "max_eigen"),
    )
    rows: list[Row] = []
    for name, stats, pvalues, kind in both:
        for rank, (stat, pvalue) in enumerate(zip(stats, pvalues, strict=True)):
            critical = dict(test.critical_values[kind].iloc[rank])
            numbers = _numbers(float(stat), float(pvalue), critical, level)
            asks, words = _johansen_words(rank)
            verdict = Cell(formats.capital(verdict_words(float(pvalue), level, *words)), words=True)
            rows.append(
                (f"{name}, r ≤ {rank}", Cell(asks, words=True), *numbers, f"{test.lags:,}",
                 f"{test.nobs:,}", verdict)
            )  # fmt: skip
    return rows


def _johansen_words(rank: int) -> tuple[str, tuple[str, str]]:
    if rank == 0:
        return "The two series share no cointegrating relation", COINTEGRATED
    verdicts = ("each leg looks stationary by itself", "at most one relation, as it should be")
    return "The two series share at most one relation", verdicts


def hedge_table(hedges: Sequence[FittedHedge], result: PairAnalytics) -> Html:
    """Set the hedge ratio by every method."""
    head = (
        "Method", "β", "± error", "95 % interval of β", "α", "n", "R²",
        Cell("Kind of error", words=True), Cell("Which bars it has seen", words=True),
    )  # fmt: skip
    rows = [_hedge_row(each, result.params.hedge) for each in hedges]
    legs = f"{result.params.y} on {result.params.x}"
    on = f"logarithms of {legs}" if result.params.on_logs else legs
    return table(f"Hedge ratios, {on}", head, rows)


def _hedge_row(each: FittedHedge, used: str) -> Row:
    name = HEDGE_WORDS[each.method].replace(" (causal)", "")
    if not each.intercept:
        name = "OLS through the origin"
    elif each.method == used:
        name = f"{name}: chosen"
    fit = each.fit
    if isinstance(fit, NotEnough | Degenerate):
        empty = [formats.NOT_KNOWN] * 7
        return (name, *empty, Cell(formats.capital(fit.reason), "muted", words=True))
    # The classical error of OLS is far too small on prices: the one that allows for it instead.
    is_hac = not math.isnan(fit.beta_hac_stderr)
    error = fit.beta_hac_stderr if is_hac else fit.beta_stderr
    kind = f"HAC; classical {formats.estimate(fit.beta_stderr)}" if is_hac else fit.stderr_kind
    low, high = fit.beta_interval
    seen = "Causal" if fit.causal else "Not causal"
    return (
        name,
        formats.estimate(fit.beta),
        formats.estimate(error),
        f"{formats.estimate(low)} to {formats.estimate(high)}",
        formats.estimate(fit.alpha),
        f"{fit.nobs:,}",
        formats.statistic(fit.r_squared),
        Cell(kind, words=True),
        Cell(f"{seen}: looks back {fit.looks_back}", words=True),
    )


def hedge_remarks(hedges: Iterable[FittedHedge], level: float) -> list[str]:
    """Say what goes with the table: which of them may feed a signal, whether the filter is well."""
    causal = (
        "Only a causal method gives a path that could have been traded; the others know the end "
        "of the bars at their beginning."
    )
    fits = {each.method: each.fit for each in hedges if each.intercept}
    kalman, ols = fits.get("kalman"), fits.get("ols")
    remarks = [causal]
    if not isinstance(kalman, HedgeFit):
        return remarks
    if isinstance(ols, HedgeFit) and _reads_low(kalman, ols):
        remarks.append(
            f"The Kalman filter's β, {formats.estimate(kalman.beta)}, is far nearer to 0 than "
            f"OLS's, {formats.estimate(ols.beta)}: a filter learns from moves of a few bars, and "
            "legs that do not trade at the same moments seem to move together less than they do "
            "(see Trading together). A longer interval brings the two closer."
        )
    if kalman.innovations is not None:
        remarks.append(f"Kalman filter, {kalman.innovations.verdict(level)}.")
    return remarks


def _reads_low(kalman: HedgeFit, ols: HedgeFit) -> bool:
    """Whether the filter's beta lies nearer to 0 than OLS's by more than both errors explain."""
    error = math.hypot(kalman.beta_stderr, ols.beta_hac_stderr)
    return abs(kalman.beta) < abs(ols.beta) and abs(kalman.beta - ols.beta) > 4.0 * error


def hedge_references(hedges: Iterable[FittedHedge]) -> list[Figure]:
    """List where each method is from."""
    fits = [(each.method, each.fit) for each in hedges if each.intercept]
    return [
        Figure(HEDGE_WORDS[method], "", tip=f"{fit.reference}.")
        for method, fit in fits
        if isinstance(fit, HedgeFit)
    ]


def intervals_table(result: Asynchrony) -> Html:
    """Set the correlation over several intervals side by side."""
    rows = [
        (
            formats.interval_label(str(name)),
            f"{row['bars']:,.0f}",
            formats.share(round(row["share_both_traded"] * row["bars"]), round(row["bars"])),
            formats.statistic(row["correlation"]),
            f"{formats.statistic(row['low'])} to {formats.statistic(row['high'])}",
            f"{row['returns']:,.0f}",
        )
        for name, row in result.by_interval.iterrows()
    ]
    head = ("Interval", "Bars", "Both traded", "Correlation", "95 % interval", "n (returns)")
    return table("Correlation of log returns by interval", head, rows)


def gates_table(result: PairAnalytics, alone: Sequence[GateAlone]) -> Html:
    """Set each gate: its switch, when it closes, and what it alone would do."""
    bars = len(result.zscore)
    rows: list[Row] = []
    for switch, each in zip(GATE_SWITCHES, alone, strict=True):
        is_on = getattr(result.params.gates, switch.field)
        rows.append(
            (
                switch.label,
                "on" if is_on else "off",
                Cell("closed", "sell") if each.is_closed_now else "open",
                f"{each.closed:,} of {bars:,}",
                Cell(formats.capital(switch.closes), words=True),
            )
        )
    head = (
        "Gate", "Switch", "At the latest bar", "Bars at which it is closed",
        Cell("It is closed while", words=True),
    )  # fmt: skip
    return table("Gates, each looked at alone", head, rows)


def proof_table(proof: CausalityProof) -> Html:
    """Set what changed in the past, path by path."""
    rows = [
        (formats.capital(PATH_WORDS.get(name, name)), Cell(f"{count:,}", "bad") if count else "0")
        for name, count in proof.changed
    ]
    return table("Past values that changed", ("Path", "Changed"), rows)


def validation_table(cases: Sequence[ValidationCase]) -> Html:
    """Set expected beside obtained."""
    rows = [
        (
            formats.capital(each.case),
            Cell(each.source, words=True),
            digits(each.expected),
            digits(each.obtained),
            f"{each.tolerance:.1e}".replace("-", formats.MINUS),
            "✓ ok" if each.ok else Cell("✕ differs", "bad"),
        )
        for each in cases
    ]
    head = ("Case", Cell("Source", words=True), "Expected", "Obtained", "Tolerance", "")
    return table(f"Validation, {formats.count(len(cases), 'case')}", head, rows)


def digits(value: float) -> str:
    """Write a number with the digits that a comparison needs."""
    return "not a number" if math.isnan(value) else f"{value:.15g}".replace("-", formats.MINUS)
