"""Which leg gives way, whether alike from either side, and a line that may have shifted once."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from analytics.evidence.asynchrony import LeadLag
from analytics.evidence.error_correction import ErrorCorrection, Loading
from analytics.evidence.momentum import MomentumTest
from analytics.evidence.regime_shift import SHIFT_WORDS, ShiftTest
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import EngleGrangerResult
from pages.ui.evidence.data import GivingWay
from pages.ui.evidence.figures import bounded_pvalue, lacking, lead_figures
from pages.ui.evidence.words import level_key, percent
from pages.ui.parts import formats
from pages.ui.parts.markup import Cell, Figure, Html, table

Lack = NotEnough | Degenerate
Row = tuple[str | Cell, ...]

NOT_SHOWN: Final = ("not shown", "Engle-Granger shows no relation to return to")
EXPLAINED: Final = (
    Figure(
        "Error correction", "",
        tip="Δy(t) = a·g(t−1) + lags, Δx(t) = b·g(t−1) + lags, with the gap g = y − α − β·x from "
        "one least-squares line. A loading says how a leg answers the gap of the bar before; "
        "errors HC3, lags of both legs by BIC. Unrelated walks have large loadings too: a leg is "
        "said to give way only where Engle-Granger rejects as well. Engle & Granger (1987).",
    ),
    Figure(
        "Permanent component", "",
        tip="Gonzalo-Granger: a leg's share in the price that lasts is the part of the closing "
        "that the other leg does. Outside 0 to 1 where a leg widens the gap. "
        "Gonzalo & Granger (1995).",
    ),
    Figure(
        "Information share", "",
        tip="Hasbrouck: a leg's share in the variance of the lasting price. What moves both legs "
        "in the same bar is counted for whichever stands first in the Cholesky order, so each "
        "leg has two values, first and last in the order; the longer the bars, the farther "
        "apart. Hasbrouck (1995).",
    ),
    Figure(
        "M-TAR", "",
        tip="Δg(t) = −s₁·g(t−1) after the gap rose, −s₂·g(t−1) after it fell; where rising "
        "begins is the threshold of least squares. Φ asks whether either speed is there, by "
        "values simulated for two unrelated walks; the F of equal speeds has a wild-bootstrap "
        "p-value, since the threshold was searched for. Enders & Siklos (2001); Hansen (1996).",
    ),
)  # fmt: skip
SHIFTS_EXPLAINED: Final = Figure(
    "Gregory-Hansen", "",
    tip="Engle-Granger with a line that may shift once: the least ADF statistic over all dates in "
    "the middle 70 % of the bars. C: the level shifts; C/T: the same about a trend; C/S: level "
    "and slope shift. It asks whether a relation is there although it shifted, CUSUM whether one "
    "line held; a line that never shifts is found too. Where volatility clusters "
    "it finds a relation between 8 % of unrelated walks at 5 %. Gregory & Hansen (1996).",
)  # fmt: skip


def is_related(result: PairAnalytics) -> bool:
    """Whether Engle-Granger shows a relation that a leg could give way to."""
    test = result.engle_granger
    return isinstance(test, EngleGrangerResult) and test.rejects(result.params.level)


def giving_figures(result: PairAnalytics, found: GivingWay, lead: LeadLag | Lack) -> list[Figure]:
    """Collect who gives way, whose price lasts by two measures, and who moves first."""
    return [*_shares(result, found.correction), lead_figures(lead)[0]]


def _shares(result: PairAnalytics, model: ErrorCorrection | Lack) -> list[Figure]:
    labels = ("Gives way", "Permanent component", "Information share")
    if isinstance(model, NotEnough | Degenerate):
        return [lacking(label, model) for label in labels]
    if not is_related(result):
        value, note = NOT_SHOWN
        return [Figure(label, value, (note, formats.sample(model.nobs))) for label in labels]
    names = (model.y.name, model.x.name)
    share, error = model.component_share, model.component_stderr
    low, high = sorted((model.information_first, model.information_last))
    lasting = f"{formats.percent(share)} / {formats.percent(1.0 - share)}"
    return [
        Figure(labels[0], _gives_way(model, result.params.level), (
            f"{model.verdict(result.params.level)} at {percent(result.params.level)}",
            formats.sample(model.nobs),
        )),
        Figure(labels[1], lasting, (
            f"{names[0]} / {names[1]}, ± {formats.percent(error)}", "Gonzalo-Granger",
        )),
        Figure(labels[2], f"{formats.percent(low)} to {formats.percent(high)}", (
            f"of {names[0]}, last and first in the order; the rest is {names[1]}'s", "Hasbrouck",
        )),
    ]  # fmt: skip


def _gives_way(model: ErrorCorrection, level: float) -> str:
    giving = [leg.name for leg in (model.y, model.x) if leg.gives_way(level)]
    return "both" if len(giving) > 1 else giving[0] if giving else "neither"


def loadings_table(result: PairAnalytics, model: ErrorCorrection | Lack) -> Html:
    """Set how each leg answers the gap, and its shares in the lasting price."""
    head = (
        "Leg", "Loading", "± error", "t", "Closes a bar", "Permanent component",
        "Information, first in the order", "Last in the order", "Lags", "n",
        Cell("Verdict", words=True),
    )  # fmt: skip
    title = f"Error correction of {result.params.y} and {result.params.x}"
    if isinstance(model, NotEnough | Degenerate):
        return table(title, head, [_lacking_row("Both", len(head), model)])
    first, last = model.information_first, model.information_last
    share, level = model.component_share, result.params.level
    words = [_answer(leg, level, is_related=is_related(result)) for leg in (model.y, model.x)]
    rows = [
        _loading_row(model, model.y, (share, first, last), words[0]),
        _loading_row(model, model.x, (1.0 - share, 1.0 - last, 1.0 - first), words[1]),
    ]
    return table(title, head, rows)


def _lacking_row(name: str, columns: int, lack: Lack) -> Row:
    """Say in place of the numbers what is missing."""
    empty = [formats.NOT_KNOWN] * (columns - 2)
    return (name, *empty, Cell(formats.capital(lack.reason), "muted", words=True))


def _loading_row(
    model: ErrorCorrection, leg: Loading, shares: Sequence[float], verdict: str
) -> Row:
    return (
        leg.name,
        formats.estimate(leg.value),
        formats.error(leg.stderr, leg.value),
        formats.number(leg.t, 2),
        formats.percent(leg.closes, 1),
        *(formats.percent(share) for share in shares),
        f"{model.lags:,}",
        f"{model.nobs:,}",
        Cell(verdict, words=True),
    )


def _answer(leg: Loading, level: float, *, is_related: bool) -> str:
    if not is_related:
        return "No verdict: Engle-Granger shows no relation, and unrelated walks have loadings too"
    if leg.gives_way(level):
        return "Gives way to the gap"
    if leg.pvalue < level:
        return "Widens the gap"
    return "Not seen to give way"


def momentum_table(result: PairAnalytics, test: MomentumTest | Lack) -> Html:
    """Set whether the gap closes at two speeds, and whether these differ."""
    head = (
        "Test", Cell("Null hypothesis", words=True), "Statistic", "p-value",
        f"Critical at {percent(result.params.level)}", "Lags", "n", Cell("Verdict", words=True),
    )  # fmt: skip
    title = "Does the gap close alike from either side (M-TAR)"
    if isinstance(test, NotEnough | Degenerate):
        return table(title, head, [_lacking_row("M-TAR", len(head), test)])
    level = result.params.level
    counts = (f"{test.lags:,}", f"{test.nobs:,}")
    phi = (
        "Φ, two speeds", Cell(formats.capital(test.null_hypothesis), words=True),
        formats.statistic(test.phi), bounded_pvalue(test.phi_pvalue),
        formats.statistic(test.phi_critical[level_key(level)]), *counts,
        Cell("The gap closes" if test.rejects(level) else "No evidence of cointegration",
             words=True),
    )  # fmt: skip
    symmetry = (
        "F, equal speeds", Cell("The gap closes as fast when rising as when falling", words=True),
        formats.statistic(test.symmetry), formats.pvalue(test.symmetry_pvalue),
        formats.NOT_KNOWN, *counts, Cell(_symmetry(test, level), words=True),
    )  # fmt: skip
    return table(title, head, [phi, symmetry])


def _symmetry(test: MomentumTest, level: float) -> str:
    if not test.rejects(level):
        return "No verdict: it is not shown that the gap closes at all"
    return formats.capital(test.verdict(level))


def _leg_of(result: PairAnalytics, name: str) -> str:
    return f"log {name}" if result.params.spread == "log" else name


def remarks(result: PairAnalytics, found: GivingWay) -> list[str]:
    """Say what goes with the tables."""
    model, test = found.correction, found.momentum
    lines = []
    if isinstance(model, ErrorCorrection):
        line = f"β {formats.estimate(model.beta)} by least squares over these bars"
        y, x = (_leg_of(result, name) for name in (result.params.y, result.params.x))
        shocks = formats.number(model.shock_correlation, 2)
        lines.append(
            f"The gap is {y} − β·{x} from its level, {line}. The "
            f"shocks of the two legs correlate {shocks}: the closer to 1, the farther apart the "
            "two information shares."
        )
    if isinstance(test, MomentumTest) and test.rejects(result.params.level):
        lines.append(
            f"M-TAR: {formats.percent(test.rising, 1)} of the gap is closed a bar while it rises "
            f"({result.params.y} gains on {result.params.x}), "
            f"{formats.percent(test.falling, 1)} while it falls; rising begins at a change of "
            f"{formats.estimate(test.threshold)}."
        )
    return lines


def shifts_table(result: PairAnalytics, tests: Sequence[ShiftTest | Lack]) -> Html:
    """Set the Gregory-Hansen tests beside CUSUM."""
    level = result.params.level
    head = (
        "Gregory-Hansen", Cell("What may shift", words=True), "Statistic",
        f"Critical at {percent(level)}", "Likeliest date", "Lags", "n",
        Cell("Verdict", words=True),
    )  # fmt: skip
    rows = [_shift_row(test, level) for test in tests]
    return table("A relation that may have shifted once", head, rows)


def _shift_row(test: ShiftTest | Lack, level: float) -> Row:
    if isinstance(test, NotEnough | Degenerate):
        return _lacking_row("Gregory-Hansen", 8, test)
    words = ("Cointegrated, with at most one shift", "No evidence, with one shift either")
    verdict = words[0] if test.rejects(level) else words[1]
    return (
        test.shift,
        Cell(formats.capital(SHIFT_WORDS[test.shift]), words=True),
        formats.statistic(test.stat),
        formats.statistic(test.critical_values[level_key(level)]),
        formats.moment(pd.Timestamp(str(test.time))),
        f"{test.lags:,}",
        f"{test.nobs:,}",
        Cell(verdict, words=True),
    )


def shift_remark(result: PairAnalytics, tests: Sequence[ShiftTest | Lack]) -> list[str]:
    """Say how the level-shift test and Engle-Granger go together."""
    level_test, level = tests[0], result.params.level
    if not isinstance(level_test, ShiftTest) or not isinstance(
        result.engle_granger, EngleGrangerResult
    ):
        return []
    if is_related(result):
        return ["Engle-Granger finds the relation without a shift: this test adds no proof of one."]
    if not level_test.rejects(level):
        return ["No relation shows with a shift of the level either."]
    date = formats.moment(pd.Timestamp(str(level_test.time)))
    sentence = (
        "Engle-Granger finds no relation and this test does, if the level shifted once, likeliest "
        f"near {date}: levels of the spread before it are then no guide."
    )
    return [sentence]
