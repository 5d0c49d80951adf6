"""The bars before a range: every window at its beginning is full, and nothing of them is shown."""

from typing import Unpack

import numpy as np
import pandas as pd
import pytest
from cases.legs import legs as frames
from cases.pair import PairChoices

from analytics.backtest import run_backtest, sweep_backtest
from analytics.backtest.rules import DEFAULT_RULES
from analytics.errors import NotEnoughDataError
from analytics.evidence.causality import prove_causal
from analytics.frames import INTERVALS, FloatArray
from analytics.hedge import CAUSAL_HEDGES, HEDGE_METHODS, HedgeFit
from analytics.leg import Leg
from analytics.pair import NO_GATES, PairAnalytics, PairParams, analyse_pair
from analytics.pair.gates import ALL_GATES
from analytics.pair.params import LEAST_SAMPLE
from analytics.spread import SpreadKind, rolling_correlation, spread, zscore
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife, adf_test

START_S = 1_723_161_600
WINDOWS = (5, 60, 240)
PATHS = ["hedge_ratio", "intercept", "spread", "mean", "std", "zscore", "correlation"]
# What `auto` takes on the pages, in bars.
RANGES = {
    "1s": 1_800, "5s": 720, "15s": 960, "30s": 480, "1min": 1_440, "5min": 864, "15min": 672,
    "1h": 720,
}  # fmt: skip


def closes(n: int, seed: int = 3) -> tuple[FloatArray, FloatArray]:
    """Two legs that belong together, with a line that wanders a little."""
    rng = np.random.default_rng(seed)
    x = 2_600.0 + rng.normal(size=n).cumsum()
    beta = 2.0 + 0.002 * rng.normal(size=n).cumsum()
    gap = np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n - 1), start=1):
        gap[t] = 0.8 * gap[t - 1] + shock
    return np.round(5_000.0 + beta * x + gap, 2), np.round(x, 2)


def leg(prices: FloatArray, step_s: int) -> Leg:
    """Bars that all traded, the last one at a whole hour."""
    ones = np.ones(prices.size)
    first_us = (START_S - prices.size * step_s) * 1_000_000
    codes = np.zeros(prices.size, dtype=np.int8)
    return Leg(first_us, step_s * 1_000_000, prices, ones, ones.astype(np.int64), codes)


def legs(n: int, step_s: int = 1) -> tuple[Leg, Leg]:
    y, x = closes(n)
    return leg(y, step_s), leg(x, step_s)


def params(**changes: Unpack[PairChoices]) -> PairParams:
    return PairParams("BTCUSDT", "ETHUSDT", **changes)


def of_enough(chosen: PairParams, *, more: int = 0) -> PairAnalytics:
    """Analyse just the bars that the parameters ask for, or `more` of them."""
    assert chosen.reach is not None
    held = legs(chosen.reach + more, chosen.bar.us // 1_000_000)
    return analyse_pair(*held, chosen)


@pytest.mark.parametrize("hedge", HEDGE_METHODS)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("interval", [each.name for each in INTERVALS])
def test_the_default_range_has_every_figure_at_every_interval(interval, window, hedge):
    kind: SpreadKind = "log" if window == 60 else "hedged"
    bars = RANGES[interval]
    result = of_enough(
        params(interval=interval, lookback=bars, window=window, spread=kind, hedge=hedge)
    )
    for name in PATHS:
        path = getattr(result, name)
        assert len(path) == bars
        assert path.notna().all(), name
    assert isinstance(result.hedge, HedgeFit)
    assert isinstance(result.adf, ADFResult)
    assert isinstance(result.half_life, HalfLife)
    assert isinstance(result.engle_granger, EngleGrangerResult)
    assert isinstance(result.engle_granger_swapped, EngleGrangerResult)
    assert result.zscore_needs is None
    assert result.correlation_needs is None
    assert (result.gate == "").all()
    assert list(result.stats.loc["returns"]) == [bars, bars]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("bars", [2, 30, 300])
@pytest.mark.parametrize(
    ("kind", "hedge"),
    [("price difference", "ols"), ("ratio", "kalman"), ("hedged", "rolling_ols"),
     ("log", "rolling_ols")],
)  # fmt: skip
def test_the_left_edge_is_that_of_a_longer_range(kind, hedge, bars, window):
    # As far back as any of them looks, with a range three hundred bars longer beside it.
    chosen = params(lookback=bars, window=window, spread=kind, hedge=hedge, gates=ALL_GATES)
    longer = params(lookback=bars + 300, window=window, spread=kind, hedge=hedge, gates=ALL_GATES)
    held = legs(longer.reach or 0)
    short, long = analyse_pair(*held, chosen), analyse_pair(*held, longer)
    names = PATHS if hedge == "rolling_ols" else PATHS[2:]
    for name in names:
        got, expected = getattr(short, name), getattr(long, name).iloc[-bars:]
        pd.testing.assert_series_equal(got, expected, rtol=1e-9, atol=1e-9)
    assert short.gate.equals(long.gate.iloc[-bars:])
    assert short.signal.equals(long.signal.iloc[-bars:])
    for each, other in zip(short.legs, long.legs, strict=True):
        np.testing.assert_array_equal(each.log_returns, other.log_returns[-bars:])
        assert not np.isnan(each.log_returns).any()


@pytest.mark.parametrize("hedge", sorted(set(HEDGE_METHODS) - set(CAUSAL_HEDGES)))
def test_one_line_for_all_bars_is_laid_under_the_bars_before_the_range_too(hedge):
    result = of_enough(params(lookback=200, window=60, spread="hedged", hedge=hedge))
    fit = result.hedge
    assert isinstance(fit, HedgeFit)
    y, x = (pd.Series(each.close) for each in legs(200 + 60 + 1))
    expected = zscore(spread(y, x, "hedged", fit.beta, fit.alpha), 60).iloc[-200:]
    np.testing.assert_allclose(result.zscore, expected, rtol=1e-9, atol=1e-9)
    again = rolling_correlation(y, x, 60).iloc[-200:]
    np.testing.assert_allclose(result.correlation, again, rtol=1e-9, atol=1e-9)
    assert fit.nobs <= 200


@pytest.mark.parametrize("hedge", ["expanding_ols", "kalman", "kalman_walks"])
def test_a_path_that_starts_up_does_so_before_the_range(hedge):
    chosen = params(lookback=100, window=20, spread="hedged", hedge=hedge, gates=NO_GATES)
    result = of_enough(chosen, more=50)
    reach = chosen.reach or 0
    y, x = (each.last(reach) for each in legs(reach + 50))
    whole = analyse_pair(y, x, params(window=20, spread="hedged", hedge=hedge, gates=NO_GATES))
    for name in PATHS[:-1]:
        np.testing.assert_array_equal(getattr(result, name), getattr(whole, name).iloc[-100:])
    fewer = analyse_pair(y.last(reach - 30), x.last(reach - 30), chosen)
    assert fewer.zscore.isna().any()


@pytest.mark.parametrize("bars", [2, 5, 59, 119, 120, 500])
@pytest.mark.parametrize("window", [20, 200])
def test_the_tests_look_at_the_range_or_at_the_least_sample(bars, window):
    result = of_enough(params(lookback=bars, window=window))
    sample = max(bars, window, LEAST_SAMPLE)
    assert len(result.sample.spread) == sample
    assert result.adf == adf_test(result.reach.spread.iloc[-sample:])
    assert isinstance(result.hedge, HedgeFit)
    assert result.hedge.nobs == sample
    assert list(result.stats.loc["bars"]) == [sample, sample]
    assert result.coverage.bars == len(result.zscore) == bars
    assert any("would say too little" in note for note in result.notes) == (bars < sample)


def test_the_sample_is_what_there_is_where_there_is_less():
    result = analyse_pair(*legs(90), params(lookback=30))
    assert len(result.zscore) == 30
    assert isinstance(result.hedge, HedgeFit)
    assert result.hedge.nobs == 90
    assert result.zscore_needs is None


def test_bars_before_the_range_are_in_no_file():
    result = of_enough(params(lookback=50, spread="hedged", hedge="kalman"))
    frame = result.to_frame()
    assert len(frame) == len(result.legs[0]) == 50
    assert frame["time"].iloc[0] == "2024-08-08T23:59:10Z"
    assert frame["time"].iloc[-1] == "2024-08-08T23:59:59Z"
    assert frame.notna().all().all()
    assert len(result.signal_changes(1_000)) <= 50


@pytest.mark.parametrize(
    ("hedge", "kind", "needed"),
    [
        ("ols", "hedged", 60),
        ("kalman", "price difference", 60),
        ("rolling_ols", "hedged", 119),
        ("expanding_ols", "hedged", 89),
        ("kalman", "hedged", 201),
        ("kalman_walks", "hedged", 202),
    ],
)
def test_what_the_latest_z_lacks_counts_the_start_of_its_hedge_ratio(hedge, kind, needed):
    chosen = params(lookback=100, spread=kind, hedge=hedge)
    for had in (3, needed - 1):
        lack = analyse_pair(*legs(had), chosen).zscore_needs
        assert lack is not None
        assert (lack.needed, lack.had) == (needed, had)
    assert analyse_pair(*legs(needed), chosen).zscore_needs is None
    assert analyse_pair(*legs(needed), chosen).zscore.iloc[-1:].notna().all()


@pytest.mark.parametrize("hedge", CAUSAL_HEDGES)
@pytest.mark.parametrize("lookback", [20, 200])
def test_no_value_of_a_range_with_bars_before_it_looks_ahead(hedge, lookback):
    chosen = params(lookback=lookback, window=30, spread="hedged", hedge=hedge, gates=ALL_GATES)
    proof = prove_causal(*frames(900, lost=(700, 701)), chosen, [0.01, 0.1, 0.5, 0.95])
    assert proof.causal, proof.verdict()
    rows = {max(2, round(cut * lookback)) for cut in (0.01, 0.1, 0.5, 0.95)}
    assert proof.compared == 9 * sum(rows)


def test_the_proof_counts_the_range_not_the_bars_before_it():
    with pytest.raises(NotEnoughDataError, match="needs 10 bars, had 5"):
        prove_causal(*frames(400), params(lookback=5))


@pytest.mark.parametrize(
    ("kind", "hedge"), [("price difference", "ols"), ("hedged", "rolling_ols")]
)
def test_each_window_of_a_sweep_is_full_where_the_range_begins(kind, hedge):
    y, x = frames(900)
    chosen = params(lookback=200, window=30, spread=kind, hedge=hedge)
    swept = sweep_backtest(y, x, chosen, DEFAULT_RULES, windows=[10, 30, 120], entries=[1.0, 2.0])
    for row in range(3):
        for column in range(2):
            own = run_backtest(y, x, *swept.setting(row, column), draws=0).performance
            assert swept.trades[row, column] == own.trades > 0
            assert swept.net[row, column] == pytest.approx(own.net, rel=1e-9)


def test_a_backtest_trades_in_the_range_on_a_z_that_began_before_it():
    y, x = frames(400)
    chosen = params(lookback=100, window=60, spread="hedged", hedge="rolling_ols")
    result = run_backtest(y, x, chosen, DEFAULT_RULES, draws=0)
    whole = run_backtest(y, x, params(window=60, spread="hedged", hedge="rolling_ols"), draws=0)
    assert len(result.y) == len(result.to_frame()) == 100
    assert result.zscore.notna().all()
    np.testing.assert_allclose(result.zscore, whole.zscore.iloc[-100:], rtol=1e-9)
    assert (result.trades["entry_time"] > result.y.index[0]).all()
    assert result.equity.iloc[-1] == pytest.approx(
        result.rules.capital + result.trades["net"].sum()
    )
