"""Plain sentences beside a basket's figures: what they stand on and must not be taken for."""

from typing import Final

from analytics.baskets.legs import BasketCoverage
from analytics.baskets.params import METHOD_TITLES, BasketParams
from analytics.baskets.weights import BasketFit
from analytics.outcome import Degenerate, NotEnough
from analytics.stationarity import ADFResult, SpreadTest, pvalue_words

Lack = NotEnough | Degenerate
_IN_SAMPLE: Final = (
    "Spread, z-score and signals before the latest bar are in-sample and change as bars arrive; "
    "the backtest fits on bars before those that it trades."
)
_NO_DRAWS: Final = (
    "Volatility that comes and goes is not allowed for: where it does, unrelated legs pass more "
    "often than the p-value says."
)
_LEVEL: Final = 0.05
# Rows that have no bar before them, of a basket without missing bars.
_START_ROWS: Final = {"johansen": 2, "box_tiao": 1, "min_half_life": 1}


def basket_notes(
    fit: BasketFit | Lack, coverage: BasketCoverage, adf: ADFResult | Lack, params: BasketParams
) -> tuple[str, ...]:
    """Say what the reader should know about these figures, a sentence each."""
    if not isinstance(fit, BasketFit):
        return (f"The {fit.reason}.", *_coverage_notes(coverage, params))
    return (
        *_search_notes(fit, adf),
        *_row_notes(fit, params),
        *_coverage_notes(coverage, params),
    )


def _search_notes(fit: BasketFit, adf: ADFResult | Lack) -> list[str]:
    count = len(fit.symbols)
    searched = (
        f"The weights ({METHOD_TITLES[fit.method]}) were fitted to the {fit.nobs:,} rows tested: "
        f"of all combinations of {count} symbols they are those that look most like a return, and "
        "unrelated walks have such a combination too. Every p-value and the half-life's interval "
        "here are those of the same search."
    )
    notes = [searched, _IN_SAMPLE]
    # Johansen's vector is judged by its trace, which may see a return where this test sees none.
    if fit.method == "johansen" or not isinstance(adf, ADFResult):
        return notes
    if adf.plain_pvalue < _LEVEL <= adf.pvalue:
        notes.append(
            f"Read as a pair's with given weights, the spread would pass the ADF test "
            f"({pvalue_words(adf.plain_pvalue)}): that is the search, not a return "
            f"({pvalue_words(adf.pvalue)} with the search allowed for)."
        )
    return notes


def volatility_notes(by_table: SpreadTest | Lack, by_draws: SpreadTest | Lack | None) -> list[str]:
    """Say what allowing for volatility changed, or that it is not allowed for."""
    if not isinstance(by_table, SpreadTest):
        return []
    if isinstance(by_draws, Lack):
        return [
            f"Baskets with the volatility of these bars failed ({by_draws.reason}). {_NO_DRAWS}"
        ]
    if by_draws is None:
        return [_NO_DRAWS]
    if not by_table.pvalue < _LEVEL <= by_draws.pvalue:
        return []
    note = (
        f"Shocks of one size would pass it for a return ({pvalue_words(by_table.pvalue)}); baskets "
        f"drawn with the volatility of these bars do not ({pvalue_words(by_draws.pvalue)})."
    )
    return [note]


def _row_notes(fit: BasketFit, params: BasketParams) -> list[str]:
    known = fit.nobs + fit.dropped
    if fit.dropped <= _START_ROWS[params.method]:
        return []
    note = (
        f"The weights stand on {fit.nobs:,} of {known:,} known bars: rows that would reach over a "
        "missing one are left out."
    )
    return [note]


def _coverage_notes(coverage: BasketCoverage, params: BasketParams) -> list[str]:
    notes = []
    if coverage.missing:
        each = _counts(coverage.missing_of, params)
        notes.append(
            f"{coverage.missing:,} of {coverage.bars:,} bars are missing ({each}): left open, "
            "never carried."
        )
    carried = coverage.known - coverage.all_traded
    if carried:
        each = _counts(coverage.quiet, params)
        notes.append(
            f"In {carried:,} of {coverage.bars:,} bars a leg did not trade and its last price "
            f"stands ({each})."
        )
    return notes


def _counts(counts: tuple[int, ...], params: BasketParams) -> str:
    pairs = zip(params.symbols, counts, strict=True)
    return ", ".join(f"{name} {count:,}" for name, count in pairs if count)
