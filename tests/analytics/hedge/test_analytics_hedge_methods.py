"""Every hedge method against an outside oracle, simulated truth, and no look at the future."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from arch.unitroot.cointegration import DynamicOLS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes
from statsmodels.tsa.vector_ar.vecm import VECM

from analytics.errors import (
    AnalyticsError,
    DegenerateSeriesError,
    NotEnoughDataError,
    ParameterError,
)
from analytics.hedge import CAUSAL_HEDGES, FILTERS, HEDGE_METHODS, HEDGE_WORDS, fit_hedge
from analytics.kernels.rolling import BLOCK

SEED = 20240808
OTHERS = tuple(name for name in HEDGE_METHODS if name != "ols")
# Chan's noise is given in the units of the prices, and his start asks for no line.
UNIT_FREE = tuple(name for name in HEDGE_METHODS if name != "kalman_chan")


def pair(n: int = 600, level: float = 100.0, noise: float = 1.0) -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(SEED)
    x = level + rng.normal(size=n).cumsum()
    y = 3.0 + 1.5 * x + noise * rng.normal(size=n)
    index = pd.date_range("2024-08-09", periods=n, freq="s", tz="UTC", name="time")
    return pd.Series(y, index, name="BTCUSDT"), pd.Series(x, index, name="ETHUSDT")


# ---- what all of them promise


@pytest.mark.parametrize("method", HEDGE_METHODS)
def test_each_method_finds_the_line_and_says_what_it_is(method: str):
    y, x = pair(2_000)
    fit = fit_hedge(y, x, method)
    assert fit.beta == pytest.approx(1.5, abs=0.05 if method != "rolling_ols" else 0.6)
    low, high = fit.beta_interval
    assert (low < fit.beta < high) == (method not in {"tls", "kalman_walks", "kalman_chan"})
    assert fit.method == method
    assert fit.reference
    assert fit.looks_back.startswith("over ")
    assert fit.causal == (method in CAUSAL_HEDGES)
    assert (fit.beta_path is not None) == fit.causal
    assert (fit.y_name, fit.x_name) == ("BTCUSDT", "ETHUSDT")
    assert method in HEDGE_WORDS


@pytest.mark.parametrize("method", UNIT_FREE)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_prices_of_any_size_give_the_same_hedge(method: str, scale: float):
    y, x = pair()
    plain, scaled = fit_hedge(y, x, method), fit_hedge(y * scale, x * scale, method)
    # The filters' noise is searched to 1e-4 and less, the others differ by rounding.
    tolerance = 1e-4 if method in FILTERS else 1e-7
    assert scaled.beta == pytest.approx(plain.beta, rel=tolerance)
    assert scaled.alpha / scale == pytest.approx(plain.alpha, rel=tolerance * 100)
    for fit in (plain, scaled):
        assert not math.isinf(fit.beta_stderr)


@pytest.mark.parametrize("method", UNIT_FREE)
def test_degenerate_legs_are_named_or_fitted_but_never_infinite(method: str):
    y, x = pair()
    flat = pd.Series(100_000.01, y.index, name="FLAT")
    for left, right in (
        (y, flat), (flat, x), (flat, flat), (y, y), (y, 2 * y + 3), (x * 1e-6, y * 1e6),
        (y.where(y.index < y.index[0]), x),
    ):  # fmt: skip
        try:
            fit = fit_hedge(left, right, method)
        except AnalyticsError:
            continue
        assert math.isfinite(fit.beta)
        assert not math.isinf(fit.beta_stderr)
        assert not math.isinf(fit.alpha)
    with pytest.raises((DegenerateSeriesError, NotEnoughDataError)):
        fit_hedge(y, flat, method)
    for n in (0, 1, 2):
        with pytest.raises(NotEnoughDataError):
            fit_hedge(y.iloc[:n], x.iloc[:n], method)


@pytest.mark.parametrize("method", OTHERS)
def test_only_ols_goes_through_the_origin(method: str):
    with pytest.raises(ParameterError, match="intercept"):
        fit_hedge(*pair(), method, intercept=False)
    with pytest.raises(ParameterError, match="kernel"):
        fit_hedge(*pair(), method, kernel="flat")


@pytest.mark.parametrize(
    ("method", "option"),
    [
        ("rolling_ols", {"window": 2}),
        ("expanding_ols", {"least": 1.5}),
        ("theil_sen", {"sample": 1}),
        ("dols", {"leads": -1}),
        ("johansen", {"lags": True}),
        ("ols", {"hac_lags": -1}),
        ("kalman", {"burn_in": 3}),
        ("kalman", {"noise": "some"}),
        ("kalman", {"delta": 1e-4}),
        ("kalman", {"ve": 1e-3}),
        ("kalman", {"delta": 1e-4, "ve": math.inf}),
        ("kalman", {"delta": "much", "ve": 1.0}),
        ("kalman", {"delta": 1.0, "ve": 1.0}),
        ("kalman", {"delta": 1e-4, "ve": 1.0, "burn_in": 50}),
        ("kalman", {"walk": "yes"}),
        ("kalman_walks", {"walk": True}),
        ("kalman_walks", {"noise": "some"}),
        ("kalman_chan", {"noise": "whole"}),
    ],
)
def test_options_out_of_range_are_named(method: str, option: dict[str, Any]):
    with pytest.raises(ParameterError):
        fit_hedge(*pair(), method=method, **option)


@pytest.mark.parametrize("method", HEDGE_METHODS)
def test_missing_rows_are_counted_and_leave_the_line(method: str):
    y, x = pair(1_500)
    y.iloc[700] = np.nan
    x.iloc[701] = np.nan
    fit = fit_hedge(y, x, method)
    assert fit.dropped >= 2
    assert fit.beta == pytest.approx(1.5, abs=0.05 if method != "rolling_ols" else 0.6)
    if fit.beta_path is not None:
        assert fit.beta_path.iloc[700:702].isna().all()
        assert fit.beta_path.iloc[-1] == fit.beta


# ---- oracles


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("lags", [0, 1, 7])
def test_hac_errors_equal_statsmodels(intercept: bool, lags: int):
    y, x = pair()
    design = sm.add_constant(x) if intercept else x
    oracle = sm.OLS(y, design).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    fit = fit_hedge(y, x, intercept=intercept, hac_lags=lags)
    assert fit.beta_hac_stderr == pytest.approx(oracle.bse.iloc[-1], rel=1e-9)
    if intercept:
        assert fit.alpha_hac_stderr == pytest.approx(oracle.bse.iloc[0], rel=1e-8)
    assert fit.hac_lags == lags


def test_hac_errors_see_the_autocorrelation_that_the_classical_ones_deny():
    rng = np.random.default_rng(SEED)
    noise = sm.tsa.arma_generate_sample([1, -0.9], [1], 2_000, distrvs=rng.standard_normal)
    _, x = pair(2_000)
    fit = fit_hedge(2 * x.to_numpy() + noise, x.to_numpy())
    assert fit.beta_hac_stderr > 1.8 * fit.beta_stderr


@pytest.mark.parametrize("level", [1.0, 100_000.01])
def test_each_rolling_window_equals_a_plain_fit(level: float):
    y, x = pair(300, level)
    fit = fit_hedge(y, x, "rolling_ols", window=40)
    assert fit.beta_path is not None
    assert fit.alpha_path is not None
    assert fit.beta_stderr_path is not None
    assert fit.beta_path.iloc[:39].isna().all()
    for end in range(40, 301, 13):
        plain = fit_hedge(y.iloc[end - 40 : end], x.iloc[end - 40 : end])
        assert fit.beta_path.iloc[end - 1] == pytest.approx(plain.beta, rel=1e-9)
        assert fit.alpha_path.iloc[end - 1] == pytest.approx(plain.alpha, rel=1e-9, abs=1e-6)
        assert fit.beta_stderr_path.iloc[end - 1] == pytest.approx(plain.beta_stderr, rel=1e-8)
    assert (fit.beta, fit.nobs) == (fit.beta_path.iloc[-1], 40)


@pytest.mark.parametrize("window", [5, 511, 512, 513])
def test_windows_that_cross_a_block_of_the_kernel_equal_a_plain_fit(window: int):
    y, x = pair(2 * BLOCK + 200)
    x.iloc[700] = np.nan
    path = fit_hedge(y, x, "rolling_ols", window=window).beta_path
    assert path is not None
    assert path.isna().sum() == (window - 1) + min(window, len(y) - 700)
    for end in (*range(BLOCK - 2, BLOCK + 3), *range(2 * BLOCK - 2, 2 * BLOCK + 3), len(y)):
        if end >= window and not window > end - 701 >= 0:
            plain = fit_hedge(y.iloc[end - window : end], x.iloc[end - window : end])
            assert path.iloc[end - 1] == pytest.approx(plain.beta, rel=1e-9)


def test_each_expanding_fit_equals_a_plain_fit():
    y, x = pair(300)
    y.iloc[50] = np.nan
    fit = fit_hedge(y, x, "expanding_ols", least=10)
    assert fit.beta_path is not None
    assert fit.beta_stderr_path is not None
    assert fit.beta_path.first_valid_index() == y.index[9]
    for end in range(10, 301, 17):
        plain = fit_hedge(y.iloc[:end], x.iloc[:end])
        assert fit.beta_path.iloc[end - 1] == pytest.approx(plain.beta, rel=1e-10)
        assert fit.beta_stderr_path.iloc[end - 1] == pytest.approx(plain.beta_stderr, rel=1e-8)


def test_a_flat_x_has_no_rolling_beta_where_it_is_flat():
    y, x = pair(300)
    x.iloc[100:200] = 100_000.01
    path = fit_hedge(y, x, "rolling_ols", window=20).beta_path
    assert path is not None
    assert path.iloc[119:200].isna().all()
    assert path.iloc[200:].notna().all()


def test_no_window_without_a_hole_says_so():
    y, x = pair(90)
    y.iloc[[29, 59]] = np.nan
    with pytest.raises(NotEnoughDataError, match="needs 40 known bars in a row, had 30"):
        fit_hedge(y, x, "rolling_ols", window=40)


def test_tls_is_the_first_principal_axis_and_its_own_inverse():
    y, x = pair()
    fit, swapped = fit_hedge(y, x, "tls"), fit_hedge(x, y, "tls")
    cloud = np.column_stack([x - x.mean(), y - y.mean()])
    axis = np.linalg.svd(cloud, full_matrices=False)[2][0]
    assert fit.beta == pytest.approx(axis[1] / axis[0], rel=1e-10)
    assert fit.beta * swapped.beta == pytest.approx(1.0, rel=1e-12)
    assert fit_hedge(-y, x, "tls").beta == pytest.approx(-fit.beta, rel=1e-12)


def test_the_quick_jackknife_equals_leaving_each_row_out():
    y, x = pair(40)
    fits = [fit_hedge(y.drop(time), x.drop(time), "tls") for time in y.index]
    left_out = [(each.beta, each.alpha) for each in fits]
    beta, alpha = np.sqrt(39**2 / 40 * np.var(left_out, axis=0, ddof=1))
    fit = fit_hedge(y, x, "tls")
    assert fit.beta_stderr == pytest.approx(beta, rel=1e-9)
    assert fit.alpha_stderr == pytest.approx(alpha, rel=1e-9)


def test_huber_equals_statsmodels_and_shrugs_at_outliers():
    y, x = pair()
    y.iloc[::37] += 500
    oracle = sm.RLM(y, sm.add_constant(x), M=sm.robust.norms.HuberT()).fit(
        maxiter=500, tol=1e-13, conv="coefs"
    )
    fit = fit_hedge(y, x, "huber")
    assert fit.beta == pytest.approx(oracle.params.iloc[1], rel=1e-8)
    assert fit.alpha == pytest.approx(oracle.params.iloc[0], rel=1e-6)
    assert fit.beta_stderr == pytest.approx(oracle.bse.iloc[1], rel=1e-3)
    assert fit.alpha_stderr == pytest.approx(oracle.bse.iloc[0], rel=1e-3)
    assert abs(fit.beta - 1.5) < 0.05 < abs(fit_hedge(y, x).beta - 1.5)


def test_theil_sen_equals_scipy_and_bounds_its_sample():
    y, x = pair(200)
    slope, _, low, high = theilslopes(y, x)
    fit = fit_hedge(y, x, "theil_sen")
    assert (fit.beta, *fit.beta_interval) == pytest.approx((slope, low, high), rel=1e-9)
    assert fit.looks_back == "over all 200 bars at once"
    long = fit_hedge(*pair(5_000), "theil_sen")
    assert long.nobs == 600
    assert long.looks_back.startswith("over 600 rows drawn at random of 5,000")
    assert long.beta == fit_hedge(*pair(5_000), "theil_sen").beta


@pytest.mark.parametrize(("leads", "lags"), [(2, 2), (0, 3), (1, 0)])
def test_dols_equals_arch(leads: int, lags: int):
    y, x = pair()
    oracle = DynamicOLS(y, x.to_frame(), trend="c", lags=lags, leads=leads).fit()
    fit = fit_hedge(y, x, "dols", leads=leads, lags=lags)
    assert fit.beta == pytest.approx(oracle.params.iloc[0], rel=1e-10)
    assert fit.alpha == pytest.approx(oracle.params["const"], rel=1e-8)
    assert fit.nobs == int(np.asarray(oracle.resid).size)


def test_dols_joins_nothing_across_a_missing_bar():
    y, x = pair()
    y.iloc[300] = np.nan
    fit = fit_hedge(y, x, "dols")
    # The bar itself, and those whose 2 leads and 2 lags of a change would touch it.
    assert fit.nobs == 600 - 5 - 6


@pytest.mark.parametrize("lags", [1, 3])
def test_johansen_equals_the_error_correction_model(lags: int):
    y, x = pair()
    oracle = VECM(np.column_stack([y, x]), k_ar_diff=lags, coint_rank=1, deterministic="co").fit()
    fit = fit_hedge(y, x, "johansen", lags=lags)
    assert fit.beta == pytest.approx(-oracle.beta[1, 0], rel=1e-7)
    # Its standard error divides by other degrees of freedom.
    assert fit.beta_stderr == pytest.approx(oracle.stderr_beta[1, 0], rel=0.01)


def test_johansen_takes_the_longest_run_without_a_missing_bar():
    y, x = pair()
    y.iloc[200] = np.nan
    fit = fit_hedge(y, x, "johansen")
    assert fit.beta == fit_hedge(y.iloc[201:], x.iloc[201:], "johansen").beta
    assert fit.looks_back == "over the 399 bars of the longest run without a missing one at once"


# ---- no look-ahead


@given(st.integers(231, 280), st.sampled_from(CAUSAL_HEDGES), st.sampled_from([0.5, 1e6, np.nan]))
@settings(max_examples=30, deadline=None)
def test_the_future_changes_no_past_bit_of_a_causal_path(cut: int, method: str, factor: float):
    y, x = pair(300)
    changed = y.copy()
    changed.iloc[cut:] = changed.iloc[cut:] * factor
    whole, other = fit_hedge(y, x, method), fit_hedge(changed, x, method)
    early = fit_hedge(y.iloc[:cut], x.iloc[:cut], method)
    for name in ("beta_path", "alpha_path", "beta_stderr_path", "forecast_error"):
        path = getattr(whole, name)
        if path is not None:
            for again in (getattr(other, name).iloc[:cut], getattr(early, name)):
                pd.testing.assert_series_equal(path.iloc[:cut], again, check_exact=True)


def test_noise_fitted_on_the_whole_is_said_not_to_be_causal():
    y, x = pair()
    fit = fit_hedge(y, x, "kalman", noise="whole")
    assert not fit.causal
    assert "all bars at once" in fit.looks_back
