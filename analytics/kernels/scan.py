"""The unit-root regression of a pair's residual from moments that all pairs share.

The residual y - beta * x is never formed over the sample: its products at lag h are
yy(h) - beta * (yx(h) + xy(h)) + beta² * xx(h), and the matrices of those cross products come from
matrix products that all pairs share (`analytics.scanner.moments`). What these cannot give are the
few terms at the ends of each unbroken stretch; those are added here, pair by pair.
"""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled, compiled_sums
from analytics.kernels.scan_gram import edges
from analytics.kernels.scan_lanes import LANES, RESULTS, STATE, UNSAFE, test_items

# A residual this small beside its legs has lost six of the sixteen digits of their moments.
MIN_RESIDUAL_SHARE = 1e-6
# Ends of residuals that are held at once, of each kind.
MOST_ENDS = 200_000


@compiled_sums
def _residual_dots(
    y_own: FloatArray,
    x_own: FloatArray,
    cross: FloatArray,
    beta: float,
    dots: FloatArray,
    lane: int,
) -> bool:
    """Products of the residual's differences from those of the legs; False where digits cancel."""
    for lag in range(dots.shape[0]):
        dots[lag, lane] = y_own[lag] - beta * cross[lag] + beta * beta * x_own[lag]
    legs: float = y_own[0] + beta * beta * x_own[0]
    rest: float = dots[0, lane]
    return rest > MIN_RESIDUAL_SHARE * legs


@compiled
def test_orderings(
    left: FloatArray,
    right: FloatArray,
    starts: IntArray,
    left_own: FloatArray,
    right_own: FloatArray,
    cross: FloatArray,
    slope: FloatArray,
    square: FloatArray,
    left_is_y: BoolArray,
    places: IntArray,
    terms: int,
    criterion: int,
    with_decay: bool,
    out: FloatArray,
) -> None:
    """Augmented Dickey-Fuller of residuals of each row of `left` on one of `right`, or about.

    Parameters
    ----------
    left, right : ndarray, shape (a, n), (b, n)
        Centred and scaled levels, known bars only; stretches begin at `starts`.
    left_own, right_own : ndarray, shape (a, k + 1), (b, k + 1)
        Each row's own products of differences at lag 0 .. k.
    cross : ndarray, shape (a, b, k + 1)
        Of both rows at lag 0 .. k, summed over which of the two leads.
    slope, square : ndarray, shape (a, b)
        Of the dependent level on the other, and the residual's sum of squares.
    left_is_y : ndarray, shape (a, b)
        Which is the dependent one.
    places : ndarray, shape (a, b)
        Row of `out` for the pair; negative where it is not asked for.
    terms : {0, 1}
        1 for a constant in the test's regression.
    criterion : int
        As in `analytics.kernels.adf.fit_unbroken`.
    with_decay : bool
        Whether the half-life's regression is asked for.
    out : ndarray, shape (pairs, RESULTS)
    """
    lags, stretches, n = left_own.shape[1] - 1, starts.size - 1, left.shape[1]
    most = max(LANES, min(MOST_ENDS // (stretches * (lags + 2)), places.size))
    first = np.zeros((stretches, lags + 2, most))
    last = np.zeros((stretches, lags + 2, most))
    steps = np.empty((stretches, most), dtype=np.int64)
    dots, squares = np.ones((lags + 1, most)), np.ones(most)
    found, place_of = np.empty((most, RESULTS)), np.empty(most, dtype=np.int64)
    everyone, item = np.arange(most), 0
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            place, beta = places[i, j], slope[i, j]
            if place >= 0:
                is_left = left_is_y[i, j]
                y, x = (left[i], right[j]) if is_left else (right[j], left[i])
                y_own, x_own = left_own[i], right_own[j]
                if not is_left:
                    y_own, x_own = x_own, y_own
                out[place, STATE] = UNSAFE
                safe = _residual_dots(y_own, x_own, cross[i, j], beta, dots, item)
                if safe and square[i, j] > MIN_RESIDUAL_SHARE * n * (1.0 + beta * beta):
                    edges(y, x, beta, starts, first, last, steps, item)
                    squares[item], place_of[item] = square[i, j], place
                    item += 1
            is_last = i == left.shape[0] - 1 and j == right.shape[0] - 1
            if item == most or (is_last and item > 0):
                test_items(
                    first, last, steps, dots, squares, everyone[:item], terms, criterion,
                    with_decay, found,
                )  # fmt: skip
                for each in range(item):
                    for m in range(RESULTS):
                        out[place_of[each], m] = found[each, m]
                item = 0
