"""Spread, z-score and rolling correlation: each window equals a plain fit on its own slice."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from analytics.errors import InvalidSeriesError, NonPositivePriceError, ParameterError
from analytics.spread import (
    CORRELATION_ON,
    SPREAD_KINDS,
    CorrelationOn,
    log_returns,
    rolling_correlation,
    rolling_mean_std,
    rolling_moments,
    spread,
    zscore,
)

# The promise: equal to a two-pass fit on each window's own values to 1e-9 relative.
RTOL = 1e-9


def prices(n: int = 300, level: float = 100.0, seed: int = 1) -> pd.Series:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-08-09", periods=n, freq="s", tz="UTC", name="time")
    return pd.Series(level + rng.normal(size=n).cumsum() * 0.01 * level / 100, index=index)


def exact_mean_std(window: np.ndarray) -> tuple[float, float]:
    values = [Fraction(v) for v in window.tolist()]
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return float(mean), math.sqrt(variance)


def exact_last_deviation(window: np.ndarray) -> float:
    values = [Fraction(v) for v in window.tolist()]
    return float(values[-1] - sum(values) / len(values))


def exact_correlation(y: np.ndarray, x: np.ndarray) -> float:
    ys, xs = [Fraction(v) for v in y.tolist()], [Fraction(v) for v in x.tolist()]
    y_mean, x_mean = sum(ys) / len(ys), sum(xs) / len(xs)
    top = sum((a - y_mean) * (b - x_mean) for a, b in zip(ys, xs, strict=True))
    bottom = sum((a - y_mean) ** 2 for a in ys) * sum((b - x_mean) ** 2 for b in xs)
    return float(top) / math.sqrt(bottom)


# ---- kinds of spread


def test_each_kind_is_its_formula():
    y, x = pd.Series([10.0, 20.0]), pd.Series([2.0, 4.0])
    assert spread(y, x).tolist() == [8, 16]
    assert spread(y, x, "price difference", 5.0, 1.0).tolist() == [8, 16]
    assert spread(y, x, "ratio").tolist() == [5, 5]
    assert spread(y, x, "hedged", 3.0, 1.0).tolist() == [3, 7]
    assert spread(y, x, "hedged", 3.0).tolist() == [4, 8]
    expected = [math.log(10) - (0.5 + 2 * math.log(2)), math.log(20) - (0.5 + 2 * math.log(4))]
    assert spread(y, x, "log", 2.0, 0.5).tolist() == pytest.approx(expected, rel=1e-14)


def test_beta_and_alpha_may_be_paths():
    y, x = pd.Series([10.0, 20.0]), pd.Series([2.0, 4.0])
    path = spread(y, x, "hedged", pd.Series([1.0, 2.0]), pd.Series([0.0, 1.0]))
    assert path.tolist() == [8, 11]
    assert spread(y, x, "hedged", pd.Series([1.0, 2.0]), 0.0).tolist() == [8, 12]
    with pytest.raises(InvalidSeriesError, match="path of beta has other times"):
        spread(y, x, "hedged", pd.Series([1.0, 2.0], index=[5, 6]))


def test_nan_on_either_leg_is_nan():
    y, x = pd.Series([1.0, np.nan, 3.0]), pd.Series([1.0, 2.0, np.nan])
    for kind in SPREAD_KINDS:
        assert spread(y, x, kind, 1.0, 0.0).isna().tolist() == [False, True, True]


def test_the_index_is_kept_and_arrays_are_counted():
    y, x = prices(), prices(seed=2)
    assert spread(y, x).index.equals(y.index)
    assert spread(y.to_numpy(), x.to_numpy()).tolist() == spread(y, x).tolist()


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_prices_at_or_below_zero_have_no_logarithm_and_no_ratio(price: float):
    good, bad = pd.Series([1.0, 2.0]), pd.Series([1.0, price])
    for y, x in ((good, bad), (bad, good)):
        with pytest.raises(NonPositivePriceError, match="log spread needs prices above 0, had 1"):
            spread(y, x, "log", 1.0)
    with pytest.raises(NonPositivePriceError, match="ratio"):
        spread(good, bad, "ratio")
    with pytest.raises(NonPositivePriceError, match="returns"):
        rolling_correlation(good, bad, 2)


def test_unknown_kind_and_missing_beta_say_so():
    y, x = pd.Series([1.0]), pd.Series([1.0])
    with pytest.raises(ParameterError, match="price difference, hedged, log, ratio"):
        spread(y, x, "difference")  # type: ignore[arg-type] # on purpose
    for kind in ("hedged", "log"):
        with pytest.raises(ParameterError, match=f"beta .* {kind} spread"):
            spread(y, x, kind)


# ---- rolling mean, std, z


@pytest.mark.parametrize("level", [1e-6, 1.0, 100_000.01, 1e6])
@pytest.mark.parametrize("window", [2, 7, 60])
def test_every_window_equals_the_exact_fit_on_its_slice(level: float, window: int):
    values = prices(level=level).to_numpy()
    mean, std = rolling_mean_std(values, window)
    z = zscore(values, window)
    for end in range(window, values.size + 1, 13):
        exact_mean, exact_std = exact_mean_std(values[end - window : end])
        assert mean.iloc[end - 1] == pytest.approx(exact_mean, rel=1e-14)
        assert std.iloc[end - 1] == pytest.approx(exact_std, rel=RTOL)
        exact_deviation = exact_last_deviation(values[end - window : end])
        assert z.iloc[end - 1] == pytest.approx(exact_deviation / exact_std, rel=RTOL)


def test_values_are_nan_until_the_window_is_full():
    for result in (*rolling_mean_std(prices(), 60), zscore(prices(), 60)):
        assert result.isna().sum() == 59
        assert result.iloc[:59].isna().all()


def test_fewer_bars_than_the_window_are_all_nan():
    assert zscore(prices(5), 60).isna().tolist() == [True] * 5
    assert zscore(prices(0), 60).empty
    assert rolling_correlation(prices(5), prices(5, seed=2), 60).isna().all()
    assert rolling_correlation(prices(0), prices(0), 60).empty


def test_after_a_missing_bar_the_window_fills_anew():
    values = prices(30)
    values.iloc[10] = np.nan
    z = zscore(values, 5)
    assert z.isna().to_numpy().nonzero()[0].tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 14]
    pd.testing.assert_series_equal(z.iloc[15:], zscore(values.iloc[11:], 5).iloc[4:])


@pytest.mark.parametrize("level", [0.1, 100_000.01, 1e-6, 64_123.45])
def test_a_flat_window_has_zero_std_and_no_zscore(level: float):
    # After a jump: pandas' rolling std leaves 1e-6 here, a z-score of thousands.
    values = np.r_[prices(100, level * 3).to_numpy(), np.full(150, level), [level * 2]]
    _, std = rolling_mean_std(values, 60)
    z = zscore(values, 60)
    assert (std.iloc[159:250] == 0).all()
    assert z.iloc[159:250].isna().all()
    assert z.iloc[250] == pytest.approx(59 / math.sqrt(60), rel=1e-12)
    assert np.abs(z.dropna()).max() < math.sqrt(60)


def test_movement_within_the_rounding_given_counts_as_flat():
    values = np.r_[np.zeros(5), 1e-12, 0, 0]
    assert zscore(values, 3).notna().sum() == 3
    assert zscore(values, 3, rounding=1e-11).isna().all()


def test_a_distance_from_the_mean_within_the_rounding_given_is_none():
    dust = 1e-13
    values = np.array([-1.0, 1.0, dust, -1.0, 1.0, -dust, math.nan])
    for rounding in (1e-12, np.full(7, 1e-12)):
        z = zscore(values, 3, rounding=rounding)
        assert z.iloc[[2, 5]].tolist() == [0.0, 0.0]
        assert z.iloc[[3, 4]].abs().min() > 0.5
        assert z.isna().tolist() == [True, True, False, False, False, False, True]
    assert (zscore(values, 3).iloc[[2, 5]] != 0).all()


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=40),
    st.floats(-1e3, 1e3, width=16),
    st.sampled_from([-4.0, 0.5, 2.0]),
)
@settings(deadline=None)
def test_zscore_ignores_shift_and_follows_the_sign_of_scale(values, shift, scale):
    rounded = np.round(np.array(values), 2)
    z = zscore(rounded, 3).to_numpy()
    moved = zscore(rounded * scale + shift, 3, rounding=1e-6).to_numpy()
    both = np.isfinite(z) & np.isfinite(moved)
    np.testing.assert_allclose(moved[both], np.sign(scale) * z[both], atol=1e-5)


@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=30), st.integers(2, 10))
@settings(deadline=None)
def test_zscore_is_never_infinite(values, window):
    assert not np.isinf(zscore(np.array(values) / 1e200, window)).any()


def two_pass(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The oracle in plain NumPy: each window on its own, measured from its first value."""
    view = sliding_window_view(values, window)
    shifted = view - view[:, :1]
    mean = shifted.mean(axis=1, keepdims=True)
    deviations = shifted - mean
    squares = np.einsum("ij,ij->i", deviations, deviations)
    return view[:, 0] + mean[:, 0], np.sqrt(squares / (window - 1)), deviations[:, -1]


def rough_paths() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    walk = rng.normal(size=5_000).cumsum()
    jump = np.where(np.arange(5_000) == 2_500, 5_000.0, 0.0)
    return {
        "cents at 100,000.01": 100_000.01 + np.round(rng.normal(size=5_000).cumsum() * 0.01, 2),
        "one bar 5,000 away": 100_000.01 + np.round(walk * 0.01, 2) + jump,
        "a steady climb": 1e6 + np.arange(5_000) * 10 + rng.normal(size=5_000) * 0.01,
        "mostly flat": 0.1 + np.round(np.where(rng.random(5_000) < 0.02, walk, 0).cumsum(), 1),
        "a quiet half": np.r_[walk[:2_500] * 1e3, 1e-3 * walk[2_500:]],
        "tiny prices": 9e-6 * np.exp(1e-4 * walk),
    }


@pytest.mark.parametrize("window", [2, 60, 700])
@pytest.mark.parametrize("name", list(rough_paths()))
def test_the_running_sums_equal_a_two_pass_fit_on_every_window(name: str, window: int):
    values = rough_paths()[name]
    mean, std, deviation = two_pass(values, window)
    moments = rolling_moments(values, window)
    full = slice(window - 1, None)
    np.testing.assert_allclose(moments.mean.to_numpy()[full], mean, rtol=RTOL)
    flat = np.ptp(sliding_window_view(values, window), axis=1) == 0
    np.testing.assert_allclose(moments.std.to_numpy()[full][~flat], std[~flat], rtol=RTOL)
    assert (moments.std.to_numpy()[full][flat] == 0).all()
    scale = np.where(flat, 1.0, std)
    assert (np.abs(moments.deviation.to_numpy()[full] - deviation) <= RTOL * scale).all()


@pytest.mark.parametrize("name", list(rough_paths()))
def test_the_running_correlation_equals_a_two_pass_one_on_every_window(name: str):
    y = rough_paths()[name]
    x = rough_paths()["cents at 100,000.01"] + 0.5 * y[::-1]
    result = rolling_correlation(y, x, 60, "prices").to_numpy()[59:]
    y_part, x_part = sliding_window_view(y, 60), sliding_window_view(x, 60)
    y_part = y_part - y_part.mean(axis=1, keepdims=True)
    x_part = x_part - x_part.mean(axis=1, keepdims=True)
    sizes = np.sqrt((y_part**2).sum(axis=1) * (x_part**2).sum(axis=1))
    flat = np.isnan(result)
    assert (np.ptp(sliding_window_view(y, 60), axis=1)[flat] == 0).all()
    expected = (y_part * x_part).sum(axis=1)[~flat] / sizes[~flat]
    np.testing.assert_allclose(result[~flat], expected, atol=RTOL)


@pytest.mark.parametrize("window", [1, 0, -5, 2.0, True, None])
def test_windows_are_whole_numbers_of_two_or_more(window: Any):
    for compute in (rolling_mean_std, zscore):
        with pytest.raises(ParameterError, match="window"):
            compute(prices(10), window)
    with pytest.raises(ParameterError, match="window"):
        rolling_correlation(prices(10), prices(10), window)


# ---- correlation


@pytest.mark.parametrize("level", [1e-6, 100_000.01, 1e6])
@pytest.mark.parametrize("on", ["returns", "prices"])
def test_every_correlation_equals_the_exact_fit_on_its_slice(level: float, on: CorrelationOn):
    y, x = prices(level=level).to_numpy(), prices(level=level, seed=2).to_numpy() + level / 1e4
    result = rolling_correlation(y, x, 30, on)
    first = 30 if on == "returns" else 29
    assert result.isna().to_numpy().nonzero()[0].tolist() == list(range(first))
    left, right = (log_returns(y), log_returns(x)) if on == "returns" else (y, x)
    for end in range(first + 1, y.size + 1, 17):
        expected = exact_correlation(left[end - 30 : end], right[end - 30 : end])
        assert result.iloc[end - 1] == pytest.approx(expected, rel=RTOL, abs=1e-12)


def test_log_returns_keep_the_digits_of_a_one_cent_move():
    returns = log_returns(np.array([100_000.0, 100_000.01]))
    exact = float(Fraction(100_000.01) - 100_000) / 100_000
    assert returns[1] == pytest.approx(exact - exact**2 / 2, rel=1e-12)
    assert math.isnan(returns[0])


def test_a_leg_with_itself_correlates_at_one_and_with_its_mirror_at_minus_one():
    y = prices()
    assert rolling_correlation(y, y, 30).dropna().to_numpy() == pytest.approx(1.0, abs=1e-14)
    mirror = rolling_correlation(y, 200 - y, 30, "prices").dropna()
    assert mirror.to_numpy() == pytest.approx(-1.0, abs=1e-12)


def test_correlation_stays_within_one():
    y, x = prices(), prices(seed=2)
    for on in CORRELATION_ON:
        result = rolling_correlation(y, x, 5, on).dropna()
        assert result.abs().max() <= 1
        swapped = rolling_correlation(x, y, 5, on).dropna()
        np.testing.assert_allclose(result, swapped, rtol=1e-12)


@pytest.mark.parametrize("on", ["returns", "prices"])
def test_a_flat_leg_has_no_correlation(on: CorrelationOn):
    y, flat = prices(100), prices(100)
    flat.iloc[20:] = 100_000.01
    result = rolling_correlation(y, flat, 30, on)
    assert result.iloc[51:].isna().all()
    assert result.iloc[35:45].notna().all()


def test_steady_growth_is_flat_in_returns():
    growing = 100 * 1.001 ** np.arange(200, dtype=np.float64)
    assert rolling_correlation(growing, prices(200).to_numpy(), 30).isna().all()


def test_a_missing_bar_leaves_two_returns_out():
    y, x = prices(40), prices(40, seed=2)
    y.iloc[20] = np.nan
    holes = rolling_correlation(y, x, 5).isna().to_numpy().nonzero()[0].tolist()
    assert holes == [0, 1, 2, 3, 4, *range(20, 26)]


def test_unknown_correlation_base_is_refused():
    with pytest.raises(ParameterError, match="returns, prices"):
        rolling_correlation(prices(), prices(), 5, "volume")  # type: ignore[arg-type] # on purpose


# ---- no look-ahead


@given(st.integers(1, 119), st.integers(2, 30))
@settings(max_examples=40, deadline=None)
def test_changing_the_future_changes_no_past_bit(cut: int, window: int):
    y, x = prices(120), prices(120, seed=2)
    other_y = pd.Series(np.r_[y.iloc[:cut], y.iloc[cut:] * 3 + 7], index=y.index)
    computes: tuple[Callable[[pd.Series], pd.Series], ...] = (
        lambda leg: zscore(spread(leg, x), window),
        lambda leg: rolling_mean_std(leg, window)[0],
        lambda leg: rolling_mean_std(leg, window)[1],
        lambda leg: rolling_correlation(leg, x, window),
        lambda leg: rolling_correlation(leg, x, window, "prices"),
    )
    for compute in computes:
        before, after = compute(y).iloc[:cut], compute(other_y).iloc[:cut]
        pd.testing.assert_series_equal(before, after, check_exact=True)
