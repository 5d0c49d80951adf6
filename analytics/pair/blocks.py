"""Statistics of a leg by sums of blocks of bars: a bar later, only the blocks at the ends are new.

Moments of blocks are joined by the formulas of Chan et al. (1979) and Pébay (2008).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from analytics.frames import FloatArray
from analytics.leg import Leg
from analytics.pair.describe import described, moments_of_sums

# Bars of a block, which begin at multiples of it counted from the epoch.
BLOCK: Final = 4_096
# Of a block: closes and returns (number, mean, sums of the 2nd to 4th powers of the deviations,
# least, most), volume in units, trades, bars of each coverage.
_MOMENTS: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class LegBlocks:
    """A sample of a leg, and the sums of the blocks that it is made of; never written to."""

    leg: Leg
    whole: dict[int, FloatArray]

    @classmethod
    def of(cls, leg: Leg, known: dict[int, FloatArray] | None = None) -> Self:
        """Sum a sample; `known` are blocks of the same bars."""
        first = leg.start_us // leg.step_us
        numbers = range(-(-first // BLOCK), (first + len(leg)) // BLOCK)
        there = known or {}
        whole = {
            each: there[each]
            if each in there
            else _sums(leg, each * BLOCK - first, (each + 1) * BLOCK - first)
            for each in numbers
        }
        return cls(leg, whole)

    def moved(self, leg: Leg) -> Self:
        """Sum the sample some bars later, of which the bars in common are equal."""
        return type(self).of(leg, self.whole)

    def described(self) -> pd.Series:
        """What `describe_bars` says of the sample."""
        first, size = self.leg.start_us // self.leg.step_us, len(self.leg)
        ends = [0, size]
        if self.whole:
            ends[0] = min(self.whole) * BLOCK - first
            ends[1] = (max(self.whole) + 1) * BLOCK - first
        parts = [_sums(self.leg, 0, ends[0]), _sums(self.leg, ends[1], size)]
        sums = np.array([*parts, *self.whole.values()])
        close, change = joined(sums[:, :_MOMENTS]), joined(sums[:, _MOMENTS : 2 * _MOMENTS])
        rest = sums[:, 2 * _MOMENTS :].sum(axis=0)
        return pd.Series(
            described(
                self.leg,
                (moments_of_sums(*close), moments_of_sums(*change)),
                (int(close[0]), int(change[0])),
                rest[0],
                rest[1:],
            )
        )


def joined(parts: FloatArray) -> tuple[float, ...]:
    """Join the moments of parts: number, mean, sums of powers, least, most."""
    parts = parts[parts[:, 0] > 0]
    if not len(parts):
        return 0.0, *[np.nan] * (_MOMENTS - 1)
    count, means, squares, cubes, fourths, least, most = parts.T
    total = float(count.sum())
    mean = means[0] + float((count * (means - means[0])).sum()) / total
    d = means - mean
    return (
        total,
        mean,
        float((squares + count * d**2).sum()),
        float((cubes + 3 * d * squares + count * d**3).sum()),
        float((fourths + 4 * d * cubes + 6 * d**2 * squares + count * d**4).sum()),
        float(least.min()),
        float(most.max()),
    )


def _sums(leg: Leg, start: int, stop: int) -> FloatArray:
    from analytics.kernels.describe import MOMENTS, sample_moments  # noqa: PLC0415 - numba, when needed

    found = []
    for values in (leg.close[start:stop], leg.log_returns[start:stop]):
        known = values[~np.isnan(values)]
        sums = np.zeros(MOMENTS)
        if known.size:
            sample_moments(known, sums)
        ends = (known.min(), known.max()) if known.size else (np.nan, np.nan)
        found += [float(known.size), *sums.tolist(), *ends]
    volume = leg.volume[start:stop]
    units = np.rint(volume[~np.isnan(volume)] * 1e8)
    exact = bool((units / 1e8 == volume[~np.isnan(volume)]).all())
    coverage = np.bincount(leg.coverage[start:stop], minlength=3)
    return np.array([
        *found, units.sum() if exact else np.nan, leg.trades[start:stop].sum(), *coverage,
    ])  # fmt: skip
