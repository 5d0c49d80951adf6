"""Moments that all pairs of a panel share: a matrix product a lag or a frequency, tile by tile.

A span of bars is cut into groups of symbols that miss the same bars. Two symbols' common sample is
the bars both know: each pair is tested on its own, and no difference reaches over a missing bar.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Generic, TypeVar

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner import spectra
from analytics.stationarity import schwert_max_lags

Value = TypeVar("Value")
# Bars known, and the symbols that know these and no other.
Group = tuple[BoolArray, IntArray]

TILE: Final = 64
# Symbols that must miss the same bars for moments to be worth sharing.
_LEAST_SHARED: Final = 16
NOT_REQUESTED: Final = int(np.iinfo(np.int64).max)


class Kept(Generic[Value]):
    """A value that the first thread to ask makes, and all others take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: list[Value] = []

    def get(self, make: Callable[[], Value]) -> Value:
        """Return it; others that ask meanwhile wait."""
        with self._lock:
            if not self._values:
                self._values.append(make())
            return self._values[0]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """What all pairs of a symbol share of its differences.

    Attributes
    ----------
    own : ndarray, shape (a, lags + 1)
        Products with itself.
    pieces, spectra
        For products with others; None where one product a lag is cheaper.
    """

    own: FloatArray
    pieces: spectra.Pieces
    spectra: spectra.Spectra | None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some symbols over the bars that all of them know.

    Attributes
    ----------
    symbols : ndarray, shape (a,)
        Their numbers in the panel.
    levels : ndarray, shape (a, n)
        Centred, scaled to a mean square of 1.
    means, scales : ndarray, shape (a,)
        What was taken off and divided by.
    starts : ndarray
        Where unbroken stretches begin among the n bars, and n.
    bars : ndarray, shape (n,)
        Where the bars stand in the span.
    """

    symbols: IntArray
    levels: FloatArray
    means: FloatArray
    scales: FloatArray
    starts: IntArray
    bars: IntArray
    # Of as many lags as the sample is tested with.
    shared: Kept[Differences] = field(default_factory=Kept)

    def rows(self, lags: int) -> IntArray:
        """Differences with `lags` known differences before them."""
        return known_rows(self.starts, lags)

    def part(self, begin: int) -> "Sample":
        """One tile of the symbols."""
        at = slice(begin, begin + TILE)
        return Sample(
            self.symbols[at],
            self.levels[at],
            self.means[at],
            self.scales[at],
            self.starts,
            self.bars,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Two samples of the same bars; the same one twice for pairs within."""

    left: Sample
    right: Sample

    @property
    def is_square(self) -> bool:
        """Whether the pairs are within one sample."""
        return self.left is self.right


def known_rows(starts: IntArray, lags: int) -> IntArray:
    """Positions whose difference and the `lags` before it lie within one stretch."""
    ranges = [
        np.arange(begin + lags, stop - 1)
        for begin, stop in pairwise(starts.tolist())
        if stop - 1 - begin > lags
    ]
    return np.concatenate(ranges) if ranges else np.empty(0, dtype=np.int64)


def tiles(values: FloatArray, groups: list[Group]) -> Iterator[Tile]:
    """Cut the pairs of some groups of a panel, shape (symbols, bars), NaN missing, into tiles."""
    for number, (mask, members) in enumerate(groups):
        own = sample(values, members, mask)
        yield from _tiles_within(own)
        for other_mask, others in groups[number + 1 :]:
            common = mask & other_mask
            yield from _tiles_between(
                sample(values, members, common), sample(values, others, common)
            )


def sample(values: FloatArray, symbols: IntArray, mask: BoolArray) -> Sample:
    """Centre and scale some symbols over the bars of a mask."""
    known = np.flatnonzero(mask)
    levels = values[np.ix_(symbols, known)]
    means = np.zeros(symbols.size)
    if known.size:
        # The second pass removes what the first was rounded by.
        for _ in range(2):
            rest = levels.mean(axis=1)
            levels -= rest[:, np.newaxis]
            means += rest
    scales = np.sqrt(np.einsum("it,it->i", levels, levels) / max(known.size, 1))
    levels /= np.where(scales > 0, scales, 1.0)[:, np.newaxis]
    return Sample(symbols, levels, means, scales, stretches(known), known)


def stretches(known: IntArray) -> IntArray:
    """Where unbroken stretches begin among the bars at these places, and their number."""
    breaks = np.flatnonzero(np.diff(known) > 1) + 1
    starts = np.concatenate([[0], breaks, [known.size]]) if known.size else np.zeros(1)
    return starts.astype(np.int64)


def affordable_lags(starts: IntArray, trend: str) -> int:
    """Most lags tried, as in `stationarity.dickey_fuller`: fewer where holes cost half the rows."""
    bars = int(starts[-1])
    lags = schwert_max_lags(bars, "n" if trend == "n" else "c")
    half = known_rows(starts, 0).size / 2
    while lags > 0 and known_rows(starts, lags).size < half:
        lags -= 1
    return lags


def differences(part: Sample, lags: int) -> Differences:
    """Return what a part's pairs share; the lags are the same each time."""
    return part.shared.get(lambda: _differences(part, lags))


def _differences(part: Sample, lags: int) -> Differences:
    pieces = spectra.cut(part.starts, lags)
    if not pieces.is_cheaper:
        return Differences(own_products(part.levels, part.rows(lags), lags), pieces, None)
    transformed = spectra.spectra(np.diff(part.levels, axis=1), pieces)
    return Differences(spectra.own_products(transformed, pieces), pieces, transformed)


def own_products(levels: FloatArray, rows: IntArray, lags: int) -> FloatArray:
    """Products of each symbol's differences at lag 0 .. lags, shape (a, lags + 1)."""
    change = np.diff(levels, axis=1)
    now = _columns(change, rows, 0)
    columns = [np.einsum("it,it->i", now, _columns(change, rows, lag)) for lag in range(lags + 1)]
    return np.ascontiguousarray(np.column_stack(columns))


def cross_products(tile: Tile, lags: int) -> FloatArray:
    """Products of two symbols' differences at lag 0 .. lags, summed over which of them leads.

    Shape (a, b, lags + 1).
    """
    left, right = differences(tile.left, lags), differences(tile.right, lags)
    if left.spectra is None or right.spectra is None:
        return direct_products(tile, lags)
    return spectra.cross_products(left.spectra, right.spectra, left.pieces)


def direct_products(tile: Tile, lags: int) -> FloatArray:
    """The same by one matrix product a lag."""
    rows = tile.left.rows(lags)
    left = np.diff(tile.left.levels, axis=1)
    right = left if tile.is_square else np.diff(tile.right.levels, axis=1)
    cross = np.empty((lags + 1, left.shape[0], right.shape[0]))
    left_now, right_now = _columns(left, rows, 0), _columns(right, rows, 0)
    for lag in range(lags + 1):
        product = left_now @ _columns(right, rows, lag).T
        if lag == 0 or tile.is_square:
            cross[lag] = product + (product.T if tile.is_square else product)
        else:
            np.add(product, _columns(left, rows, lag) @ right_now.T, out=cross[lag])
    return np.ascontiguousarray(np.moveaxis(cross, 0, 2))


def _columns(change: FloatArray, rows: IntArray, lag: int) -> FloatArray:
    """Differences `lag` bars before each row; without a copy where the rows are unbroken."""
    if rows.size and rows[-1] - rows[0] + 1 == rows.size:
        return change[:, rows[0] - lag : rows[-1] + 1 - lag]
    return change[:, rows - lag]


def groups_and_apart(values: FloatArray) -> tuple[list[Group], IntArray]:
    """Symbols by the bars they know, and those that too few others share them with."""
    groups = _groups(values)
    least = _LEAST_SHARED if len(groups) > 1 else 1
    shared = [group for group in groups if group[1].size >= least]
    apart = [members for _, members in groups if members.size < least]
    return shared, np.concatenate(apart) if apart else np.empty(0, dtype=np.int64)


def _groups(values: FloatArray) -> list[Group]:
    """Symbols by the bars they know."""
    known = ~np.isnan(values)
    symbols_by_mask: dict[bytes, list[int]] = {}
    for symbol, mask in enumerate(known):
        symbols_by_mask.setdefault(mask.tobytes(), []).append(symbol)
    return [
        (known[members[0]], np.array(members, dtype=np.int64))
        for members in symbols_by_mask.values()
    ]


def _tiles_within(whole: Sample) -> Iterator[Tile]:
    parts = [whole.part(begin) for begin in range(0, whole.symbols.size, TILE)]
    for number, left in enumerate(parts):
        if left.symbols.size > 1:
            yield Tile(left, left)
        for right in parts[number + 1 :]:
            yield Tile(left, right)


def _tiles_between(left: Sample, right: Sample) -> Iterator[Tile]:
    others = [right.part(begin) for begin in range(0, right.symbols.size, TILE)]
    for begin in range(0, left.symbols.size, TILE):
        part = left.part(begin)
        for other in others:
            yield Tile(part, other)
