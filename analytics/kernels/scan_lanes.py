"""Unit-root regressions of many residuals, given by their sums and ends, side by side.

Some residuals go through one factorisation at once, in vector registers. One factor of all lags
tells which are kept; those that keep as many are then fitted together, with all rows that this
leaves.

Where a pivot or a moment says that digits would be lost, a residual is marked and the caller takes
the plain test.
"""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.adf import best_lag
from analytics.kernels.jit import compiled, compiled_sums
from analytics.kernels.scan_gram import fill_gram, rows_left

# As in `analytics.kernels.adf`: what earlier columns leave of a column's square.
_MIN_PIVOT_SQUARE = 1e-6

# Places in the row of results of one residual.
STAT, LAG, NOBS, THETA, THETA_STDERR, STATE = 0, 1, 2, 3, 4, 5
RESULTS = 6
NOT_DONE, DONE, UNSAFE = 0, 1, 2
# Residuals side by side: enough that a loop over them costs more than to begin it.
LANES = 32


@compiled_sums
def _factor(gram: FloatArray, is_safe: BoolArray) -> None:
    """Overwrite lower triangles by their Cholesky factors; `is_safe`: no digits were lost."""
    size, _, lanes = gram.shape
    rest = np.empty(lanes)
    for i in range(size):
        for j in range(i + 1):
            for n in range(lanes):
                rest[n] = gram[i, j, n]
            # Four columns a turn: the rest is read and written a quarter as often.
            whole = j - j % 4
            for m in range(0, whole, 4):
                for n in range(lanes):
                    rest[n] -= (
                        gram[i, m, n] * gram[j, m, n]
                        + gram[i, m + 1, n] * gram[j, m + 1, n]
                        + gram[i, m + 2, n] * gram[j, m + 2, n]
                        + gram[i, m + 3, n] * gram[j, m + 3, n]
                    )
            for m in range(whole, j):
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
    first: FloatArray, starts: IntArray, dots: FloatArray, most: int, lags: int, longer: FloatArray
) -> None:
    """Products of the differences on the rows that fewer lags leave: those of `dots` and more."""
    lanes = dots.shape[1]
    for lag in range(lags + 1):
        for n in range(lanes):
            longer[lag, n] = dots[lag, n]
    for s in range(starts.size - 1):
        for t in range(lags, min(most, starts[s + 1] - 1 - starts[s])):
            for lag in range(lags + 1):
                for n in range(lanes):
                    change = first[s, t + 1, n] - first[s, t, n]
                    longer[lag, n] += change * (first[s, t - lag + 1, n] - first[s, t - lag, n])


@compiled_sums
def _take(
    first: FloatArray,
    last: FloatArray,
    dots: FloatArray,
    squares: FloatArray,
    items: IntArray,
    lags: int,
    lane_first: FloatArray,
    lane_last: FloatArray,
    lane_dots: FloatArray,
    lane_squares: FloatArray,
) -> None:
    """Lay some residuals side by side: what so many lags need, and the starts for more rows."""
    for n in range(items.size):
        lane_squares[n] = squares[items[n]]
    for lag in range(lags + 1):
        for n in range(items.size):
            lane_dots[lag, n] = dots[lag, items[n]]
    for s in range(first.shape[0]):
        for m in range(first.shape[1]):
            for n in range(items.size):
                lane_first[s, m, n] = first[s, m, items[n]]
        for m in range(lags + 2):
            for n in range(items.size):
                lane_last[s, m, n] = last[s, m, items[n]]


@compiled
def _keep_fit(
    factor: FloatArray, is_safe: BoolArray, items: IntArray, lag: int, rows: int, free: int,
    is_decay: bool, is_last: bool, out: FloatArray,
) -> None:  # fmt: skip
    """Read statistics off factors whose level stands last; a decay counts after its test only."""
    end = factor.shape[0] - 1
    for n in range(items.size):
        row = out[items[n]]
        if not is_safe[n] or (is_decay and np.isnan(row[STAT])):
            continue
        residual_std = factor[end, end, n] / np.sqrt(free)
        if is_decay:
            row[THETA] = factor[end, end - 1, n] / factor[end - 1, end - 1, n]
            row[THETA_STDERR] = residual_std / factor[end - 1, end - 1, n]
        else:
            row[STAT], row[LAG] = factor[end, end - 1, n] / residual_std, lag
            row[NOBS] = rows
        if is_last:
            row[STATE] = DONE


@compiled
def _chosen_lags(
    gram: FloatArray, is_safe: BoolArray, first_lag: int, rows: int, criterion: int, lanes: int,
    chosen: IntArray,
) -> None:  # fmt: skip
    """The lag of each lane by the factor of all lags; -1 where that lost digits."""
    effects = np.empty(gram.shape[0])
    for n in range(lanes):
        chosen[n] = -1
        if is_safe[n]:
            for m in range(effects.size):
                effects[m] = gram[-1, m, n] ** 2
            chosen[n] = best_lag(effects, first_lag, rows, criterion)


@compiled
def _by_lag(chosen: IntArray, lags: int) -> tuple[IntArray, IntArray]:
    """Residuals in the order of their lags, and where each number of lags begins."""
    begins = np.zeros(lags + 2, dtype=np.int64)
    for item in range(chosen.size):
        if chosen[item] >= 0:
            begins[chosen[item] + 1] += 1
    for lag in range(lags + 1):
        begins[lag + 1] += begins[lag]
    order, next_place = np.empty(begins[-1], dtype=np.int64), begins.copy()
    for item in range(chosen.size):
        if chosen[item] >= 0:
            order[next_place[chosen[item]]] = item
            next_place[chosen[item]] += 1
    return order, begins


@compiled
def test_items(
    first: FloatArray,
    last: FloatArray,
    starts: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    wanted: IntArray,
    terms: int,
    criterion: int,
    with_decay: bool,
    out: FloatArray,
) -> None:
    """Test residuals, and fit the half-life's regression where it is asked for.

    Parameters
    ----------
    first, last : ndarray, shape (stretches, k + 2, residuals)
        As `analytics.kernels.scan_gram.edges` fills them; stretches begin at `starts`.
    dots : ndarray, shape (k + 1, residuals)
        Products of the differences at lag 0 .. k.
    squares : ndarray, shape (residuals,)
        Sums of squares; the sums themselves are 0.
    wanted : ndarray
        Which of them to test.
    terms : {0, 1}
        1 for a constant in the test's regression.
    criterion : int
        As in `analytics.kernels.adf.fit_unbroken`.
    out : ndarray, shape (residuals, RESULTS)
        Takes NaN and UNSAFE for those wanted that would lose digits.
    """
    most, stretches = dots.shape[0] - 1, starts.size - 1
    for item in wanted:
        for m in range(RESULTS):
            out[item, m] = np.nan
        out[item, STATE] = UNSAFE
    lane_first = np.zeros((stretches, most + 2, LANES))
    lane_last = np.zeros((stretches, most + 2, LANES))
    lane_dots, lane_squares = np.ones((most + 1, LANES)), np.ones(LANES)
    longer = np.ones((most + 1, LANES))
    is_safe = np.ones(LANES, dtype=np.bool_)
    chosen = np.full(wanted.size, most)
    if criterion >= 0 and most > 0:
        rows = rows_left(starts, most)
        if rows <= terms + 1 + most:
            return
        gram = np.ones((terms + most + 2, terms + most + 2, LANES))
        for begin in range(0, wanted.size, LANES):
            items = wanted[begin : begin + LANES]
            _take(
                first, last, dots, squares, items, most,
                lane_first, lane_last, lane_dots, lane_squares,
            )  # fmt: skip
            fill_gram(lane_first, lane_last, starts, lane_dots, lane_squares, terms, False, gram)
            is_safe[:] = True
            _factor(gram, is_safe)
            _chosen_lags(
                gram, is_safe, terms + 1, rows, criterion, items.size, chosen[begin : begin + LANES]
            )
    order, begins = _by_lag(chosen, most)
    # The test at each residual's own lags, then the half-life's fit, which has none.
    for fit in range(most + 2 if with_decay else most + 1):
        is_decay = fit > most
        lag, own_terms = (0, 1) if is_decay else (fit, terms)
        members = np.flatnonzero(chosen >= 0) if is_decay else order[begins[fit] : begins[fit + 1]]
        rows = rows_left(starts, lag)
        free = rows - own_terms - 1 - lag
        if members.size == 0 or free < 1:
            continue
        size = own_terms + lag + 2
        factor = np.ones((size, size, LANES))
        for begin in range(0, members.size, LANES):
            items = wanted[members[begin : begin + LANES]]
            _take(
                first, last, dots, squares, items, lag,
                lane_first, lane_last, lane_dots, lane_squares,
            )  # fmt: skip
            _longer_dots(lane_first, starts, lane_dots, most, lag, longer)
            fill_gram(
                lane_first, lane_last, starts, longer[: lag + 1], lane_squares, own_terms, True,
                factor,
            )  # fmt: skip
            is_safe[:] = True
            _factor(factor, is_safe)
            _keep_fit(
                factor, is_safe, items, lag, rows, free, is_decay, is_decay or not with_decay, out
            )
