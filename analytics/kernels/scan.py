"""The unit-root regression of a pair's residual from moments that all pairs share.

The residual y - beta * x is never formed over the sample: its products at lag h are
yy(h) - beta * (yx(h) + xy(h)) + beta² * xx(h), and the matrices of those cross products come from
one matrix product a lag (`analytics.scanner.moments`). What a matrix product cannot give are the
few terms at the ends of each unbroken stretch; those are added here, pair by pair.

Where a pivot or a moment says that digits would be lost, the pair is marked and the caller takes
the plain test.
"""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.adf import best_lag
from analytics.kernels.jit import compiled, compiled_sums
from analytics.kernels.scan_gram import edges, fill_gram, rows_left

# As in `analytics.kernels.adf`: what earlier columns leave of a column's square.
_MIN_PIVOT_SQUARE = 1e-6
# A residual this small beside its legs has lost six of the sixteen digits of their moments.
_MIN_RESIDUAL_SHARE = 1e-6

# Places in the row of results of one ordering.
STAT, LAG, NOBS, THETA, THETA_STDERR, STATE = 0, 1, 2, 3, 4, 5
RESULTS = 6
NOT_DONE, DONE, UNSAFE = 0, 1, 2
# Places in what the fit of one lane gives.
T_RATIO, COEFFICIENT, COEFFICIENT_STDERR, ROWS = 0, 1, 2, 3
FIT_COLUMNS = 4
# Residuals that go through one factorisation side by side, in vector registers.
LANES = 8


@compiled_sums
def _factor(gram: FloatArray, is_safe: BoolArray) -> None:
    """Overwrite lower triangles by their Cholesky factors; `is_safe`: no digits were lost."""
    size, _, lanes = gram.shape
    rest = np.empty(lanes)
    for i in range(size):
        for j in range(i + 1):
            for n in range(lanes):
                rest[n] = gram[i, j, n]
            for m in range(j):
                for n in range(lanes):
                    rest[n] -= gram[i, m, n] * gram[j, m, n]
            if j < i:
                for n in range(lanes):
                    gram[i, j, n] = rest[n] / gram[j, j, n]
                continue
            for n in range(lanes):
                if not (rest[n] >= _MIN_PIVOT_SQUARE * gram[i, i, n] and rest[n] > 0.0):
                    is_safe[n] = False
                    rest[n] = 1.0
                gram[i, i, n] = np.sqrt(rest[n])


@compiled_sums
def _longer_dots(
    first: FloatArray, starts: IntArray, dots: FloatArray, lane: int, lags: int
) -> FloatArray:
    """Products of the differences on the rows that fewer lags leave: those of `dots` and more."""
    longer = np.empty((lags + 1, 1))
    for lag in range(lags + 1):
        longer[lag, 0] = dots[lag, lane]
    most = dots.shape[0] - 1
    for s in range(starts.size - 1):
        for t in range(lags, min(most, starts[s + 1] - 1 - starts[s])):
            change = first[s, t + 1, lane] - first[s, t, lane]
            for lag in range(lags + 1):
                before = first[s, t - lag + 1, lane] - first[s, t - lag, lane]
                longer[lag, 0] += change * before
    return longer


@compiled
def _refit(
    first: FloatArray,
    last: FloatArray,
    starts: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    lane: int,
    lags: int,
    terms: int,
    found: FloatArray,
) -> bool:
    """Fit one lane with all rows that `lags` allow; found takes t, coefficient, its error, rows."""
    rows = rows_left(starts, lags)
    free = rows - terms - 1 - lags
    if free < 1:
        return False
    longer = _longer_dots(first, starts, dots, lane, lags)
    own_first = np.empty((first.shape[0], lags + 2, 1))
    own_last = np.empty((first.shape[0], lags + 2, 1))
    for s in range(first.shape[0]):
        for m in range(lags + 2):
            own_first[s, m, 0], own_last[s, m, 0] = first[s, m, lane], last[s, m, lane]
    factor = np.empty((terms + lags + 2, terms + lags + 2, 1))
    is_safe = np.ones(1, dtype=np.bool_)
    fill_gram(own_first, own_last, starts, longer, squares[lane : lane + 1], terms, True, factor)
    _factor(factor, is_safe)
    if not is_safe[0]:
        return False
    end = factor.shape[0] - 1
    residual_std = factor[end, end, 0] / np.sqrt(free)
    found[T_RATIO] = factor[end, end - 1, 0] / residual_std
    found[COEFFICIENT] = factor[end, end - 1, 0] / factor[end - 1, end - 1, 0]
    found[COEFFICIENT_STDERR] = residual_std / factor[end - 1, end - 1, 0]
    found[ROWS] = rows
    return True


@compiled
def test_lanes(
    first: FloatArray,
    last: FloatArray,
    starts: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    terms: int,
    criterion: int,
    lanes: int,
    gram: FloatArray,
    out: FloatArray,
) -> None:
    """Test the residuals of some orderings at once; row n of `out` takes what `RESULTS` names."""
    most = dots.shape[0] - 1
    is_safe = np.ones(gram.shape[2], dtype=np.bool_)
    chooses = criterion >= 0 and most > 0
    rows = rows_left(starts, most)
    if chooses:
        if rows <= terms + 1 + most:
            return
        fill_gram(first, last, starts, dots, squares, terms, False, gram)
        _factor(gram, is_safe)
    found, effects = np.empty(FIT_COLUMNS), np.empty(gram.shape[0])
    for n in range(lanes):
        if not is_safe[n]:
            continue
        lag = most
        if chooses:
            for m in range(effects.size):
                effects[m] = gram[-1, m, n] ** 2
            lag = best_lag(effects, terms + 1, rows, criterion)
        # The test, then the half-life's fit; a loop, so that the fit is compiled into it once.
        for fit in range(2):
            own_lag, own_terms = (lag, terms) if fit == 0 else (0, 1)
            if not _refit(first, last, starts, dots, squares, n, own_lag, own_terms, found):
                break
            if fit == 0:
                out[n, STAT], out[n, LAG], out[n, NOBS] = found[T_RATIO], lag, found[ROWS]
            else:
                out[n, THETA], out[n, THETA_STDERR], out[n, STATE] = (
                    found[COEFFICIENT],
                    found[COEFFICIENT_STDERR],
                    DONE,
                )


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
    return rest > _MIN_RESIDUAL_SHARE * legs


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
    out : ndarray, shape (pairs, RESULTS)
    """
    lags, stretches = left_own.shape[1] - 1, starts.size - 1
    first = np.zeros((stretches, lags + 2, LANES))
    last = np.zeros((stretches, lags + 2, LANES))
    dots, squares = np.ones((lags + 1, LANES)), np.ones(LANES)
    gram = np.ones((terms + lags + 2, terms + lags + 2, LANES))
    found, place_of = np.empty((LANES, RESULTS)), np.empty(LANES, dtype=np.int64)
    lane, n = 0, left.shape[1]
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
                safe = _residual_dots(y_own, x_own, cross[i, j], beta, dots, lane)
                if safe and square[i, j] > _MIN_RESIDUAL_SHARE * n * (1.0 + beta * beta):
                    edges(y, x, beta, starts, first, last, lane)
                    squares[lane], place_of[lane] = square[i, j], place
                    lane += 1
            is_last = i == left.shape[0] - 1 and j == right.shape[0] - 1
            if lane == LANES or (is_last and lane > 0):
                for each in range(lane):
                    for m in range(RESULTS):
                        found[each, m] = np.nan
                    found[each, STATE] = UNSAFE
                test_lanes(first, last, starts, dots, squares, terms, criterion, lane, gram, found)
                for each in range(lane):
                    for m in range(RESULTS):
                        out[place_of[each], m] = found[each, m]
                lane = 0
