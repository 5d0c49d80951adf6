"""Compile every kernel before a page needs it: seconds the first time, then read from the cache."""

import importlib
from collections.abc import Callable

import numpy as np
import pandas as pd

from analytics.backtest_warm import warm_backtest
from analytics.cointegration import engle_granger_test
from analytics.frames import FloatArray
from analytics.hedge import fit_hedge
from analytics.leg import Leg
from analytics.pair import analyse_pair
from analytics.params import PairParams
from analytics.scanner import scan_pairs
from analytics.spread import rolling_correlation, rolling_moments
from analytics.stationarity import adf_test
from analytics.trailing_tests import trailing_adf, trailing_engle_granger

_BARS = 300


def warm_up() -> int:
    """Run each compiled function once on a small seeded pair; return how many calls it took.

    Call it from a thread beside the page's, when the process starts: compiling holds numba's own
    lock, not the interpreter's for long.
    """
    importlib.import_module("arch.unitroot")  # two seconds that no page should wait for
    y, x = np.random.default_rng(0).normal(size=(2, _BARS)).cumsum(axis=1) + 100.0
    calls = _calls(y, x) + _calls(pd.Series(y), pd.Series(x))
    calls.append(lambda: analyse_pair(_leg(y), _leg(x), PairParams("Y", "X", window=20)))
    for call in calls:
        call()
    return len(calls)


def _leg(close: FloatArray) -> Leg:
    """Take prices as bars of a second, each of one trade."""
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def _calls(y: FloatArray | pd.Series, x: FloatArray | pd.Series) -> list[Callable[[], object]]:
    starts, ends = np.array([0, 100]), np.array([200, 300])
    return [
        lambda: trailing_engle_granger(y, x, starts, ends),
        lambda: trailing_adf(y, starts, ends),
        lambda: rolling_moments(y, 20),
        lambda: rolling_correlation(y, x, 20),
        lambda: adf_test(y),
        lambda: adf_test(y, autolag=None, max_lags=1),
        lambda: engle_granger_test(y, x),
        lambda: fit_hedge(y, x),
        lambda: fit_hedge(y, x, intercept=False),
        lambda: fit_hedge(y, x, "rolling_ols", window=20),
        lambda: fit_hedge(y, x, "expanding_ols"),
        lambda: fit_hedge(y, x, "kalman"),
        lambda: fit_hedge(y, x, "kalman", delta=1e-4, ve=1e-3).innovations,
        lambda: scan_pairs(pd.DataFrame({"y": y, "x": x})),
        lambda: warm_backtest(np.asarray(y), np.asarray(x)),
    ]
