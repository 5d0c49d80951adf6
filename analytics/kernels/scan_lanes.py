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
from analytics.kernels.scan_gram import fill_gram, longest_steps, rows_left

# As in `analytics.kernels.adf`: what earlier columns leave of a column's square.
_MIN_PIVOT_SQUARE = 1e-6

# Places in the row of results of one residual.
STAT, LAG, NOBS, THETA, THETA_STDERR, STATE = 0, 1, 2, 3, 4, 5
RESULTS = 6
NOT_DONE, DONE, UNSAFE = 0, 1, 2
# What a fit is for.
_CHOICE, _TEST, _LAST_TEST, _DECAY = 0, 1, 2, 3
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
    first: FloatArray, steps: IntArray, dots: FloatArray, most: int, lags: int, longer: FloatArray
) -> None:
    """Products of the differences on the rows that fewer lags leave: those of `dots` and more."""
    lanes = dots.shape[1]
    for lag in range(lags + 1):
        for n in range(lanes):
            longer[lag, n] = dots[lag, n]
    for s in range(steps.shape[0]):
        for t in range(lags, min(most, longest_steps(steps, s))):
            for lag in range(lags + 1):
                for n in range(lanes):
                    change = first[s, t + 1, n] - first[s, t, n]
                    product = change * (first[s, t - lag + 1, n] - first[s, t - lag, n])
                    longer[lag, n] += product if t < steps[s, n] else 0.0


@compiled_sums
def _take(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    items: IntArray,
    lags: int,
    lane_first: FloatArray,
    lane_last: FloatArray,
    lane_steps: IntArray,
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
        for n in range(items.size):
            lane_steps[s, n] = steps[s, items[n]]
        for m in range(first.shape[1]):
            for n in range(items.size):
                lane_first[s, m, n] = first[s, m, items[n]]
        for m in range(lags + 2):
            for n in range(items.size):
                lane_last[s, m, n] = last[s, m, items[n]]


@compiled
def _keep_fit(
    factor: FloatArray, is_safe: BoolArray, items: IntArray, lag: int, steps: IntArray, terms: int,
    is_decay: bool, is_last: bool, out: FloatArray,
) -> None:  # fmt: skip
    """Read statistics off factors whose level stands last; a decay counts after its test only."""
    end = factor.shape[0] - 1
    for n in range(items.size):
        row = out[items[n]]
        rows = rows_left(steps, lag, n)
        free = rows - terms - 1 - lag
        if not is_safe[n] or free < 1 or (is_decay and np.isnan(row[STAT])):
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
    gram: FloatArray, is_safe: BoolArray, first_lag: int, steps: IntArray, criterion: int,
    chosen: IntArray,
) -> None:  # fmt: skip
    """The lag of each lane by the factor of all lags; -1 where that lost digits or has no rows."""
    effects = np.empty(gram.shape[0])
    lags = gram.shape[0] - 1 - first_lag
    for n in range(chosen.size):
        chosen[n] = -1
        rows = rows_left(steps, lags, n)
        if is_safe[n] and rows > first_lag + lags:
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
def _fit(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    wanted: IntArray,
    lags: int,
    terms: int,
    criterion: int,
    kind: int,
    chosen: IntArray,
    out: FloatArray,
) -> None:
    """One regression of so many lags for all residuals wanted, some side by side.

    `kind` is one of _CHOICE, which fills `chosen`, _TEST, _LAST_TEST and _DECAY, which fill `out`.
    """
    if wanted.size == 0:
        return
    stretches, most = steps.shape[0], dots.shape[0] - 1
    lane_first = np.zeros((stretches, most + 2, LANES))
    lane_last = np.zeros((stretches, most + 2, LANES))
    lane_steps = np.full((stretches, LANES), -1)
    lane_dots, lane_squares = np.ones((most + 1, LANES)), np.ones(LANES)
    longer, is_safe = np.ones((most + 1, LANES)), np.ones(LANES, dtype=np.bool_)
    gram = np.ones((terms + lags + 2, terms + lags + 2, LANES))
    for begin in range(0, wanted.size, LANES):
        items = wanted[begin : begin + LANES]
        _take(
            first, last, steps, dots, squares, items, lags,
            lane_first, lane_last, lane_steps, lane_dots, lane_squares,
        )  # fmt: skip
        _longer_dots(lane_first, lane_steps, lane_dots, most, lags, longer)
        fill_gram(
            lane_first, lane_last, lane_steps, longer[: lags + 1], lane_squares, terms,
            kind != _CHOICE, gram,
        )  # fmt: skip
        is_safe[:] = True
        _factor(gram, is_safe)
        if kind == _CHOICE:
            part = chosen[begin : begin + LANES]
            _chosen_lags(gram, is_safe, terms + 1, lane_steps, criterion, part)
        else:
            _keep_fit(
                gram, is_safe, items, lags, lane_steps, terms, kind == _DECAY, kind != _TEST, out
            )


@compiled
def test_items(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
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
    first, last, steps : ndarray, shape (stretches, k + 2, residuals), (stretches, residuals)
        As `analytics.kernels.scan_gram.edges` fills them.
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
    most = dots.shape[0] - 1
    for item in wanted:
        for m in range(RESULTS):
            out[item, m] = np.nan
        out[item, STATE] = UNSAFE
    chosen = np.full(wanted.size, most)
    sums = (first, last, steps, dots, squares)
    if criterion >= 0 and most > 0:
        _fit(*sums, wanted, most, terms, criterion, _CHOICE, chosen, out)
    order, begins = _by_lag(chosen, most)
    # The test at each residual's own lags, then the half-life's fit, which has none.
    for lag in range(most + 1):
        members = wanted[order[begins[lag] : begins[lag + 1]]]
        kind = _TEST if with_decay else _LAST_TEST
        _fit(*sums, members, lag, terms, criterion, kind, chosen, out)
    if with_decay:
        _fit(*sums, wanted[chosen >= 0], 0, 1, criterion, _DECAY, chosen, out)
