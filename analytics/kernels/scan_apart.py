"""Pairs tested one by one, each over the bars that both legs know, where few symbols share those.

Sums of a residual's differences are taken from the residual itself; the regressions then run side
by side in the same lanes as those from shared moments (`analytics.kernels.scan`).
"""

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.kernels.jit import compiled, compiled_sums
from analytics.kernels.scan import MIN_RESIDUAL_SHARE, MOST_ENDS
from analytics.kernels.scan_gram import edges
from analytics.kernels.scan_lanes import LANES, RESULTS, STATE, UNSAFE, test_items
from analytics.kernels.wild import changes_of, moments_of, stretch_dots

# Places in a pair's shape.
BARS, STRETCHES, LAGS = 0, 1, 2
# As `analytics.scanner.engine`: what moves less beside its level is for the plain test.
_FLAT = 1e-8


@compiled
def _common_bars(
    known: BoolArray, one: int, other: int, at: IntArray, starts: IntArray
) -> tuple[int, int]:
    """Fill the bars that both know and where stretches begin among them; how many of both."""
    bars, stretches, after = 0, 0, -1
    for t in range(known.shape[1]):
        if known[one, t] and known[other, t]:
            if t != after:
                starts[stretches] = bars
                stretches += 1
            at[bars] = t
            bars += 1
            after = t + 1
    starts[stretches] = bars
    return bars, stretches


@compiled
def _rows(starts: IntArray, stretches: int, lags: int) -> int:
    rows = 0
    for s in range(stretches):
        rows += max(starts[s + 1] - 1 - starts[s] - lags, 0)
    return rows


@compiled
def shapes_apart(
    known: BoolArray, first: IntArray, second: IntArray, most_lags: IntArray, is_bound: bool
) -> IntArray:
    """Bars that both legs of each pair know, their unbroken stretches, and the most lags to try.

    `most_lags` has the latter by the number of bars; unless it `is_bound`, fewer where holes cost
    half of the rows, as `analytics.scanner.moments.affordable_lags`.
    """
    at, starts = np.empty(known.shape[1], np.int64), np.empty(known.shape[1] + 1, np.int64)
    out = np.empty((first.size, 3), dtype=np.int64)
    for pair in range(first.size):
        bars, stretches = _common_bars(known, first[pair], second[pair], at, starts)
        lags, half = most_lags[bars], _rows(starts, stretches, 0) / 2
        while not is_bound and lags > 0 and _rows(starts, stretches, lags) < half:
            lags -= 1
        out[pair, BARS], out[pair, STRETCHES], out[pair, LAGS] = bars, stretches, lags
    return out


@compiled_sums
def _centre(values: FloatArray) -> float:
    """Take the mean off, twice: the second pass removes what the first was rounded by."""
    mean = 0.0
    for _ in range(2):
        total = 0.0
        for t in range(values.size):
            total += values[t]
        rest = total / values.size
        mean += rest
        for t in range(values.size):
            values[t] -= rest
    return mean


@compiled_sums
def _scale(values: FloatArray, square: float) -> float:
    """Scale centred values to a mean square of 1; by what they were divided, 0 where all are 0."""
    scale: float = np.sqrt(square / values.size)
    if scale > 0.0:
        for t in range(values.size):
            values[t] /= scale
    return scale


@compiled_sums
def _take_returns(logs: FloatArray, symbol: int, at: IntArray, out: FloatArray) -> int:
    """Fill the changes between bars next to each other; how many."""
    count = 0
    for t in range(at.size - 1):
        if at[t + 1] == at[t] + 1:
            out[count] = logs[symbol, at[t + 1]] - logs[symbol, at[t]]
            count += 1
    return count


@compiled
def _correlation(
    logs: FloatArray, one: int, other: int, at: IntArray, rows: FloatArray, moments: FloatArray
) -> float:
    """Of the returns over the common bars; NaN for a leg that never moves."""
    count = _take_returns(logs, one, at, rows[0])
    _take_returns(logs, other, at, rows[1])
    if count == 0:
        return np.nan
    _centre(rows[0, :count])
    _centre(rows[1, :count])
    moments_of(rows[0, :count], rows[1, :count], moments)
    if not (moments[0] > 0.0 and moments[1] > 0.0):
        return np.nan
    found: float = moments[2] / (np.sqrt(moments[0]) * np.sqrt(moments[1]))
    return min(max(found, -1.0), 1.0)


@compiled
def _take_legs(
    values: FloatArray, one: int, other: int, at: IntArray, rows: FloatArray, moments: FloatArray
) -> float:
    """Fill both legs, scaled, and moments; the ratio of their scales, NaN where one is flat."""
    y, x = rows[0, : at.size], rows[1, : at.size]
    for t in range(at.size):
        y[t], x[t] = values[one, at[t]], values[other, at[t]]
    y_mean, x_mean = _centre(y), _centre(x)
    moments_of(y, x, moments)
    y_scale, x_scale = _scale(y, moments[0]), _scale(x, moments[1])
    moments_of(y, x, moments)
    is_moving = y_scale > _FLAT * abs(y_mean) and x_scale > _FLAT * abs(x_mean)
    return y_scale / x_scale if is_moving else np.nan


@compiled
def _add_residual(
    y: FloatArray, x: FloatArray, slope: float, starts: IntArray, change: FloatArray,
    part: FloatArray, first: FloatArray, last: FloatArray, steps: IntArray, dots: FloatArray,
    squares: FloatArray, item: int,
) -> bool:  # fmt: skip
    """Fill what the test needs of y - slope * x; False where digits cancel."""
    square, legs = 0.0, 0.0
    for t in range(y.size):
        square += (y[t] - slope * x[t]) ** 2
    changes_of(y, x, slope, change)
    stretch_dots(change, starts, part, dots, item)
    edges(y, x, slope, starts, first, last, steps, item)
    squares[item] = square
    for s in range(starts.size - 1):
        for t in range(starts[s] + part.size - 1, starts[s + 1] - 1):
            legs += (y[t + 1] - y[t]) ** 2 + (slope * (x[t + 1] - x[t])) ** 2
    return bool(
        dots[0, item] > MIN_RESIDUAL_SHARE * legs
        and square > MIN_RESIDUAL_SHARE * y.size * (1.0 + slope * slope)
    )


@compiled
def _test(
    first: FloatArray, last: FloatArray, steps: IntArray, dots: FloatArray, squares: FloatArray,
    to: IntArray, items: int, terms: int, criterion: int, out: FloatArray,
) -> None:  # fmt: skip
    """Test what is held, and lay the results where they belong."""
    found = np.empty((items, RESULTS))
    with_decay = out.shape[0] > 1
    test_items(
        first, last, steps, dots, squares, np.arange(items), terms, criterion, with_decay, found
    )
    for item in range(items):
        for m in range(RESULTS):
            out[to[item, 0], to[item, 1], m] = found[item, m]


@compiled
def test_apart(
    values: FloatArray, logs: FloatArray, known: BoolArray, legs: IntArray, places: IntArray,
    slopes: FloatArray, lags: int, stretches: int, least_bars: int, terms: int, criterion: int,
    beta: FloatArray, correlation: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Augmented Dickey-Fuller of the residuals of pairs, and the correlation of their returns.

    Parameters
    ----------
    values, logs, known : ndarray, shape (symbols, bars)
        Levels, their logarithms, and whether they are known.
    legs, places : ndarray, shape (2, pairs), (pairs,)
        Numbers of both legs; rows of `beta`, `correlation` and `out`.
    slopes : ndarray, shape (pairs,)
        Of the first leg, the dependent one, on the second; empty to regress each on the other.
    lags, stretches, least_bars : int
        Most lags, the most unbroken stretches that a pair has; of fewer bars none is tested.
    terms, criterion : int
        As in `analytics.kernels.scan.test_orderings`.
    beta, correlation : ndarray, shape (all pairs, 2), (all pairs,)
        Take the slopes of both orderings, where these are not given, and the correlation.
    out : ndarray, shape (1 or 2, all pairs, RESULTS)
        By ordering.
    """
    bars, orderings = values.shape[1], out.shape[0]
    most = max(LANES, min(MOST_ENDS // (stretches * (lags + 2)), orderings * places.size))
    # Not as two of one array: numba would not know that they lie in one piece.
    first, last = np.zeros((stretches, lags + 2, most)), np.zeros((stretches, lags + 2, most))
    steps, dots = np.full((stretches, most), -1), np.ones((lags + 1, most))
    sums = (first, last, steps, dots, np.ones(most))
    at, starts = np.empty(bars, np.int64), np.empty(bars + 1, np.int64)
    rows, change, part = np.empty((2, bars)), np.empty(bars), np.empty(lags + 1)
    moments, to, item = np.empty(3), np.empty((most, 2), dtype=np.int64), 0
    for pair in range(places.size):
        place, one, other = places[pair], legs[0, pair], legs[1, pair]
        count, pieces = _common_bars(known, one, other, at, starts)
        if count >= 3:
            correlation[place] = _correlation(logs, one, other, at[:count], rows, moments)
        if count < least_bars:
            continue
        ratio = _take_legs(values, one, other, at[:count], rows, moments)
        for ordering in range(orderings):
            slope = moments[2] / count if slopes.size == 0 else slopes[pair] / ratio
            out[ordering, place, STATE] = UNSAFE
            if not np.isnan(ratio) and not np.isnan(slope):
                if slopes.size == 0:
                    beta[place, ordering] = slope * (ratio if ordering == 0 else 1.0 / ratio)
                to[item, 0], to[item, 1] = ordering, place
                item += _add_residual(
                    rows[ordering, :count], rows[1 - ordering, :count], slope,
                    starts[: pieces + 1], change[: count - 1], part, *sums, item,
                )  # fmt: skip
            if item == most:
                _test(*sums, to, item, terms, criterion, out)
                item = 0
    _test(*sums, to, item, terms, criterion, out)
