"""Tests of a series with missing bars: rows that reach over one are left out, here one by one."""

import math

import numpy as np
import pytest

from analytics.frames import FloatArray
from analytics.stationarity import adf_test, half_life

Fit = tuple[float, float, int]


def series(seed: int, gaps: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    values = np.zeros(400)
    for t, shock in enumerate(rng.normal(size=399), start=1):
        values[t] = 0.9 * values[t - 1] + shock
    for start in rng.integers(0, 400, size=gaps):
        values[start : start + int(rng.integers(1, 6))] = np.nan
    return 50.0 + values


def least_squares(values: FloatArray, lags: int, rows_of: int, trend: str) -> Fit:
    """Level's t, sum of squares and rows: those whose `rows_of` changes before are known too."""
    change = np.diff(values)
    rows = [
        t for t in range(rows_of, change.size) if not np.isnan(change[t - rows_of : t + 1]).any()
    ]
    columns = [[values[t] - np.nanmean(values) for t in rows]]
    columns += [[change[t - lag] for t in rows] for lag in range(1, lags + 1)]
    columns += [[1.0] * len(rows)] if trend == "c" else []
    design, target = np.array(columns).T, change[rows]
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ target
    rest = target - design @ found
    squares = float(rest @ rest)
    error = math.sqrt(squares / (len(rows) - design.shape[1]) * inverse[0, 0])
    return float(found[0]) / error, squares, len(rows)


@pytest.mark.parametrize("gaps", [1, 4, 9])
@pytest.mark.parametrize("seed", range(4))
def test_the_lag_and_the_statistic_are_those_of_the_rows_that_reach_over_no_gap(seed, gaps):
    values = series(seed, gaps)
    found = adf_test(values)
    fits = [least_squares(values, p, found.max_lags, "c") for p in range(found.max_lags + 1)]
    criteria = [rows * math.log(squares) + 2 * p for p, (_, squares, rows) in enumerate(fits)]
    assert found.lags == int(np.argmin(criteria))
    stat, _, rows = least_squares(values, found.lags, found.lags, "c")
    assert found.stat == pytest.approx(stat, rel=1e-9)
    assert found.nobs == rows


@pytest.mark.parametrize("seed", range(4))
def test_the_greatest_lag_leaves_half_of_the_rows(seed: int):
    values = series(seed, 45)
    found = adf_test(values)
    every = least_squares(values, 0, 0, "c")[2]
    assert least_squares(values, 0, found.max_lags, "c")[2] >= every / 2
    assert least_squares(values, 0, found.max_lags + 1, "c")[2] < every / 2


def test_a_half_life_is_of_neighbouring_bars_only():
    values = series(9, 6)
    stat, _, rows = least_squares(values, 0, 0, "c")
    found = half_life(values)
    assert found.stat == pytest.approx(stat, rel=1e-9)
    assert found.nobs == rows


def test_a_jump_over_a_gap_is_no_change_of_the_series():
    values = series(10, 0)
    values[200:210] = np.nan
    values[210:] += 1e6
    stat, _, rows = least_squares(values, 0, 0, "c")
    found = half_life(values)
    assert found.nobs == rows
    assert found.stat == pytest.approx(stat, rel=1e-6)
