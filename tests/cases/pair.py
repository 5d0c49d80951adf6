"""A pair of legs, analysed."""

from typing import TypedDict, Unpack

import numpy as np
import pandas as pd

from analytics.bars import resample_ticks
from analytics.frames import utc_index
from analytics.pair import PairAnalytics, PairParams, analyse_pair
from analytics.pair.gates import Gates
from analytics.spread import CorrelationOn, SpreadKind

START_US = 1_723_161_600_000_000  # 2024-08-09 00:00:00 UTC


def leg(
    prices: np.ndarray, *, skip: tuple[int, ...] = (), quiet: tuple[int, ...] = ()
) -> pd.DataFrame:
    """Bars with one trade a second; `skip` loses trades with their ids, `quiet` without."""
    seconds = [i for i in range(len(prices)) if i not in quiet]
    ticks = pd.DataFrame(
        {
            "symbol": "X",
            "price": prices[seconds],
            "quantity": 1.0,
            "trade_id": np.arange(len(seconds)),
        },
        index=utc_index(START_US + np.array(seconds, dtype=np.int64) * 1_000_000),
    )
    keep = [i not in skip for i in seconds]
    return resample_ticks(ticks[keep], "1s")


def price_paths(n: int = 300, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = 2600 + rng.normal(size=n).cumsum()
    y = 5000 + 20 * x + rng.normal(size=n) * 5
    return np.round(y, 2), np.round(x, 2)


class PairChoices(TypedDict, total=False):
    """Options of `PairParams`."""

    interval: str
    lookback: int | None
    window: int
    spread: SpreadKind
    hedge: str
    sell_above: float
    buy_below: float
    correlation_on: CorrelationOn
    level: float
    hedge_window: int | None
    gates: Gates


def params(**changes: Unpack[PairChoices]) -> PairParams:
    return PairParams("BTCUSDT", "ETHUSDT", **changes)


def analyse(n: int = 300, **changes: Unpack[PairChoices]) -> PairAnalytics:
    y, x = price_paths(n)
    return analyse_pair(leg(y), leg(x), params(**changes))
