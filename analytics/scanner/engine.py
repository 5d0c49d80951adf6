"""All pairs of a span through the shared moments, tile by tile, on a few threads.

Each pair's place is that of (i, j), i < j, row by row of the upper triangle.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner.apart import PairsApart, pairs_apart
from analytics.scanner.moments import (
    NOT_REQUESTED,
    Sample,
    Tile,
    affordable_lags,
    cross_products,
    differences,
    groups_and_apart,
    tiles,
)
from analytics.stationarity import AUTO_LAGS, AutoLag, min_bars

Progress = Callable[[int, int], None]

# A spread of prices this small beside them is for the plain test to judge.
_FLAT: Final = 1e-8
_MAX_WORKERS: Final = 4
# Of a tile's symbols, in the cache.
_BARS_AT_ONCE: Final = 2_048


@dataclass(frozen=True, slots=True, eq=False)
class SpanTests:
    """Results by place and ordering; as `analytics.kernels.scan_lanes` has them.

    Attributes
    ----------
    found : ndarray, shape (2, pairs, RESULTS), or (1, pairs, RESULTS) where the slope was given
    beta : ndarray, shape (pairs, 2)
        Slope of the first leg on the second, and of the second on the first; NaN where given.
    bars, max_lags : ndarray, shape (pairs,)
        Bars both legs know; most lags tried.
    correlation : ndarray, shape (pairs,)
        Of the returns over those bars.
    """

    results: FloatArray
    beta: FloatArray
    bars: IntArray
    max_lags: IntArray
    correlation: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FixedSlopes:
    """By place: the slope of the dependent leg on the other, and whether the first leg is it."""

    beta: FloatArray
    first_is_y: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """What a worker needs: the panel, how to choose lags, and where the results go."""

    values: FloatArray
    is_log: bool
    max_lags: int | None
    autolag: AutoLag | None
    fixed_slopes: FixedSlopes | None
    tests: SpanTests


def default_workers() -> int:
    """Threads for a scan: the cores of this machine, four at most."""
    return min(os.cpu_count() or 1, _MAX_WORKERS)


def pair_legs(symbols: int) -> tuple[IntArray, IntArray]:
    """Numbers of the first and second leg of each place."""
    first, second = np.triu_indices(symbols, 1)
    return first.astype(np.int64), second.astype(np.int64)


def scan_span(
    values: FloatArray,
    max_lags: int | None,
    autolag: AutoLag | None,
    *,
    is_log: bool,
    fixed_slopes: FixedSlopes | None = None,
    workers: int,
    progress: Progress | None = None,
) -> SpanTests:
    """Test all pairs of a panel, shape (symbols, bars), NaN missing: prices or their logarithms.

    `progress` is called on the caller's thread with pairs done and pairs in all; what it raises
    ends the scan.
    """
    symbols = values.shape[0]
    pairs = symbols * (symbols - 1) // 2
    span = Span(
        values, is_log, max_lags, autolag, fixed_slopes, _empty(pairs, fixed_slopes is not None)
    )
    done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="scan") as pool:
        for count in _in_flight(pool, span, 3 * workers):
            done += count
            if progress is not None:
                progress(done, pairs)
    return span.tests


def _in_flight(pool: ThreadPoolExecutor, span: Span, most: int) -> Iterator[int]:
    """Run the tasks, few at a time so that memory stays bounded; yield how many pairs each had."""
    running: set[Future[int]] = set()
    try:
        for task in _tasks(span):
            running.add(pool.submit(task))
            if len(running) >= most:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield sum(each.result() for each in finished)
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield sum(each.result() for each in finished)
    finally:
        for each in running:
            each.cancel()


def _tasks(span: Span) -> Iterator[Callable[[], int]]:
    groups, apart = groups_and_apart(span.values)
    for tile in tiles(span.values, groups):
        yield partial(_run_tile, span, tile)
    if apart.size:
        # In one piece, whatever part of a panel it is: the kernel is compiled for such.
        values = np.ascontiguousarray(span.values)
        panels = values, values if span.is_log else np.log(values), ~np.isnan(values)
        for pairs in pairs_apart(values, apart, _test_trend(span), span.max_lags):
            yield partial(_run_apart, span, pairs, panels)


def _test_trend(span: Span) -> str:
    return "n" if span.fixed_slopes is None else "c"


def _empty(pairs: int, is_fixed: bool) -> SpanTests:
    from analytics.kernels.scan_lanes import NOT_DONE, RESULTS, STATE  # noqa: PLC0415 - numba, when needed

    results = np.full((1 if is_fixed else 2, pairs, RESULTS), np.nan)
    results[..., STATE] = NOT_DONE
    return SpanTests(
        results,
        np.full((pairs, 2), np.nan),
        np.zeros(pairs, dtype=np.int64),
        np.zeros(pairs, dtype=np.int64),
        np.full(pairs, np.nan),
    )


def _run_tile(span: Span, tile: Tile) -> int:
    """Fill the results of one tile; return its number of pairs."""
    places, is_requested = _places(tile, span.values.shape[0])
    at = np.where(places < 0, -1 - places, places)[is_requested]
    bars = int(tile.left.starts[-1])
    span.tests.bars[at] = bars
    if bars < 3:
        return at.size
    span.tests.correlation[at] = _correlation(span, tile)[is_requested]
    # Judged as the plain tests judge it: Engle-Granger with a constant, ADF with one.
    if bars < min_bars("c", span.max_lags):
        return at.size
    lags = span.max_lags
    if lags is None:
        lags = affordable_lags(tile.left.starts, _test_trend(span))
    span.tests.max_lags[at] = lags
    _run_kernel(span, tile, places, is_requested, lags)
    return at.size


def _run_apart(
    span: Span, pairs: PairsApart, panels: tuple[FloatArray, FloatArray, BoolArray]
) -> int:
    """Fill the results of pairs that share nothing; return how many.

    `panels` are the values, their logarithms, and whether they are known.
    """
    from analytics.kernels.scan_apart import test_apart  # noqa: PLC0415 - as above

    tests, fixed = span.tests, span.fixed_slopes
    at = _places_of(pairs.legs[0], pairs.legs[1], len(span.values))
    least = min_bars("c", span.max_lags)
    tests.bars[at] = pairs.bars
    tests.max_lags[at] = np.where(pairs.bars < least, 0, pairs.lags)
    legs, slopes = pairs.legs, np.empty(0)
    if fixed is not None:
        legs = np.where(fixed.first_is_y[at], legs, legs[::-1])
        slopes = fixed.beta[at]
    test_apart(
        *panels, np.ascontiguousarray(legs), at, slopes, pairs.lags,
        pairs.stretches, least, int(fixed is not None), _criterion(span),
        tests.beta, tests.correlation, tests.results,
    )  # fmt: skip
    return at.size


def _criterion(span: Span) -> int:
    return -1 if span.autolag is None else AUTO_LAGS.index(span.autolag)


def _run_kernel(
    span: Span, tile: Tile, places: IntArray, is_requested: BoolArray, lags: int
) -> None:
    """Test the pairs of a tile, or mark them for the plain test where a leg hardly moves."""
    from analytics.kernels.scan_lanes import STATE, UNSAFE  # noqa: PLC0415 - as above

    left, right = tile.left, tile.right
    left_own, right_own = differences(left, lags).own, differences(right, lags).own
    products = (left_own, right_own, cross_products(tile, lags))
    flat = is_requested & (_is_flat(left)[:, np.newaxis] | _is_flat(right)[np.newaxis, :])
    at = np.where(places < 0, -1 - places, places)
    span.tests.results[:, at[flat], STATE] = UNSAFE
    sides = _Sides(
        tile,
        products,
        level=left.levels @ right.levels.T,
        ratio=_unit(left)[:, np.newaxis] / _unit(right)[np.newaxis, :],
        at=np.where(is_requested & ~flat, at, -1),
        first_is_left=places >= 0,
    )
    if span.fixed_slopes is None:
        _test_both(span, sides)
    else:
        _test_fixed(span, sides, span.fixed_slopes)


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """A tile ready for the kernel: `ratio` is the left scale over the right, `at` -1 or place."""

    tile: Tile
    products: tuple[FloatArray, FloatArray, FloatArray]
    level: FloatArray
    ratio: FloatArray
    at: IntArray
    first_is_left: BoolArray


def _test_both(span: Span, sides: _Sides) -> None:
    """Regress each leg on the other, and test both residuals."""
    is_requested = sides.at >= 0
    bars = sides.tile.left.levels.shape[1]
    slope = sides.level / bars
    square = bars * (1.0 - slope * slope)
    for ordering in (0, 1):
        left_is_y = sides.first_is_left == (ordering == 0)
        # The slope of scaled levels becomes that of the levels.
        beta = slope * np.where(left_is_y, sides.ratio, 1.0 / sides.ratio)
        span.tests.beta[sides.at[is_requested], ordering] = beta[is_requested]
        _test(span, sides, slope, square, left_is_y, 0, span.tests.results[ordering])


def _test_fixed(span: Span, sides: _Sides, fixed_slopes: FixedSlopes) -> None:
    """Test the residuals of slopes from elsewhere."""
    at = np.maximum(sides.at, 0)
    left_is_y = sides.first_is_left == fixed_slopes.first_is_y[at]
    slope = fixed_slopes.beta[at] * np.where(left_is_y, 1.0 / sides.ratio, sides.ratio)
    bars = sides.tile.left.levels.shape[1]
    square = bars * (1.0 + slope * slope) - 2.0 * slope * sides.level
    _test(span, sides, slope, square, left_is_y, 1, span.tests.results[0])


def _test(
    span: Span,
    sides: _Sides,
    slope: FloatArray,
    square: FloatArray,
    left_is_y: BoolArray,
    terms: int,
    out: FloatArray,
) -> None:
    from analytics.kernels.scan import test_orderings  # noqa: PLC0415 - as above

    left, right = sides.tile.left, sides.tile.right
    test_orderings(
        left.levels, right.levels, left.starts, *sides.products, slope, square,
        left_is_y, sides.at, terms, _criterion(span), span.fixed_slopes is None, out,
    )  # fmt: skip


def _unit(part: Sample) -> FloatArray:
    unit: FloatArray = np.where(part.scales > 0, part.scales, 1.0)
    return unit


def _is_flat(part: Sample) -> BoolArray:
    # At a mean of 0 as well: the scale itself is then 0.
    flat: BoolArray = part.scales <= _FLAT * np.abs(part.means)
    flat |= part.scales == 0
    return flat


def _places(tile: Tile, symbols: int) -> tuple[IntArray, BoolArray]:
    """Place of each pair of a tile, -1 - place where the first leg is on the right, and a mask."""
    left, right = tile.left.symbols[:, np.newaxis], tile.right.symbols[np.newaxis, :]
    low, high = np.minimum(left, right), np.maximum(left, right)
    place = _places_of(low, high, symbols)
    is_requested = (left < right) if tile.is_square else np.ones(place.shape, dtype=np.bool_)
    signed = np.where(left < right, place, -1 - place)
    return np.where(is_requested, signed, NOT_REQUESTED), is_requested


def _places_of(first: IntArray, second: IntArray, symbols: int) -> IntArray:
    """Places of pairs, the first leg's number below the second's."""
    return first * (2 * symbols - first - 1) // 2 + second - first - 1


def _correlation(span: Span, tile: Tile) -> FloatArray:
    """Pearson correlation of the returns between bars that both know; NaN for one that never moves.

    Some bars at a time, so that they stay in the cache.
    """
    left, right = (_Returns(span, each) for each in (tile.left, tile.right))
    product = np.zeros((tile.left.symbols.size, tile.right.symbols.size))
    squares = [np.zeros(each.symbols.size) for each in (tile.left, tile.right)]
    for begin in range(0, left.rows.size, _BARS_AT_ONCE):
        one = left.centred(begin)
        other = one if tile.is_square else right.centred(begin)
        product += one @ other.T
        for number, part in enumerate((one, other)):
            squares[number] += np.einsum("it,it->i", part, part)
    lengths = [np.where(each > 0, np.sqrt(each), np.nan) for each in squares]
    with np.errstate(invalid="ignore", divide="ignore"):
        product /= lengths[0][:, np.newaxis] * lengths[1][np.newaxis, :]
    return np.clip(product, -1.0, 1.0)


class _Returns:
    """Log returns of a part of a tile, less their mean."""

    def __init__(self, span: Span, part: Sample) -> None:
        self.rows = part.bars[part.rows(0)]
        self._span, self._symbols = span, part.symbols
        blocks = range(0, self.rows.size, _BARS_AT_ONCE)
        total = sum((self._returns(begin).sum(axis=1) for begin in blocks), np.zeros(1))
        self._mean = total / max(self.rows.size, 1)

    def centred(self, begin: int) -> FloatArray:
        """Those of some bars, shape (symbols, bars)."""
        returns = self._returns(begin)
        returns -= self._mean[:, np.newaxis]
        return returns

    def _returns(self, begin: int) -> FloatArray:
        rows, values = self.rows[begin : begin + _BARS_AT_ONCE], self._span.values
        if rows[-1] - rows[0] + 1 == rows.size:
            levels = values[self._symbols, rows[0] : rows[-1] + 2]
            returns: FloatArray = np.diff(levels if self._span.is_log else np.log(levels), axis=1)
            return returns
        before, after = (values[np.ix_(self._symbols, at)] for at in (rows, rows + 1))
        return after - before if self._span.is_log else np.log(after) - np.log(before)
