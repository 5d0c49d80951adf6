"""Whether the spread pays for its costs: from how far out, how often, how much."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from analytics.backtest import FREE, FUTURES, SPOT, Costs, Entry, best_entry, worth_of_legs
from analytics.pair import PairAnalytics
from analytics.stationarity import EngleGrangerResult, HalfLife
from pages.ui.parts import formats
from pages.ui.parts.judge import shows_return
from pages.ui.state import choices
from pages.ui.state.once import once_for_each

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
    costs = replace(costs, liquidity="maker" if is_maker else "taker", half_spread_bps=half_spread)
    return costs.fee_bps + costs.spread_bps


def payment_words(result: PairAnalytics, bps: float) -> list[str]:
    """Say from where a trade back to the mean pays at a cost of a fill above 0.

    [] where no return is shown, or its speed has no median-unbiased estimate.
    """
    if bps <= 0 or not shows_return(result):
        return []
    halving, deviation, worth = _fitted(result)
    if not (halving > 0 and deviation > 0 and worth > 0):
        return []
    cost = _FILLS * worth * bps / 1e4
    entry = _best(halving, deviation, cost)
    at = f"At {formats.number(bps, 1)} bps a fill"
    least, bars = cost / deviation, len(result.sample.y)
    if entry.length <= bars:
        return [_pays(at, entry, least, worth)]
    sentence = (
        f"{at} this spread does not pay: its costs are {formats.number(least, 1)} standard "
        "deviations of its residual, and a trade from where it would earn most comes less than "
        f"once in these {bars:,} bars."
    )
    return [sentence]


@once_for_each
def _fitted(result: PairAnalytics) -> tuple[float, float, float]:
    """Half-life (bars), deviation, and what both legs are worth; NaN where not known."""
    half_life, residual = result.half_life, result.residual
    if not (isinstance(half_life, HalfLife) and isinstance(residual, pd.Series)):
        return math.nan, math.nan, math.nan
    deviation = float(np.nanstd(residual.to_numpy()))
    return half_life.median_unbiased, deviation, worth_of(result)


def _pays(at: str, entry: Entry, least: float, worth: float) -> str:
    earned = formats.number(entry.profit / worth * 1e4, 1)
    return (
        f"{at} a trade back to the mean pays from {formats.number(least, 1)} standard deviations "
        f"of this residual, most at {formats.number(entry.level, 1)}: one in about "
        f"{entry.length:,.0f} bars, {earned} bps of both legs after costs, if the "
        "residual goes on as fitted (Zeng & Lee 2014)."
    )


def worth_of(result: PairAnalytics) -> float:
    """Value of both legs of one unit of the residual, in its own unit; NaN where it is not known.

    A change of the residual by this share of itself is a return on the money in both legs.
    """
    line = result.engle_granger
    beta = line.beta if isinstance(line, EngleGrangerResult) else math.nan
    y, x = (leg.to_numpy(dtype=np.float64)[-1:] for leg in (result.y, result.x))
    return float(worth_of_legs(result.params.spread, y, x, np.array([beta]))[0])
