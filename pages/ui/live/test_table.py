"""The tests in full, and in words why the plain ADF p-value is not the one to trust."""

from collections.abc import Mapping

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult
from pages.ui.parts import formats
from pages.ui.parts.markup import Cell, Html, table

HEAD = ("Test", "Statistic", "p-value", "Lags", "1 %", "5 %", "10 %", "Sample")
GIVEN = (
    "This spread uses no estimated β, so its ADF p-value stands as it is. The Engle-Granger test "
    "asks another question: whether any fixed ratio keeps the two together."
)
ORDERINGS = (
    "Which leg is regressed on which matters: the two Engle-Granger p-values may disagree, and "
    "taking the smaller one is a second look at the same data."
)


def tests_table(result: PairAnalytics) -> Html:
    """Set the ADF test of the spread and Engle-Granger in both orderings."""
    y, x = result.params.y, result.params.x
    rows = [
        _row("ADF of the spread", result.adf),
        _row(f"Engle-Granger, {y} on {x}", result.engle_granger),
        _row(f"Engle-Granger, {x} on {y}", result.engle_granger_swapped),
    ]
    return table("Stationarity and cointegration", HEAD, rows)


def _row(
    name: str, test: ADFResult | EngleGrangerResult | NotEnough | Degenerate
) -> tuple[str | Cell, ...]:
    if isinstance(test, NotEnough | Degenerate):
        return (name, *[formats.NOT_KNOWN] * (len(HEAD) - 2), Cell(test.reason, words=True))
    return (
        name,
        formats.statistic(test.stat),
        formats.pvalue(test.pvalue),
        str(test.lags),
        *_critical(test.critical_values),
        formats.sample(test.nobs, "row"),
    )


def _critical(values: Mapping[str, float]) -> tuple[str, str, str]:
    one, five, ten = (formats.statistic(values[level]) for level in ("1%", "5%", "10%"))
    return one, five, ten


def words(result: PairAnalytics) -> list[str]:
    """Say what the p-values mean for this spread."""
    # Where β was estimated, the analysis itself notes what that does to the plain p-value.
    sentences = [ORDERINGS] if result.params.uses_beta else [GIVEN, ORDERINGS]
    if isinstance(result.adf, ADFResult):
        sentences.insert(0, f"Null hypothesis of the ADF test: {result.adf.null_hypothesis}.")
    return sentences
