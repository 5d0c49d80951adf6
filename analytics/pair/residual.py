"""What the tests of a spread look at, and their answers with the distribution that fits it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair.params import PairParams
from analytics.pair.spread import PairSpread, moving
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    SpreadTest,
    of_residual,
)

Lack = NotEnough | Degenerate
AnyTest = TypeVar("AnyTest", ADFResult, HalfLife, SpreadTest)


def residual_of(
    made: PairSpread, engle_granger: EngleGrangerResult | Lack, params: PairParams
) -> pd.Series | Lack:
    """Return what the tests of the spread look at, over the sample, or why there is nothing.

    The spread itself where it uses no hedge ratio. Else the residual of Engle-Granger's line over
    the same bars, whichever method the spread is drawn by: one line for all of them.
    """
    if not params.uses_beta:
        return attempt(lambda: moving(made, f"the spread of {params.label}"))
    if not isinstance(engle_granger, EngleGrangerResult):
        return engle_granger
    y, x = made.sample.y, made.sample.x
    rest = engle_granger.beta * x.to_numpy()
    rest += engle_granger.alpha
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
