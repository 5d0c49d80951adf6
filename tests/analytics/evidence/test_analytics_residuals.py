"""Residual diagnostics against scipy, statsmodels and what is known of normal noise."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.stattools import acf

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.evidence.residuals import LAGS, QUANTILES, residual_diagnostics


def noise(n: int = 5_000, seed: int = 3) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(2.0, 3.0, n))


def test_moments_and_autocorrelation_are_those_of_scipy_and_statsmodels():
    values = noise().cumsum().diff(3).dropna()
    found = residual_diagnostics(values)
    assert found.skew == pytest.approx(stats.skew(values))
    assert found.excess_kurtosis == pytest.approx(stats.kurtosis(values))
    np.testing.assert_allclose(found.acf, acf(values, nlags=LAGS, fft=False)[1:], atol=1e-12)


def test_normal_noise_looks_normal_and_forgetful():
    found = residual_diagnostics(noise(50_000))
    np.testing.assert_allclose(found.bin_share, found.normal_share, atol=0.01)
    np.testing.assert_allclose(found.ordered[10:-10], found.theoretical[10:-10], atol=0.15)
    assert (np.abs(found.acf) < 2.5 * found.acf_bound).all()
    assert found.bin_share.sum() == pytest.approx(1.0)


def test_a_slow_series_remembers_and_fat_tails_show():
    walk = noise(2_000).sub(2).cumsum()
    assert residual_diagnostics(walk).acf[0] > 0.95
    fat = residual_diagnostics(pd.Series(np.random.default_rng(5).standard_t(3, 5_000)))
    assert fat.excess_kurtosis > 1.0
    assert fat.ordered[-1] > fat.theoretical[-1]
    assert fat.bin_share.sum() == pytest.approx(1.0)


def test_unknown_residuals_are_left_out():
    values = noise(500)
    holed = values.copy()
    holed[100:150] = np.nan
    found = residual_diagnostics(holed)
    assert found.nobs == 450
    assert found.mean == pytest.approx(holed.mean())
    assert len(found.ordered) <= QUANTILES
    assert np.isfinite(found.acf).all()


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_shape_does_not_depend_on_place_or_unit(shift):
    values = noise(400)
    one, other = residual_diagnostics(values), residual_diagnostics(values * 10 + shift)
    np.testing.assert_allclose(one.ordered, other.ordered, atol=1e-6)
    np.testing.assert_allclose(one.acf, other.acf, atol=1e-6)


def test_too_few_and_flat_residuals_are_refused_with_the_count():
    with pytest.raises(NotEnoughDataError, match="needs 20 bars, had 19"):
        residual_diagnostics(noise(19))
    with pytest.raises(DegenerateSeriesError, match="do not move"):
        residual_diagnostics(pd.Series(np.full(100, 5.0)))
