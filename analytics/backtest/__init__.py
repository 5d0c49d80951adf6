"""A rule on a pair, walked through the past with all costs paid."""

from analytics.backtest.accounting import Account, Fills, account
from analytics.backtest.entries import (
    Entry,
    best_entry,
    levels_that_pay,
    profit_a_bar,
    round_trip,
    trade_at,
    worth_of_legs,
)
from analytics.backtest.ledger import REASONS, notes_of
from analytics.backtest.market import Market, Signals, prepare, with_vwap
from analytics.backtest.null import NullRuns, null_backtests
from analytics.backtest.performance import Performance, drawdown_path, measure
from analytics.backtest.rules import (
    DEFAULT_RULES,
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
from analytics.backtest.run import (
    BacktestResult,
    buy_and_hold,
    run_backtest,
    side_held,
    split_backtest,
)
from analytics.backtest.sharpe import DRAWS, DeflatedSharpe, Independent, deflated_sharpe
from analytics.backtest.sweep import Sweep, prepare_sweep, sweep_backtest, sweep_span
from analytics.backtest.trials import (
    SettingReturns,
    Superiority,
    setting_returns,
    superiority,
)
from analytics.backtest.walk import LEAST_TRADES, WalkForward, walk_forward

__all__ = [
    "DEFAULT_RULES",
    "DRAWS",
    "FILLS",
    "FREE",
    "FUTURES",
    "IMPACTS",
    "LEAST_TRADES",
    "LIQUIDITIES",
    "PAYING_RULES",
    "REASONS",
    "REENTRIES",
    "RULE_PRESETS",
    "SIZINGS",
    "SPOT",
    "SYMMETRIC_RULES",
    "Account",
    "BacktestResult",
    "BacktestRules",
    "Costs",
    "DeflatedSharpe",
    "Entry",
    "Fills",
    "Independent",
    "Market",
    "NullRuns",
    "Performance",
    "SettingReturns",
    "Signals",
    "Superiority",
    "Sweep",
    "WalkForward",
    "account",
    "best_entry",
    "buy_and_hold",
    "deflated_sharpe",
    "drawdown_path",
    "levels_that_pay",
    "measure",
    "notes_of",
    "null_backtests",
    "prepare",
    "prepare_sweep",
    "profit_a_bar",
    "round_trip",
    "run_backtest",
    "setting_returns",
    "side_held",
    "split_backtest",
    "superiority",
    "sweep_backtest",
    "sweep_span",
    "trade_at",
    "walk_forward",
    "with_vwap",
    "worth_of_legs",
]
