"""What a test of a spread says, and the bars it may use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.series import as_floats, centred, longest_run, series_name
from analytics.stationarity.dickey_fuller import NOISE, min_bars
from analytics.stationarity.verdicts import verdict_words


@dataclass(frozen=True, slots=True)
class SpreadTest:
    """A test of a spread or of two legs.

    Attributes
    ----------
    name
        As the literature has it.
    stat, pvalue, critical_values
        Critical values at ``"1%"``, ``"5%"``, ``"10%"``.
    lags
        Lags or bandwidth of the long-run variance; the horizon of a variance ratio.
    nobs, left_out
        Bars used, and known bars outside the longest run without a missing one.
    estimate
        What was estimated, where the test has such: the variance ratio, the Hurst exponent.
    if_rejected, if_not
        What follows, in words.
    """

    name: str
    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    lags: int
    nobs: int
    left_out: int
    null_hypothesis: str
    if_rejected: str
    if_not: str
    reference: str
    estimate: float = math.nan
    estimate_interval: tuple[float, float] = (math.nan, math.nan)

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what the test says at this level."""
        return verdict_words(self.pvalue, level, self.if_rejected, self.if_not)


def unbroken(
    series: pd.Series | FloatArray, what: str, *, least: int = 0, centre: bool = True
) -> tuple[FloatArray, int]:
    """Longest run without a missing bar, centred, and how many known bars lie outside it."""
    name = series_name(series, "the series")
    values = as_floats(series, name)
    known = ~np.isnan(values)
    run = values[longest_run(known)]
    needed = max(least, min_bars("c"))
    if run.size < needed:
        holes = "" if known.all() else " in a row"
        raise NotEnoughDataError(f"{what} {name}", needed, run.size, f"bars{holes}")
    size = float(np.abs(run).max())
    if float(np.ptp(run)) <= NOISE * size:
        raise DegenerateSeriesError(
            f"{what} {name}", f"the series is constant over {run.size} bars"
        )
    return (centred(run)[0] if centre else run), int(known.sum()) - run.size


def normal_critical() -> dict[str, float]:
    """Two-sided critical values of a standard normal statistic."""
    return {f"{level:g}%": float(-ndtri(level / 200.0)) for level in (1, 5, 10)}
