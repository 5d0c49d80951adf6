"""How much of a pair's span is known, and how much of it was traded."""

import math
from dataclasses import dataclass

import pandas as pd


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


def pair_coverage(y: pd.Series, x: pd.Series) -> PairCoverage:
    """Count the coverage columns of two aligned legs."""
    y_kind, x_kind = y.to_numpy(dtype=object), x.to_numpy(dtype=object)
    known = (y_kind != "missing") & (x_kind != "missing")
    return PairCoverage(
        bars=len(y),
        known=int(known.sum()),
        both_traded=int(((y_kind == "traded") & (x_kind == "traded")).sum()),
        y_quiet=int((y_kind == "quiet").sum()),
        x_quiet=int((x_kind == "quiet").sum()),
        y_missing=int((y_kind == "missing").sum()),
        x_missing=int((x_kind == "missing").sum()),
    )
