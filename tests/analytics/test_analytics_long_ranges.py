"""Long ranges: an analysis that moves on at the cost of what is new, and ranges that ended."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from analytics.growing import Growing
from analytics.leg import MISSING, QUIET, TRADED, Leg
from analytics.pair import Moving, PairAnalytics, PairParams, analyse_pair, blocks, moving
from analytics.pair.describe import describe_legs

PARAMS = PairParams("BTCUSDT", "ETHUSDT", "1min", lookback=400, window=30)
STEP_US = 60_000_000
FIRST_US = 1_723_161_600_000_000
PATHS = ("y", "x", "hedge_ratio", "intercept", "spread", "mean", "std", "zscore", "correlation")


@pytest.fixture(autouse=True)
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have 400 bars be a long range, and blocks of which it holds several."""
    monkeypatch.setattr(moving, "LONG_RANGE", 200)
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr("analytics.leg._LONG_LEG", 200)


def closes(bars: int, seed: int, *, missing: int | None = None) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    x = 2_600.0 + 0.2 * rng.normal(size=bars).cumsum()
    gap = np.zeros(bars)
    for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
        gap[t] = 0.95 * gap[t - 1] + shock
    legs = [np.round(100.0 + 20.0 * x + gap, 2), np.round(x, 2)]
    if missing is not None:
        legs[1][missing : missing + 3] = np.nan
    return legs


def legs_of(prices: list[np.ndarray], start: int, stop: int, seed: int = 3) -> tuple[Leg, Leg]:
    rng = np.random.default_rng(seed)
    made = []
    for close in prices:
        known = ~np.isnan(close)
        volume = np.where(known, np.round(rng.gamma(2, 3, close.size), 4), np.nan)
        trades = np.where(known, rng.integers(1, 9, close.size), 0)
        quiet = np.where(rng.random(close.size) < 0.1, QUIET, TRADED)
        coverage = np.where(known, quiet, MISSING).astype(np.int8)
        at = slice(start, stop)
        begins_us = FIRST_US + start * STEP_US
        made.append(Leg(begins_us, STEP_US, close[at], volume[at], trades[at], coverage[at]))
    return made[0], made[1]


def moved_on(
    prices: list[np.ndarray], steps: list[int], params: PairParams = PARAMS
) -> tuple[PairAnalytics, PairAnalytics, int]:
    """Move on by so many bars each time; gives that, one of all bars anew, and moves taken."""
    start, stop = 0, 500
    before: tuple[Leg, Leg] | None = None
    found: PairAnalytics | None = None
    moves = 0
    for came in [0, *steps]:
        start, stop = start + came, stop + came
        legs = legs_of(prices, start, stop)
        if before is not None:
            for leg, old in zip(legs, before, strict=True):
                leg.continue_returns(old)
        known = None if found is None else found.carried.moving
        found = analyse_pair(*legs, params, found)
        after = found.carried.moving
        if isinstance(known, Moving) and isinstance(after, Moving):
            moves += after.rows.memory is known.rows.memory
        before = legs
    assert found is not None
    return found, analyse_pair(*legs_of(prices, start, stop), params), moves


@pytest.mark.parametrize("steps", [[1] * 90, [2, 5, 1, 29, 1]], ids=["each bar", "several"])
@pytest.mark.parametrize("missing", [None, 450], ids=["whole", "with a gap"])
def test_it_says_what_an_analysis_of_all_bars_says(steps: list[int], missing: int | None) -> None:
    found, plain, moves = moved_on(closes(700, 5, missing=missing), steps)
    assert moves >= len(steps) // 3 if missing else moves == len(steps) - 1
    for name in PATHS:
        pd.testing.assert_series_equal(
            getattr(found, name), getattr(plain, name), rtol=1e-9, atol=1e-9
        )
    np.testing.assert_array_equal(found.zscore.iloc[60:], plain.zscore.iloc[60:])
    np.testing.assert_array_equal(found.signal_codes, plain.signal_codes)
    np.testing.assert_array_equal(found.gate_codes, plain.gate_codes)
    pd.testing.assert_frame_equal(found.stats, plain.stats, rtol=1e-10)
    assert (found.coverage, found.notes) == (plain.coverage, plain.notes)
    assert found.signal_now == replace(plain.signal_now, zscore=found.signal_now.zscore)
    for name in ("engle_granger", "engle_granger_swapped", "adf", "half_life"):
        same_numbers(getattr(found, name), getattr(plain, name))
    for name in ("spread", "y", "x"):
        pd.testing.assert_series_equal(getattr(found.sample, name), getattr(plain.sample, name))


def same_numbers(found: object, plain: object) -> None:
    assert type(found) is type(plain)
    for each in fields(plain):  # type: ignore[arg-type] # results all are
        value = getattr(plain, each.name)
        if isinstance(value, float):
            expected = pytest.approx(value, rel=1e-8, abs=1e-12, nan_ok=True)
            assert getattr(found, each.name) == expected, each.name


def test_a_bar_that_changed_since_makes_it_begin_anew() -> None:
    prices = closes(700, 6)
    found = analyse_pair(*legs_of(prices, 0, 500), PARAMS)
    found = analyse_pair(*legs_of(prices, 1, 501), PARAMS, found)
    prices = [each.copy() for each in prices]  # what an analysis saw is never written to
    prices[0][300] += 5.0
    later = analyse_pair(*legs_of(prices, 2, 502), PARAMS, found)
    plain = analyse_pair(*legs_of(prices, 2, 502), PARAMS)
    np.testing.assert_array_equal(later.zscore, plain.zscore)
    pd.testing.assert_frame_equal(later.stats, plain.stats)


def test_an_earlier_result_is_not_changed_by_a_later_one() -> None:
    prices = closes(700, 7)
    first = analyse_pair(
        *legs_of(prices, 1, 501), PARAMS, analyse_pair(*legs_of(prices, 0, 500), PARAMS)
    )
    second = analyse_pair(*legs_of(prices, 2, 502), PARAMS, first)
    kept = second.zscore.to_numpy().copy()
    one = analyse_pair(*legs_of(prices, 3, 503), PARAMS, second)
    other_prices = [each.copy() for each in prices]
    other_prices[0][502] += 3.0
    other = analyse_pair(*legs_of(other_prices, 3, 503), PARAMS, second)
    assert one.zscore.iloc[-1] != other.zscore.iloc[-1]  # both grew out of the same
    np.testing.assert_array_equal(second.zscore, kept)


def test_blocks_describe_a_leg_as_all_of_its_bars_do() -> None:
    leg = legs_of(closes(700, 8, missing=200), 13, 613)[1]
    found = blocks.LegBlocks.of(leg).described()
    plain = describe_legs([("x", leg)])["x"]
    pd.testing.assert_series_equal(found, plain, rtol=1e-11, check_names=False)


def test_an_array_grows_in_place_and_is_copied_where_another_grew_out_of_it() -> None:
    start = Growing.of(np.arange(5.0))
    one, other = start.moved(1, np.array([10.0])), start.moved(0, np.array([20.0]))
    np.testing.assert_array_equal(one.values, [1, 2, 3, 4, 10])
    np.testing.assert_array_equal(other.values, [0, 1, 2, 3, 4, 20])
    np.testing.assert_array_equal(start.values, np.arange(5.0))
    assert one.memory is start.memory
    assert other.memory is not start.memory


def test_a_range_that_ended_sees_nothing_after_its_end() -> None:
    prices = closes(700, 9)
    until = FIRST_US // 1_000_000 + 500 * 60
    whole, cut = legs_of(prices, 0, 700), legs_of(prices, 0, 500)
    found = analyse_pair(*whole, replace(PARAMS, until=until + 59))
    plain = analyse_pair(*cut, PARAMS)
    np.testing.assert_array_equal(found.zscore, plain.zscore)
    assert found.y.index[-1] == pd.Timestamp(FIRST_US + 499 * STEP_US, unit="us", tz="UTC")
    assert found.adf == plain.adf


@pytest.mark.parametrize(("stored", "bars"), [(500, 400), (400, 300), (150, 50), (100, 0)])
def test_its_left_edge_stays_where_bars_lack_at_the_end(stored: int, bars: int) -> None:
    until = FIRST_US // 1_000_000 + 500 * 60
    legs = legs_of(closes(700, 9), 0, stored)
    found = analyse_pair(*legs, replace(PARAMS, until=until))
    assert len(found.zscore) == bars
    if bars:
        begin = pd.Timestamp(FIRST_US + 100 * STEP_US, unit="us", tz="UTC")
        assert found.y.index[0] == begin
