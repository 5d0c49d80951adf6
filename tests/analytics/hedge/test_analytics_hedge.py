"""Hedge ratios: exact lines, oracles, identities, and what is refused."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import (
    DegenerateSeriesError,
    InvalidSeriesError,
    NotEnoughDataError,
    ParameterError,
)
from analytics.hedge import HEDGE_METHODS, fit_hedge

RNG_SEED = 20240808


def pair(n: int = 200, level: float = 100.0) -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(RNG_SEED)
    x = level + rng.normal(size=n).cumsum()
    y = 3.0 + 1.5 * x + rng.normal(size=n)
    return pd.Series(y, name="BTCUSDT"), pd.Series(x, name="ETHUSDT")


@pytest.mark.parametrize("intercept", [True, False])
def test_every_figure_equals_statsmodels(intercept: bool):
    y, x = pair()
    oracle = sm.OLS(y, sm.add_constant(x) if intercept else x).fit()
    fit = fit_hedge(y, x, intercept=intercept)
    # Well-conditioned data: the two differ by rounding only.
    assert fit.beta == pytest.approx(oracle.params.iloc[-1], rel=1e-12)
    assert fit.beta_stderr == pytest.approx(oracle.bse.iloc[-1], rel=1e-11)
    assert fit.r_squared == pytest.approx(oracle.rsquared, rel=1e-12)
    assert fit.residual_std == pytest.approx(math.sqrt(oracle.scale), rel=1e-12)
    assert fit.nobs == oracle.nobs
    if intercept:
        assert fit.alpha == pytest.approx(oracle.params.iloc[0], rel=1e-10)
        assert fit.alpha_stderr == pytest.approx(oracle.bse.iloc[0], rel=1e-11)


def test_the_fit_says_what_it_is():
    fit = fit_hedge(*pair())
    assert (fit.method, fit.intercept, fit.causal) == ("ols", True, False)
    assert fit.looks_back == "over all 200 bars at once"
    assert (fit.y_name, fit.x_name) == ("BTCUSDT", "ETHUSDT")
    assert "Granger" in fit.reference
    with pytest.raises(AttributeError):
        fit.beta = 2.0  # type: ignore[misc] # frozen


def test_arrays_and_series_give_the_same_fit():
    y, x = pair()
    assert fit_hedge(y.to_numpy(), x.to_numpy()).beta == fit_hedge(y, x).beta


def test_rows_with_nan_on_either_leg_are_dropped_from_both_and_counted():
    y, x = pair()
    holed_y, holed_x = y.copy(), x.copy()
    holed_y.iloc[[3, 7]] = np.nan
    holed_x.iloc[[7, 9]] = np.nan
    keep = y.index.drop([3, 7, 9])
    fit = fit_hedge(holed_y, holed_x)
    assert (fit.nobs, fit.dropped) == (197, 3)
    assert fit.beta == fit_hedge(y[keep], x[keep]).beta


def test_high_prices_cost_no_digits():
    # Prices near 100,000.01 moving by cents; the exact answer in rational arithmetic.
    rng = np.random.default_rng(1)
    x = 100_000.01 + rng.integers(-50, 50, 400) / 100
    y = 50_000.02 + rng.integers(-50, 50, 400) / 100 + 0.3 * (x - 100_000.01)
    exact_x, exact_y = [Fraction(v) for v in x.tolist()], [Fraction(v) for v in y.tolist()]
    mean_x, mean_y = sum(exact_x) / 400, sum(exact_y) / 400
    top = sum((a - mean_x) * (b - mean_y) for a, b in zip(exact_x, exact_y, strict=True))
    beta = top / sum((a - mean_x) ** 2 for a in exact_x)
    fit = fit_hedge(y, x)
    assert fit.beta == pytest.approx(float(beta), rel=1e-12)
    assert fit.alpha == pytest.approx(float(mean_y - beta * mean_x), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_of_prices_does_not_matter(scale: float):
    y, x = pair()
    plain, scaled = fit_hedge(y, x), fit_hedge(y, x * scale)
    assert scaled.beta * scale == pytest.approx(plain.beta, rel=1e-12)
    assert scaled.r_squared == pytest.approx(plain.r_squared, rel=1e-12)
    assert scaled.alpha == pytest.approx(plain.alpha, rel=1e-9)


@given(
    st.floats(-1e3, 1e3),
    st.floats(0.01, 100).flatmap(lambda b: st.sampled_from([b, -b])),
    st.integers(3, 50),
)
@settings(deadline=None)
def test_a_line_without_noise_is_found(alpha: float, beta: float, n: int):
    x = np.arange(n, dtype=np.float64) + 10
    fit = fit_hedge(alpha + beta * x, x)
    size = abs(alpha) + abs(beta) * 60
    assert fit.beta == pytest.approx(beta, abs=1e-13 * size)
    assert fit.alpha == pytest.approx(alpha, abs=1e-11 * size)


def test_identical_legs_have_a_hedge_ratio_of_one():
    y, _ = pair()
    fit = fit_hedge(y, y.rename("other"))
    assert fit.beta == pytest.approx(1, rel=1e-15)
    assert fit.r_squared == 1


def test_a_constant_y_has_slope_zero_and_no_r_squared():
    _, x = pair()
    fit = fit_hedge(np.full(200, 5.0), x)
    assert fit.beta == 0
    assert fit.alpha == 5
    assert math.isnan(fit.r_squared)


def test_the_true_beta_lies_within_its_standard_errors():
    rng = np.random.default_rng(RNG_SEED)
    inside = 0
    for _ in range(300):
        x = rng.normal(size=60)
        fit = fit_hedge(2 + 1.5 * x + rng.normal(size=60), x)
        inside += abs(fit.beta - 1.5) < 1.96 * fit.beta_stderr
    # 94 % nominal for Student's t with 58 degrees; 300 draws scatter by 1.4 %.
    assert 0.90 < inside / 300 < 0.98


def test_an_unknown_method_lists_those_known():
    with pytest.raises(ParameterError, match="method = 'kriging': must be one of ols") as caught:
        fit_hedge(*pair(), method="kriging")
    assert caught.value.value == "kriging"
    assert "ols" in HEDGE_METHODS


def test_an_option_the_method_does_not_have_is_refused():
    with pytest.raises(ParameterError, match="window"):
        fit_hedge(*pair(), window=60)


@pytest.mark.parametrize(("intercept", "needed"), [(True, 3), (False, 2)])
def test_too_few_rows_say_had_and_needed(intercept: bool, needed: int):
    y, x = pair(needed - 1)
    message = f"BTCUSDT on ETHUSDT needs {needed} complete rows, had {needed - 1}"
    with pytest.raises(NotEnoughDataError, match=message) as caught:
        fit_hedge(y, x, intercept=intercept)
    assert (caught.value.needed, caught.value.had) == (needed, needed - 1)
    with pytest.raises(NotEnoughDataError, match="had 0"):
        fit_hedge(y.iloc[:0], x.iloc[:0], intercept=intercept)


@pytest.mark.parametrize("value", [0.1, 100_000.01, 1e-6])
def test_a_constant_x_is_degenerate(value: float):
    y, _ = pair()
    with pytest.raises(DegenerateSeriesError, match="constant"):
        fit_hedge(y, np.full(200, value))


def test_a_constant_x_through_the_origin_is_fine_unless_zero():
    y, _ = pair()
    assert fit_hedge(y, np.full(200, 2.0), intercept=False).beta == pytest.approx(y.mean() / 2)
    with pytest.raises(DegenerateSeriesError, match="zero"):
        fit_hedge(y, np.zeros(200), intercept=False)


def test_legs_that_do_not_belong_together_are_refused():
    y, x = pair()
    with pytest.raises(InvalidSeriesError, match="same length, had 200 and 199"):
        fit_hedge(y, x.iloc[1:])
    with pytest.raises(InvalidSeriesError, match="different times"):
        fit_hedge(y, x.set_axis(x.index + 1))
    with pytest.raises(InvalidSeriesError, match="1 infinite values of 200"):
        fit_hedge(y.replace(y.iloc[0], np.inf), x)
    with pytest.raises(InvalidSeriesError, match="one dimension"):
        fit_hedge(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(InvalidSeriesError, match="must hold numbers"):
        fit_hedge(np.array(["a", "b", "c"]), np.arange(3.0))
