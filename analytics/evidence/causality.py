"""Proof that no past value of a pair looked at the future: cut the data, compute again, compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, IntArray, align_pair, closed_bars
from analytics.hedge import HedgeFit
from analytics.pair import PairAnalytics, PairParams, analyse_pair

PATHS = (
    "hedge_ratio",
    "intercept",
    "spread",
    "mean",
    "std",
    "zscore",
    "correlation",
    "signal",
    "gate",
)
# As messages name them, where the name alone would not do.
PATH_WORDS = {
    "hedge_ratio": "hedge ratio β",
    "intercept": "intercept α",
    "mean": "rolling mean",
    "std": "rolling standard deviation",
    "zscore": "z-score",
}
CUTS = (0.4, 0.55, 0.7, 0.85, 0.95)


@dataclass(frozen=True, slots=True)
class CausalityProof:
    """What changed in the past when the future was taken away.

    Attributes
    ----------
    compared
        Past values compared, over all cuts and paths.
    changed
        By path: how many of them differ in any bit. All 0 proves that none looked ahead.
    cuts
        Open times of the last bar that each cut left.
    causal
        Whether nothing changed.
    expected
        Whether the hedge method promises so; a full-sample method does not where the spread
        stands on it.
    """

    compared: int
    changed: tuple[tuple[str, int], ...]
    cuts: tuple[pd.Timestamp, ...]
    causal: bool
    expected: bool
    looks_back: str

    @property
    def total_changed(self) -> int:
        """Changed values over all paths."""
        return sum(count for _, count in self.changed)

    def verdict(self) -> str:
        """Say in plain words what the proof found."""
        if self.causal:
            return (
                f"0 of {self.compared:,} past values changed when the future was cut off at "
                f"{len(self.cuts)} points: nothing here looks ahead"
            )
        guilty = ", ".join(
            f"{PATH_WORDS.get(name, name)} {count:,}" for name, count in self.changed if count
        )
        words = f"{self.total_changed:,} of {self.compared:,} past values changed ({guilty})"
        if self.expected:
            return f"{words}: something looks ahead that should not"
        return f"{words}, as said: the hedge ratio looks back {self.looks_back}"


def prove_causal(
    y_bars: pd.DataFrame,
    x_bars: pd.DataFrame,
    params: PairParams,
    cuts: Sequence[float] = CUTS,
) -> CausalityProof:
    """Recompute a pair on data cut off at several points, and count past values that change.

    Parameters
    ----------
    y_bars, x_bars, params
        As `analyse_pair`. The lookback is applied once, before cutting, so that both computations
        begin at the same bar, that of the warm-up; cuts are made and values compared in the range.
    cuts : sequence of float
        Where to cut, as shares of the bars, each above 0 and below 1.

    Returns
    -------
    CausalityProof
        Values are compared to the bit, NaN equal to NaN. The hedge ratio's own path counts only
        where the spread stands on it.

    Raises
    ------
    NotEnoughDataError
        Fewer than 10 bars.
    ParameterError, FrameError, NonPositivePriceError
        Cuts outside 0 to 1; as `analyse_pair`.
    """
    if not len(cuts) or not all(0 < cut < 1 for cut in cuts):
        raise ParameterError("cuts", tuple(cuts), "shares of the bars, above 0 and below 1")
    y, x = align_pair(closed_bars(y_bars), closed_bars(x_bars))
    if params.reach is not None:
        y, x = y.iloc[-params.reach :], x.iloc[-params.reach :]
    whole = analyse_pair(y, x, params)
    shown = len(whole.y)
    if shown < 10:
        raise NotEnoughDataError(f"proof of causality of {params.label}", 10, shown)
    # A range has two bars at least.
    rows = sorted({max(1 if params.lookback is None else 2, round(cut * shown)) for cut in cuts})
    before = len(y) - shown
    names = PATHS if params.uses_beta else PATHS[2:]
    changed = dict.fromkeys(names, 0)
    for row in rows:
        early = analyse_pair(y.iloc[: before + row], x.iloc[: before + row], _over(params, row))
        for name in names:
            changed[name] += _differences(whole, early, name, row)
    hedge = whole.hedge if isinstance(whole.hedge, HedgeFit) else None
    return CausalityProof(
        compared=sum(rows) * len(names),
        changed=tuple(changed.items()),
        cuts=tuple(whole.y.index[row - 1] for row in rows),
        causal=not any(changed.values()),
        expected=not params.uses_beta or hedge is None or hedge.causal,
        looks_back="" if hedge is None else hedge.looks_back,
    )


def _over(params: PairParams, bars: int) -> PairParams:
    """Return the same with a range of so many bars, for a range that was cut off."""
    return params if params.lookback is None else replace(params, lookback=bars)


def _differences(whole: PairAnalytics, early: PairAnalytics, name: str, rows: int) -> int:
    """Count the entries of one path that differ between the two, to the bit."""
    before, after = (getattr(each, name).iloc[:rows] for each in (whole, early))
    if before.dtype.kind != "f":
        return int((before.to_numpy(dtype=object) != after.to_numpy(dtype=object)).sum())
    return int((_bits(before.to_numpy()) != _bits(after.to_numpy())).sum())


def _bits(values: FloatArray) -> IntArray:
    """Read the bits of each value, of every NaN the same."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)
