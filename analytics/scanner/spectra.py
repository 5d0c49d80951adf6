"""Products of all pairs' differences at many lags through the frequency domain, piece by piece.

A direct product costs one multiplication a bar and lag. The rows are cut into pieces, each with
the `lags` bars before it, and transformed once a symbol: then a frequency costs one multiplication
a piece and pair, and one cosine transform a pair gives every lag. With 50 lags that is a thirtieth.

A piece's own products hold those of the bars before it among themselves too: these are of the
piece before, and are taken off. Summed over which of two symbols leads, a product is even in the
lag, so that real parts are all that is needed. The error is a rounding of both norms, as that of
a sum of products in the order of time.

References
----------
Oppenheim & Schafer, Discrete-Time Signal Processing, 8.7 (sectioned convolution); Welch (1967).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from analytics.frames import FloatArray, IntArray

# A transform holds this many times the lags, so that few bars are transformed twice.
_LENGTH_A_LAG: Final = 10
_LEAST_LENGTH: Final = 64
# Pieces transformed at once: their complex values stay in the cache.
_AT_ONCE: Final = 8
# What a multiplication in a direct product of two matrices costs, against one in this way.
_DIRECT_COST: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """How the rows of some stretches are cut.

    Attributes
    ----------
    lags : int
        Most lags.
    length, length_before : int
        Of the transforms of a whole piece, and of the bars before it alone.
    rows : int
        How many there are.
    at : ndarray, shape (pieces, piece + lags)
        Positions among the differences, those before a piece first; their number where none is.
    """

    lags: int
    length: int
    length_before: int
    rows: int
    at: IntArray

    @property
    def is_cheaper(self) -> bool:
        """Whether this way costs less than a product a lag."""
        frequencies = (self.length + self.length_before) // 2 + 2
        mine = frequencies * (2 * len(self.at) + self.lags + 1)
        return mine < _DIRECT_COST * self.rows * (self.lags + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """Of some symbols: real and imaginary parts of each piece, by frequency.

    Attributes
    ----------
    whole, before : ndarray, shape (frequencies, symbols, 2 * pieces)
        Of the pieces with the bars before them, and of those bars alone.
    """

    whole: FloatArray
    before: FloatArray


def cut(starts: IntArray, lags: int) -> Pieces:
    """Cut the rows that `lags` known differences go before, stretch by stretch."""
    length = max(_LEAST_LENGTH, 1 << (_LENGTH_A_LAG * lags - 1).bit_length()) if lags else 64
    piece = length - 2 * lags
    none = max(int(starts[-1]) - 1, 0)
    begins, stops = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for begin, stop in pairwise(starts.tolist()):
        firsts = np.arange(begin + lags, stop - 1, piece)
        begins.append(firsts)
        stops.append(np.minimum(firsts + piece, stop - 1))
    first, stop = np.concatenate(begins), np.concatenate(stops)
    at = first[:, np.newaxis] + np.arange(-lags, piece)
    at[at >= stop[:, np.newaxis]] = none
    return Pieces(lags, length, max(2 * lags, 2), int((stop - first).sum()), at)


def spectra(change: FloatArray, pieces: Pieces) -> Spectra:
    """Transform the differences of some symbols, shape (symbols, differences)."""
    symbols, count = change.shape[0], len(pieces.at)
    padded = np.zeros((symbols, change.shape[1] + 1))
    padded[:, :-1] = change
    whole = np.empty((pieces.length // 2 + 1, symbols, 2 * count))
    before = np.empty((pieces.length_before // 2 + 1, symbols, 2 * count))
    for begin in range(0, count, _AT_ONCE):
        at = pieces.at[begin : begin + _AT_ONCE]
        bars = padded[:, at]
        place = slice(2 * begin, 2 * (begin + len(at)))
        _transform(bars, pieces.length, whole[:, :, place])
        _transform(bars[:, :, : pieces.lags], pieces.length_before, before[:, :, place])
    return Spectra(whole, before)


def cross_products(left: Spectra, right: Spectra, pieces: Pieces) -> FloatArray:
    """Products at lag 0 .. lags of each symbol of `left` with each of `right`.

    Summed over which of the two leads; shape (a, b, lags + 1).
    """
    shape = (left.whole.shape[1], right.whole.shape[1], pieces.lags + 1)
    whole, before = (
        _cosines(pieces.length, pieces.lags),
        _cosines(pieces.length_before, pieces.lags),
    )
    found = _power(left.whole, right.whole).T @ whole
    found -= _power(left.before, right.before).T @ before
    return found.reshape(shape)


def own_products(own: Spectra, pieces: Pieces) -> FloatArray:
    """Products of each symbol with itself at lag 0 .. lags, shape (a, lags + 1)."""
    found = np.einsum("fsp,fsp->fs", own.whole, own.whole).T @ _cosines(pieces.length, pieces.lags)
    before = np.einsum("fsp,fsp->fs", own.before, own.before)
    found -= before.T @ _cosines(pieces.length_before, pieces.lags)
    half: FloatArray = 0.5 * found
    return half


def _transform(bars: FloatArray, length: int, out: FloatArray) -> None:
    """Fill out, shape (frequencies, symbols, 2 * pieces), from bars, shape (symbols, pieces, n)."""
    if not bars.shape[2]:
        out[:] = 0.0
        return
    transformed = np.moveaxis(np.fft.rfft(bars, length), 2, 0)
    count = bars.shape[1]
    out[:, :, :count] = transformed.real
    out[:, :, count:] = transformed.imag


def _power(left: FloatArray, right: FloatArray) -> FloatArray:
    """Real cross spectra, shape (frequencies, a * b)."""
    product = left @ right.transpose(0, 2, 1)
    return product.reshape(len(product), -1)


@lru_cache(maxsize=32)
def _cosines(length: int, lags: int) -> FloatArray:
    """Both sides' inverse transform of an even spectrum, shape (frequencies, lags + 1)."""
    frequency, lag = np.arange(length // 2 + 1), np.arange(lags + 1)
    # The angle is reduced in whole numbers, so that its cosine keeps every digit.
    turns = (frequency[:, np.newaxis] * lag[np.newaxis, :]) % length
    weight = np.full(frequency.size, 4.0 / length)
    weight[[0, -1]] = 2.0 / length
    cosines: FloatArray = weight[:, np.newaxis] * np.cos(2.0 * np.pi * turns / length)
    return cosines
