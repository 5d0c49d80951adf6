"""Gregory-Hansen: each date equals a plain fit, a shift is found and dated."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.stattools import adfuller

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.evidence.regime_shift import (
    CRITICAL_VALUES,
    SHIFTS,
    Shift,
    break_rows,
    shift_test,
)
from analytics.stationarity import engle_granger_test

SEED = 20240808


def pair(
    n: int = 400, *, level: float = 0.0, slope: float = 0.0, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """y = 5 + 2 x + AR(0.7), with a shift of level or slope from 60 % of the bars on."""
    rng = np.random.default_rng(seed)
    x, gap = 100 + rng.normal(size=n).cumsum(), np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n - 1), start=1):
        gap[t] = 0.7 * gap[t - 1] + shock
    after = np.arange(n) >= int(0.6 * n)
    return 5 + 2 * x + gap + after * (level + slope * x), x


def by_trial(y: np.ndarray, x: np.ndarray, shift: Shift, lags: int) -> tuple[float, int]:
    """Each date's regression and statsmodels' ADF by themselves."""
    n, found = y.size, []
    for row in break_rows(n).tolist():
        after = (np.arange(n) >= row) * 1.0
        columns = [np.ones(n), x, after]
        columns += {"C": [], "C/T": [np.arange(n)], "C/S": [after * x]}[shift]
        design = np.column_stack(columns)
        residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        test = adfuller(residual, lags, "n", None, result_object=True)
        found.append((float(test.statistic), row))
    return min(found)


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_least_statistic_equals_statsmodels_at_each_date(shift: Shift):
    y, x = pair(150, level=6.0)
    test = shift_test(y, x, shift)
    stat, row = by_trial(y, x, shift, test.lags)
    assert test.stat == pytest.approx(stat, rel=1e-8)
    assert test.time == row


def test_critical_values_are_those_of_the_paper():
    """Gregory & Hansen (1996), table 1, ADF*, one regressor."""
    assert [CRITICAL_VALUES[shift]["5%"] for shift in SHIFTS] == [-4.61, -4.99, -4.95]
    assert [CRITICAL_VALUES[shift]["1%"] for shift in SHIFTS] == [-5.13, -5.45, -5.47]
    assert [CRITICAL_VALUES[shift]["10%"] for shift in SHIFTS] == [-4.34, -4.72, -4.68]


def test_a_shift_that_engle_granger_takes_for_no_relation_is_found_and_dated():
    y, x = pair(level=20.0)
    index = pd.date_range("2024-08-09", periods=y.size, freq="s", tz="UTC")
    test = shift_test(pd.Series(y, index), pd.Series(x, index))
    assert not engle_granger_test(y, x).rejects(0.01)
    assert test.rejects(0.01)
    assert abs((pd.Timestamp(str(test.time)) - index[240]).total_seconds()) <= 5
    assert test.verdict().startswith("a line holds that may have shifted once, likeliest at 2024")
    assert shift_test(*pair(slope=0.3), "C/S").rejects(0.01)


def test_a_line_that_never_shifts_is_found_too():
    assert shift_test(*pair()).rejects(0.05)


@pytest.mark.parametrize("shift", SHIFTS)
def test_unrelated_walks_are_rejected_in_about_five_of_a_hundred(shift: Shift):
    rng = np.random.default_rng(SEED)
    legs = (rng.normal(size=(2, 250)).cumsum(axis=1) for _ in range(200))
    said = [shift_test(y, x, shift).rejects(0.05) for y, x in legs]
    assert np.mean(said) < 0.09


def test_levels_between_those_published_take_the_stricter_one():
    test = shift_test(*np.random.default_rng(3).normal(size=(2, 250)).cumsum(axis=1))
    assert test.verdict() == "no line holds, not even with one break"
    at_five = type(test)("C", -4.8, CRITICAL_VALUES["C"], 0, 1, 1, 250)
    assert at_five.rejects(0.05)
    assert at_five.rejects(0.07)
    assert not at_five.rejects(0.03)
    assert not at_five.rejects(0.005)


def test_missing_bars_are_left_out_and_the_date_is_still_right():
    y, x = pair(level=20.0)
    y[100:130] = np.nan
    test = shift_test(y, x)
    assert test.nobs == 370
    assert abs(int(str(test.time)) - 240) <= 5


def test_dates_are_bounded_and_in_the_middle():
    rows = break_rows(10_000)
    assert (rows.size, rows[0], rows[-1]) == (400, 1_500, 8_500)
    assert break_rows(100).tolist() == list(range(15, 86))


def test_what_cannot_be_tested_is_named():
    y, x = pair()
    with pytest.raises(ParameterError, match="shift"):
        shift_test(y, x, "S")  # type: ignore[arg-type] # on purpose
    with pytest.raises(DegenerateSeriesError, match="exactly collinear"):
        shift_test(2 * x, x)
    with pytest.raises(NotEnoughDataError):
        shift_test(y[:40], x[:40])
