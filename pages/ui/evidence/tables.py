"""The evidence in tables: tests, hedge ratios, gates, intervals, validation."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from analytics.evidence.asynchrony import Asynchrony
from analytics.evidence.causality import PATH_WORDS, CausalityProof
from analytics.evidence.validation import ValidationCase
from analytics.hedge import HEDGE_WORDS, HedgeFit
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics, PairParams
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    JohansenResult,
    SpreadTest,
    verdict_words,
)
from pages.ui.desk.method_controls import GATE_SWITCHES
from pages.ui.evidence.data import FittedHedge, GateAlone, SpreadTests
from pages.ui.evidence.words import level_key, percent
from pages.ui.parts import formats
from pages.ui.parts.markup import Cell, Figure, Html, table

Row = tuple[str | Cell, ...]
Test = ADFResult | EngleGrangerResult | SpreadTest | HalfLife
Lack = NotEnough | Degenerate

COINTEGRATED: Final = ("cointegrated", "no evidence of cointegration")


def tests_table(result: PairAnalytics, more: SpreadTests) -> Html:
    """Set every test: what it asks, what it found, and what follows at the level chosen."""
    params = result.params
    y, x, level = params.y, params.x, params.level
    of = tested_name(params)
    rows = [
        _row(f"ADF of {of}", result.adf, level),
        _row(f"Engle-Granger, {y} on {x}", result.engle_granger, level),
        _row(f"Engle-Granger, {x} on {y}", result.engle_granger_swapped, level),
        _row(f"Engle-Granger, {y} on {x}, wild bootstrap", more.wild_bootstrap, level),
        _row(f"Phillips-Perron of {of}", more.phillips_perron, level),
        _row(f"Phillips-Ouliaris, {y} on {x}", more.phillips_ouliaris, level),
        *_johansen_rows(more.johansen, level),
        _row(f"KPSS of {of}", more.kpss, level),
        _row(f"Variance ratio of {of}", more.variance_ratio, level),
        _row(f"Hurst exponent of {of}", more.hurst, level),
        _row(f"Half-life of {of}", result.half_life, level),
    ]
    if more.drawn is not None:
        rows.append(_filter_row(more.drawn))
    head = (
        "Test", Cell("Null hypothesis", words=True), "Statistic", "p-value",
        f"Critical at {percent(level)}", "Lags", "n", Cell("Verdict", words=True),
    )  # fmt: skip
    return table("Tests of the spread and of the pair", head, rows)


def tested_name(params: PairParams) -> str:
    """Name what the tests look at: the spread, or where another β draws it, one line's residual."""
    is_drawn = not params.uses_beta or params.hedge == "ols"
    return "the spread" if is_drawn else "the residual of one line"


def _row(name: str, test: Test | Lack, level: float) -> Row:
    """Set one test."""
    if isinstance(test, NotEnough | Degenerate):
        return _lacking(name, test)
    verdict = Cell(formats.capital(test.verdict(level)), words=True)
    numbers = _numbers(test.stat, test.pvalue, test.critical_values, level)
    null = Cell(formats.capital(test.null_hypothesis), words=True)
    return (name, null, *numbers, f"{test.lags:,}", f"{test.nobs:,}", verdict)


def _filter_row(drawn: HalfLife | Lack) -> Row:
    """Set how fast the spread as drawn comes back: no test, and it says so."""
    name = "Speed of the filter"
    if isinstance(drawn, NotEnough | Degenerate):
        return _lacking(name, drawn)
    back = f"{formats.number(drawn.half_life, 1)} bars" if drawn.mean_reverting else "no end"
    words = (
        f"Half of a deviation of the spread as drawn is gone in {back}. β follows the prices, so "
        "this is no evidence of a return: unrelated legs come back too"
    )
    asks = Cell("None: this is no test", words=True)
    empty = [formats.NOT_KNOWN] * 4
    return (name, asks, *empty, f"{drawn.nobs:,}", Cell(words, "wait", words=True))


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
    # The plain errors are far too small on prices: those that allow for it instead.
    is_hac = not math.isnan(fit.beta_hac_stderr)
    error = fit.beta_hac_stderr if is_hac else fit.beta_stderr
    kind = fit.stderr_kind
    if is_hac:
        kind = f"long-run; {kind} {formats.estimate(fit.beta_stderr)}"
    seen = "Causal" if fit.causal else "Not causal"
    return (
        name,
        formats.estimate(fit.beta),
        formats.estimate(error),
        _interval(*fit.beta_interval),
        formats.estimate(fit.alpha),
        f"{fit.nobs:,}",
        formats.statistic(fit.r_squared),
        Cell(kind, words=True),
        Cell(f"{seen}: looks back {fit.looks_back}", words=True),
    )


def _interval(low: float, high: float) -> str:
    """Say an interval of beta: two ends, no bound, or that there is none that holds."""
    if math.isnan(low):
        return "none that holds"
    if math.isinf(low):
        return "no bound"
    return f"{formats.estimate(low)} to {formats.estimate(high)}"


def hedge_remarks(hedges: Iterable[FittedHedge], level: float) -> list[str]:
    """Say what goes with the table: which of them may feed a signal, whether the filter is well."""
    causal = (
        "Only a causal method gives a path that could have been traded; the others know the end "
        "of the bars at their beginning."
    )
    fits = {each.method: each.fit for each in hedges if each.intercept}
    kalman, walks, ols = (fits.get(method) for method in ("kalman", "kalman_walks", "ols"))
    remarks = [causal]
    if isinstance(walks, HedgeFit) and isinstance(ols, HedgeFit) and _reads_low(walks, ols):
        remarks.append(
            f"The filter on walks has β {formats.estimate(walks.beta)}, far nearer to 0 than "
            f"OLS's, {formats.estimate(ols.beta)}: it learns from moves of a few bars, and "
            "legs that do not trade at the same moments seem to move together less than they do "
            "(see Trading together). A longer interval brings the two closer."
        )
    if isinstance(kalman, HedgeFit) and kalman.innovations is not None:
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
