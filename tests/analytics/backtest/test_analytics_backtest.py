"""The backtest's rules: against a plain loop, without look-ahead, with bars that cannot trade."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cases.backtest import SEED, bars, plain_money, plain_walk, reverting_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.backtest import (
    FREE,
    FUTURES,
    SIZINGS,
    SYMMETRIC_RULES,
    BacktestResult,
    BacktestRules,
    Costs,
    run_backtest,
    split_backtest,
    sweep_backtest,
    with_vwap,
)
from analytics.backtest.market import prepare, signals
from analytics.backtest.rules import DEFAULT_RULES
from analytics.backtest.windows import WindowSignals
from analytics.bars import resample_ticks
from analytics.errors import FrameError, NotEnoughDataError, ParameterError
from analytics.frames import utc_index
from analytics.hedge import CAUSAL_HEDGES
from analytics.kernels.walk import walk
from analytics.pair import PairParams, analyse_pair
from analytics.spread import SPREAD_KINDS

PARAMS = PairParams("AUSDT", "BUSDT", "1min", spread="log", hedge="rolling_ols", window=120)
RULES = [
    DEFAULT_RULES,
    SYMMETRIC_RULES,
    replace(SYMMETRIC_RULES, stop=3.0, time_stop=40, sizing="dollar"),
    replace(DEFAULT_RULES, stop=2.5, reentry="at once", sizing="dollar"),
]


def compiled_walk(z: np.ndarray, tradable: np.ndarray, rules: BacktestRules, start: int = 0):
    """Trades and tally of the compiled loop, bars counted from `start`."""
    raw, tally = np.zeros((len(z), 6), dtype=np.int64), np.zeros(2, dtype=np.int64)
    count = walk(z, tradable, start, len(z), rules.as_row(), raw, tally)
    reasons = ("", "exit", "stop", "time", "end of data")
    trades = [
        (int(d) - start, int(e) - start, int(left) - start, int(s), reasons[r])
        for d, e, _, left, s, r in raw[:count]
    ]
    return trades, tuple(tally.tolist())


def plainly_walked(z: np.ndarray, tradable: np.ndarray, rules: BacktestRules):
    """The same by the plain loop."""
    expected = plain_walk(z, tradable, rules)
    trades = [(t.decided, t.entered, t.left, t.side, t.reason) for t in expected.trades]
    return trades, (expected.cancelled, expected.waited)


rule_sets = st.builds(
    lambda sell, gap, inner, stop, time, reentry: BacktestRules(
        sell_above=sell,
        buy_below=sell - gap,
        exit_short=min(sell, sell - gap * inner),
        exit_long=max(sell - gap, sell - gap + gap * inner),
        stop=None if stop is None else max(sell, gap - sell) + stop,
        time_stop=time,
        reentry=reentry,
    ),
    sell=st.sampled_from([0.5, 1.0, 2.0]),
    gap=st.sampled_from([0.0, 1.0, 2.0, 4.0]),
    inner=st.sampled_from([0.0, 0.5, 1.0]),
    stop=st.sampled_from([None, 0.25, 1.0]),
    time=st.sampled_from([None, 1, 2, 7]),
    reentry=st.sampled_from(["after return", "at once"]),
)


@settings(max_examples=150, deadline=None)
@given(
    z=st.lists(
        st.sampled_from([-4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 4.0, float("nan")]),
        min_size=3, max_size=60,
    ),
    closed=st.sets(st.integers(0, 59), max_size=12),
    rules=rule_sets,
)  # fmt: skip
def test_the_compiled_walk_equals_the_plain_loop_for_any_rule(z, closed, rules):
    path = np.array(z)
    tradable = np.array([row not in closed for row in range(len(z))])
    assert compiled_walk(path, tradable, rules) == plainly_walked(path, tradable, rules)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), keep=st.sampled_from([0.5, 0.97, 0.999]),
       start=st.integers(0, 40), rules=rule_sets)  # fmt: skip
def test_bars_passed_in_blocks_hide_no_trade_wherever_the_span_begins(seed, keep, start, rules):
    rng = np.random.default_rng(seed)
    z = np.zeros(700)
    for t in range(1, z.size):
        z[t] = keep * z[t - 1] + rng.normal() * np.sqrt(1 - keep**2)
    z[rng.integers(0, z.size, 30)] = np.nan
    z[300:330] = np.nan
    tradable = rng.random(z.size) > 0.02
    expected = plainly_walked(z[start:], tradable[start:], rules)
    assert compiled_walk(z, tradable, rules, start) == expected


def assert_equals_plain(result: BacktestResult, y: pd.DataFrame, x: pd.DataFrame) -> None:
    made = prepare(y, x, result.params, result.rules)
    found = signals(made, result.params, result.rules)
    ratio = -found.units[1] / found.units[0]
    expected = plain_money(result, y, x, ratio)
    trades = result.trades
    assert len(trades) == len(expected) > 0
    index = result.zscore.index
    for name, column in (
        ("decided_time", "decided"),
        ("entry_time", "entered"),
        ("exit_time", "left"),
    ):
        assert list(trades[name]) == list(index[expected[column]])
    assert list(trades["side"]) == ["BUY" if side > 0 else "SELL" for side in expected["side"]]
    assert list(trades["reason"]) == list(expected["reason"])
    for name in ("gross", "net", "traded"):
        np.testing.assert_allclose(trades[name], expected[name], rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("rules", RULES)
def test_every_trade_equals_the_plain_loop(rules):
    y, x = reverting_pair(missing=((500, 520), (700, 701)), quiet=(900, 901, 1200))
    assert_equals_plain(run_backtest(y, x, PARAMS, rules, draws=0), y, x)


def test_every_setting_of_a_sweep_equals_its_own_run_and_the_plain_loop():
    y, x = reverting_pair(2_000, missing=((500, 520),))
    costs = Costs(half_spread_bps=1.0, impact="linear", funding_y_bps=2.0, funding_x_bps=-1.0)
    rules = replace(SYMMETRIC_RULES, stop=3.2, costs=costs)
    swept = sweep_backtest(
        y, x, PARAMS, rules, windows=[30, 60, 120], entries=[1.0, 1.75, 2.5, 3.5]
    )
    for row in range(3):
        assert np.isnan(swept.net[row, 3])  # beyond the stop
        for column in range(3):
            result = run_backtest(y, x, *swept.setting(row, column), draws=0)
            told = result.performance
            assert swept.trades[row, column] == told.trades > 0
            assert swept.net[row, column] == pytest.approx(told.net, rel=1e-10)
            assert swept.gross[row, column] == pytest.approx(told.gross, rel=1e-9)
            assert swept.sharpe[row, column] * np.sqrt(525_600) == pytest.approx(
                told.sharpe, rel=1e-9
            )
            bare = replace(result.rules, costs=Costs(half_spread_bps=1.0))
            assert_equals_plain(run_backtest(y, x, result.params, bare, draws=0), y, x)


@pytest.mark.parametrize("left_out", [0, 7, 59])
def test_z_is_that_of_live_to_the_bit_wherever_the_range_begins(left_out):
    y, x = (frame.iloc[left_out:] for frame in reverting_pair(600))
    params = replace(PARAMS, hedge="expanding_ols", window=60)
    live = analyse_pair(y, x, params)
    traded = signals(prepare(y, x, params, SYMMETRIC_RULES), params, SYMMETRIC_RULES)
    np.testing.assert_array_equal(traded.zscore, live.zscore)


@pytest.mark.parametrize("sizing", SIZINGS)
@pytest.mark.parametrize("hedge", CAUSAL_HEDGES)
@pytest.mark.parametrize("spread", SPREAD_KINDS)
def test_signals_of_many_windows_equal_those_of_each_to_the_bit(spread, hedge, sizing):
    y, x = reverting_pair(600, missing=((200, 210),))
    x.iloc[320:360, :4] = x["close"].iloc[320]  # flat, so that a short window has no β
    rules = replace(SYMMETRIC_RULES, sizing=sizing)
    for hedge_window in (None, 40):
        params = replace(PARAMS, spread=spread, hedge=hedge, hedge_window=hedge_window)
        market = prepare(y, x, params, rules)
        maker = WindowSignals.of(market, params, rules)
        for window in (2, 30, 595):
            made = maker.at(window)
            expected = signals(market, replace(params, window=window), rules)
            for name in ("zscore", "beta", "units"):
                np.testing.assert_array_equal(
                    getattr(made, name), getattr(expected, name), f"{name}, window {window}"
                )


@pytest.mark.parametrize("spread", ["price difference", "ratio"])
def test_a_spread_that_is_off_its_mean_by_rounding_only_has_a_z_of_0(spread):
    y, x = reverting_pair(400)
    y.iloc[:, :4] = np.repeat(np.resize([100.1, 100.3, 100.2, 100.2], 400), 4).reshape(400, 4)
    x.iloc[:, :4] = 37.3
    params = replace(PARAMS, spread=spread, window=4)
    made = prepare(y, x, params, SYMMETRIC_RULES)
    swept = WindowSignals.of(made, params, SYMMETRIC_RULES).at(4).zscore
    for z in (swept, signals(made, params, SYMMETRIC_RULES).zscore):
        at_mean = np.arange(400) % 4 > 1
        assert (z[3:][at_mean[3:]] == 0).all()
        assert (np.abs(z[3:][~at_mean[3:]]) > 0.5).all()


@pytest.mark.parametrize(
    ("hedge", "cuts"), [("rolling_ols", 50), ("expanding_ols", 8), ("kalman", 8)]
)
def test_cut_anywhere_no_past_trade_changes(hedge, cuts):
    y, x = reverting_pair(2_200, missing=((900, 930),), quiet=(1400,))
    params = replace(PARAMS, hedge=hedge, window=60)
    costs = Costs(impact="square root", half_spread_bps=1.0, funding_y_bps=1.0)
    rules = replace(DEFAULT_RULES, stop=4.0, time_stop=90, costs=costs)
    whole = run_backtest(y, x, params, rules, draws=0).trades
    assert len(whole) > 20
    for cut in np.random.default_rng(SEED).integers(300, 2_199, cuts):
        early = run_backtest(y.iloc[:cut], x.iloc[:cut], params, rules, draws=0).trades
        closed = early[early["reason"] != "end of data"]
        # The last bar's own fill apart, every trade closed by then is there, to the bit.
        known = whole[(whole["exit_time"] < y.index[cut]) & (whole["reason"] != "end of data")]
        pd.testing.assert_frame_equal(closed, known, check_exact=True)
        still_open = early[early["reason"] == "end of data"]
        entry = ["side", "decided_time", "entry_time", "entry_y", "entry_x", "entry_z", "beta"]
        later = whole.iloc[len(closed) : len(closed) + len(still_open)]
        pd.testing.assert_frame_equal(still_open[entry], later[entry], check_exact=True)


def test_a_close_decides_and_the_next_open_fills():
    y, x = reverting_pair()
    trades = run_backtest(y, x, PARAMS, SYMMETRIC_RULES, draws=0).trades
    later = trades["entry_time"] - trades["decided_time"]
    assert (later == pd.Timedelta("1min")).all()
    np.testing.assert_array_equal(trades["entry_y"], y.loc[trades["entry_time"], "open"])
    np.testing.assert_array_equal(trades["entry_x"], x.loc[trades["entry_time"], "open"])
    sold = trades["side"] == "SELL"
    assert (trades.loc[sold, "entry_z"] > 2).all()
    assert (trades.loc[~sold, "entry_z"] < -2).all()


def test_missing_and_quiet_bars_fill_nothing_and_are_counted():
    y, x = reverting_pair(2_500)
    free = run_backtest(y, x, PARAMS, DEFAULT_RULES, draws=0).trades
    gone = int(y.index.get_indexer(pd.Index([free["exit_time"].iloc[3]]))[0])
    holed = y.copy()
    holed.iloc[gone : gone + 3, 4] = 0.0
    holed.iloc[gone : gone + 3, 6] = "quiet"
    result = run_backtest(holed, x, PARAMS, DEFAULT_RULES, draws=0)
    trade = result.trades.iloc[3]
    assert trade["exit_time"] == y.index[gone + 3]
    assert result.waited == 3
    assert result.cancelled >= 1
    assert any("3 of 2,500 bars a leg was missing" in note for note in result.notes)


def test_the_forming_bar_is_never_used():
    y, x = reverting_pair(1_000)
    whole = run_backtest(y.iloc[:-1], x.iloc[:-1], PARAMS, draws=0)
    for leg in (y, x):
        leg.attrs["forming"] = leg.index[-1]
    marked = run_backtest(y, x, PARAMS, draws=0)
    pd.testing.assert_frame_equal(marked.trades, whole.trades)


@pytest.mark.parametrize("hedge", ["ols", "tls", "huber", "theil_sen", "dols", "johansen"])
def test_a_hedge_ratio_that_knows_the_future_is_refused(hedge):
    y, x = reverting_pair(300)
    with pytest.raises(ParameterError, match="know the future"):
        run_backtest(y, x, replace(PARAMS, hedge=hedge))
    # Where the spread has no β, its method plays no part.
    difference = replace(PARAMS, hedge=hedge, spread="price difference")
    assert run_backtest(y, x, difference, draws=0).performance.bars == 300


@pytest.mark.parametrize("spread", ["price difference", "ratio", "log", "hedged"])
@pytest.mark.parametrize("sizing", ["beta", "dollar"])
def test_a_position_is_worth_its_notional_and_moves_as_its_sizing_says(spread, sizing):
    y, x = reverting_pair()
    rules = replace(SYMMETRIC_RULES, sizing=sizing, capital=5_000.0, leverage=2.0)
    params = replace(PARAMS, spread=spread)
    trades = run_backtest(y, x, params, rules, draws=0).trades
    at = [leg.loc[trades["decided_time"], "close"].to_numpy() for leg in (y, x)]
    worth = [np.abs(trades[f"quantity_{name}"]) * at[k] for k, name in enumerate("yx")]
    np.testing.assert_allclose(worth[0] + worth[1], 10_000.0)
    ratio = -trades["quantity_x"] / trades["quantity_y"]
    expected = {
        "price difference": np.ones(len(trades)),
        "ratio": at[0] / at[1],
        "hedged": trades["beta"],
        "log": trades["beta"] * at[0] / at[1],
    }[spread]
    np.testing.assert_allclose(ratio, at[0] / at[1] if sizing == "dollar" else expected)


def test_fills_at_the_vwap_need_ticks_and_use_them():
    rng = np.random.default_rng(SEED)
    frames = []
    for price in (100.0, 50.0):
        times = utc_index(np.sort(rng.integers(0, 400 * 60_000_000, 4_000)))
        path = price * np.exp(2e-4 * rng.normal(size=4_000).cumsum())
        ticks = pd.DataFrame({"price": path, "quantity": rng.uniform(1, 2, 4_000)}, index=times)
        ticks.insert(0, "symbol", "A")
        ticks["trade_id"] = np.arange(4_000)
        frames.append((resample_ticks(ticks, "1min"), ticks))
    y, x = (bars for bars, _ in frames)
    rules = replace(SYMMETRIC_RULES, fill="vwap")
    params = replace(PARAMS, spread="ratio", window=30)
    with pytest.raises(FrameError, match="need a column 'vwap' in the bars of AUSDT"):
        run_backtest(y, x, params, rules)
    y, x = (with_vwap(bars, ticks, "1min") for bars, ticks in frames)
    trades = run_backtest(y, x, params, rules, draws=0).trades
    first = trades.iloc[0]
    inside = frames[0][1].loc[first["entry_time"] :]
    inside = inside[inside.index < first["entry_time"] + pd.Timedelta("1min")]
    expected = np.average(inside["price"], weights=inside["quantity"])
    assert first["entry_y"] == pytest.approx(expected, rel=1e-12)


def test_train_and_test_are_flat_at_the_border_and_together_the_whole():
    y, x = reverting_pair()
    train, test = split_backtest(y, x, PARAMS, DEFAULT_RULES, 0.6, draws=0)
    assert (len(train.returns), len(test.returns)) == (1_800, 1_200)
    assert train.side.iloc[-1] == 0
    assert test.trades["decided_time"].iloc[0] >= y.index[1_800]
    # The window was full at the border already.
    assert test.zscore.notna().all()
    with pytest.raises(ParameterError, match="share"):
        split_backtest(y, x, PARAMS, DEFAULT_RULES, 1.0)


def test_too_few_bars_say_so_or_trade_nothing():
    y, x = reverting_pair(100)
    nothing = run_backtest(y, x, PARAMS, draws=0)
    assert nothing.performance.trades == 0
    assert np.isnan(nothing.performance.sharpe)
    assert "never filled in 100 bars" in nothing.notes[0]
    with pytest.raises(NotEnoughDataError, match="needs 3 bars, had 2"):
        run_backtest(y.iloc[:2], x.iloc[:2], PARAMS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stop": 1.5}, "beyond both entries"),
        ({"exit_short": 2.5}, "not above sell_above"),
        ({"time_stop": 0}, "whole number of bars"),
        ({"capital": 0.0}, "above 0"),
        ({"fill": "close"}, "one of open, vwap"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ParameterError, match=words):
        replace(SYMMETRIC_RULES, **change)


def test_presets_are_the_default_rule_and_the_symmetric_one():
    assert (DEFAULT_RULES.sell_above, DEFAULT_RULES.buy_below) == (2.0, 0.0)
    moved = DEFAULT_RULES.with_entry(3.0)
    assert (moved.buy_below, moved.exit_long, moved.exit_short) == (0.0, 3.0, 0.0)
    moved = SYMMETRIC_RULES.with_entry(3.0)
    assert (moved.sell_above, moved.buy_below, moved.exit_long) == (3.0, -3.0, 0.0)
    assert FUTURES.fee_bps == 5.0
    assert replace(FUTURES, liquidity="maker", half_spread_bps=2.0).spread_bps == 0.0
    assert FREE.fee_bps == 0.0


def test_slippage_needs_volumes():
    y, x = reverting_pair(300, volume=0.0)
    rules = replace(DEFAULT_RULES, costs=Costs(impact="square root"))
    with pytest.raises(ParameterError, match="hold no volumes"):
        run_backtest(y, x, PARAMS, rules)


def test_bars_of_another_interval_are_refused():
    close = np.linspace(100, 101, 50)
    with pytest.raises(FrameError, match="300 s apart, the interval asked for is 1min"):
        run_backtest(bars(close, interval="5min"), bars(close, interval="5min"), PARAMS)
