"""Sums carried from bar to bar: the tests' own figures, and none where digits would be lost."""

import numpy as np
import pytest

from analytics.frames import FloatArray
from analytics.stationarity import SampleSums, adf_test, engle_granger_test, half_life
from analytics.stationarity.sample_sums import LEAST_BARS, RENEW

BARS = 1_500
# A test's own sums run over 1,500 bars in another order.
CLOSE = 1e-10


def legs(bars: int, seed: int = 7, noise: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Prices in steps of 0.01 whose spread returns slowly."""
    rng = np.random.default_rng(seed)
    x = 2_600.0 + 0.1 * rng.normal(size=bars).cumsum()
    gap = np.zeros(bars)
    for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
        gap[t] = 0.97 * gap[t - 1] + noise * shock
    return np.round(100.0 + 20.0 * x + gap, 2), np.round(x, 2)


def summed(
    y: FloatArray, x: FloatArray, before: SampleSums | None = None, first: int = 0
) -> SampleSums:
    found = SampleSums.of(first, y, x, before)
    assert found is not None
    return found


def assert_equal_to_the_tests(sums: SampleSums, y: FloatArray, x: FloatArray) -> None:
    line, plain_line = sums.engle_granger("y", "x"), engle_granger_test(y, x)
    assert line is not None
    assert line.beta == pytest.approx(plain_line.beta, rel=CLOSE)
    assert line.alpha == pytest.approx(plain_line.alpha, rel=CLOSE)
    for found, plain in (
        (line, plain_line),
        (sums.swapped.engle_granger("x", "y"), engle_granger_test(x, y)),
        (sums.adf(1.0), adf_test(y - x)),
        (sums.half_life(1.0), half_life(y - x)),
        (sums.adf(20.0), adf_test(y - 20.0 * x)),
    ):
        assert found is not None
        assert found.stat == pytest.approx(plain.stat, rel=CLOSE)
        assert found.pvalue == pytest.approx(plain.pvalue, rel=1e-8)
        assert (found.lags, found.nobs) == (plain.lags, plain.nobs)
        assert found.critical_values == plain.critical_values


def test_sums_give_the_figures_of_the_tests_themselves():
    y, x = legs(BARS)
    assert_equal_to_the_tests(summed(y, x), y, x)


@pytest.mark.parametrize("seed", range(4))
def test_moved_sums_give_them_too_whatever_comes_and_goes(seed):
    y, x = legs(3 * BARS, seed)
    rng = np.random.default_rng(seed)
    start, end = 0, BARS
    sums = summed(y[start:end], x[start:end])
    for _ in range(60):
        end += int(rng.integers(0, 8))
        start = max(start, end - BARS - int(rng.integers(0, 5)))
        sums = summed(y[start:end], x[start:end], sums, start)
    assert sums.age > 100  # carried, not summed anew
    assert_equal_to_the_tests(sums, y[start:end], x[start:end])


def test_a_bar_that_was_changed_is_not_overlooked():
    y, x = legs(BARS + 1)
    before = summed(y[:-1].copy(), x[:-1])
    y[700] += 5.0
    moved = summed(y[1:], x[1:], before, 1)
    assert moved.age == 0
    assert_equal_to_the_tests(moved, y[1:], x[1:])


@pytest.mark.parametrize("first", [-1, 1, BARS, BARS + 50])
def test_other_bars_are_summed_anew(first):
    y, x = legs(BARS)
    other = legs(BARS, seed=8)
    moved = summed(*other, summed(y, x), first)
    assert moved.age == 0
    assert_equal_to_the_tests(moved, *other)


@pytest.mark.parametrize("left", [1, 90, 110, 190, LEAST_BARS - 1])
def test_a_sample_that_shares_few_bars_is_summed_anew(left):
    y, x = legs(2 * LEAST_BARS)
    rows = slice(left, left + LEAST_BARS)
    moved = summed(y[rows], x[rows], summed(y[:LEAST_BARS], x[:LEAST_BARS]), left)
    assert (moved.age > 0) == (left < LEAST_BARS // 2)
    assert_equal_to_the_tests(moved, y[rows], x[rows])


def test_sums_are_renewed_in_time():
    y, x = legs(BARS + RENEW + 10)
    sums, ages = summed(y[:BARS], x[:BARS]), []
    for start in range(1, RENEW + 10):
        sums = summed(y[start : start + BARS], x[start : start + BARS], sums, start)
        ages.append(sums.age)
    assert max(ages) == RENEW
    assert ages[-1] < RENEW
    assert_equal_to_the_tests(sums, y[start : start + BARS], x[start : start + BARS])


def test_a_market_that_became_quiet_keeps_its_digits():
    rng = np.random.default_rng(3)
    x = 60_000.0 + np.r_[500.0 * rng.normal(size=40), 0.05 * rng.normal(size=BARS).cumsum()]
    y = 3_000.0 + np.r_[25.0 * rng.normal(size=40), 0.05 * rng.normal(size=BARS).cumsum()]
    sums, ages = summed(y[:BARS], x[:BARS]), []
    for start in range(1, 41):
        sums = summed(y[start : start + BARS], x[start : start + BARS], sums, start)
        ages.append(sums.age)
    assert 0 in ages  # renewed once the wild bars were gone
    assert_equal_to_the_tests(sums, y[40:], x[40:])


def gapped(bars: int, seed: int, gaps: int) -> tuple[FloatArray, FloatArray]:
    """Legs with missing bars on one or both, side by side and far apart."""
    rng = np.random.default_rng(100 + seed)
    y, x = legs(bars, seed)
    for start in rng.integers(0, bars, size=gaps):
        stop = start + int(rng.choice([1, 1, 2, 30]))
        for leg in ((y,), (x,), (y, x))[rng.integers(3)]:
            leg[start:stop] = np.nan
    return y, x


@pytest.mark.parametrize("gaps", [1, 3, 25])
@pytest.mark.parametrize("seed", range(3))
def test_a_sample_with_missing_bars_has_them_as_it_moves_on(seed: int, gaps: int):
    y, x = gapped(BARS + 200, seed, gaps)
    sums, ages = summed(y[:BARS], x[:BARS]), []
    for start in range(1, 201):
        span = slice(start, start + BARS)
        sums = summed(y[span], x[span], sums, start)
        ages.append(sums.age)
        if start % 40 == 0:
            assert_equal_to_the_tests(sums, y[span], x[span])
            assert sums.missing == np.count_nonzero(np.isnan(y[span] + x[span]))
    assert max(ages) > 100


@pytest.mark.parametrize("place", [0, 700, BARS - 1])
def test_a_bar_that_is_missing_since_is_looked_at_anew(place: int):
    y, x = legs(BARS + 1)
    before = summed(y[:-1], x[:-1].copy())
    x[place + 1] = np.nan
    sums = summed(y[1:], x[1:], before, 1)
    assert_equal_to_the_tests(sums, y[1:], x[1:])
    whole = legs(BARS + 2)
    repaired = summed(whole[0][2:], whole[1][2:], sums, 2)
    assert repaired.missing == 0
    assert_equal_to_the_tests(repaired, whole[0][2:], whole[1][2:])


def test_a_sample_in_many_pieces_has_no_sums():
    y, x = legs(BARS)
    y[::10] = np.nan
    assert SampleSums.of(0, y, x) is None


def test_a_short_sample_has_none():
    y, x = legs(LEAST_BARS - 1)
    assert SampleSums.of(0, y, x) is None


@pytest.mark.parametrize("case", ["flat", "collinear", "nearly collinear", "infinite"])
def test_what_needs_more_digits_is_left_to_the_tests(case):
    y, x = legs(BARS)
    if case == "flat":
        x = np.full(BARS, 2_600.0)
    elif case == "collinear":
        y = 2.0 * x + 1.0
    elif case == "nearly collinear":
        y = 2.0 * x + 1e-7 * y
    else:
        x[5] = np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        assert summed(y, x).engle_granger("y", "x") is None
