"""Compile the backtest's kernels before a page needs them."""

import numpy as np
import pandas as pd

from analytics.backtest import run_backtest
from analytics.backtest_rules import SYMMETRIC_RULES
from analytics.backtest_sweep import sweep_backtest
from analytics.frames import FloatArray, utc_index
from analytics.params import PairParams


def warm_backtest(y: FloatArray, x: FloatArray) -> None:
    """Run and sweep once over small legs with prices above 0."""
    legs = []
    for closes in (np.asarray(y), np.asarray(x)):
        columns = dict.fromkeys(("open", "high", "low", "close"), closes)
        bars = pd.DataFrame(
            {**columns, "volume": 1.0, "trades": 1, "coverage": "traded"},
            index=utc_index(np.arange(closes.size) * 1_000_000),
        )
        legs.append(bars.astype({"coverage": "str"}))
    params = PairParams("y", "x", spread="log", hedge="rolling_ols", window=20)
    run_backtest(legs[0], legs[1], params, SYMMETRIC_RULES)
    sweep_backtest(legs[0], legs[1], params, SYMMETRIC_RULES, windows=[20], entries=[1.0])
