"""Fewer points for the screen: extremes and gaps are kept, nothing is averaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 2_000
# Sums of each bucket that the rows from one to another reach into.
Sums = Callable[[int, int], NDArray]
# Bars in a bucket: few sizes, so that a window that grows changes them seldom.
_SIZES = sorted(
    {whole * 2**power for whole in (1, 3, 5, 7) for power in range(40)},
)


def decimate(
    series: Sequence[NDArray[np.floating]], max_points: int = MAX_POINTS
) -> NDArray[np.int64]:
    """Choose the rows to draw: in each bucket the lowest and highest of every series.

    One choice serves all series, so that their points share their times and a unified hover
    finds them together.

    Parameters
    ----------
    series
        Arrays of one length, NaN where not known.
    max_points
        Up to this length every row is kept. Above it about this many are.

    Returns
    -------
    numpy.ndarray
        Row numbers, ascending, with the first and the last row among them.
    """
    length = len(series[0])
    if length <= max_points:
        return np.arange(length)
    buckets = max(1, max_points // (2 * len(series)))
    return bucket_rows(series, 0, -(-length // buckets))


def bucket_size(bars: int, buckets: int) -> int:
    """Return how many bars a bucket must hold so that about `buckets` of them span `bars`."""
    wanted = -(-bars // max(buckets, 1))
    return int(next(size for size in _SIZES if size >= wanted))


def bucket_rows(
    series: Sequence[NDArray[np.floating]], first: int, size: int, *, with_ends: bool = True
) -> NDArray[np.int64]:
    """Choose rows by buckets that stand still while the window of bars slides over them.

    Parameters
    ----------
    series
        Arrays of one length, a row a bar, NaN where not known.
    first
        Number of the first bar, counted from the epoch: buckets begin at multiples of `size`,
        so that a new bar changes the last bucket alone.
    size
        Bars in a bucket; 1 keeps every row.
    with_ends
        Whether both ends are chosen whatever they are.

    Returns
    -------
    numpy.ndarray
        Row numbers, ascending: of each bucket the lowest and highest known value of every series
        and the first row of a missing stretch, so that a gap stays a gap; and both ends.
    """
    length = len(series[0])
    if size <= 1 or length <= 2:
        return np.arange(length)
    before = first % size
    chosen = np.zeros(length, dtype=np.bool_)
    chosen[[0, -1]] = with_ends
    for values in series:
        # One NaN makes the least value NaN.
        if np.isnan(values.min()):
            chosen[_known_extremes(values, before, size)] = True
            chosen[_gap_starts(values, before, size)] = True
        else:
            chosen[_extremes(values, before, size)] = True
    return np.flatnonzero(chosen)


def bucket_lengths(length: int, first: int, size: int) -> NDArray[np.int64]:
    """Count the bars of each bucket that `length` bars from number `first` on reach into."""
    before = first % size
    borders = np.arange(-(-(before + length) // size) + 1) * size - before
    reached = np.minimum(np.maximum(borders, 0), length)
    return reached[1:] - reached[:-1]


def bucket_sums(values: NDArray, first: int, size: int) -> NDArray:
    """Add up each bucket; a value that is not known counts as none."""
    laid = _in_buckets(values, first % size, size, 0)
    if laid.dtype.kind == "f" and np.isnan(laid.min()):
        laid[np.isnan(laid)] = 0
    return np.asarray(laid.sum(axis=1))


def bucket_candles(
    bars: Sequence[NDArray[np.floating]], first: int, size: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Join bars into one candle a bucket.

    Parameters
    ----------
    bars
        Open, high, low and close of each bar, NaN where not known.
    first, size
        As for `bucket_rows`.

    Returns
    -------
    tuple
        The first known open, the highest high, the lowest low and the last known close of each
        bucket; NaN where it has no known bar.
    """
    opens, highs, lows, closes = (_in_buckets(each, first % size, size, np.nan) for each in bars)
    known = ~np.isnan(closes)
    every = np.arange(len(closes))
    begin = np.argmax(known, axis=1)
    end = size - 1 - np.argmax(known[:, ::-1], axis=1)
    return (
        opens[every, begin],
        np.fmax.reduce(highs, axis=1),
        np.fmin.reduce(lows, axis=1),
        closes[every, end],
    )


def _in_buckets(values: NDArray, before: int, size: int, empty: float) -> NDArray:
    """Lay values out a row a bucket, `empty` before the first and after the last."""
    count = -(-(before + len(values)) // size)
    laid = np.empty(count * size, dtype=values.dtype)
    laid[:before] = empty
    laid[before : before + len(values)] = values
    laid[before + len(values) :] = empty
    return laid.reshape(count, size)


def _extremes(values: NDArray[np.floating], before: int, size: int) -> NDArray[np.int64]:
    """Row numbers of the lowest and highest value of each bucket; all values are known."""
    length = len(values)
    # Whole buckets as they lie, and what reaches into one at either end.
    begin = min(-before % size, length)
    end = max(length - (before + length) % size, begin)
    laid, starts = values[begin:end].reshape(-1, size), np.arange(begin, end, size)
    rows = [starts + laid.argmin(axis=1), starts + laid.argmax(axis=1)]
    for first, part in ((0, values[:begin]), (end, values[end:])):
        if len(part):
            rows.append(np.array([first + part.argmin(), first + part.argmax()]))
    return np.concatenate(rows)


def _known_extremes(values: NDArray[np.floating], before: int, size: int) -> NDArray[np.int64]:
    """Do the same where values are missing."""
    laid = _in_buckets(values, before, size, np.nan)
    missing = np.isnan(laid)
    starts = np.arange(len(laid)) * size - before
    known = ~missing.all(axis=1)
    extremes = []
    for unknown, place_of in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        laid[missing] = unknown
        extremes.append((starts + place_of(laid, axis=1))[known])
    return np.concatenate(extremes)


def _gap_starts(values: NDArray[np.floating], before: int, size: int) -> NDArray[np.int64]:
    """Row numbers where a known value is followed by a missing one, one to a bucket at most."""
    missing = np.isnan(values)
    starts = np.flatnonzero(missing[1:] > missing[:-1]) + 1
    buckets = (starts + before) // size
    return starts[np.diff(buckets, prepend=-1) > 0]


@dataclass(frozen=True)
class _Known:
    """Of bars ``first`` to ``stop``: rows by their numbers, or a column for each bucket."""

    first: int
    stop: int
    values: NDArray


@dataclass(eq=False)
class Thinned:
    """Shared by the states of one series as it moves on: bars that two of them hold are equal.

    Bars are numbered from the epoch.
    """

    _known: dict[object, _Known] = field(default_factory=dict)

    def rows(
        self, series: Sequence[NDArray[np.floating]], first: int, size: int
    ) -> NDArray[np.int64]:
        """Choose rows as `bucket_rows` does."""
        stop, key = first + len(series[0]), ("rows", size)
        low, high = self._complete(key, first, stop, size)
        if high <= low:
            inside = bucket_rows(series, first, size, with_ends=False)
        else:
            known = self._known[key].values
            # A gap that begins with the bucket is seen from the bar before.
            tail = [each[high - size - first :] for each in series]
            after = bucket_rows(tail, high - size, size, with_ends=False) + high - size
            head = [each[: low - first] for each in series]
            none = np.empty(0, dtype=np.int64)
            before = (
                bucket_rows(head, first, size, with_ends=False) + first if low > first else none
            )
            kept = known[(known >= low) & (known < high)]
            inside = np.concatenate([before, kept, after[after >= high]]).astype(np.int64) - first
        self._keep(key, _Known(first, stop, inside + first))
        return np.union1d(inside, [0, stop - first - 1])

    def sums(self, name: object, first: int, stop: int, size: int, sums: Sums) -> NDArray:
        """Sum buckets: `sums` gives those of some rows, which begin and end where buckets do."""
        key = ("sums", name, size)
        low, high = self._complete(key, first, stop, size)
        if high <= low:
            values = sums(0, stop - first)
        else:
            known = self._known[key]
            begin = low // size - known.first // size
            kept = known.values[..., begin : begin + (high - low) // size]
            parts = [sums(0, low - first)] if low > first else []
            parts += [kept] + ([sums(high - first, stop - first)] if stop > high else [])
            values = np.concatenate(parts, axis=-1)
        self._keep(key, _Known(first, stop, values))
        return values

    def _complete(self, key: object, first: int, stop: int, size: int) -> tuple[int, int]:
        """Bounds of the buckets that are known as a whole and lie inside; none where equal."""
        known = self._known.get(key)
        if known is None or not known.first <= first < known.stop <= stop:
            return first, first
        # The first complete bucket may be cut into by the new left edge.
        low = -(-first // size) * size
        high = known.stop // size * size
        return (low, high) if high - low > size else (first, first)

    def _keep(self, key: object, known: _Known) -> None:
        before = self._known.get(key)
        if before is None or before.stop <= known.stop:
            self._known[key] = known
