"""Whether the spread pays for its costs: from how far out, how often, how much."""

import math
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest import FREE, FUTURES, SPOT, Costs, Entry, best_entry
from analytics.pair import PairAnalytics
from analytics.stationarity import EngleGrangerResult, HalfLife
from pages.ui.parts import formats
from pages.ui.parts.judge import shows_return
from pages.ui.state import choices

_FEES: Final = {"spot": SPOT, "futures": FUTURES, "none": FREE}
# In and out.
_FILLS: Final = 2

_best: Final = lru_cache(maxsize=64)(best_entry)


def fill_bps() -> float:
    """Cost of a fill by the reader's own choice on Backtest: fee and half-spread, bps."""
    name = str(choices.value_of("bt_costs"))
    taker, maker, half_spread = (
        float(choices.value_of(key)) for key in ("bt_taker", "bt_maker", "bt_spread")
    )
    costs = _FEES.get(name, Costs(taker, maker))
    is_maker = choices.value_of("bt_liquidity") == "maker"
    return (costs.maker_bps if is_maker else costs.taker_bps) + half_spread


def payment_words(result: PairAnalytics, bps: float) -> list[str]:
    """Say from where a trade back to the mean pays at a cost of a fill; [] without a return."""
    half_life, residual = result.half_life, result.residual
    if not (isinstance(half_life, HalfLife) and isinstance(residual, pd.Series)):
        return []
    halving, deviation = half_life.median_unbiased, float(np.nanstd(residual.to_numpy()))
    worth = worth_of_legs(result)
    if not (shows_return(result) and halving > 0 and deviation > 0 and worth > 0):
        return []
    cost = _FILLS * worth * bps / 1e4
    entry = _best(halving, deviation, cost)
    at = f"At {formats.number(bps, 1)} bps a fill"
    least, bars = cost / deviation, half_life.bars
    if entry.profit <= 0 or entry.length > bars:
        words = (
            f"{at} this spread does not pay: a way back to the mean as long as the costs, "
            f"{formats.number(least, 1)} standard deviations of its residual, comes less than once "
            f"in these {bars:,} bars."
        )
    else:
        words = _pays(at, entry, least, worth)
    return [words]


def _pays(at: str, entry: Entry, least: float, worth: float) -> str:
    earned = formats.number(entry.profit / worth * 1e4, 1)
    return (
        f"{at} a trade back to the mean pays from {formats.number(least, 1)} standard deviations "
        f"of this residual, most at {formats.number(entry.level, 1)}: one in about "
        f"{entry.length:,.0f} bars, {earned} bps of both legs after costs, if the "
        "residual goes on as fitted (Zeng & Lee 2014)."
    )


def worth_of_legs(result: PairAnalytics) -> float:
    """Value of both legs of one unit of the residual, in its own unit; NaN where it is not known.

    A change of the residual by this share of itself is a return on the money in both legs.
    """
    y, x = float(result.y.iloc[-1]), float(result.x.iloc[-1])
    line, kind = result.engle_granger, result.params.spread
    if kind == "ratio":
        return 2.0 * y / x
    beta = 1.0
    if result.params.uses_beta:
        beta = abs(line.beta) if isinstance(line, EngleGrangerResult) else math.nan
    return 1.0 + beta if kind == "log" else y + beta * x
