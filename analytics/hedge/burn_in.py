"""What a filter learns first: the line of its burn-in, then its model anew at every doubling."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray
from analytics.hedge.fit import Legs
from analytics.series import centred

BURN_IN: Final = 200
# Noise is estimated anew whenever the bars have doubled, up to so many of them.
_MOST_BARS = 4_000


@dataclass(frozen=True, slots=True)
class EarlyLine:
    """The OLS line of the burn-in: means, unit of x, slope per unit, and the residual's std."""

    y_mean: float
    x_mean: float
    x_unit: float
    slope: float
    residual_std: float

    @property
    def units(self) -> FloatArray:
        """Means and unit as the compiled filters take them."""
        return np.array([self.y_mean, self.x_mean, self.x_unit])

    def scaled(self, legs: Legs) -> tuple[FloatArray, FloatArray]:
        """Complete rows in the units of the search: residuals of y and deviations of x near 1."""
        return (legs.y - self.y_mean) / self.residual_std, (legs.x - self.x_mean) / self.x_unit


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a path, made by a filter that runs from the first bar.

    State from row `state_from`, forecast error from row `error_from`, both up to `stop`.
    """

    state_from: int
    error_from: int
    stop: int


def early_line(legs: Legs, burn_in: int) -> EarlyLine:
    """Fit the first `burn_in` complete rows; DegenerateSeriesError where they have no residual."""
    y, y_mean = centred(legs.y[:burn_in])
    x, x_mean = centred(legs.x[:burn_in])
    unit = math.sqrt(float(x @ x) / x.size)
    if unit <= 1e-14 * abs(x_mean):
        raise DegenerateSeriesError(legs.what, f"{legs.x_name} is constant over the burn-in")
    slope = float(x @ y) / float(x @ x) * unit
    residuals = y - slope * (x / unit)
    residual_std = math.sqrt(float(residuals @ residuals) / (x.size - 2))
    if residual_std <= 1e-13 * float(np.abs(legs.y[:burn_in]).max()):
        raise DegenerateSeriesError(legs.what, "the legs are exactly collinear over the burn-in")
    return EarlyLine(y_mean, x_mean, unit, slope, residual_std)


def estimated_at(burn_in: int, bars: int) -> list[int]:
    """Counts of bars at which the model is estimated."""
    counts = [burn_in]
    while counts[-1] * 2 <= min(bars, _MOST_BARS):
        counts.append(counts[-1] * 2)
    return counts


def stretches(legs: Legs, burn_in: int, counts: list[int]) -> list[Stretch]:
    """Lay out who makes which rows: each estimate from the bar on that it was made at.

    The first begins after the burn-in; a later one's first state is that of the last bar it was
    estimated on, from which the next bar is forecast.
    """
    places = np.flatnonzero(legs.known)
    begin = [int(places[count - 1]) for count in counts]
    begin[0] = int(places[burn_in - 1]) + 1
    size = legs.known.size
    stops = [end + 1 for end in begin[1:]] + [size]
    return [Stretch(at, at + 1, stop) for at, stop in zip(begin, stops, strict=True)]


def estimated_on(burn_in: int, counts: list[int], whole: bool) -> str:
    """Say in words which bars an estimate has seen."""
    if whole:
        return "all bars at once"
    first = f"the first {burn_in:,} bars"
    if counts[-1] == burn_in:
        return first
    return f"{first} and anew at every doubling, up to {counts[-1]:,}"
