"""The pair as a whole: closed bars only, nothing raised for too few, no look at the future."""

import io
import math
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases.pair import analyse, leg, params, price_paths
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.errors import FrameError, NonPositivePriceError, ParameterError
from analytics.frames import empty_bars
from analytics.hedge import CAUSAL_HEDGES, HEDGE_METHODS, HedgeFit, fit_hedge
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairParams, analyse_pair
from analytics.signals import signal_for
from analytics.spread import SpreadKind, rolling_correlation, rolling_mean_std, spread, zscore
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    adf_test,
    engle_granger_test,
    half_life,
    of_residual,
)

KINDS = ("price difference", "hedged", "log", "ratio")
COLUMNS = [
    "time",
    "price_BTCUSDT",
    "price_ETHUSDT",
    "hedge_ratio",
    "intercept",
    "spread",
    "spread_mean",
    "spread_std",
    "zscore",
    "correlation",
    "signal",
]


# ---- parameters


def test_defaults_are_those_of_the_contract():
    chosen = params()
    assert (chosen.interval, chosen.lookback, chosen.window) == ("1s", None, 60)
    assert (chosen.spread, chosen.hedge) == ("price difference", "ols")
    assert (chosen.sell_above, chosen.buy_below) == (2.0, 0.0)
    assert (chosen.correlation_on, chosen.level) == ("returns", 0.05)


def test_params_are_a_cache_key():
    assert params(interval="1T") == params(interval="1min")
    assert len({params(), params(window=60), params(window=61)}) == 2
    assert hash(params(lookback=100)) == hash(params(lookback=100))
    with pytest.raises(AttributeError):
        params().window = 5  # type: ignore[misc] # frozen


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"window": 1}, "window = 1: must be a whole number of bars, 2 or more"),
        ({"lookback": 0}, "lookback"),
        ({"interval": "7s"}, "interval"),
        ({"spread": "beta"}, "spread = 'beta': must be one of price difference"),
        ({"hedge": "magic"}, "hedge"),
        ({"correlation_on": "volume"}, "correlation_on"),
        ({"sell_above": -1.0}, "sell_above"),
        ({"buy_below": math.nan}, "buy_below"),
        ({"level": 0}, "level"),
        ({"level": math.nan}, "level"),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, Any], words: str):
    with pytest.raises(ParameterError, match=words):
        params(**change)


def test_a_pair_has_two_different_symbols():
    with pytest.raises(ParameterError, match=r"another symbol than y \(BTCUSDT\)"):
        PairParams("BTCUSDT", "BTCUSDT")
    with pytest.raises(ParameterError, match="name of a symbol"):
        PairParams("", "BTCUSDT")


# ---- the composition


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_what_its_own_function_says(kind: SpreadKind):
    result = analyse(spread=kind)
    y, x = result.y, result.x
    fit_y, fit_x = (np.log(y), np.log(x)) if kind == "log" else (y, x)
    fit = fit_hedge(fit_y, fit_x)
    expected = spread(y, x, kind, fit.beta, fit.alpha)
    mean, std = rolling_mean_std(expected, 60)
    assert isinstance(result.hedge, HedgeFit)
    assert result.hedge_ratio.eq(fit.beta).all()
    assert result.intercept.eq(fit.alpha).all()
    np.testing.assert_array_equal(result.spread, expected)
    np.testing.assert_array_equal(result.mean, mean)
    np.testing.assert_array_equal(result.std, std)
    np.testing.assert_array_equal(result.zscore, zscore(expected, 60))
    np.testing.assert_array_equal(result.correlation, rolling_correlation(y, x, 60))
    assert result.signal.equals(signal_for(result.zscore))
    assert isinstance(result.residual, pd.Series)
    np.testing.assert_allclose(result.residual, expected, atol=1e-8)
    adf, halving = adf_test(result.residual), half_life(result.residual)
    if kind in {"hedged", "log"}:
        # The same statistics, with the p-values of a residual whose line was estimated.
        adf, halving = of_residual(adf), of_residual(halving)
    assert result.adf == adf
    assert result.half_life == halving
    assert result.engle_granger == engle_granger_test(fit_y, fit_x)
    assert result.engle_granger_swapped == engle_granger_test(fit_x, fit_y)


@pytest.mark.parametrize("hedge", HEDGE_METHODS)
def test_whatever_draws_the_spread_the_tests_look_at_one_line(hedge: str):
    drawn, plain = analyse(spread="hedged", hedge=hedge), analyse(spread="hedged")
    assert isinstance(drawn.residual, pd.Series)
    assert drawn.adf == plain.adf
    assert drawn.half_life == plain.half_life
    assert isinstance(drawn.engle_granger, EngleGrangerResult)
    assert drawn.residual.sum() == pytest.approx(0.0, abs=1e-6)
    line = drawn.y - drawn.residual
    steps = np.diff(line) - drawn.engle_granger.beta * np.diff(drawn.x)
    assert np.abs(steps).max() < 1e-9


def test_unrelated_legs_show_a_return_in_about_one_of_twenty_whatever_the_hedge():
    """With the spread as drawn, rolling and Kalman made it all of them."""
    rng, pairs = np.random.default_rng(20240808), 150
    legs = [1_000 + rng.normal(size=(2, 400)).cumsum(axis=1) for _ in range(pairs)]
    for hedge in ("ols", "rolling_ols", "expanding_ols", "kalman"):
        chosen = params(spread="hedged", hedge=hedge)
        found = [analyse_pair(plain_leg(y), plain_leg(x), chosen) for y, x in legs]
        for name in ("adf", "half_life", "engle_granger"):
            share = np.mean([getattr(each, name).rejects(0.05) for each in found])
            assert share < 0.12, (hedge, name, share)


def plain_leg(close: np.ndarray) -> Leg:
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def test_both_orderings_name_their_dependent_leg():
    result = analyse()
    assert isinstance(result.engle_granger, EngleGrangerResult)
    assert isinstance(result.engle_granger_swapped, EngleGrangerResult)
    assert result.engle_granger.dependent == "BTCUSDT"
    assert result.engle_granger_swapped.dependent == "ETHUSDT"


def test_the_signal_now_is_that_of_the_last_bar():
    result = analyse()
    now = result.signal_now
    assert now.signal == result.signal.iloc[-1]
    assert now.zscore == result.zscore.iloc[-1]
    assert now.time == result.y.index[-1]
    assert now.reason.startswith(f"z = {now.zscore:+.2f} is ")


def test_thresholds_are_those_asked_for():
    result = analyse(sell_above=0.5, buy_below=-0.5)
    assert result.signal.equals(signal_for(result.zscore, 0.5, -0.5))


def test_lookback_takes_the_latest_bars():
    y, x = price_paths()
    short = analyse_pair(leg(y), leg(x), params(lookback=150))
    whole = analyse_pair(leg(y), leg(x), params())
    assert short.coverage.bars == len(short.y) == len(short.legs[0]) == 150
    paths = ["zscore", "spread_mean", "spread_std", "correlation", "signal"]
    pd.testing.assert_frame_equal(
        short.to_frame()[paths], whole.to_frame()[paths].iloc[-150:].reset_index(drop=True)
    )
    assert list(short.stats.loc["bars"]) == [150, 150]
    assert short.adf == adf_test(whole.spread.iloc[-150:])
    assert isinstance(short.hedge, HedgeFit)
    assert short.hedge.nobs == 150


def test_the_forming_bar_is_left_out():
    y, x = (leg(path) for path in price_paths())
    y.attrs["forming"] = x.attrs["forming"] = y.index[-1]
    result = analyse_pair(y, x, params())
    assert result.y.index[-1] == y.index[-2]
    assert len(y) == 300


def test_the_result_can_be_cached_and_does_not_change_its_input():
    y, x = (leg(path) for path in price_paths())
    before = y.copy(deep=True)
    result = analyse_pair(y, x, params(spread="log"))
    pd.testing.assert_frame_equal(y, before, check_exact=True)
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame(), check_exact=True)
    with pytest.raises(AttributeError):
        result.zscore = None  # type: ignore[misc, assignment] # frozen


# ---- the CSV


def test_the_csv_has_the_contracts_columns_and_full_precision():
    frame = analyse(spread="hedged").to_frame()
    assert list(frame.columns) == COLUMNS
    assert frame["time"].iloc[0] == "2024-08-09T00:00:00Z"
    assert frame["time"].iloc[-1] == "2024-08-09T00:04:59Z"
    back = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    for column in COLUMNS[1:-1]:
        np.testing.assert_array_equal(back[column], frame[column])
    assert back["signal"].tolist() == frame["signal"].tolist()


def test_spreads_without_beta_still_carry_the_ols_fit():
    frame = analyse(spread="ratio").to_frame()
    assert frame["hedge_ratio"].notna().all()
    assert frame["hedge_ratio"].nunique() == 1


# ---- too few bars, holes, flat legs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3, 22, 42])
def test_too_few_bars_never_raise_and_count_what_is_there(n: int, kind: SpreadKind):
    result = analyse(n, spread=kind)
    assert result.zscore.isna().all()
    assert result.zscore_needs is not None
    assert result.zscore_needs.needed == 60
    assert result.correlation_needs == NotEnough("correlation of BTCUSDT/ETHUSDT", 61, n)
    assert result.signal_now.signal == "NEUTRAL"
    assert result.signal.eq("NEUTRAL").all()
    assert list(result.to_frame().columns) == COLUMNS
    if n < 23:
        assert isinstance(result.adf, NotEnough)
        assert isinstance(result.engle_granger, NotEnough)
    if kind == "price difference":
        assert result.signal_now.reason == f"window not full: {n} of 60 bars"
    if n == 22:
        assert isinstance(result.adf, NotEnough)
        assert result.adf.reason == "ADF on BTCUSDT/ETHUSDT needs 23 bars, had 22"


def test_no_hedge_ratio_yet_is_the_reason():
    result = analyse(2, spread="hedged")
    assert result.hedge == NotEnough(
        "hedge ratio of BTCUSDT on ETHUSDT", 3, 2, unit="complete rows"
    )
    assert result.signal_now.reason == result.hedge.reason
    assert result.hedge_ratio.isna().all()
    assert any("needs 3 complete rows, had 2" in note for note in result.notes)


@pytest.mark.parametrize("kind", KINDS)
def test_no_bars_at_all_is_a_result_too(kind: SpreadKind):
    y, x = price_paths(50)
    for y_bars, x_bars in (
        (empty_bars(), empty_bars()),
        (leg(y), empty_bars()),
        (leg(y).iloc[:10], leg(x).iloc[20:]),
    ):
        result = analyse_pair(y_bars, x_bars, params(spread=kind))
        assert result.to_frame().empty
        assert list(result.to_frame().columns) == COLUMNS
        assert result.signal_now.time is None
        assert result.signal_now.reason == "no closed bar of both legs yet"
        assert result.coverage.bars == 0
        assert math.isnan(result.coverage.share_both_traded)


def test_a_missing_last_bar_names_the_leg_and_the_time():
    y, x = (leg(path) for path in price_paths(100))
    x.loc[x.index[-1], ["open", "high", "low", "close", "volume"]] = np.nan
    x.loc[x.index[-1], "coverage"] = "missing"
    result = analyse_pair(y, x, params())
    assert result.signal_now.reason == "ETHUSDT missing at 00:01:39 UTC"
    assert result.signal_now.signal == "NEUTRAL"
    swapped = analyse_pair(x, x, params())
    assert swapped.signal_now.reason == "BTCUSDT and ETHUSDT missing at 00:01:39 UTC"


def test_after_a_hole_the_window_fills_anew_and_says_since_when():
    y, x = price_paths(200)
    result = analyse_pair(leg(y), leg(x, skip=(150, 151)), params())
    # The trade of second 149 is followed by the hole, so its close is not known either.
    assert result.coverage.x_missing == 3
    assert result.coverage.missing == 3
    assert result.coverage.y_missing == 0
    reason = "window not full: 48 of 60 bars since ETHUSDT missing at 00:02:31 UTC"
    assert result.signal_now.reason == reason
    assert result.zscore_needs == NotEnough("z-score of BTCUSDT/ETHUSDT", 60, 48)
    assert any("3 of 200 bars are missing (BTCUSDT 0, ETHUSDT 3)" in n for n in result.notes)


def test_quiet_bars_are_counted_and_noted():
    y, x = price_paths(200)
    result = analyse_pair(leg(y, quiet=(5,)), leg(x, quiet=(5, 9, 10)), params())
    assert (result.coverage.y_quiet, result.coverage.x_quiet) == (1, 3)
    assert result.coverage.known == 200
    assert result.coverage.both_traded == 197
    assert any("In 3 of 200 bars a leg did not trade" in note for note in result.notes)


def test_a_flat_pair_is_flat_not_infinite():
    flat = leg(np.full(100, 100_000.01))
    result = analyse_pair(flat, leg(np.full(100, 0.1)), params())
    assert result.zscore.isna().all()
    assert result.signal_now.reason == "the spread did not move over the last 60 bars"
    assert isinstance(result.hedge, Degenerate)
    assert isinstance(result.adf, Degenerate)
    for value in (result.half_life, result.engle_granger):
        assert isinstance(value, Degenerate)
    assert "constant over 100 bars" in result.adf.reason
    assert result.correlation.isna().all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_identical_and_proportional_legs_give_no_signal_from_rounding(
    kind: SpreadKind, factor: float
):
    y, _ = price_paths()
    result = analyse_pair(leg(y), leg(y * factor), params(spread=kind))
    assert isinstance(result.engle_granger, Degenerate)
    if kind == "price difference" and factor != 1:
        assert isinstance(result.adf, ADFResult)
    else:
        assert isinstance(result.adf, Degenerate)
        assert isinstance(result.half_life, Degenerate)
        assert result.zscore.isna().all()


def test_a_lookback_shorter_than_the_window_has_the_bars_before_it():
    result = analyse(lookback=30)
    assert len(result.to_frame()) == 30
    assert result.to_frame().notna().all().all()
    assert result.signal_now.reason.startswith("z = ")
    assert result.adf == adf_test(analyse().spread.iloc[-120:])
    assert any("look at the latest 120 bars: the 30 of the range" in n for n in result.notes)


def test_notes_tell_what_an_estimated_beta_does():
    plain, hedged = analyse(), analyse(spread="hedged")
    assert plain.notes == ()
    assert any("Engle-Granger p-value" in note for note in hedged.notes)
    assert any("in-sample" in note and "all 300 bars" in note for note in hedged.notes)
    assert isinstance(hedged.half_life, HalfLife)


@pytest.mark.parametrize("late", ["BTCUSDT", "ETHUSDT"])
def test_a_leg_that_ends_early_is_noted(late: str):
    y, x = (leg(path) for path in price_paths())
    bars = {"BTCUSDT": y, "ETHUSDT": x}
    bars[late] = bars[late].iloc[:290]
    result = analyse_pair(bars["BTCUSDT"], bars["ETHUSDT"], params())
    assert any(f"the pair ends with {late}" in note for note in result.notes)
    assert result.coverage.bars == 290


# ---- wrong input


def test_bars_of_another_interval_are_refused():
    y, x = (leg(path) for path in price_paths())
    with pytest.raises(FrameError, match="BTCUSDT are 1 s apart, the interval asked for is 5s"):
        analyse_pair(y, x, params(interval="5s"))


def test_prices_at_zero_are_refused():
    y, x = (leg(path) for path in price_paths())
    x.loc[x.index[7], "close"] = 0.0
    with pytest.raises(NonPositivePriceError):
        analyse_pair(y, x, params(spread="log"))


def test_what_is_no_bars_frame_is_refused():
    y, _ = price_paths()
    with pytest.raises(FrameError):
        analyse_pair(leg(y), leg(y)[["close"]], params())


# ---- no look-ahead


@given(
    st.integers(61, 149),
    st.sampled_from(["price difference", "ratio"]),
    st.sampled_from([1.3, 1e12]),
)
@settings(max_examples=25, deadline=None)
def test_the_future_changes_no_past_value_to_the_bit(cut: int, kind: SpreadKind, jump: float):
    y, x = price_paths(150)
    other_y, other_x = y.copy(), x.copy()
    other_y[cut:] = np.round(other_y[cut:] * jump, 2)
    other_x[cut:] = np.round(other_x[cut:] * 0.8, 2)
    chosen = params(spread=kind)
    past = ["time", "spread", "spread_mean", "spread_std", "zscore", "correlation", "signal"]
    whole = analyse_pair(leg(y), leg(x), chosen).to_frame()[past].iloc[:cut]
    changed = analyse_pair(leg(other_y), leg(other_x), chosen).to_frame()[past].iloc[:cut]
    pd.testing.assert_frame_equal(whole, changed, check_exact=True)
    truncated = analyse_pair(leg(y).iloc[:cut], leg(x).iloc[:cut], chosen).to_frame()[past]
    pd.testing.assert_frame_equal(whole, truncated, check_exact=True)


@given(st.integers(262, 299), st.sampled_from(CAUSAL_HEDGES), st.sampled_from(["hedged", "log"]))
@settings(max_examples=20, deadline=None)
def test_a_causal_hedge_gives_a_causal_spread_to_the_bit(cut: int, hedge: str, kind: SpreadKind):
    y, x = price_paths()
    other_y = y.copy()
    other_y[cut:] = np.round(other_y[cut:] * 1.3, 2)
    chosen = params(spread=kind, hedge=hedge)
    whole = analyse_pair(leg(y), leg(x), chosen).to_frame().iloc[:cut]
    changed = analyse_pair(leg(other_y), leg(x), chosen).to_frame().iloc[:cut]
    pd.testing.assert_frame_equal(whole, changed, check_exact=True)
    truncated = analyse_pair(leg(y).iloc[:cut], leg(x).iloc[:cut], chosen).to_frame()
    pd.testing.assert_frame_equal(whole, truncated, check_exact=True)
    assert whole["zscore"].notna().any()


@pytest.mark.parametrize("hedge", HEDGE_METHODS)
def test_the_spread_is_its_formula_with_the_path_shown(hedge: str):
    result = analyse(spread="hedged", hedge=hedge)
    expected = result.y - (result.intercept + result.hedge_ratio * result.x)
    known = result.spread.notna() & expected.notna()
    assert known.sum() > 60
    np.testing.assert_allclose(result.spread[known], expected[known], atol=1e-7)
    assert any("in-sample" in note for note in result.notes) == (hedge not in CAUSAL_HEDGES)


def test_the_spread_of_a_filter_on_walks_is_its_forecast_error_on_its_own_scale():
    result = analyse(spread="hedged", hedge="kalman_walks")
    assert isinstance(result.hedge, HedgeFit)
    np.testing.assert_array_equal(result.spread, result.hedge.forecast_error)
    assert result.hedge.forecast_variance is not None
    np.testing.assert_array_equal(result.std, np.sqrt(result.hedge.forecast_variance))
    np.testing.assert_array_equal(result.zscore, result.spread / result.std)
    assert result.mean.dropna().eq(0).all()
    assert result.zscore_needs is None


def test_the_kalman_spread_is_the_level_of_the_residual_on_the_filters_own_scale():
    result = analyse(spread="hedged", hedge="kalman")
    assert isinstance(result.hedge, HedgeFit)
    assert result.hedge.level is not None
    assert result.hedge.level_variance is not None
    np.testing.assert_array_equal(result.spread, result.hedge.level)
    np.testing.assert_array_equal(result.zscore, result.spread / result.hedge.level_variance**0.5)
    # Of the same bar's line: the newest beta is the one to trade.
    np.testing.assert_array_equal(result.hedge_ratio, result.hedge.beta_path)


@pytest.mark.parametrize("hedge", HEDGE_METHODS)
@pytest.mark.parametrize("n", [0, 1, 3, 23, 70, 231])
def test_no_hedge_method_raises_on_too_few_bars_or_flat_legs(hedge: str, n: int):
    y, x = price_paths(n)
    flat = np.full(n, 0.1)
    for left, right in ((y, x), (flat, x), (y, flat), (y, y)):
        y_bars, x_bars = (leg(path) if n else empty_bars() for path in (left, right))
        result = analyse_pair(y_bars, x_bars, params(spread="hedged", hedge=hedge))
        assert not np.isinf(result.to_frame().select_dtypes("float").to_numpy()).any()
        assert result.signal_now.reason


def test_the_rolling_hedge_takes_its_own_window_or_the_pairs():
    result = analyse(spread="hedged", hedge="rolling_ols", hedge_window=100)
    assert isinstance(result.hedge, HedgeFit)
    assert result.hedge.nobs == 100
    assert result.hedge_ratio.isna().sum() == 99
    plain = analyse(hedge="rolling_ols").hedge
    assert isinstance(plain, HedgeFit)
    assert plain.nobs == 60
    with pytest.raises(ParameterError, match="hedge_window"):
        params(hedge_window=2)


def test_the_full_sample_beta_is_declared_not_causal_and_its_past_does_change():
    whole = analyse(spread="hedged")
    y, x = price_paths()
    cut = analyse_pair(leg(y).iloc[:200], leg(x).iloc[:200], params(spread="hedged"))
    assert isinstance(whole.hedge, HedgeFit)
    assert not whole.hedge.causal
    assert whole.spread.iloc[100] != cut.spread.iloc[100]
