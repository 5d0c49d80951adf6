"""Plain sentences beside the figures: what they stand on, and what they must not be taken for."""

import numpy as np

from analytics.frames import utc_index
from analytics.hedge import HedgeFit
from analytics.leg import Leg, PairCoverage
from analytics.outcome import Degenerate, NotEnough
from analytics.pair.params import PairParams
from analytics.pair.spread import PairSpread

# A leg whose last closed bar is this much older than the other's is worth a note.
_LAG_NOTE_BARS = 5

_ONE_LINE_NOTE = (
    "The tests and the half-life look at the residual of one least-squares line over all of their "
    "bars. The usual ADF p-value would take that line as given and be too small: judge by the "
    "Engle-Granger p-value."
)
_FOLLOWS_NOTE = (
    "The {method} hedge ratio follows the prices, so the spread drawn, its z-score and the speed "
    "at which they come back are in part of the filter's making: no evidence of a return."
)


def pair_notes(
    coverage: PairCoverage,
    made: PairSpread,
    legs: tuple[Leg, Leg],
    params: PairParams,
) -> tuple[str, ...]:
    """Say what the reader should know about these figures, a sentence each.

    `legs` are the closed bars of y and x before they were aligned.
    """
    notes = [*_hedge_notes(made.hedge, params), *_coverage_notes(coverage, params)]
    sample = len(made.sample.y)
    if sample > coverage.bars:
        notes.append(
            f"{_seen(made.hedge)} at the latest {sample:,} bars: "
            f"the {coverage.bars:,} of the range would say too little."
        )
    notes.extend(_lag_notes(legs, params))
    return tuple(notes)


def _seen(hedge: HedgeFit | NotEnough | Degenerate) -> str:
    """Name what looks at the sample where that is longer than the range."""
    is_path = isinstance(hedge, HedgeFit) and hedge.causal
    return "The tests look" if is_path else "The tests and β look"


def _hedge_notes(hedge: HedgeFit | NotEnough | Degenerate, params: PairParams) -> list[str]:
    if not isinstance(hedge, HedgeFit):
        return [f"The {hedge.reason}."]
    if not params.uses_beta:
        return []
    notes = [_ONE_LINE_NOTE]
    if hedge.causal:
        notes.append(_FOLLOWS_NOTE.format(method=hedge.method))
    else:
        notes.append(
            f"The {hedge.method} hedge ratio looks back {hedge.looks_back}: earlier values of the "
            "spread, its z-score and its signals are in-sample, and change as bars arrive."
        )
    return notes


def _coverage_notes(coverage: PairCoverage, params: PairParams) -> list[str]:
    notes = []
    if coverage.missing:
        notes.append(
            f"{coverage.missing:,} of {coverage.bars:,} bars are missing ({params.y} "
            f"{coverage.y_missing:,}, {params.x} {coverage.x_missing:,}): left open, never carried."
        )
    carried = coverage.known - coverage.both_traded
    if carried:
        notes.append(
            f"In {carried:,} of {coverage.bars:,} bars a leg did not trade and its last price "
            f"stands ({params.y} {coverage.y_quiet:,}, {params.x} {coverage.x_quiet:,})."
        )
    return notes


def _lag_notes(legs: tuple[Leg, Leg], params: PairParams) -> list[str]:
    """Note a leg whose data end well before the other's: the pair ends where the older one does."""
    y_leg, x_leg = legs
    if not len(y_leg) or not len(x_leg):
        return []
    if abs(y_leg.end_us - x_leg.end_us) < _LAG_NOTE_BARS * params.bar.us:
        return []
    y_end, x_end = utc_index(np.array([y_leg.end_us, x_leg.end_us]))
    older, end = (params.y, y_end) if y_end < x_end else (params.x, x_end)
    newer, new_end = (params.x, x_end) if y_end < x_end else (params.y, y_end)
    note = (
        f"{older} has closed bars up to {end:%Y-%m-%d %H:%M:%S} UTC only, {newer} up to "
        f"{new_end:%Y-%m-%d %H:%M:%S}: the pair ends with {older}."
    )
    return [note]
