"""What readings of all pairs of a leg share: the same arrays, right for each range and window."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from analytics.errors import NonPositivePriceError
from analytics.leg import MISSING, QUIET, TRADED, Leg
from analytics.pair import PairParams, analyse_pair, read_latest
from analytics.pair.latest_bars import latest_bars, log_closes

STEP_US = 1_000_000
BARS = 300


def leg(seed: int, coverage: np.ndarray | None = None) -> Leg:
    close = 100.0 + np.random.default_rng(seed).normal(size=BARS).cumsum() / 10
    codes = np.full(BARS, TRADED, dtype=np.int8) if coverage is None else coverage
    close[codes == MISSING] = np.nan
    return Leg(0, STEP_US, close, np.ones(BARS), np.ones(BARS, dtype=np.int64), codes)


def test_pairs_that_look_at_the_same_bars_have_the_same_arrays():
    whole = leg(1)
    first = latest_bars(whole, 100 * STEP_US, 150, 40)
    again = latest_bars(whole.part(50, 280), 100 * STEP_US, 150, 40)
    assert again is first
    assert again.log_close is first.log_close
    assert again.log_returns is first.log_returns
    assert log_closes(whole, 249, 250) is log_closes(whole.part(200, 280), 49, 50)


def test_other_bars_are_other_arrays():
    whole = leg(1)
    first = latest_bars(whole, 100 * STEP_US, 150, 40)
    for start, count, bars in ((101, 150, 40), (100, 151, 40), (100, 150, 41)):
        other = latest_bars(whole, start * STEP_US, count, bars)
        assert other is not first
        np.testing.assert_array_equal(other.close, whole.close[start + count - bars :][:bars])


def test_returns_begin_with_that_over_the_bar_before():
    whole = leg(2)
    expected = np.diff(np.log(whole.close))
    cut = latest_bars(whole, 100 * STEP_US, 150, 40)
    np.testing.assert_allclose(cut.log_returns, expected[209:249], rtol=0, atol=1e-14)
    begin = latest_bars(whole, 0, 40, 40)
    assert np.isnan(begin.log_returns[0])
    np.testing.assert_allclose(begin.log_returns[1:], expected[:39], rtol=0, atol=1e-14)


def test_bars_without_a_trade_are_counted_over_all_of_the_range():
    codes = np.full(BARS, QUIET, dtype=np.int8)
    codes[[20, 60]] = TRADED
    whole = leg(3, codes)
    assert latest_bars(whole, 0, 280, 40).bars_untraded == 219
    assert latest_bars(whole, 61 * STEP_US, 200, 40).bars_untraded == 200
    assert latest_bars(whole, 0, 61, 40).bars_untraded == 0
    assert [latest_bars(whole, 0, 61, 40).bars_traded(bars) for bars in (1, 40, 41)] == [1, 1, 2]


def test_a_missing_bar_among_the_last_is_seen():
    codes = np.full(BARS, TRADED, dtype=np.int8)
    codes[200] = MISSING
    whole = leg(4, codes)
    assert not latest_bars(whole, 0, 230, 40).is_known
    assert latest_bars(whole, 0, 241, 40).is_known


def test_a_price_without_a_logarithm_is_refused_each_time():
    whole = leg(5)
    whole.close[250] = 0.0
    for _ in range(2):
        with pytest.raises(NonPositivePriceError):
            log_closes(whole, 250, 251)


def test_more_windows_than_are_kept_read_as_an_analysis_does():
    y, x = leg(6), leg(7)
    params = PairParams("Y", "X", lookback=150, spread="log")
    for window in [*range(10, 34), *range(10, 34)]:
        chosen = replace(params, window=window)
        reading, _ = read_latest((y, x), chosen)
        expected = analyse_pair(y, x, chosen).zscore.iloc[-1]
        assert reading.zscore == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_what_is_shared_goes_with_its_leg():
    y, x = leg(8), leg(9)
    _, carried = read_latest((y.part(0, 290), x), PairParams("Y", "X", lookback=150, spread="log"))
    assert carried is not None
    seen = weakref.ref(y)
    gc.disable()
    try:
        del y
        assert seen() is None
    finally:
        gc.enable()
