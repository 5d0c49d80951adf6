"""What z says: the regression against plain ones, its size on walks, the shares by simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import norm
from statsmodels.api import OLS, add_constant

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.evidence.zscore_distribution import zscore_distribution
from analytics.evidence.zscore_forecast import ZscoreForecast, zscore_forecast
from analytics.spread import zscore
from analytics.stationarity import half_life


def walks(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.random.default_rng(seed).normal(size=(2, n)).cumsum(axis=1)
    return y, x


def returning(n: int, memory: float, seed: int) -> np.ndarray:
    shocks = np.random.default_rng(seed).normal(size=n)
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks))


def pulled(n: int, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).normal(size=n).cumsum()
    return 3 + 1.5 * x + returning(n, 0.9, seed + 1), x


@pytest.fixture(scope="module")
def found() -> ZscoreForecast:
    y, x = pulled(900)
    return zscore_forecast(y, x, window=40, draws=99)


def test_slope_and_r_squared_are_those_of_least_squares_on_the_second_half(found):
    y, x = pulled(900)
    beta = np.polyfit(x[:450], y[:450], 1)[0]
    spread = pd.Series(y - beta * x)
    z = (spread - spread.rolling(40).mean()) / spread.rolling(40).std()
    change = spread.shift(-found.horizon) - spread
    rows = pd.DataFrame({"z": z, "change": change}).iloc[450:].dropna()
    fit = OLS(rows["change"], add_constant(rows["z"])).fit()
    assert found.nobs == len(rows)
    assert found.slope == pytest.approx(fit.params["z"], rel=1e-9)
    assert found.r_squared == pytest.approx(fit.rsquared, rel=1e-9)


def test_the_error_is_hodricks_bar_by_bar(found):
    y, x = pulled(900)
    beta = np.polyfit(x[:450], y[:450], 1)[0]
    spread, horizon = y - beta * x, found.horizon
    z = zscore(spread, 40).to_numpy()
    used = range(450, 900 - horizon)
    centre = np.mean([z[bar] for bar in used])
    moves = np.diff(spread[450:]).mean()
    total = 0.0
    for end in range(451, 900):
        summed = sum(z[bar] - centre for bar in range(end - horizon, end) if bar in used)
        total += ((spread[end] - spread[end - 1] - moves) * summed) ** 2
    squares = sum((z[bar] - centre) ** 2 for bar in used)
    assert found.stderr == pytest.approx(math.sqrt(total) / squares, rel=1e-9)


def test_the_horizon_is_the_half_life_of_the_first_half_alone(found):
    y, x = pulled(900)
    beta = np.polyfit(x[:450], y[:450], 1)[0]
    assert found.horizon == round(half_life((y - beta * x)[:450]).half_life)
    later = y.copy()
    later[450:] += walks(450, 8)[0]
    assert zscore_forecast(later, x, window=40, draws=9).horizon == found.horizon


def test_a_change_reaches_over_a_tenth_of_the_held_out_half_at_most():
    trend = np.linspace(0.0, 50.0, 400) ** 2 + walks(400, 3)[0]
    assert zscore_forecast(trend, window=20, draws=9).horizon == 20


def test_a_spread_that_returns_is_foretold_and_comes_back(found):
    assert found.predicts(0.05)
    assert found.slope < 0
    assert found.mean_change[0] > 0 > found.mean_change[-1]
    assert found.verdict().startswith("from a large z the spread comes back in the next ")


def test_on_unrelated_walks_z_foretells_in_about_one_of_twenty():
    """The slope itself is below zero in most of them: the p-value must know that."""
    tries = [
        zscore_forecast(*walks(260, seed), window=60, draws=99, seed=seed) for seed in range(160)
    ]
    # 8 expected; 1 and 16 are three standard errors away.
    assert 1 <= sum(each.predicts(0.05) for each in tries) <= 16
    assert sum(each.slope < 0 for each in tries) > 100
    assert np.median([each.pvalue for each in tries]) == pytest.approx(0.5, abs=0.13)
    assert np.median([each.walk_slope for each in tries]) < 0


def test_the_answer_does_not_depend_on_unit_or_level():
    y, x = pulled(500)
    one = zscore_forecast(y, x, window=30, draws=99)
    other = zscore_forecast(1_000 * y + 60_000, 10 * x - 7, window=30, draws=99)
    assert other.pvalue == one.pvalue
    assert other.slope == pytest.approx(1_000 * one.slope, rel=1e-6)


def test_missing_bars_are_left_out_and_outer_ones_do_not_count():
    y, x = pulled(700)
    blank = np.full(30, np.nan)
    padded = zscore_forecast(np.r_[blank, y], np.r_[blank, x], window=30, draws=19)
    whole = zscore_forecast(y, x, window=30, draws=19)
    assert (padded.slope, padded.pvalue) == (whole.slope, whole.pvalue)
    holed = y.copy()
    holed[500:510] = np.nan
    some = zscore_forecast(holed, x, window=30, draws=19)
    # z of ten bars and of the 29 after them, and the changes that would end in one of them.
    assert some.nobs == whole.nobs - 39 - some.horizon


def test_too_few_bars_no_movement_and_a_window_of_one_are_named():
    y, x = walks(100, 1)
    with pytest.raises(NotEnoughDataError, match="z-score forecast of A needs 110 bars, had 100"):
        zscore_forecast(pd.Series(y, name="A"), pd.Series(x), window=60)
    with pytest.raises(NotEnoughDataError, match="held-out z-scores"):
        zscore_forecast(*walks(110, 1), window=60)
    with pytest.raises(DegenerateSeriesError, match="x does not move"):
        zscore_forecast(walks(300, 1)[0], np.full(300, 5.0), window=20)
    with pytest.raises(DegenerateSeriesError, match="does not move in the held-out half"):
        zscore_forecast(np.r_[walks(200, 1)[0], np.full(200, 3.0)], window=150)
    with pytest.raises(ParameterError, match="window"):
        zscore_forecast(y, x, window=1)


def test_shares_are_counted_strictly_beyond_the_thresholds():
    z = np.r_[np.full(30, 2.0), np.full(10, 2.5), np.full(40, 0.0), np.full(20, -7.0)]
    found = zscore_distribution(z, returning(100, 0.5, 1), 20, 2.0, 0.0)
    assert (found.beyond.above, found.beyond.below) == (0.10, 0.20)
    assert found.share.sum() == pytest.approx(1.0)
    assert found.share[0] == pytest.approx(0.20)


def test_the_fitted_process_explains_a_spread_that_it_is():
    spread = returning(200_000, 0.9, 7)
    found = zscore_distribution(zscore(spread, 60), spread, 60, 2.0, -2.0)
    assert found.fitted == "autoregression"
    assert found.memory == pytest.approx(0.9, abs=0.01)
    assert found.beyond.above == pytest.approx(found.fitted_beyond.above, abs=0.006)
    assert np.abs(found.share - found.fitted_share).max() < 0.004


def test_a_walks_z_leaves_the_thresholds_far_more_often_than_a_normal_one():
    windows = np.random.default_rng(2).normal(size=(20_000, 60)).cumsum(axis=1)
    last = (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1, ddof=1)
    spread = walks(300, 5)[0]
    walk = zscore_distribution(zscore(spread, 60), spread, 60, 2.0, -2.0).walk_beyond
    assert walk.above == pytest.approx((last > 2).mean(), abs=0.008)
    assert walk.above > 2 * norm.sf(2.0)


def test_a_filters_scale_is_set_beside_a_normal_one():
    found = zscore_distribution(
        np.random.default_rng(1).normal(size=500), walks(500, 1)[0], 1, 2, -2
    )
    assert found.fitted == "normal"
    assert found.fitted_share.sum() == pytest.approx(1.0)
    assert found.fitted_beyond.below == pytest.approx(norm.cdf(-2.0))
    assert np.isnan(found.walk_share).all()


def test_without_a_pull_a_walk_is_fitted_and_few_scores_are_named():
    trend = np.arange(200.0) ** 2
    assert zscore_distribution(zscore(trend, 20), trend, 20, 2.0, 0.0).fitted == "walk"
    with pytest.raises(NotEnoughDataError, match="needs 50 z-scores, had 20"):
        zscore_distribution(np.zeros(20), np.zeros(20), 5, 2.0, 0.0)
