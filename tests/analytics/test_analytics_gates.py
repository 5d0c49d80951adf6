"""Gates: each closes on its cause, says so with figures, and with all off the plain rule runs."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics.bars import resample_ticks
from analytics.errors import ParameterError
from analytics.frames import utc_index
from analytics.kernels.coverage import mark_stale, mark_uncovered
from analytics.leg import Leg
from analytics.pair import (
    FEW_BARS,
    HIGH_PVALUE,
    LEG_STALE,
    LONG_HALF_LIFE,
    NO_GATES,
    NOT_COVERED,
    Gates,
    PairAnalytics,
    PairParams,
    analyse_pair,
)
from analytics.pair.gates import ALL_GATES
from analytics.signals import signal_for
from analytics.stationarity import adf_test, engle_granger_test, half_life

START_US = 1_723_161_600_000_000


def leg(prices: np.ndarray, quiet: range | tuple[int, ...] = ()) -> pd.DataFrame:
    seconds = [i for i in range(len(prices)) if i not in quiet]
    ticks = pd.DataFrame(
        {"symbol": "X", "price": prices[seconds], "quantity": 1.0, "trade_id": range(len(seconds))},
        index=utc_index(START_US + np.array(seconds, dtype=np.int64) * 1_000_000),
    )
    return resample_ticks(ticks, "1s")


def paths(n: int = 900, memory: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20240808)
    x = 2600 + rng.normal(size=n).cumsum()
    gap = np.zeros(n)
    for t, shock in enumerate(rng.normal(size=n - 1), start=1):
        gap[t] = memory * gap[t - 1] + shock
    return np.round(5000 + 2 * x + gap * 5, 2), np.round(x, 2)


def analyse(
    gates: Gates = Gates(),  # noqa: B008 - frozen
    *, quiet: range | tuple[int, ...] = (), memory: float = 0.5, **changes: Any,
) -> PairAnalytics:  # fmt: skip
    y, x = paths(memory=memory)
    params = PairParams("BTCUSDT", "ETHUSDT", gates=gates, **{"spread": "hedged", **changes})
    return analyse_pair(leg(y), leg(x, quiet), params)


def test_data_gates_are_on_by_default_and_statistics_gates_off():
    gates = PairParams("A", "B").gates
    assert (gates.leg_stale, gates.window_covered, gates.enough_bars) == (True, True, True)
    assert (gates.pvalue, gates.half_life) == (False, False)
    assert hash(PairParams("A", "B")) != hash(PairParams("A", "B", gates=ALL_GATES))


def test_on_a_pair_that_trades_the_default_gates_change_nothing():
    result = analyse()
    assert result.signal.equals(signal_for(result.zscore))
    assert result.gate.iloc[59:].eq("").all()
    assert (
        result.gate.iloc[:59].eq(NOT_COVERED).sum() + result.gate.iloc[:59].eq(FEW_BARS).sum() == 59
    )
    assert "gate" not in result.signal_now.reason


def test_a_leg_that_stopped_trading_is_stale_and_named():
    result = analyse(quiet=range(800, 899), window=20)
    alive = analyse(NO_GATES, quiet=range(800, 899), window=20)
    assert result.gate.iloc[860] == LEG_STALE
    assert result.gate.iloc[859] == NOT_COVERED
    assert result.gate.iloc[899] == NOT_COVERED
    cut = analyse_pair(leg(paths()[0][:890]), leg(paths()[1], range(800, 899)).iloc[:890],
                       PairParams("BTCUSDT", "ETHUSDT", window=20))  # fmt: skip
    assert cut.signal_now.signal == "NEUTRAL"
    assert cut.signal_now.reason.startswith(
        "leg stale: ETHUSDT last traded 90 s before (gate at 60 s); without this gate: z = "
    )
    assert alive.gate.eq("").all()
    assert alive.signal.iloc[860] == signal_for(alive.zscore).iloc[860]


def test_a_leg_whose_bars_end_early_is_stale_at_the_last_bar_only():
    y, x = paths()
    params = PairParams("BTCUSDT", "ETHUSDT")
    result = analyse_pair(leg(y), leg(x[:800]), params)
    assert result.gate.iloc[-1] == LEG_STALE
    assert result.gate.iloc[-2] == ""
    assert result.signal_now.signal == "NEUTRAL"
    assert "ETHUSDT has no bars for the last 100 s" in result.signal_now.reason
    swapped = analyse_pair(leg(y[:800]), leg(x), params)
    assert "BTCUSDT has no bars for the last 100 s" in swapped.signal_now.reason
    assert analyse_pair(leg(y), leg(x[:890]), params).gate.iloc[-1] == ""


def test_a_window_with_few_trades_is_not_covered():
    gates = Gates(least_traded=0.5)
    result = analyse(gates, quiet=tuple(i for i in range(700, 899) if i % 3))
    assert result.gate.iloc[-1] == NOT_COVERED
    words = "window not covered: ETHUSDT traded in 21 of 60 bars (gate at 50 %)"
    assert result.signal_now.reason.startswith(words)
    assert result.gate.iloc[600] == ""


def test_too_few_bars_are_counted():
    result = analyse(Gates(least_bars=1_000))
    assert result.gate.iloc[59:].eq(FEW_BARS).all()
    assert result.signal.eq("NEUTRAL").all()
    assert result.signal_now.reason.startswith("not enough bars: 900 of 1000 known on both legs")


def test_the_p_value_gate_is_the_trailing_engle_granger_test():
    gates = replace(NO_GATES, pvalue=True)
    result = analyse(gates)
    for end in (60, 300, 900):
        span = slice(max(0, end - 600), end)
        test = engle_granger_test(result.y.iloc[span], result.x.iloc[span])
        expected = "" if test.rejects(0.05) else HIGH_PVALUE
        assert result.gate.iloc[end - 1] == expected
    assert result.gate.iloc[:59].eq(HIGH_PVALUE).all()
    assert result.signal_now.reason.startswith("z = ")
    wandering = analyse(gates, memory=1.0)
    assert wandering.signal_now.signal == "NEUTRAL"
    words = r"p above the level: Engle-Granger p = 0\.\d{3} over the 600 bars to 00:14:59 is not"
    assert pd.Series([wandering.signal_now.reason]).str.match(words).all()


def test_without_an_estimated_beta_the_p_value_is_that_of_the_spread():
    result = analyse(replace(NO_GATES, pvalue=True), spread="ratio")
    adf = adf_test(result.spread.iloc[300:])
    assert (result.gate.iloc[-1] == "") == (adf.pvalue < 0.05)
    assert "ADF p = " in result.signal_now.reason or adf.pvalue < 0.05


def test_the_half_life_gate_compares_with_the_window():
    gates = replace(NO_GATES, half_life=True)
    assert analyse(gates).gate.iloc[-1] == ""
    slow = analyse(gates, memory=0.8, window=2)
    span = slice(800, 900)
    test = engle_granger_test(slow.y.iloc[span], slow.x.iloc[span])
    assert test.rejects(0.05)
    rest = slow.y.iloc[span] - (test.alpha + test.beta * slow.x.iloc[span])
    bars = float(half_life(rest))
    assert bars > 2
    assert slow.gate.iloc[-1] == LONG_HALF_LIFE
    words = f"half-life longer than the window: {bars:,.1f} bars over the 100 bars to 00:14:59"
    assert slow.signal_now.reason.startswith(words)
    flat = analyse_pair(leg(np.full(200, 5.0)), leg(np.full(200, 4.0)),
                        PairParams("A", "B", gates=gates))  # fmt: skip
    assert flat.gate.eq(LONG_HALF_LIFE).all()
    assert flat.signal_now.reason == "the spread did not move over the last 60 bars"


def test_without_a_return_shown_there_is_no_half_life_to_compare():
    wandering = analyse(replace(NO_GATES, half_life=True), memory=1.0)
    assert wandering.gate.iloc[-1] == LONG_HALF_LIFE
    words = "half-life longer than the window: no return shown, Engle-Granger p = 0."
    assert wandering.signal_now.reason.startswith(words)


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols", "kalman"])
def test_the_gates_open_on_few_unrelated_legs_whatever_the_hedge(hedge: str):
    """The half-life of the spread as drawn kept the gate open on all of them."""
    rng = np.random.default_rng(20240808)
    shares: dict[str, list[pd.Series]] = {"pvalue": [], "half_life": []}
    for _ in range(60):
        y, x = 1_000 + rng.normal(size=(2, 900)).cumsum(axis=1)
        for name, found in shares.items():
            chosen = replace(NO_GATES, **{name: True})
            params = PairParams("A", "B", spread="hedged", hedge=hedge, gates=chosen)
            found.append(analyse_pair(plain_leg(y), plain_leg(x), params).gate.iloc[599:].eq(""))
    for found in shares.values():
        assert np.mean(found) < 0.13


def test_a_gate_does_not_know_what_comes_after_its_bar():
    y, x = paths(memory=0.9)
    params = PairParams("A", "B", spread="hedged", gates=replace(NO_GATES, half_life=True))
    whole = analyse_pair(leg(y), leg(x), params).gate
    other = y.copy()
    other[700:] *= 1.5
    changed = analyse_pair(leg(other), leg(x), params).gate
    assert whole.iloc[:700].tolist() == changed.iloc[:700].tolist()
    assert analyse_pair(leg(y[:700]), leg(x[:700]), params).gate.tolist() == whole.tolist()[:700]
    assert whole.iloc[:700].eq("").any()


def plain_leg(close: np.ndarray) -> Leg:
    """Bars of a second, each of one trade."""
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def test_with_all_gates_off_the_plain_rule_runs():
    result = analyse(NO_GATES, quiet=range(500, 899), memory=1.0)
    assert result.signal.equals(signal_for(result.zscore))
    assert result.gate.eq("").all()


def test_a_gate_that_closes_ends_a_signal_among_the_changes():
    result = analyse(quiet=range(808, 899), window=20)
    changes = result.signal_changes(1_000)
    signal, before = result.signal, result.signal.shift()
    rows = np.flatnonzero(signal.ne(before))[1:][::-1]
    assert [each.time for each in changes] == list(result.zscore.index[rows])
    assert [each.signal for each in changes] == signal.iloc[rows].tolist()
    assert [each.previous for each in changes] == before.iloc[rows].tolist()
    shut = [each for each in changes if result.gate[each.time]]
    assert {each.signal for each in shut} == {"NEUTRAL"}
    assert any(signal_for(each.zscore) != "NEUTRAL" for each in shut)


def test_a_leg_is_stale_where_its_last_trade_is_more_seconds_ago_than_allowed():
    traded = np.array([False, True, False, False, False, True, False])
    closed = np.zeros(7, dtype=bool)
    assert mark_stale(traded, 0, 5.0, 5.0, closed) == 5.0
    assert closed.tolist() == [False, False, False, True, True, False, False]
    assert mark_stale(np.zeros(2, dtype=bool), 0, 5.0, 5.0, np.zeros(2, dtype=bool)) == 10.0
    assert mark_stale(np.zeros(2, dtype=bool), 3, 5.0, 5.0, np.zeros(2, dtype=bool)) == 25.0
    assert mark_stale(traded[:0], 0, 5.0, 5.0, closed[:0]) == 0.0


def test_a_leg_that_covers_its_window_leaves_closed_what_another_closed():
    traded = np.array([True, False, False, True, True, False])
    closed = np.array([False, False, False, False, True, False])
    assert mark_uncovered(traded, 3, 1.5, closed) == 2
    assert closed.tolist() == [True, True, True, True, True, False]


@pytest.mark.parametrize(
    "change",
    [
        {"stale_after_s": 0}, {"stale_after_s": math.inf}, {"least_traded": 1.1},
        {"least_traded": math.nan}, {"least_bars": 0}, {"least_bars": True}, {"least_bars": 1.5},
    ],
)  # fmt: skip
def test_gates_out_of_range_are_named(change: dict[str, Any]):
    with pytest.raises(ParameterError, match=next(iter(change))):
        Gates(**change)
