"""Intervals of beta hold the truth as often as they say, on residuals that remember."""

import math

import numpy as np
import pytest
from arch.unitroot.cointegration import FullyModifiedOLS
from scipy.signal import lfilter
from statsmodels.tsa.stattools import adfuller

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.hedge import fit_hedge
from analytics.hedge.long_run import andrews_lags, memory_of_ranks
from analytics.stationarity import long_run_std

SEED = 20240808
BETA = 1.5


def draw(rng: np.random.Generator, n: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """y = 0.5 + 1.5 x + AR(memory), the shocks of both correlated by 0.5."""
    shock, own = rng.normal(size=(2, n + 200))
    x = (0.5 * shock + math.sqrt(0.75) * own)[200:].cumsum() + 100
    return 0.5 + BETA * x + lfilter([1.0], [1.0, -memory], shock)[200:], x


def share_held(method: str, n: int, memory: float, count: int) -> float:
    """Share of seeded samples whose interval holds beta."""
    rng = np.random.default_rng(SEED)
    ends = [fit_hedge(*draw(rng, n, memory), method).beta_interval for _ in range(count)]
    return float(np.mean([low <= BETA <= high for low, high in ends]))


@pytest.mark.parametrize("method", ["ols", "expanding_ols", "dols", "fmols", "huber", "johansen"])
def test_an_interval_holds_beta_where_the_residual_remembers(method: str):
    assert share_held(method, 500, 0.9, 400) >= 0.88
    assert share_held(method, 200, 0.97, 400) >= 0.80


def test_theil_sens_interval_holds_beta_and_a_rolling_one_its_own_window():
    assert share_held("theil_sen", 200, 0.97, 100) >= 0.80
    assert share_held("rolling_ols", 200, 0.9, 400) >= 0.80


@pytest.mark.parametrize("lags", [0, 3, 12])
def test_fmols_equals_arch(lags: int):
    y, x = draw(np.random.default_rng(SEED), 400, 0.8)
    oracle = FullyModifiedOLS(y, x[:, np.newaxis], trend="c").fit(bandwidth=lags)
    fit = fit_hedge(y, x, "fmols", lags=lags)
    assert fit.beta == pytest.approx(oracle.params.iloc[0], rel=1e-9)
    assert fit.alpha == pytest.approx(oracle.params.iloc[1], rel=1e-8)
    assert dict(fit.settings) == {"lags": lags}


def test_fmols_takes_out_the_bias_that_shared_shocks_leave_in_ols():
    rng = np.random.default_rng(SEED)
    draws = [draw(rng, 500, 0.8) for _ in range(200)]
    bias = {
        method: float(np.mean([fit_hedge(*each, method).beta for each in draws])) - BETA
        for method in ("ols", "fmols")
    }
    assert abs(bias["fmols"]) < 0.5 * bias["ols"]


def test_fmols_joins_nothing_across_a_missing_bar():
    y, x = draw(np.random.default_rng(SEED), 400, 0.5)
    y[200] = np.nan
    y[201:], x[201:] = y[201:] + 7_500.0, x[201:] + 5_000.0
    fit = fit_hedge(y, x, "fmols", lags=2)
    assert fit.dropped == 3
    assert fit.beta == pytest.approx(BETA, abs=0.01)


def test_fmols_refuses_few_rows_and_options_it_does_not_have():
    y, x = draw(np.random.default_rng(SEED), 10, 0.5)
    with pytest.raises(NotEnoughDataError, match="needs 10 complete rows in a row, had 9"):
        fit_hedge(y, x, "fmols")
    with pytest.raises(ParameterError, match="lags"):
        fit_hedge(y, x, "fmols", leads=1)


@pytest.mark.parametrize(
    ("ar", "ma", "n"), [(0.0, 0.0, 500), (0.9, 0.0, 2_000), (0.95, -0.5, 5_000)]
)
def test_the_long_run_deviation_of_a_known_process_is_found(ar: float, ma: float, n: int):
    rng = np.random.default_rng(SEED)
    truth = (1.0 + ma) / (1.0 - ar)
    found = [
        long_run_std(lfilter([1.0, ma], [1.0, -ar], rng.normal(size=n + 500))[500:])
        for _ in range(40)
    ]
    assert float(np.median(found)) == pytest.approx(truth, rel=0.15)


def test_the_long_run_deviation_stands_on_the_augmented_dickey_fuller_regression():
    u = lfilter([1.0], [1.0, -0.9], np.random.default_rng(SEED).normal(size=600))
    oracle = adfuller(
        u, regression="n", autolag="AIC", store=True, regresults=True, result_object=False
    )[-1].resols
    plain = math.sqrt(oracle.ssr / (oracle.df_resid - 2)) / -oracle.params[0]
    memory = 1.0 + oracle.params[0]
    raised = oracle.params[0] + (2.0 + 4.0 * memory) / u.size
    assert long_run_std(u) == pytest.approx(plain * oracle.params[0] / raised, rel=1e-6)
    assert long_run_std(1e-6 * u) == pytest.approx(1e-6 * long_run_std(u), rel=1e-9)


def test_too_few_bars_have_no_long_run_error_and_no_interval():
    y, x = draw(np.random.default_rng(SEED), 21, 0.5)
    fit = fit_hedge(y, x)
    assert math.isnan(fit.beta_hac_stderr)
    assert all(math.isnan(end) for end in fit.beta_interval)
    assert math.isfinite(fit.beta_stderr)
    assert math.isnan(long_run_std(np.zeros(100)))


def test_a_walk_is_never_believed_to_be_more_than_that():
    walk = np.random.default_rng(SEED).normal(size=300).cumsum()
    grown = 1.02 ** np.arange(300.0) + 1e-3 * walk
    assert 0 < long_run_std(grown) < math.inf


def test_kernel_lags_grow_with_memory_and_with_the_cube_root_of_bars():
    shocks = np.random.default_rng(SEED).normal(size=64_000)
    quick, slow = (lfilter([1.0], [1.0, -memory], shocks) for memory in (0.5, 0.9))
    assert andrews_lags(quick) < andrews_lags(slow) / 2
    assert andrews_lags(slow) == pytest.approx(4 * andrews_lags(slow[:1_000]), rel=0.2)
    assert andrews_lags(shocks.cumsum()[:40]) == 10


def test_independent_ranks_count_once_and_remembered_ones_many_times():
    shocks = np.random.default_rng(SEED).normal(size=2_000)
    assert memory_of_ranks(shocks) == pytest.approx(1.0, abs=0.2)
    # An AR(1)'s variance of a mean is (1 + φ) / (1 - φ) times that of independent rows.
    remembered = lfilter([1.0], [1.0, -0.8], shocks)
    assert memory_of_ranks(remembered) == pytest.approx(9.0, rel=0.3)


def log_determinant(y: np.ndarray, x: np.ndarray, beta: float) -> float:
    """Of the shocks' covariance in the error-correction model with this beta and one lag."""
    change = np.diff(np.column_stack([y, x]), axis=0)
    gap = (y - beta * x)[1:-1]
    design = np.column_stack([np.ones(gap.size), gap - gap.mean(), change[:-1]])
    rest = change[1:] - design @ np.linalg.lstsq(design, change[1:], rcond=None)[0]
    return float(np.linalg.slogdet(rest.T @ rest)[1])


def test_johansens_interval_ends_where_the_likelihood_ratio_does():
    y, x = draw(np.random.default_rng(SEED), 500, 0.8)
    fit = fit_hedge(y, x, "johansen")
    best = log_determinant(y, x, fit.beta)
    free = 498 - 3 - 2
    for end in fit.beta_interval:
        ratio = free * (log_determinant(y, x, end) - best)
        assert ratio == pytest.approx(3.841458820694124, rel=1e-6)


def test_johansens_interval_has_no_end_where_the_legs_share_nothing():
    rng = np.random.default_rng(SEED)
    ends = [
        fit_hedge(y, x, "johansen").beta_interval
        for y, x in rng.normal(size=(40, 2, 200)).cumsum(axis=2)
    ]
    assert sum(math.isinf(low) and math.isinf(high) for low, high in ends) > 12


def test_tls_gives_an_error_that_remembers_but_claims_no_interval():
    y, x = draw(np.random.default_rng(SEED), 500, 0.9)
    fit = fit_hedge(y, x, "tls")
    assert fit.beta_hac_stderr > 2 * fit.beta_stderr
    assert all(math.isnan(end) for end in fit.beta_interval)


def test_a_line_through_the_origin_has_a_long_run_error_of_its_slope_alone():
    y, x = draw(np.random.default_rng(SEED), 500, 0.9)
    fit = fit_hedge(y, x, intercept=False)
    expected = long_run_std(y - fit.beta * x, 1) / math.sqrt(x @ x)
    assert fit.beta_hac_stderr == pytest.approx(expected, rel=1e-9)
    assert math.isnan(fit.alpha_hac_stderr)


def test_a_paths_last_errors_are_those_of_least_squares_on_the_same_bars():
    y, x = draw(np.random.default_rng(SEED), 300, 0.8)
    y[[5, 120]] = np.nan
    plain = fit_hedge(y, x)
    last = fit_hedge(y[-60:], x[-60:])
    for fit, oracle in (
        (fit_hedge(y, x, "expanding_ols"), plain),
        (fit_hedge(y, x, "rolling_ols", window=60), last),
    ):
        assert fit.beta_hac_stderr == pytest.approx(oracle.beta_hac_stderr, rel=1e-7)
        assert fit.alpha_hac_stderr == pytest.approx(oracle.alpha_hac_stderr, rel=1e-7)
        assert fit.beta_interval == pytest.approx(oracle.beta_interval, rel=1e-7)
