"""Which symbols and bars take part: the returns that all of these symbols know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.errors import NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner import even_closes, make_panel

LEAST_SYMBOLS: Final = 3
# A symbol may cost the others so many of the bars that the first of them has, and no more.
_MOST_LOST: Final = 0.2
# Bars that a symbol may be behind the last close of any: quiet ones are, ended ones stay.
MOST_BEHIND: Final = 10
# Symbols that others may join, of those whose bars differ: more are taken evenly of all.
_MOST_FIRSTS: Final = 64


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

    No return reaches over a missing bar. A symbol whose last close is more than `MOST_BEHIND` bars
    before the last of any has ended and takes no part, unless fewer than three would be left. The
    others join one of them in the order of how many of its returns they know, as long as the bars
    known to all stay 80 % of those; of all such sets the one with the most symbols times bars
    counts. So one symbol that was recorded late, or long before the others, costs itself.

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
    returns = panel.returns()
    usable = np.array([not reason for reason in panel.unusable])
    known = ~np.isnan(returns) & usable[:, np.newaxis]
    behind = _bars_behind(known)
    ended = behind > MOST_BEHIND
    if (~ended).sum() < LEAST_SYMBOLS:
        ended = ~usable
    kept, bars = _largest(known & ~ended[:, np.newaxis])
    left_out = {
        name: reason or _reason(known[place], bars, behind[place] if ended[place] else 0)
        for place, (name, reason) in enumerate(zip(panel.names, panel.unusable, strict=True))
        if place not in set(kept.tolist())
    }
    values = returns[np.ix_(kept, bars)].T
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


def _bars_behind(known: BoolArray) -> IntArray:
    """Bars from each symbol's last return to the last of any; all of them where it has none."""
    seen = np.column_stack([np.ones(len(known), dtype=np.bool_), known])
    back: IntArray = seen[:, ::-1].argmax(axis=1)
    behind: IntArray = back - back.min()
    return behind


def _reason(known: BoolArray, bars: IntArray, behind: int) -> str:
    if behind:
        return f"its last return is {behind:,} bars before the last of all"
    return f"knows {known[bars].sum():,} of {bars.size:,} returns that the others share"


def _largest(known: BoolArray) -> tuple[IntArray, IntArray]:
    """Places of the symbols in the set with the most symbols times bars, and the bars they know."""
    packed = _packed(known)
    best, most = np.empty(0, dtype=np.int64), (0, 0)
    for first in _firsts(known, packed):
        if (LEAST_SYMBOLS, len(known) * int(known[first].sum())) <= most:
            break  # later ones know no more bars
        joined, bars = _joining(packed, first)
        if (size := (min(joined.size, LEAST_SYMBOLS), joined.size * bars)) > most:
            best, most = joined, size
    return np.sort(best), np.flatnonzero(known[best].all(axis=0) & (best.size > 0))


def _packed(known: BoolArray) -> npt.NDArray[np.uint64]:
    symbols, bars = known.shape
    whole = np.zeros((symbols, -(-bars // 64) * 64), dtype=np.bool_)
    whole[:, :bars] = known
    return np.packbits(whole, axis=1).view(np.uint64)


def _firsts(known: BoolArray, packed: npt.NDArray[np.uint64]) -> list[int]:
    """Places of symbols to begin with, one of those with equal bars, the best known ones first."""
    _, places = np.unique(packed, axis=0, return_index=True)
    ordered = places[np.argsort(-known[places].sum(axis=1), kind="stable")]
    spread = np.linspace(0, ordered.size - 1, min(_MOST_FIRSTS, ordered.size)).round()
    return [int(place) for place in ordered[spread.astype(np.int64)]]


def _joining(packed: npt.NDArray[np.uint64], first: int) -> tuple[IntArray, int]:
    """Places of the symbols that join the first one, and how many bars all of them know."""
    common = packed[first]
    shared = np.bitwise_count(packed & common).sum(axis=1, dtype=np.int64)
    count = int(shared[first])
    least = max(1.0, (1.0 - _MOST_LOST) * count)
    joined = []
    for place in np.argsort(-shared, kind="stable"):
        if shared[place] < least:
            break
        fewer = common & packed[place]
        known = int(np.bitwise_count(fewer).sum(dtype=np.int64))
        if known >= least:
            common, count = fewer, known
            joined.append(place)
    return np.array(joined, dtype=np.int64), count
