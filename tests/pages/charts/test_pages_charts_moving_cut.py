"""A long chart thinned as it moves on: the same rows and sums as of all bars anew."""

import numpy as np
import pytest

from pages.charts.decimate import Thinned, bucket_rows, bucket_sums

BARS = 1_500
WINDOW = 1_000


def values(seed: int, *, with_gap: bool) -> np.ndarray:
    walk = np.random.default_rng(seed).normal(size=BARS).cumsum()
    if with_gap:
        walk[400:420] = np.nan
        walk[1_050:1_056] = np.nan  # begins where a bucket of 7 does
    return walk


@pytest.mark.parametrize("with_gap", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("size", [7, 24, 64])
def test_rows_and_sums_are_those_of_all_bars(size: int, *, with_gap: bool) -> None:
    series = [values(1, with_gap=with_gap), values(2, with_gap=False)]
    thinned, start = Thinned(), 0
    for came in [0, *[1] * 40, 5, size, 3 * size + 1, 0, 2]:
        start += came
        seen = [each[start : start + WINDOW] for each in series]
        rows = thinned.rows(seen, 10_000 + start, size)
        np.testing.assert_array_equal(rows, bucket_rows(seen, 10_000 + start, size))
        first = 10_000 + start

        def sums(low: int, high: int, part: np.ndarray = seen[1], first: int = first) -> np.ndarray:
            return bucket_sums(part[low:high], first + low, size)

        found = thinned.sums("volume", first, first + WINDOW, size, sums)
        np.testing.assert_allclose(found, sums(0, WINDOW), rtol=1e-12)


def test_a_state_from_before_is_thinned_by_itself() -> None:
    thinned, walk = Thinned(), values(3, with_gap=False)
    thinned.rows([walk[50 : 50 + WINDOW]], 50, 8)
    earlier = thinned.rows([walk[:WINDOW]], 0, 8)
    np.testing.assert_array_equal(earlier, bucket_rows([walk[:WINDOW]], 0, 8))
