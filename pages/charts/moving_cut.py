"""What was thinned of a long series, for the one some bars later: only its ends are new."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from pages.charts.decimate import bucket_rows

# Sums of each bucket that the rows from one to another reach into.
Sums = Callable[[int, int], NDArray]


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
    _lock: Lock = field(default_factory=Lock)

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
            before = bucket_rows(head, first, size, with_ends=False) + first if low > first else []
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
        with self._lock:
            before = self._known.get(key)
            if before is None or before.stop <= known.stop:
                self._known[key] = known
