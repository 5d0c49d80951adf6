"""Stability of a pair: windows equal plain fits, breaks are found, chance is called chance."""

import math

import numpy as np
import pandas as pd
import pytest

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.evidence.stability import BreakTest, Stability, stability
from analytics.hedge import fit_hedge
from analytics.outcome import Degenerate
from analytics.stationarity import engle_granger_test, half_life

SEED = 20240808


def legs(
    n: int = 1_000, *, related: bool = True, memory: float = 0.5, seed: int = SEED
) -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    x = 100 + rng.normal(size=n).cumsum()
    gap = np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n - 1), start=1):
        gap[t] = memory * gap[t - 1] + shock
    y = 5 + 2 * x + gap if related else 200 + rng.normal(size=n).cumsum()
    index = pd.date_range("2024-08-09", periods=n, freq="s", tz="UTC", name="time")
    return pd.Series(y, index, name="A"), pd.Series(x, index, name="B")


def broken(result: Stability) -> BreakTest:
    assert isinstance(result.break_test, BreakTest)
    return result.break_test


def test_each_row_is_the_plain_fit_of_its_own_window():
    y, x = legs()
    result = stability(y, x, window=200, steps=9)
    assert result.table.index[-1] == y.index[-1]
    assert len(result.table) == 9
    for time, row in result.table.iterrows():
        left, right = y.loc[:time].iloc[-200:], x.loc[:time].iloc[-200:]
        fit = fit_hedge(left, right)
        assert row["beta"] == fit.beta
        assert (row["beta_low"], row["beta_high"]) == fit.beta_interval
        assert row["pvalue"] == pytest.approx(engle_granger_test(left, right).pvalue, rel=1e-9)
        gap = left - fit.alpha - fit.beta * right
        assert row["half_life"] == pytest.approx(float(half_life(gap)), rel=1e-9)


def test_a_pair_that_holds_is_said_to_hold():
    result = stability(*legs())
    assert result.window == 200
    assert result.share_cointegrated() > 0.9
    assert "of 40 windows of 200 bars (5 % would be chance)" in result.verdict()
    assert broken(result).verdict(0.01).startswith("no break")
    inside = result.table["beta_low"].lt(2) & result.table["beta_high"].gt(2)
    assert inside.mean() > 0.6


def test_unrelated_walks_are_cointegrated_by_chance_only():
    shares = [stability(*legs(600, related=False, seed=s), steps=3).share_cointegrated()
              for s in range(60)]  # fmt: skip
    assert 0.0 < np.mean(shares) < 0.12
    quiet = stability(*legs(600, related=False, seed=3))
    assert "chance" in quiet.verdict()


def test_a_break_is_flagged_near_where_it_happened():
    y, x = legs(2_000)
    y.iloc[1_200:] += 0.2 * x.iloc[1_200:] - 0.2 * x.iloc[1_200] + 8
    test = broken(stability(y, x))
    assert test.pvalue <= 0.01
    assert "the relation changed, likeliest near 2024-08-09" in test.verdict()
    assert abs(y.index.get_indexer(pd.Index([test.time]))[0] - 1_200) < 300


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_the_break_flag_is_raised_about_five_times_in_a_hundred_without_a_break(memory: float):
    flags = [
        broken(stability(*legs(500, memory=memory, seed=s), steps=1)).pvalue < 0.05
        for s in range(300)
    ]
    assert np.mean(flags) < 0.09


def test_missing_bars_leave_gaps_not_errors():
    y, x = legs()
    y.iloc[0:390] = np.nan
    x.iloc[500] = np.nan
    result = stability(y, x, window=200)
    assert result.table["beta"].iloc[0] != result.table["beta"].iloc[0]
    assert result.table["beta"].iloc[-1] == pytest.approx(2, abs=0.2)
    assert broken(result).nobs == 609
    assert broken(result).path.isna().sum() == 391


def test_degenerate_legs_have_no_windows():
    y, x = legs()
    for left, right in ((y, y), (y, x * 0 + 7.7), (x * 0 + 7.7, x), (y * np.nan, x)):
        result = stability(left, right)
        assert result.windows == 0
        assert math.isnan(result.share_cointegrated())
        assert result.verdict() == "no window has enough bars to say"
        assert not isinstance(result.break_test, BreakTest)
    assert isinstance(stability(y, y).break_test, Degenerate)


def test_changing_the_future_changes_no_past_row():
    y, x = legs()
    changed = y.copy()
    changed.iloc[700:] *= 3
    before, after = (stability(leg, x, 200, 17).table for leg in (y, changed))
    past = before.index < y.index[700]
    pd.testing.assert_frame_equal(before[past], after[past], check_exact=True)


def test_wrong_parameters_are_named():
    y, x = legs()
    for window in (10, 1.5, True):
        with pytest.raises(ParameterError, match="window"):
            stability(y, x, window)  # type: ignore[arg-type] # on purpose
    for steps in (0, 501, True, 1.5):
        with pytest.raises(ParameterError, match="steps"):
            stability(y, x, steps=steps)  # type: ignore[arg-type] # on purpose
    with pytest.raises(NotEnoughDataError, match="needs 50 bars, had 49"):
        stability(y.iloc[:49], x.iloc[:49])
    with pytest.raises(ParameterError, match="level"):
        stability(y, x).share_cointegrated(1)
