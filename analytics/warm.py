"""What each part of the desk compiles: calls of every kernel that it uses, on a small seeded pair.

Seconds the first time, then read from numba's cache. A test finds the kernels that no call reaches.
"""

import importlib
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Literal

import numpy as np
import pandas as pd

from analytics.backtest import SYMMETRIC_RULES, run_backtest, sweep_backtest, walk_forward
from analytics.evidence.stability import stability
from analytics.frames import FloatArray, utc_index
from analytics.hedge import fit_hedge
from analytics.leg import Leg
from analytics.pair import PairParams, analyse_pair, read_each
from analytics.scanner import held_out_null_stats, scan_pairs
from analytics.spread import rolling_correlation, rolling_moments
from analytics.stationarity import (
    WildDraws,
    adf_test,
    engle_granger_test,
    trailing_adf,
    trailing_engle_granger,
    wild_bootstrap_test,
)

Part = Literal["live", "scan", "evidence", "backtest"]
Call = Callable[[], object]

_BARS = 300
# Three seconds that no page should wait for.
_SLOW_IMPORTS = ("statsmodels.tsa.stattools", "statsmodels.tsa.vector_ar.vecm", "arch.unitroot")


def calls() -> dict[Part, list[Call]]:
    """Return the calls after which nothing that a part uses is left to compile or import.

    In the order in which they are made: the first page's, then those that take least.
    """
    y, x = np.random.default_rng(0).normal(size=(2, _BARS)).cumsum(axis=1) + 100.0
    draws = WildDraws.exactly(8, _BARS)
    return {
        "live": _live(y, x),
        "scan": [
            partial(scan_pairs, pd.DataFrame({"y": y, "x": x})),
            partial(scan_pairs, pd.DataFrame({"y": _with_a_gap(y), "x": x})),
            partial(held_out_null_stats, y[np.newaxis], draws),
            partial(wild_bootstrap_test, y, x, draws=8),
        ],
        "evidence": [
            *(partial(importlib.import_module, name) for name in _SLOW_IMPORTS),
            partial(stability, y, x),
        ],
        "backtest": _backtest(y, x),
    }


def warm_up() -> None:
    """Make all calls of all parts, here and now."""
    for call in chain.from_iterable(calls().values()):
        call()


def compiled_for() -> tuple[str, str, str]:
    """Return the platform, processor and instructions that numba compiles for.

    What its cache has for others it compiles again. Asked where numba asks, and without its import,
    which takes more than a second.
    """
    llvm = importlib.import_module("llvmlite.binding")
    try:
        instructions = llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # not known of this processor: then numba uses none
        instructions = ""
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), instructions


def _live(y: FloatArray, x: FloatArray) -> list[Call]:
    ones = np.ones(_BARS)
    counts, traded = ones.astype(np.int64), np.zeros(_BARS, dtype=np.int8)
    legs = [Leg(0, 1_000_000, close.copy(), ones, counts, traded) for close in (y, x)]
    starts, ends = np.array([0, 100]), np.array([200, 300])
    return [
        partial(rolling_moments, y, 20),
        partial(rolling_correlation, y, x, 20),
        partial(adf_test, y),
        partial(adf_test, _with_a_gap(y)),
        partial(engle_granger_test, y, x),
        partial(fit_hedge, y, x),
        partial(fit_hedge, y, x, "tls"),
        partial(fit_hedge, y, x, "rolling_ols", window=20),
        partial(fit_hedge, y, x, "expanding_ols"),
        partial(fit_hedge, y, x, "kalman"),
        partial(fit_hedge, y, x, "kalman_walks"),
        lambda: fit_hedge(y, x, "kalman_chan").innovations,
        partial(_analyse_on, *legs),
        lambda: list(read_each((legs[0], legs[1]), PairParams("Y", "X", window=20), 2)),
        partial(trailing_engle_granger, y, x, starts, ends),  # the gates
        partial(trailing_adf, y, starts, ends),
    ]


def _analyse_on(y: Leg, x: Leg) -> None:
    """Analyse all bars but the last two, then as each of them comes."""
    params, result = PairParams("Y", "X", window=20), None
    for bars in range(_BARS - 2, _BARS + 1):
        result = analyse_pair(y.part(0, bars), x.part(0, bars), params, result)


def _with_a_gap(values: FloatArray) -> FloatArray:
    gapped = values.copy()
    gapped[_BARS // 2] = np.nan
    return gapped


def _backtest(y: FloatArray, x: FloatArray) -> list[Call]:
    index = utc_index(np.arange(_BARS) * 1_000_000)
    columns = ("open", "high", "low", "close")
    legs = [
        pd.DataFrame(dict.fromkeys(columns, closes), index=index).assign(
            volume=1.0, trades=1, coverage="traded"
        )
        for closes in (y, x)
    ]
    params = PairParams("y", "x", spread="log", hedge="rolling_ols", window=20)
    pair = (legs[0], legs[1], params, SYMMETRIC_RULES)
    return [
        lambda: run_backtest(*pair),
        lambda: sweep_backtest(*pair, windows=[20], entries=[1.0]),
        lambda: walk_forward(
            *pair, windows=[20], entries=[1.0], train_bars=100, test_bars=100, draws=0
        ),
    ]
