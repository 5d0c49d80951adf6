"""The latest reading of a pair, bar after bar: the last row of an analysis of all bars."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from analytics.errors import FrameError, NonPositivePriceError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.hedge import HedgeFit
from analytics.leg import MISSING, QUIET, TRADED, Leg
from analytics.pair import (
    LEG_STALE,
    Gates,
    LatestPair,
    PairAnalytics,
    PairParams,
    PairReading,
    analyse_pair,
    read_each,
    read_latest,
    read_tests,
)
from analytics.pair.gates import ALL_GATES, NO_GATES
from analytics.spread import SpreadKind
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife

PARAMS = PairParams("BTCUSDT", "ETHUSDT", lookback=150, window=20, spread="hedged")
FIRST = 1_723_161_600
KINDS: tuple[SpreadKind, ...] = ("price difference", "hedged", "log", "ratio")
Closes = tuple[FloatArray, FloatArray]
Codes = tuple[np.ndarray, np.ndarray]


def prices(bars: int, seed: int) -> Closes:
    """Two legs on a grid of ticks that belong together, with a stretch in which nothing moves."""
    rng = np.random.default_rng(seed)
    x = 260.0 + 0.2 * rng.normal(size=bars).cumsum()
    gap = np.zeros(bars)
    for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
        gap[t] = 0.9 * gap[t - 1] + shock
    y = np.round(100.0 + 2.0 * x + 0.3 * gap, 2)
    return y, np.round(x, 2)


def market(bars: int, seed: int) -> tuple[Closes, Codes]:
    """Such legs with quiet bars, missing ones on one leg or both, and flat stretches."""
    rng = np.random.default_rng(seed + 1_000)
    closes = prices(bars, seed)
    codes = np.full(bars, TRADED, dtype=np.int8), np.full(bars, TRADED, dtype=np.int8)
    for close, code in zip(closes, codes, strict=True):
        for start in rng.integers(1, bars, size=bars // 60):
            stop = start + int(rng.choice([1, 2, 30, 90]))
            close[start:stop], code[start:stop] = close[start - 1], QUIET
        for start in rng.integers(0, bars, size=bars // 100):
            stop = start + int(rng.choice([1, 1, 2, 25]))
            close[start:stop], code[start:stop] = math.nan, MISSING
    return closes, codes


def leg(close: FloatArray, start: int, stop: int, codes: np.ndarray | None = None) -> Leg:
    close = close[start:stop].copy()
    known = ~np.isnan(close)
    coverage = np.where(known, TRADED, MISSING).astype(np.int8)
    if codes is not None:
        coverage = codes[start:stop].copy()
    volume = np.where(known, 1.0, math.nan)
    second = 1_000_000
    return Leg((FIRST + start) * second, second, close, volume, known.astype(np.int64), coverage)


def legs(closes: Closes, start: int, stop: int, codes: Codes | None = None) -> tuple[Leg, Leg]:
    y, x = (
        leg(close, start, stop, None if codes is None else codes[which])
        for which, close in enumerate(closes)
    )
    return y, x


def assert_last_row(reading: PairReading, plain: PairAnalytics) -> None:
    """The reading says what the analysis has in its last row; figures to 1e-9."""
    y, x = plain.legs
    assert reading.time_us == y.end_us
    assert reading.signal == plain.signal_now.signal
    assert reading.reason == plain.signal_now.reason
    assert reading.gate == plain.gate.iloc[-1]
    assert (reading.y_coverage, reading.x_coverage) == (y.coverage[-1], x.coverage[-1])
    # A spread is a difference of prices: it is known to their last digits.
    size = np.nanmax(np.abs(y.close)) if np.isfinite(y.close).any() else 1.0
    for name, row in (
        ("y", plain.y),
        ("x", plain.x),
        ("beta", plain.hedge_ratio),
        ("alpha", plain.intercept),
        ("spread", plain.spread),
        ("mean", plain.mean),
        ("std", plain.std),
        ("zscore", plain.zscore),
        ("correlation", plain.correlation),
    ):
        digits = (
            1e-14 * size / reading.std if name == "zscore" and reading.std > 0 else 1e-12 * size
        )
        same = pytest.approx(row.iloc[-1], rel=1e-9, abs=digits, nan_ok=True)
        assert getattr(reading, name) == same, name
    expected = math.nan
    if isinstance(plain.hedge, HedgeFit) and not math.isnan(plain.hedge_ratio.iloc[-1]):
        expected = plain.hedge.beta_stderr
    # Of a line that leaves nothing but rounding it has no digits.
    digits = 1e-9 * abs(reading.beta) if expected < 1e-6 * abs(reading.beta) else 0.0
    assert reading.beta_stderr == pytest.approx(expected, rel=1e-9, abs=digits, nan_ok=True)


def steps(rng: np.random.Generator, begin: int, end: int) -> Iterator[int]:
    """Bars at which to read: nearly all, after some jumps of a few bars and of many."""
    stop = begin
    while stop < end:
        yield stop
        stop += int(rng.choice([1] * 60 + [3, 10, 70]))


def assert_every_bar(params: PairParams, seed: int, begin: int, end: int) -> LatestPair:
    """Read bar after bar, with what the reading before left, against an analysis at each bar."""
    reach = end if params.reach is None else params.reach
    rng = np.random.default_rng(seed)
    closes, codes = market(end, seed)
    state: LatestPair | None = None
    for stop in steps(rng, begin, end):
        # As the windows of the desk do, the legs lose their oldest bars too.
        pair = legs(closes, max(stop - reach - int(rng.integers(0, 12)), 0), stop, codes)
        reading, state = read_latest(pair, params, state, epoch="one")
        assert_last_row(reading, analyse_pair(*pair, params))
    assert state is not None
    return state


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_bar_has_the_last_row_of_an_analysis(kind: SpreadKind, hedge: str):
    seed = 10 * KINDS.index(kind) + len(hedge)
    assert_every_bar(replace(PARAMS, spread=kind, hedge=hedge), seed, 180, 360)


@pytest.mark.parametrize(
    "changes",
    [
        {"gates": ALL_GATES, "window": 10},
        {"gates": ALL_GATES, "window": 10, "spread": "ratio"},
        {"gates": ALL_GATES, "window": 30, "spread": "log", "hedge": "rolling_ols"},
        {"gates": Gates(pvalue=True, stale_after_s=3.0, least_bars=40, least_traded=0.9)},
        {"gates": NO_GATES, "window": 4, "spread": "price difference", "correlation_on": "prices"},
        {"lookback": 20, "window": 40},
        {"hedge": "rolling_ols", "hedge_window": 70},
        {"interval": "1s", "lookback": None},
    ],
)
def test_it_has_with_other_parameters(changes):
    assert_every_bar(replace(PARAMS, **changes), seed=7, begin=130, end=250)


def test_it_has_from_the_first_bar_on():
    for hedge in ("ols", "rolling_ols"):
        assert_every_bar(replace(PARAMS, hedge=hedge), seed=3, begin=1, end=80)


@pytest.mark.parametrize("hedge", ["kalman", "expanding_ols", "tls", "huber"])
def test_a_hedge_that_looks_at_all_bars_is_analysed_as_a_whole(hedge):
    state = assert_every_bar(replace(PARAMS, hedge=hedge), seed=5, begin=500, end=520)
    assert state.analysis is not None


def test_sums_are_taken_anew_now_and_then_and_where_a_market_has_become_quiet():
    y, x = prices(1_700, seed=12)
    y[:300], x[:300] = 40.0 * y[:300], 40.0 * x[:300]
    state: LatestPair | None = None
    ages = []
    for stop in range(250, 1_700):
        pair = legs((y, x), max(stop - 290, 0), stop)
        reading, state = read_latest(pair, PARAMS, state, epoch=1)
        assert state.line is not None
        assert state.line.sums is not None
        ages.append(state.line.sums.age)
        if stop % 53 == 0 or 440 < stop < 460:
            assert_last_row(reading, analyse_pair(*pair, PARAMS))
    assert max(ages) > 900
    assert ages[300:].count(0) >= 1


def test_bars_of_another_epoch_are_looked_at_anew():
    closes = prices(400, seed=21)
    closes[0][250:255] = math.nan
    _, state = read_latest(legs(closes, 0, 300), PARAMS, None, epoch=1)
    repaired = prices(400, seed=21)
    repaired[1][200] += 2.0
    pair = legs(repaired, 0, 301)
    reading, _ = read_latest(pair, PARAMS, state, epoch=2)
    assert_last_row(reading, analyse_pair(*pair, PARAMS))
    unsaid, _ = read_latest(pair, PARAMS, state)
    assert unsaid == reading


def test_bars_of_one_epoch_are_not_looked_at_again():
    closes = prices(400, seed=22)
    _, state = read_latest(legs(closes, 0, 300), PARAMS, None, epoch=1)
    known, _ = read_latest(legs(closes, 0, 301), PARAMS, state, epoch=1)
    for close in closes:
        close[180:240] = 5.0  # in the middle of the sample, before both windows
    again, _ = read_latest(legs(closes, 0, 301), PARAMS, state, epoch=1)
    assert again == known


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols"])
def test_what_a_reading_left_may_be_gone_on_from_twice(hedge):
    params = replace(PARAMS, hedge=hedge, gates=ALL_GATES, window=10)
    closes = prices(500, seed=23)
    _, state = read_latest(legs(closes, 0, 400), params, None, epoch=1)
    for _ in range(2):
        after = state
        for stop in range(401, 440):
            reading, after = read_latest(legs(closes, 0, stop), params, after, epoch=1)
        assert_last_row(reading, analyse_pair(*legs(closes, 0, 439), params))


def test_what_a_reading_by_other_parameters_or_of_a_later_bar_left_is_not_used():
    closes = prices(400, seed=24)
    _, state = read_latest(legs(closes, 0, 350), PARAMS, None, epoch=1)
    for params, stop in ((replace(PARAMS, spread="log"), 351), (PARAMS, 349)):
        reading, _ = read_latest(legs(closes, 0, stop), params, state, epoch=1)
        assert_last_row(reading, analyse_pair(*legs(closes, 0, stop), params))


def test_a_test_of_a_gate_is_made_once_a_window():
    params = replace(PARAMS, gates=ALL_GATES, window=10)
    closes = prices(400, seed=25)
    state: LatestPair | None = None
    made = []
    for stop in range(350, 380):
        _, state = read_latest(legs(closes, 0, stop), params, state, epoch=1)
        made.append(state.tests)
    assert len({id(each) for each in made}) == 3


@pytest.mark.parametrize("late", [1, 7, 65])
@pytest.mark.parametrize("which", [0, 1])
def test_a_leg_whose_bars_end_before_the_others_is_said_to_be_stale(which: int, late: int):
    closes = prices(600, seed=26)
    state: LatestPair | None = None
    for stop in range(500, 520):
        ends = [stop, stop]
        ends[which] -= late
        pair = leg(closes[0], 0, ends[0]), leg(closes[1], 0, ends[1])
        reading, state = read_latest(pair, PARAMS, state, epoch=1)
        assert_last_row(reading, analyse_pair(*pair, PARAMS))
    assert (reading.gate == LEG_STALE) == (late > 60)


def test_a_leg_that_has_not_traded_for_long_is_stale_since_its_last_trade():
    closes = prices(2_600, seed=27)
    codes = np.full(2_600, TRADED, np.int8), np.full(2_600, TRADED, np.int8)
    codes[1][60:] = QUIET
    params = replace(PARAMS, lookback=2_500)
    pair = legs(closes, 0, 2_600, codes)
    reading, _ = read_latest(pair, params)
    assert_last_row(reading, analyse_pair(*pair, params))
    assert "last traded 2540 s before" in reading.reason or reading.gate == LEG_STALE
    codes[1][:] = QUIET
    pair = legs(closes, 0, 2_600, codes)
    assert_last_row(read_latest(pair, params)[0], analyse_pair(*pair, params))


def test_bars_known_long_before_a_gap_are_counted():
    closes = prices(2_600, seed=28)
    closes[0][200:] = math.nan
    params = replace(PARAMS, lookback=2_500, gates=Gates(least_bars=150))
    for stop in (240, 1_500, 2_600):
        pair = legs(closes, 0, stop)
        reading, _ = read_latest(pair, params)
        assert_last_row(reading, analyse_pair(*pair, params))


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols"])
def test_legs_that_stand_still_or_are_the_same_have_the_same_words(hedge):
    y, x = prices(300, seed=29)
    still = np.full(300, 7.0)
    for closes in ((y, still), (still, x), (2.0 * x + 1.0, x), (x, x), (still, still)):
        for kind in KINDS:
            params = replace(PARAMS, hedge=hedge, spread=kind)
            state: LatestPair | None = None
            for stop in range(290, 300):
                pair = legs(closes, 0, stop)
                reading, state = read_latest(pair, params, state, epoch=1)
                assert_last_row(reading, analyse_pair(*pair, params))


@pytest.mark.parametrize("kind", ["price difference", "hedged"])
def test_a_spread_on_its_mean_is_neither_above_nor_below_it(kind):
    params = replace(PARAMS, spread=kind, window=4)
    for seed in range(60, 72):
        y, x = prices(200, seed)
        y[-4:] = np.round(y[-4] + np.array([-0.07, 0.07, 0.0, 0.0]), 2)
        x[-4:] = x[-4]
        pair = legs((y, x), 0, 200)
        reading, _ = read_latest(pair, params)
        assert reading.zscore == analyse_pair(*pair, params).zscore.iloc[-1] == 0
        assert (reading.signal, reading.gate) == ("NEUTRAL", "")


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", [1e-3, 1e-4])
def test_twin_symbols_have_the_error_of_their_line_bar_after_bar(kind, hedge, noise):
    _, x = prices(330, seed=30)
    y = x + noise * np.random.default_rng(31).normal(size=330)
    params = replace(PARAMS, spread=kind, hedge=hedge)
    state: LatestPair | None = None
    for stop in range(300, 330):
        pair = legs((y, x), 0, stop)
        reading, state = read_latest(pair, params, state, epoch=1)
        plain = analyse_pair(*pair, params).hedge
        assert isinstance(plain, HedgeFit)
        assert plain.r_squared > 0.9999
        assert reading.beta_stderr == pytest.approx(plain.beta_stderr, rel=1e-6)
        if hedge == "ols":
            assert state.line is not None
            assert state.line.sums is not None  # which moved on: a bar costs no sample


def test_the_error_stays_known_while_the_line_turns():
    rng = np.random.default_rng(32)
    _, x = prices(1_400, seed=32)
    slope = np.where(np.arange(1_400) < 500, 2.0, 1.5)
    y = 600.0 + slope * (x - x[500]) + 1e-3 * rng.normal(size=1_400)
    state: LatestPair | None = None
    shares = []
    for stop in range(480, 900, 3):
        pair = legs((y, x), max(stop - 200, 0), stop)
        reading, state = read_latest(pair, PARAMS, state, epoch=1)
        plain = analyse_pair(*pair, PARAMS).hedge
        assert isinstance(plain, HedgeFit)
        shares.append(1.0 - plain.r_squared)
        assert reading.beta_stderr == pytest.approx(plain.beta_stderr, rel=1e-8)
    assert min(shares) < 1e-5 < max(shares)


@pytest.mark.parametrize("noise", [1e-7, 1e-9, 1e-10, 1e-11])
def test_legs_that_are_collinear_but_for_rounding_have_the_same_words(noise: float):
    for seed in range(4):
        _, x = prices(210, seed=80 + seed)
        y = 2.0 * x + noise * np.random.default_rng(seed).normal(size=210)
        state: LatestPair | None = None
        for stop in range(190, 210):
            pair = legs((y, x), 0, stop)
            reading, state = read_latest(pair, PARAMS, state, epoch=1)
            plain = analyse_pair(*pair, PARAMS)
            assert reading.reason == plain.signal_now.reason
            assert reading.zscore == pytest.approx(plain.zscore.iloc[-1], rel=1e-9, nan_ok=True)
            assert_last_row(reading, plain)


def test_no_bar_of_both_legs_has_no_reading():
    closes = prices(100, seed=32)
    apart = leg(closes[0], 0, 40), leg(closes[1], 60, 100)
    with pytest.raises(NotEnoughDataError, match="a reading of BTCUSDT/ETHUSDT needs 1 bars"):
        read_latest(apart, PARAMS)
    with pytest.raises(NotEnoughDataError, match="the tests of BTCUSDT/ETHUSDT"):
        read_tests(apart, PARAMS)
    assert list(read_each(apart, PARAMS, 5)) == []


def test_prices_without_a_logarithm_and_bars_of_another_interval_are_refused():
    y, x = prices(300, seed=33)
    y[100] = -1.0
    with pytest.raises(NonPositivePriceError):
        read_latest(legs((y, x), 0, 300), replace(PARAMS, spread="log"))
    with pytest.raises(FrameError, match="1 s apart"):
        read_latest(legs((x, x), 0, 300), replace(PARAMS, interval="5s"))


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols", "kalman"])
def test_each_of_the_latest_bars_is_read_as_it_was_then(hedge):
    params = replace(PARAMS, hedge=hedge)
    closes, codes = market(620, seed=34)
    found = list(read_each(legs(closes, 0, 620, codes), params, 30))
    assert len(found) == 30
    for stop, reading in zip(range(591, 621), found, strict=True):
        assert_last_row(reading, analyse_pair(*legs(closes, 0, stop, codes), params))


def test_fewer_bars_than_asked_for_are_all_read():
    closes = prices(12, seed=35)
    assert len(list(read_each(legs(closes, 0, 12), PARAMS, 50))) == 12


@pytest.mark.parametrize("kind", KINDS)
def test_the_tests_are_those_that_the_verdict_goes_by(kind: SpreadKind):
    for seed in range(4):
        closes, codes = market(400, seed=40 + seed)
        for hedge in ("ols", "kalman"):
            params = replace(PARAMS, spread=kind, hedge=hedge)
            pair = legs(closes, 0, 400, codes)
            plain = analyse_pair(*pair, params)
            test = plain.engle_granger if params.uses_beta else plain.adf
            assert isinstance(test, EngleGrangerResult | ADFResult)
            assert isinstance(plain.half_life, HalfLife)
            found = read_tests(pair, params)
            assert found.time_us == plain.legs[0].end_us
            assert found.test == ("Engle-Granger" if params.uses_beta else "ADF")
            assert found.pvalue == pytest.approx(test.pvalue, rel=1e-9)
            assert found.returns == test.rejects(params.level)
            assert found.half_life == pytest.approx(plain.half_life.half_life, rel=1e-9)


def test_tests_that_cannot_be_made_say_so_and_a_spread_that_flees_has_no_end():
    y, x = prices(300, seed=50)
    short = read_tests(legs((y, x), 0, 10), PARAMS)
    assert math.isnan(short.pvalue)
    assert math.isnan(short.half_life)
    assert not short.returns
    fleeing = y - x + 1.05 ** np.arange(300.0), np.full(300, 100.0)
    found = read_tests(legs(fleeing, 0, 300), replace(PARAMS, spread="price difference"))
    assert found.half_life == math.inf
    assert not found.returns
