"""How much of a pair's span is known, and how much of it was traded."""

import math
from dataclasses import dataclass

import numpy as np

from analytics.leg import MISSING, QUIET, TRADED, CodeArray


@dataclass(frozen=True, slots=True)
class PairCoverage:
    """How much of the pair's span is known, in bars.

    Attributes
    ----------
    bars
        Closed bars in the span both legs cover, after the lookback.
    known
        Bars with a close on both legs; the rest is `missing` on one or both.
    both_traded
        Bars in which both legs traded, so that neither price was carried.
    y_quiet, x_quiet, y_missing, x_missing
        Per leg.
    """

    bars: int
    known: int
    both_traded: int
    y_quiet: int
    x_quiet: int
    y_missing: int
    x_missing: int

    @property
    def missing(self) -> int:
        """Bars missing on either leg."""
        return self.bars - self.known

    @property
    def share_known(self) -> float:
        """Known over all bars; NaN without any."""
        return self.known / self.bars if self.bars else math.nan

    @property
    def share_both_traded(self) -> float:
        """Bars in which both legs traded over all bars; NaN without any."""
        return self.both_traded / self.bars if self.bars else math.nan


def pair_coverage(y: CodeArray, x: CodeArray) -> PairCoverage:
    """Count the coverage codes of two aligned legs: see `analytics.leg.coverage_codes`."""
    from analytics.kernel_cover import count_pairs  # noqa: PLC0415 - numba, when needed

    pairs = np.zeros((3, 3), dtype=np.int64)
    count_pairs(y, x, pairs)
    both_known = pairs[:MISSING, :MISSING]
    y_counts, x_counts = pairs.sum(axis=1).tolist(), pairs.sum(axis=0).tolist()
    return PairCoverage(
        bars=y.size,
        known=int(both_known.sum()),
        both_traded=int(pairs[TRADED, TRADED]),
        y_quiet=y_counts[QUIET],
        x_quiet=x_counts[QUIET],
        y_missing=y_counts[MISSING],
        x_missing=x_counts[MISSING],
    )
