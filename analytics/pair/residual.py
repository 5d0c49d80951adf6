"""What the tests of a spread look at, and their answers with the distribution that fits it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair.params import PairParams
from analytics.pair.spread import PairSample, PairSpread, moving
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    SampleSums,
    SpreadTest,
    adf_test,
    engle_granger_test,
    half_life,
    of_residual,
)

Lack = NotEnough | Degenerate
AnyTest = TypeVar("AnyTest", ADFResult, HalfLife, SpreadTest)


@dataclass(frozen=True, slots=True, eq=False)
class PairTests:
    """The tests of a pair, as `PairAnalytics` has them."""

    engle_granger: EngleGrangerResult | Lack
    engle_granger_swapped: EngleGrangerResult | Lack
    residual: pd.Series | Lack
    adf: ADFResult | Lack
    half_life: HalfLife | Lack


def tests_of(made: PairSpread, params: PairParams) -> PairTests:
    """Test the sample: by its sums where there are such, which are the quicker."""
    sums, y, x = made.sums, made.sample.y, made.sample.x
    engle_granger = _engle_granger(y, x, sums)
    residual = residual_of(made.sample, engle_granger, params)
    slope = _slope(engle_granger, params)

    def adf(series: pd.Series) -> ADFResult:
        """From the sums that are carried where they are whole, else of the series."""
        known = None if sums is None or slope is None else sums.adf(slope)
        return adf_test(series) if known is None else known

    def speed(series: pd.Series) -> HalfLife:
        """As `adf` does: from the sums where they are whole."""
        known = None if sums is None or slope is None else sums.half_life(slope)
        return half_life(series) if known is None else known

    return PairTests(
        engle_granger=engle_granger,
        engle_granger_swapped=_engle_granger(x, y, None if sums is None else sums.swapped),
        residual=residual,
        adf=judged("ADF on", adf, residual, params),
        half_life=judged("half-life of", speed, residual, params),
    )


def verdict_of(
    sample: PairSample, params: PairParams
) -> tuple[ADFResult | EngleGrangerResult | Lack, HalfLife | Lack]:
    """Test a sample by itself, only as a verdict needs it: the test to go by, and the half-life.

    Engle-Granger where the hedge ratio was estimated, ADF where it was given.
    """
    if not params.uses_beta:
        residual = _spread_of(sample, params)
        return judged("ADF on", adf_test, residual, params), _speed(residual, params)
    line = _engle_granger(sample.y, sample.x, None)
    return line, _speed(_off_line(sample, line, params), params)


def _speed(residual: pd.Series | Lack, params: PairParams) -> HalfLife | Lack:
    return judged("half-life of", half_life, residual, params)


def _engle_granger(
    y: pd.Series, x: pd.Series, sums: SampleSums | None
) -> EngleGrangerResult | Lack:
    known = None if sums is None else sums.engle_granger(str(y.name), str(x.name))
    return attempt(lambda: engle_granger_test(y, x)) if known is None else known


def _slope(engle_granger: EngleGrangerResult | Lack, params: PairParams) -> float | None:
    """How much of x the residual has less than y; None where it is no line of both."""
    if params.uses_beta:
        return engle_granger.beta if isinstance(engle_granger, EngleGrangerResult) else None
    return 1.0 if params.spread == "price difference" else None


def residual_of(
    sample: PairSample, engle_granger: EngleGrangerResult | Lack, params: PairParams
) -> pd.Series | Lack:
    """Return what the tests of the spread look at, over the sample, or why there is nothing.

    The spread itself where it uses no hedge ratio. Else the residual of Engle-Granger's line over
    the same bars, whichever method the spread is drawn by: one line for all of them.
    """
    if not params.uses_beta:
        return _spread_of(sample, params)
    return _off_line(sample, engle_granger, params)


def _spread_of(sample: PairSample, params: PairParams) -> pd.Series | Lack:
    return attempt(lambda: moving(sample, f"the spread of {params.label}"))


def _off_line(
    sample: PairSample, line: EngleGrangerResult | Lack, params: PairParams
) -> pd.Series | Lack:
    if not isinstance(line, EngleGrangerResult):
        return line
    y, x = sample.y, sample.x
    rest = line.beta * x.to_numpy()
    rest += line.alpha
    np.subtract(y.to_numpy(), rest, out=rest)
    return pd.Series(rest, index=y.index, name=params.label, copy=False)


def judged(
    name: str,
    test: Callable[[pd.Series], AnyTest],
    residual: pd.Series | Lack,
    params: PairParams,
) -> AnyTest | Lack:
    """Test the residual, with the p-values of an estimated line where it stands on one.

    `name` is what a test says that lacks bars: "ADF on".
    """
    if not isinstance(residual, pd.Series):
        return replace(residual, what=f"{name} {params.label}")
    found = attempt(lambda: test(residual))
    if isinstance(found, NotEnough | Degenerate):
        return found
    return of_residual(found) if params.uses_beta else found
