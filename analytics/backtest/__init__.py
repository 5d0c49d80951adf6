"""A rule on a pair, walked through the past with all costs paid."""

from analytics.backtest.entries import (
    Entry,
    best_entry,
    levels_that_pay,
    profit_a_bar,
    round_trip,
    trade_at,
    worth_of_legs,
)
from analytics.backtest.market import with_vwap
from analytics.backtest.null import NullRuns, null_backtests
from analytics.backtest.performance import Performance
from analytics.backtest.rules import (
    FILLS,
    FREE,
    FUTURES,
    IMPACTS,
    LIQUIDITIES,
    PAYING_RULES,
    REENTRIES,
    RULE_PRESETS,
    SIZINGS,
    SPOT,
    SYMMETRIC_RULES,
    BacktestRules,
    Costs,
)
from analytics.backtest.run import BacktestResult, buy_and_hold, run_backtest, split_backtest
from analytics.backtest.sharpe import DeflatedSharpe, Independent, deflated_sharpe
from analytics.backtest.sweep import Sweep, prepare_sweep, sweep_backtest, sweep_span
from analytics.backtest.trials import (
    SettingReturns,
    Superiority,
    setting_returns,
    superiority,
)
from analytics.backtest.walk import LEAST_TRADES, WalkForward, walk_forward

__all__ = [
    "FILLS",
    "FREE",
    "FUTURES",
    "IMPACTS",
    "LEAST_TRADES",
    "LIQUIDITIES",
    "PAYING_RULES",
    "REENTRIES",
    "RULE_PRESETS",
    "SIZINGS",
    "SPOT",
    "SYMMETRIC_RULES",
    "BacktestResult",
    "BacktestRules",
    "Costs",
    "DeflatedSharpe",
    "Entry",
    "Independent",
    "NullRuns",
    "Performance",
    "SettingReturns",
    "Superiority",
    "Sweep",
    "WalkForward",
    "best_entry",
    "buy_and_hold",
    "deflated_sharpe",
    "levels_that_pay",
    "null_backtests",
    "prepare_sweep",
    "profit_a_bar",
    "round_trip",
    "run_backtest",
    "setting_returns",
    "split_backtest",
    "superiority",
    "sweep_backtest",
    "sweep_span",
    "trade_at",
    "walk_forward",
    "with_vwap",
    "worth_of_legs",
]
