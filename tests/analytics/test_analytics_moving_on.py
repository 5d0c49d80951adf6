"""An analysis that takes over from the one before: the same figures as of all bars anew."""

import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from analytics.frames import FloatArray
from analytics.hedge import HedgeFit
from analytics.leg import MISSING, TRADED, Leg
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.pair.gates import ALL_GATES
from analytics.spread import SpreadKind
from analytics.stationarity import EngleGrangerResult

LOOKBACK = 600
PARAMS = PairParams("BTCUSDT", "ETHUSDT", lookback=LOOKBACK, window=30)
FIRST_US = 1_723_161_600_000_000
PATHS = ("y", "x", "hedge_ratio", "intercept", "spread", "mean", "std", "zscore", "correlation")


def prices(bars: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    x = 2_600.0 + 0.2 * rng.normal(size=bars).cumsum()
    gap = np.zeros(bars)
    for t, shock in enumerate(rng.normal(size=bars - 1), start=1):
        gap[t] = 0.95 * gap[t - 1] + shock
    return np.round(100.0 + 20.0 * x + gap, 2), np.round(x, 2)


def leg(close: FloatArray, start: int, end: int) -> Leg:
    known = ~np.isnan(close[start:end])
    coverage = np.where(known, TRADED, MISSING).astype(np.int8)
    volume = np.where(known, 1.0, np.nan)
    trades = known.astype(np.int64)
    return Leg(FIRST_US + start * 1_000_000, 1_000_000, close[start:end], volume, trades, coverage)


def analyse(
    closes: tuple[FloatArray, FloatArray],
    span: tuple[int, int],
    params: PairParams,
    before: PairAnalytics | None = None,
) -> PairAnalytics:
    y, x = (leg(close, *span) for close in closes)
    return analyse_pair(y, x, params, before)


def assert_same_figures(found: PairAnalytics, plain: PairAnalytics) -> None:
    for name in PATHS:
        pd.testing.assert_series_equal(
            getattr(found, name), getattr(plain, name), rtol=1e-9, atol=1e-9
        )
    if not found.params.uses_beta:
        for name in ("spread", "mean", "std", "zscore", "correlation"):
            np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))
    np.testing.assert_array_equal(found.signal_codes, plain.signal_codes)
    np.testing.assert_array_equal(found.gate_codes, plain.gate_codes)
    for name in ("engle_granger", "engle_granger_swapped", "adf", "half_life"):
        assert_same_fields(getattr(found, name), getattr(plain, name))
    if isinstance(found.hedge, HedgeFit) and isinstance(plain.hedge, HedgeFit):
        fits = [
            replace(each, paths={}, index=pd.RangeIndex(0)) for each in (found.hedge, plain.hedge)
        ]
        assert_same_fields(*fits)
    pd.testing.assert_frame_equal(found.stats, plain.stats)
    assert found.notes == plain.notes
    assert (found.coverage, found.zscore_needs) == (plain.coverage, plain.zscore_needs)
    assert found.signal_now.reason == plain.signal_now.reason


def assert_same_fields(found: object, plain: object) -> None:
    assert type(found) is type(plain)
    for name, value in asdict(plain).items():  # type: ignore[call-overload] # results all are
        if isinstance(value, float):
            same = pytest.approx(value, rel=1e-8, abs=1e-12, nan_ok=True)
            assert getattr(found, name) == same, name
        elif isinstance(value, tuple) and value and isinstance(value[0], float):
            assert getattr(found, name) == pytest.approx(value, rel=1e-8, nan_ok=True), name
        elif not isinstance(value, dict | pd.Index):
            assert getattr(found, name) == value, name


def moved_on(
    closes: tuple[FloatArray, FloatArray], params: PairParams, steps: int, seed: int
) -> tuple[PairAnalytics, tuple[int, int]]:
    """Analyse after each of some random appends, of which some trim the left edge too."""
    rng = np.random.default_rng(seed)
    end, start, result = LOOKBACK + 100, 0, None
    result = analyse(closes, (start, end), params)
    for _ in range(steps):
        end += int(rng.integers(0, 6))
        start += int(rng.integers(0, 2)) * 3
        result = analyse(closes, (start, end), params, result)
    return result, (start, end)


@pytest.mark.parametrize("hedge", ["ols", "rolling_ols", "expanding_ols"])
@pytest.mark.parametrize("kind", ["price difference", "hedged", "log", "ratio"])
def test_random_appends_give_the_figures_of_a_full_run(kind: SpreadKind, hedge: str):
    closes = prices(1_200, seed=4)
    params = replace(PARAMS, spread=kind, hedge=hedge)
    result, span = moved_on(closes, params, steps=12, seed=5)
    assert result.carried.sums is not None
    assert result.carried.sums.age > 10
    assert_same_figures(result, analyse(closes, span, params))


def test_they_do_with_all_gates_and_correlation_of_prices():
    closes = prices(1_200, seed=6)
    params = replace(PARAMS, gates=ALL_GATES, correlation_on="prices", spread="hedged")
    result, span = moved_on(closes, params, steps=12, seed=7)
    assert_same_figures(result, analyse(closes, span, params))


@pytest.mark.parametrize("hole", [(620, 625), (640, 641), (702, 706)])
def test_gaps_that_were_there_that_come_and_that_are_left_behind(hole):
    closes = prices(1_600, seed=8)
    closes[0][slice(*hole)] = np.nan
    closes[1][hole[0]] = np.nan
    for steps in (4, 12, 250):
        result, span = moved_on(closes, PARAMS, steps=steps, seed=9)
        assert_same_figures(result, analyse(closes, span, PARAMS))
    assert result.carried.sums is not None  # the hole has left the sample


def test_a_late_trade_that_changes_an_earlier_bar_is_not_overlooked():
    y, x = prices(1_200, seed=10)
    before, (start, end) = moved_on((y, x), PARAMS, steps=5, seed=11)
    for place in (start, start + 90, end - LOOKBACK // 2, end - 1):
        later = y.copy()
        later[place] += 3.0
        span = (start, end + 1)
        result = analyse((later, x), span, PARAMS, before)
        assert_same_figures(result, analyse((later, x), span, PARAMS))


def test_a_range_that_grows_from_its_first_bar():
    closes = prices(700, seed=12)
    result = analyse(closes, (0, 5), PARAMS)
    for end in range(6, 700, 3):
        result = analyse(closes, (0, end), PARAMS, result)
        if end % 45 == 0:
            assert_same_figures(result, analyse(closes, (0, end), PARAMS))


def test_an_analysis_by_other_parameters_is_not_taken_over():
    closes = prices(800, seed=13)
    other = analyse(closes, (0, 799), replace(PARAMS, window=31))
    assert analyse(closes, (0, 800), PARAMS, other).carried.sums is None


def test_figures_stay_what_they_were_when_another_analysis_moves_on():
    closes = prices(900, seed=14)
    before = analyse(closes, (0, 800), PARAMS, analyse(closes, (0, 799), PARAMS))
    paths = {name: getattr(before, name).copy() for name in PATHS}
    for _ in range(2):  # two sessions may go on from the same state
        after = before
        for end in range(801, 830):
            after = analyse(closes, (0, end), PARAMS, after)
        assert_same_figures(after, analyse(closes, (0, 829), PARAMS))
    for name, path in paths.items():
        pd.testing.assert_series_equal(getattr(before, name), path, check_exact=True)


def test_no_bar_to_come_changes_what_is_known():
    y, x = prices(900, seed=15)
    before = analyse((y, x), (0, 799), PARAMS)
    plain = analyse((y, x), (0, 800), PARAMS, before)
    y, x = y.copy(), x.copy()
    y[800:], x[800:] = 1.0, 2.0
    again = analyse((y, x), (0, 800), PARAMS, before)
    for name in PATHS:
        pd.testing.assert_series_equal(getattr(again, name), getattr(plain, name), check_exact=True)
    assert again.engle_granger == plain.engle_granger


def test_a_pair_that_is_collinear_is_said_to_be_so():
    _, x = prices(900, seed=18)
    closes = 2.0 * x + 1.0, x
    result, span = moved_on(closes, PARAMS, steps=4, seed=19)
    assert not isinstance(result.engle_granger, EngleGrangerResult)
    assert math.isfinite(result.zscore.iloc[-1])
    assert_same_figures(result, analyse(closes, span, PARAMS))
