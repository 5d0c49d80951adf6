"""Products of the columns of a residual's unit-root regression, from few sums and the ends.

Lower triangles of [constant | level | lags | difference], some residuals side by side in the last
axis. Sums over all rows come from outside; the terms at the ends of each unbroken stretch, by which
the nearly Toeplitz block and the level's products follow from them, are taken from the residual.

Each residual has stretches of its own: `steps` has the differences of each, -1 where one residual
has fewer stretches than another beside it.
"""

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled, compiled_sums


@compiled_sums
def edges(
    y: FloatArray,
    x: FloatArray,
    beta: float,
    starts: IntArray,
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    lane: int,
) -> None:
    """Residuals at both ends of each stretch: first[s, m] from its start, last[s, m] from its end.

    `starts` has one entry more than stretches: where the last one ends. `steps` takes how many
    differences each has.
    """
    for s in range(steps.shape[0]):
        steps[s, lane] = -1
    for s in range(starts.size - 1):
        begin, stop = starts[s], starts[s + 1] - 1
        steps[s, lane] = stop - begin
        for m in range(min(first.shape[1] - 1, stop - begin) + 1):
            first[s, m, lane] = y[begin + m] - beta * x[begin + m]
            last[s, m, lane] = y[stop - m] - beta * x[stop - m]


@compiled
def longest_steps(steps: IntArray, s: int) -> int:
    """The longest of one stretch side by side."""
    longest = -1
    for n in range(steps.shape[1]):
        longest = max(longest, steps[s, n])
    return longest


@compiled_sums
def _lag_products(
    first: FloatArray, last: FloatArray, steps: IntArray, lags: int, gram: FloatArray, at: IntArray
) -> None:
    """Fill the nearly Toeplitz block of lag 0 .. lags from its first row, in the last of `gram`.

    Each entry is its upper left neighbour, plus the term that enters at the start of a stretch and
    less the one that leaves at its end.
    """
    lanes = gram.shape[2]
    enter, leave = np.empty((lags + 1, lanes)), np.empty((lags + 1, lanes))
    for s in range(steps.shape[0]):
        if s > 0 and longest_steps(steps, s) <= lags:
            continue
        for lag in range(lags + 1):
            for n in range(lanes):
                entered = first[s, lags - lag + 1, n] - first[s, lags - lag, n]
                left = last[s, lag, n] - last[s, lag + 1, n]
                is_long = steps[s, n] > lags
                enter[lag, n] = entered if is_long and lag > 0 else 0.0
                leave[lag, n] = left if is_long and lag < lags else 0.0
        _shift_products(enter, leave, gram, at, s == 0)


@compiled_sums
def _shift_products(
    enter: FloatArray, leave: FloatArray, gram: FloatArray, at: IntArray, is_first: bool
) -> None:
    """Go down the diagonals: `is_first` from the neighbours, else add what a stretch adds to all.

    What enters at lag h is the difference h - 1 bars before a stretch's first row, what leaves the
    one h bars before its last.
    """
    lags, lanes = at.size - 1, gram.shape[2]
    ends = np.zeros(lanes)
    for apart in range(lags):
        for n in range(lanes):
            ends[n] = 0.0
        for lag in range(lags - apart):
            other = lag + apart
            # Not as rows of their own: numba counts references to each view.
            to, place = at[other + 1], at[lag + 1]
            low, high = min(at[other], at[lag]), max(at[other], at[lag])
            if is_first:
                for n in range(lanes):
                    gram[to, place, n] = gram[high, low, n] + (
                        enter[lag + 1, n] * enter[other + 1, n] - leave[lag, n] * leave[other, n]
                    )
            else:
                for n in range(lanes):
                    ends[n] += enter[lag + 1, n] * enter[other + 1, n]
                    ends[n] -= leave[lag, n] * leave[other, n]
                for n in range(lanes):
                    gram[to, place, n] += ends[n]


@compiled
def _sums_inside(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    lags: int,
    lane: int,
    square: float,
) -> tuple[float, float, float]:
    """Sum of squares and sum of the level, and twice its product with the difference but for dots.

    Sums over all known bars are `square` and, the legs being centred, zero; what lies outside the
    rows of the regression is taken off.
    """
    total, product = 0.0, 0.0
    for s in range(steps.shape[0]):
        for m in range(min(lags, steps[s, lane] + 1)):
            square -= first[s, m, lane] ** 2
            total -= first[s, m, lane]
        if steps[s, lane] >= lags:
            square -= last[s, 0, lane] ** 2
            total -= last[s, 0, lane]
        if steps[s, lane] > lags:
            product += last[s, 0, lane] ** 2 - first[s, lags, lane] ** 2
    return square, total, product


@compiled_sums
def _level_products(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    gram: FloatArray,
    at: IntArray,
    level_at: int,
    terms: int,
) -> None:
    """Fill the products of the level, and of the constant where there is one, with all columns."""
    lags = dots.shape[0] - 1
    for n in range(gram.shape[2]):
        square, total, product = _sums_inside(first, last, steps, lags, n, squares[n])
        product = (product - dots[0, n]) / 2.0
        gram[level_at, level_at, n] = square
        for lag in range(lags + 1):
            gram[max(level_at, at[lag]), min(level_at, at[lag]), n] = product
            product += dots[lag, n]
            for s in range(steps.shape[0]):
                if lag < lags and steps[s, n] > lags:
                    enter = first[s, lags - lag, n] - first[s, lags - lag - 1, n]
                    product += first[s, lags, n] * enter
                    product -= last[s, 0, n] * (last[s, lag, n] - last[s, lag + 1, n])
        if terms > 0:
            gram[0, 0, n], gram[level_at, 0, n] = rows_left(steps, lags, n), total
            for lag in range(lags + 1):
                shift = 0.0
                for s in range(steps.shape[0]):
                    if steps[s, n] > lags:
                        shift += last[s, lag, n] - first[s, lags - lag, n]
                gram[at[lag], 0, n] = shift


@compiled
def rows_left(steps: IntArray, lags: int, lane: int) -> int:
    """Rows of the regression that `lags` leave a residual."""
    rows = 0
    for s in range(steps.shape[0]):
        rows += max(steps[s, lane] - lags, 0)
    return rows


@compiled
def fill_gram(
    first: FloatArray,
    last: FloatArray,
    steps: IntArray,
    dots: FloatArray,
    squares: FloatArray,
    terms: int,
    level_last: bool,
    gram: FloatArray,
) -> None:
    """Lower triangles of the products of [constant | level | lags | difference], or level last."""
    lags, end = dots.shape[0] - 1, gram.shape[0] - 1
    at = np.empty(lags + 1, dtype=np.int64)
    at[0] = end
    for lag in range(1, lags + 1):
        at[lag] = (terms if level_last else terms + 1) + lag - 1
    for lag in range(lags + 1):
        for n in range(gram.shape[2]):
            gram[end, at[lag], n] = dots[lag, n]
    _lag_products(first, last, steps, lags, gram, at)
    level_at = terms + lags if level_last else terms
    _level_products(first, last, steps, dots, squares, gram, at, level_at, terms)
