"""Which leg gives way: loadings as statsmodels has them, shares by plain algebra, known truths."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.tsa.vector_ar.vecm import VECM

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.evidence.error_correction import (
    component_share,
    error_correction,
    information_shares,
)
from analytics.evidence.lagged import lags_by_bic

SEED = 20240808


def pair(
    n: int = 600, *, y_closes: float = 0.2, x_closes: float = 0.0, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """Two legs whose gap y - 5 - 2 x is closed by these shares a bar; shocks correlate 0.5."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, math.sqrt(0.75)]])
    y, x = np.full(n, 205.0), np.full(n, 100.0)
    for t in range(1, n):
        gap = y[t - 1] - 5.0 - 2.0 * x[t - 1]
        y[t] = y[t - 1] - y_closes * gap + shocks[t, 0]
        x[t] = x[t - 1] + x_closes / 2.0 * gap + shocks[t, 1] / 2.0
    return y, x


@pytest.mark.parametrize("lags", [0, 2, 5])
def test_loadings_are_those_of_statsmodels_vecm(lags: int):
    y, x = pair()
    fit = VECM(np.column_stack([y, x]), k_ar_diff=lags, coint_rank=1, deterministic="co").fit()
    model = error_correction(y, x, line=(0.0, -fit.beta[1, 0]), lags=lags)
    assert [model.y.value, model.x.value] == pytest.approx(fit.alpha[:, 0], rel=1e-9)
    # Shocks of equal variance: its errors and those that need no such assumption nearly agree.
    assert [model.y.stderr, model.x.stderr] == pytest.approx(fit.stderr_alpha[:, 0], rel=0.15)


def test_errors_are_hc3_of_statsmodels():
    y, x = pair()
    line = np.polyfit(x, y, 1)
    gap = y - line[1] - line[0] * x
    columns = np.column_stack([gap[1:-1], np.ones(gap.size - 2), np.diff(y)[:-1], np.diff(x)[:-1]])
    model = error_correction(y, x, lags=1)
    for leg, change in ((model.y, np.diff(y)[1:]), (model.x, np.diff(x)[1:])):
        fit = sm.OLS(change, columns).fit(cov_type="HC3")
        assert leg.value == pytest.approx(fit.params[0], rel=1e-7)
        assert leg.stderr == pytest.approx(fit.bse[0], rel=1e-7)
        assert leg.pvalue == pytest.approx(fit.pvalues[0], rel=1e-6)


def test_shares_by_the_permanent_impact_of_a_fitted_vecm():
    """Hasbrouck by C = beta_perp (alpha_perp' Gamma beta_perp)^-1 alpha_perp' and its Cholesky."""
    y, x = pair(y_closes=0.15, x_closes=0.1)
    model = error_correction(y, x, lags=2)
    values = np.column_stack([y, model.beta * x])
    change = np.diff(values, axis=0)
    gap = values[:, 0] - values[:, 1] - model.alpha
    columns = np.column_stack([gap[2:-1], np.ones(len(gap) - 3), change[1:-1], change[:-2]])
    coefficients = np.linalg.lstsq(columns, change[2:], rcond=None)[0]
    shocks = change[2:] - columns @ coefficients
    gamma = np.eye(2) - coefficients[2:4].T - coefficients[4:6].T
    alpha, ones = coefficients[0], np.ones(2)
    orthogonal = np.array([alpha[1], -alpha[0]])
    impact = np.outer(ones, orthogonal) / float(orthogonal @ gamma @ ones)
    covariance = shocks.T @ shocks / len(shocks)
    for order in ([0, 1], [1, 0]):
        factor = np.linalg.cholesky(covariance[np.ix_(order, order)])
        squares = (impact[0, order] @ factor) ** 2
        of_y = squares[order.index(0)] / squares.sum()
        ours = model.information_first if order == [0, 1] else model.information_last
        assert ours == pytest.approx(of_y, rel=1e-8)
    assert model.component_share == pytest.approx(orthogonal[0] / orthogonal.sum(), rel=1e-8)


def test_uncorrelated_shocks_leave_one_information_share():
    first, last = information_shares(np.array([0.3, 0.1]), np.diag([4.0, 1.0]))
    # 0.1^2 * 4 of 0.1^2 * 4 + 0.3^2 * 1.
    assert first == last == pytest.approx(0.04 / 0.13)


def test_the_component_share_error_is_the_delta_method():
    closes, covariance = np.array([0.2, 0.1]), np.array([[4e-4, 1e-4], [1e-4, 9e-4]])
    share, stderr = component_share(closes, covariance)
    rng = np.random.default_rng(SEED)
    drawn = rng.multivariate_normal(closes, covariance / 100, size=100_000)
    simulated = drawn[:, 1] / drawn.sum(axis=1)
    assert share == pytest.approx(1 / 3)
    assert stderr == pytest.approx(10 * simulated.std(), rel=0.02)


def test_the_leg_that_follows_gives_way_and_the_other_leads():
    model = error_correction(*pair(2_000))
    assert model.verdict() == "y gives way, x is not seen to"
    assert model.y.closes == pytest.approx(0.2, abs=0.04)
    assert abs(model.component_share) < 3 * model.component_stderr
    swapped = error_correction(*pair(2_000)[::-1])
    assert swapped.verdict() == "x gives way, y is not seen to"
    assert swapped.component_share > 0.8
    both = error_correction(*pair(2_000, y_closes=0.1, x_closes=0.1))
    assert both.verdict() == "both legs give way"
    assert both.component_share == pytest.approx(0.5, abs=3 * both.component_stderr)


def test_shares_do_not_depend_on_units():
    y, x = pair()
    model, scaled = error_correction(y, x), error_correction(y * 1e-3, x * 1e4)
    for name in ("component_share", "component_stderr", "information_first", "information_last"):
        assert getattr(scaled, name) == pytest.approx(getattr(model, name), rel=1e-6)
    assert scaled.x.closes == pytest.approx(model.x.closes, rel=1e-6)
    mirrored = error_correction(y, -x)
    assert mirrored.component_share == pytest.approx(model.component_share, rel=1e-6)
    assert mirrored.information_first == pytest.approx(model.information_first, rel=1e-6)


def test_a_leg_that_does_not_answer_is_said_to_in_about_two_in_a_hundred():
    """Half of a two-sided 5 %: an answer the other way is no giving way."""
    said = [error_correction(*pair(300, seed=s)).x.gives_way(0.05) for s in range(300)]
    assert np.mean(said) < 0.06


def test_rows_over_missing_bars_are_left_out():
    y, x = pair()
    y[300] = np.nan
    index = pd.date_range("2024-08-09", periods=600, freq="s", tz="UTC")
    model = error_correction(pd.Series(y, index, name="A"), pd.Series(x, index, name="B"), lags=1)
    # The changes into and out of the bar, and each once more as a lag.
    assert model.nobs == 599 - 1 - 3
    assert (model.y.name, model.x.name) == ("A", "B")


def test_bic_finds_the_lags_that_are_there():
    rng = np.random.default_rng(SEED)
    past = rng.normal(size=(500, 10))
    moved = past[:, :4] @ rng.normal(size=(4, 2)) + rng.normal(size=(500, 2))
    assert lags_by_bic(moved, np.ones((500, 1)), past) == 2
    assert lags_by_bic(rng.normal(size=(500, 2)), np.ones((500, 1)), past) == 0


def test_what_cannot_be_fitted_is_named():
    y, x = pair()
    with pytest.raises(DegenerateSeriesError, match="exactly collinear"):
        error_correction(2 * x + 1, x)
    with pytest.raises(DegenerateSeriesError, match="constant"):
        error_correction(y, x * 0 + 7)
    with pytest.raises(NotEnoughDataError):
        error_correction(y[:45], x[:45])
    with pytest.raises(NotEnoughDataError, match="error correction"):
        error_correction(y[:60], x[:60])
    with pytest.raises(ParameterError, match="lags"):
        error_correction(y, x, lags=-1)
    once = np.zeros(len(x))
    once[-1] = 1.0
    with pytest.raises(DegenerateSeriesError, match="hardly moves"):
        error_correction(y, 7 + once, lags=1)
    across = x.copy() * 0 + 7
    across[40], across[41:] = np.nan, 8.0
    with pytest.raises(DegenerateSeriesError, match="hardly moves"):
        error_correction(y, across, lags=0)
    assert all(math.isnan(each) for each in information_shares(np.zeros(2), np.eye(2)))
    assert all(math.isnan(each) for each in component_share(np.zeros(2), np.eye(2)))
