"""What each part of the desk compiles: calls of every kernel that it uses, on a small seeded pair.

Seconds the first time, then read from numba's cache.
"""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analytics.backtest import SYMMETRIC_RULES, run_backtest, sweep_backtest
from analytics.frames import FloatArray, utc_index
from analytics.hedge import fit_hedge
from analytics.leg import Leg
from analytics.pair import PairParams, analyse_pair
from analytics.scanner import scan_pairs
from analytics.spread import rolling_correlation, rolling_moments
from analytics.stationarity import (
    adf_test,
    engle_granger_test,
    trailing_adf,
    trailing_engle_granger,
    wild_bootstrap_test,
)

# In the order in which pages are opened.
Part = Literal["live", "gates", "evidence", "backtest", "scan"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
Call = Callable[[], object]

_BARS = 300


def calls_of(part: Part) -> list[Call]:
    """Return the calls after which nothing that a part uses is left to compile or import."""
    y, x = np.random.default_rng(0).normal(size=(2, _BARS)).cumsum(axis=1) + 100.0
    match part:
        case "live":
            return _live(y, x)
        case "gates":
            return _gates(y, x)
        case "evidence":
            return [*_evidence(), partial(wild_bootstrap_test, y, x, draws=8)]
        case "backtest":
            return _backtest(y, x)
        case "scan":
            scan = partial(scan_pairs, pd.DataFrame({"y": y, "x": x}))
            return [scan, partial(wild_bootstrap_test, y, x, draws=8)]


def warm_up() -> None:
    """Make all calls of all parts, here and now."""
    for part in PARTS:
        for call in calls_of(part):
            call()


def _leg(close: FloatArray) -> Leg:
    """Take prices as bars of a second, each of one trade."""
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def _live(y: FloatArray, x: FloatArray) -> list[Call]:
    return [
        *_single(y, x),
        *_single(pd.Series(y), pd.Series(x)),
        partial(_analyse_on, _leg(y), _leg(x)),
    ]


def _analyse_on(y: Leg, x: Leg) -> None:
    """Analyse all bars but the last two, then as each of them comes."""
    params, result = PairParams("Y", "X", window=20), None
    for bars in range(_BARS - 2, _BARS + 1):
        result = analyse_pair(y.part(0, bars), x.part(0, bars), params, result)


def _single(y: FloatArray | pd.Series, x: FloatArray | pd.Series) -> list[Call]:
    return [
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
        lambda: fit_hedge(y, x, "kalman_walks"),
        lambda: fit_hedge(y, x, "kalman_chan").innovations,
    ]


def _evidence() -> list[Call]:
    # Three seconds that no page should wait for.
    needed = ("statsmodels.tsa.stattools", "statsmodels.tsa.vector_ar.vecm", "arch.unitroot")
    return [partial(importlib.import_module, name) for name in needed]


def _gates(y: FloatArray, x: FloatArray) -> list[Call]:
    starts, ends = np.array([0, 100]), np.array([200, 300])
    return [
        lambda: trailing_engle_granger(y, x, starts, ends),
        lambda: trailing_engle_granger(pd.Series(y), pd.Series(x), starts, ends),
        lambda: trailing_adf(y, starts, ends),
        lambda: trailing_adf(pd.Series(y), starts, ends),
    ]


def _backtest(y: FloatArray, x: FloatArray) -> list[Call]:
    legs = []
    for closes in (y, x):
        columns = dict.fromkeys(("open", "high", "low", "close"), closes)
        bars = pd.DataFrame(
            {**columns, "volume": 1.0, "trades": 1, "coverage": "traded"},
            index=utc_index(np.arange(closes.size) * 1_000_000),
        )
        legs.append(bars.astype({"coverage": "str"}))
    params = PairParams("y", "x", spread="log", hedge="rolling_ols", window=20)
    pair = (legs[0], legs[1], params, SYMMETRIC_RULES)
    return [
        lambda: run_backtest(*pair),
        lambda: sweep_backtest(*pair, windows=[20], entries=[1.0]),
    ]
