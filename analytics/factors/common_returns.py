"""Which symbols and bars take part: the returns that all of these symbols know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner import even_closes, make_panel

LEAST_SYMBOLS: Final = 3
# A symbol may cost the others so many of the bars that the best known one has, and no more.
_MOST_LOST: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class CommonReturns:
    """Log returns without a hole.

    Attributes
    ----------
    names
        Symbols that take part, in the order of the closes.
    values : ndarray, shape (bars, symbols)
        Log returns into each bar that all of them know.
    times
        Opens of these bars, or plain numbers where the closes carry no times.
    bars_given
        Bars of the closes, missing ones included.
    left_out
        Why a symbol takes no part, by its name.
    """

    names: tuple[str, ...]
    values: FloatArray
    times: pd.Index
    bars_given: int
    left_out: Mapping[str, str]


def common_returns(closes: pd.DataFrame) -> CommonReturns:
    """Find the symbols and bars that share a matrix without holes.

    No return reaches over a missing bar. Symbols are taken in the order of how many returns they
    know, as long as the bars known to all stay 80 % of those of the first: one symbol that was
    recorded late costs itself, not the others.

    Raises
    ------
    NotEnoughDataError
        Fewer than three symbols are given or left.
    FrameError, InvalidSeriesError
        As `analytics.scanner.scan_pairs`.
    """
    if isinstance(closes, pd.DataFrame) and len(closes.columns) < LEAST_SYMBOLS:
        raise NotEnoughDataError("factors", LEAST_SYMBOLS, len(closes.columns), "symbols")
    even = even_closes(closes)
    panel = make_panel(even, "log")
    usable = np.array([not reason for reason in panel.unusable])
    known = ~np.isnan(panel.returns) & usable[:, np.newaxis]
    kept, bars = _kept(known)
    left_out = {
        name: reason or f"knows {known[place].sum():,} of {known.any(axis=0).sum():,} returns"
        for place, (name, reason) in enumerate(zip(panel.names, panel.unusable, strict=True))
        if place not in set(kept.tolist())
    }
    values = panel.returns[np.ix_(kept, bars)].T
    moving = values.std(axis=0) > 0 if bars.size else np.zeros(kept.size, dtype=np.bool_)
    names = [panel.names[place] for place in kept]
    left_out |= {
        name: "does not move" for name, moves in zip(names, moving, strict=True) if not moves
    }
    taking_part = tuple(name for name, moves in zip(names, moving, strict=True) if moves)
    if len(taking_part) < LEAST_SYMBOLS:
        raise NotEnoughDataError(
            "factors", LEAST_SYMBOLS, len(taking_part), "symbols that move in the same bars"
        )
    return CommonReturns(
        taking_part, np.ascontiguousarray(values[:, moving]), even.index[bars], len(even), left_out
    )


def _kept(known: BoolArray) -> tuple[IntArray, IntArray]:
    """Places of the symbols that take part, and of the bars all of them know."""
    order = np.argsort(-known.sum(axis=1), kind="stable")
    common = known[order[0]].copy()
    least = (1.0 - _MOST_LOST) * common.sum()
    count = 0
    for place in order:
        fewer = common & known[place]
        if not fewer.any() or fewer.sum() < least:
            break
        common, count = fewer, count + 1
    return np.sort(order[:count]), np.flatnonzero(common)
