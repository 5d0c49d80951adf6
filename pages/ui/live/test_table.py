"""The tests in full, and in words what they look at and which p-value counts."""

import math
from collections.abc import Mapping

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult
from pages.ui.parts import formats
from pages.ui.parts.judge import bars_to_show, shows_return
from pages.ui.parts.markup import Cell, Html, table

HEAD = ("Test", "Statistic", "p-value", "Lags", "1 %", "5 %", "10 %", "Sample")
GIVEN = (
    "This spread uses no estimated β, so its ADF p-value stands as it is. The Engle-Granger test "
    "asks another question: whether any fixed ratio keeps the two together."
)
ORDERINGS = (
    "Which leg is regressed on which matters: on unrelated walks the two Engle-Granger p-values "
    "hardly agree, and the smaller one is below 5 % in about 10 % of cases; taken twice, in 5 %."
)


def tests_table(result: PairAnalytics) -> Html:
    """Set the ADF test of the spread and Engle-Granger in both orderings."""
    y, x = result.params.y, result.params.x
    is_drawn = not result.params.uses_beta or result.params.hedge == "ols"
    rows = [
        _row("ADF of the spread", result.adf, "" if is_drawn else ", by one line"),
        _row(f"Engle-Granger, {y} on {x}", result.engle_granger),
        _row(f"Engle-Granger, {x} on {y}", result.engle_granger_swapped),
    ]
    return table("Stationarity and cointegration", HEAD, rows)


def _row(
    name: str, test: ADFResult | EngleGrangerResult | NotEnough | Degenerate, by: str = ""
) -> tuple[str | Cell, ...]:
    """Set one test; `by` says what made the series, where that is not what is drawn."""
    if isinstance(test, NotEnough | Degenerate):
        return (name, *[formats.NOT_KNOWN] * (len(HEAD) - 2), Cell(test.reason, words=True))
    return (
        name,
        formats.statistic(test.stat),
        _pvalue(test),
        str(test.lags),
        *_critical(test.critical_values),
        formats.sample(test.nobs, "row") + by,
    )


def _pvalue(test: ADFResult | EngleGrangerResult) -> str:
    """Write the p-value; of a residual's ADF the usual one first, which takes β as given."""
    right = formats.pvalue(test.pvalue)
    if not isinstance(test, ADFResult) or math.isnan(test.plain_pvalue):
        return right
    return f"{formats.pvalue(test.plain_pvalue)} were β given; {right} as β is estimated"


def _critical(values: Mapping[str, float]) -> tuple[str, str, str]:
    one, five, ten = (formats.statistic(values[level]) for level in ("1%", "5%", "10%"))
    return one, five, ten


def words(result: PairAnalytics) -> list[str]:
    """Say what the p-values mean for this spread."""
    # Where β was estimated, the analysis itself notes what the tests look at.
    sentences = [ORDERINGS] if result.params.uses_beta else [GIVEN, ORDERINGS]
    if isinstance(result.adf, ADFResult):
        sentences.insert(0, f"Null hypothesis of the ADF test: {result.adf.null_hypothesis}.")
    needed = bars_to_show(result)
    if not shows_return(result) and not math.isnan(needed):
        sentences.append(
            f"No return is shown, and none is ruled out: one as slow as the half-life of these "
            f"bars would be found in 80 % of samples of {needed:,.0f} bars."
        )
    return sentences
