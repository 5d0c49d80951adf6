"""Pairs whose legs miss bars that few other symbols miss too: tested one by one, side by side.

Moments shared by a tile pay where many pairs have the same bars. A symbol that trades thinly misses
bars of its own, and each pair of two such has a sample that no other has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.stationarity import schwert_max_lags

# Pairs of one task.
_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class PairsApart:
    """Some pairs that try as many lags.

    Attributes
    ----------
    legs : ndarray, shape (2, pairs)
        Numbers of the first and the second leg.
    bars : ndarray, shape (pairs,)
        That both legs know.
    lags, stretches
        Most lags of each, and the most unbroken stretches that one has.
    """

    legs: IntArray
    bars: IntArray
    lags: int
    stretches: int


def pairs_apart(
    values: FloatArray, apart: IntArray, trend: str, max_lags: int | None
) -> Iterator[PairsApart]:
    """Cut all pairs of a panel, shape (symbols, bars), that have a leg `apart`, few at once.

    `trend` is that of the test's regression; `max_lags` None tries as many as the bars allow.
    """
    from analytics.kernels.scan_apart import (  # noqa: PLC0415 - numba, when needed
        BARS,
        LAGS,
        STRETCHES,
        shapes_apart,
    )

    first, second = _legs(len(values), apart)
    if not first.size:
        return
    most_lags = _most_lags(values.shape[1], trend, max_lags)
    shapes = shapes_apart(~np.isnan(values), first, second, most_lags, max_lags is not None)
    # Those with as many stretches stand side by side.
    order = np.lexsort((shapes[:, STRETCHES], shapes[:, LAGS]))
    ends = np.flatnonzero(np.diff(shapes[order, LAGS])) + 1
    for alike in np.split(order, ends):
        for begin in range(0, alike.size, _AT_ONCE):
            at = alike[begin : begin + _AT_ONCE]
            yield PairsApart(
                np.stack([first[at], second[at]]),
                shapes[at, BARS],
                int(shapes[at[0], LAGS]),
                int(shapes[at[-1], STRETCHES]),
            )


def _legs(symbols: int, apart: IntArray) -> tuple[IntArray, IntArray]:
    is_apart = np.zeros(symbols, dtype=np.bool_)
    is_apart[apart] = True
    first, second = np.nonzero(np.triu(is_apart[:, np.newaxis] | is_apart, 1))
    return first.astype(np.int64), second.astype(np.int64)


def _most_lags(bars: int, trend: str, max_lags: int | None) -> IntArray:
    """Most lags by the number of bars known."""
    if max_lags is not None:
        return np.full(bars + 1, max_lags, dtype=np.int64)
    known_trend: Literal["n", "c"] = "n" if trend == "n" else "c"
    return np.array([schwert_max_lags(known, known_trend) for known in range(bars + 1)])
