"""What the backtest page stands on: every run computed once for its bars and its settings."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from analytics.backtest import (
    BacktestResult,
    BacktestRules,
    DeflatedSharpe,
    NullRuns,
    Superiority,
    Sweep,
    WalkForward,
    deflated_sharpe,
    null_backtests,
    prepare_sweep,
    run_backtest,
    setting_returns,
    split_backtest,
    superiority,
    walk_forward,
    with_vwap,
)
from analytics.errors import NotEnoughDataError
from analytics.frames import closed_bars
from analytics.pair import PairParams, bars_of_test
from pages.ui.backtest.controls import PAYING, Plan
from pages.ui.desk.material import Material
from pages.ui.parts.long_work import LongWork, Progress
from pages.ui.parts.notices import Notice
from pages.ui.state import choices

ENTRIES: Final = tuple(float(each) for each in np.arange(0.5, 3.75, 0.25))
WINDOW_STEPS: Final = 12
NULL_RUNS: Final = 60
WALK_BLOCKS: Final = 5
# Ticks are read for the VWAP of so long a span at most.
VWAP_DAYS: Final = 1
WALK: Final = LongWork(
    "bt_walk", "Choosing on the past and trading what follows", "blocks",
    Notice("The walk-forward was cancelled", "Walk again, or change the rule.", is_fault=False),
    "Walk again",
)  # fmt: skip
NULL: Final = LongWork(
    "bt_null", "Running the rule on unrelated legs", "runs",
    Notice("The runs on unrelated legs were cancelled", "Run them again, or change the rule.",
           is_fault=False),
    "Run again",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Runs:
    """The rule over all bars, and apart over those for training and those kept for testing."""

    whole: BacktestResult
    train: BacktestResult
    test: BacktestResult
    swept: Sweep
    deflated: DeflatedSharpe
    best: Superiority


def bars_for(material: Material, plan: Plan) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the closed bars of both legs, with the column that fills need.

    Raises
    ------
    NotEnoughDataError
        No closed bar of a leg.
    """
    legs = [closed_bars(material.bars.y_bars), closed_bars(material.bars.x_bars)]
    if any(leg.empty for leg in legs):
        raise NotEnoughDataError(f"backtest of {plan.params.label}", 3, 0, "closed bars")
    if plan.rules.fill == "vwap":
        names = (plan.params.y, plan.params.x)
        cut = is_cut(material, plan)
        legs = [
            _weighed(material, name, leg, is_cut=cut) for name, leg in zip(names, legs, strict=True)
        ]
    return legs[0], legs[1]


def is_cut(material: Material, plan: Plan) -> bool:
    """Whether the bars are cut to the last day, for a fill that has to read the ticks."""
    bars, lookback = len(material.bars.y_bars), plan.params.lookback
    shown = bars if lookback is None else min(bars, lookback)
    longest = pd.Timedelta(days=VWAP_DAYS)
    return plan.rules.fill == "vwap" and shown * plan.params.bar.timedelta > longest


def _weighed(material: Material, symbol: str, bars: pd.DataFrame, *, is_cut: bool) -> pd.DataFrame:
    # A day or less keeps the bars before it, which z starts up on.
    used = bars
    if is_cut:
        used = bars.loc[bars.index > bars.index[-1] - pd.Timedelta(days=VWAP_DAYS)]
    step = material.params.bar.timedelta
    ticks = material.ticks(symbol, used.index[0], used.index[-1] + step)
    return with_vwap(used, ticks, material.params.interval)


def windows_around(window: int, bars: int) -> tuple[int, ...]:
    """Choose windows from a quarter to four times the one looked at, itself among them."""
    low, high = max(5, window // 4), max(8, min(4 * window, bars // 2))
    spread = np.geomspace(low, max(high, low + WINDOW_STEPS), WINDOW_STEPS - 1)
    return tuple(sorted({*np.rint(spread).astype(int).tolist(), window}))


def longest_window(params: PairParams) -> int:
    """Return the longest window that is tried: so far before the range the bars have to reach."""
    if params.lookback is None:
        return params.window
    return max(windows_around(params.window, params.lookback))


def bars_to_read(params: PairParams) -> int:
    """Return the longest window that is to be full where the range begins; a fit looks at ten."""
    longest = longest_window(params)
    return bars_of_test(longest) + longest if is_fitted() else longest


def is_fitted() -> bool:
    """Whether the rule that is chosen fits its entries."""
    return choices.value_of("bt_rule") == PAYING


def _bars_in_range(y: pd.DataFrame, x: pd.DataFrame, params: PairParams) -> int:
    bars = int(y.index.isin(x.index).sum())
    return bars if params.lookback is None else min(bars, params.lookback)


def entries_around(entry: float) -> tuple[float, ...]:
    """Choose thresholds, the one looked at among them."""
    return tuple(sorted({*ENTRIES, round(abs(entry), 6)}))


def runs(material: Material, plan: Plan) -> Runs:
    """Run the rule, its parts, and the settings around it."""
    return _runs(*bars_for(material, plan), material.bars.key, plan.params, plan.rules, plan.share)


@st.cache_resource(max_entries=8, show_spinner=False)
def _runs(
    _y: pd.DataFrame,
    _x: pd.DataFrame,
    key: Hashable,  # noqa: ARG001 - stands for the bars in the cache key
    params: PairParams,
    rules: BacktestRules,
    share: float,
) -> Runs:
    whole = run_backtest(_y, _x, params, rules)
    train, test = split_backtest(_y, _x, params, rules, share)
    windows = windows_around(params.window, _bars_in_range(_y, _x, params))
    prepared = prepare_sweep(
        _y, _x, params, rules, windows=windows, entries=entries_around(rules.sell_above)
    )
    training = prepared.market.part(share)
    tried = setting_returns(prepared, *training)
    return Runs(
        whole=whole,
        train=train,
        test=test,
        swept=tried.swept,
        deflated=deflated_sharpe(train.returns.to_numpy(), tried.independent),
        best=superiority(tried.returns),
    )


def walk(material: Material, plan: Plan) -> WalkForward | None:
    """Choose and trade block by block: as much training as the slider says, then five blocks.

    None once the reader has cancelled it.
    """
    key = (material.bars.key, plan.params, plan.rules, plan.share)
    return WALK.run(key, lambda progress: _walk(material, plan, progress))


def _walk(material: Material, plan: Plan, progress: Progress) -> WalkForward:
    y, x = bars_for(material, plan)
    params = plan.params
    bars = _bars_in_range(y, x, params)
    train = max(3, round(plan.share * bars))
    return walk_forward(
        y, x, params, plan.rules, windows=windows_around(params.window, bars)[::2],
        entries=ENTRIES[::2], train_bars=train,
        # Rounded up: a rest of a few bars would be a block of its own.
        test_bars=max(3, math.ceil((bars - train) / WALK_BLOCKS)), progress=progress,
    )  # fmt: skip


def null_runs(material: Material, plan: Plan) -> NullRuns | None:
    """Run the rule on legs made unrelated; None once the reader has cancelled it."""
    key = (material.bars.key, plan.params, plan.rules)
    return NULL.run(key, lambda progress: _null_runs(material, plan, progress))


def _null_runs(material: Material, plan: Plan, progress: Progress) -> NullRuns:
    return null_backtests(
        *bars_for(material, plan), plan.params, plan.rules, runs=NULL_RUNS, progress=progress
    )
