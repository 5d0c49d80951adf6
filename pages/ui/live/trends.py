"""Short histories behind the figures: β, p-value and half-life over windows that trail.

Each value sees the bars of its own window only. They are made anew when a step of the range has
passed, not at every bar: a sparkline of sixteen points has nothing new to say before.
"""

from collections.abc import Hashable
from typing import Final

import pandas as pd

from analytics.evidence.stability import Stability, stability
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import PairAnalytics
from pages.ui.desk.pair_data import PairBars
from pages.ui.state.once import Once

STEPS: Final = 16
PATH_STEPS: Final = 40

Trend = Stability | NotEnough | Degenerate

_trends: Final[Once[Trend]] = Once(16)


def relation(result: PairAnalytics, bars: PairBars) -> Trend:
    """Follow the relation in a few steps, for sparklines."""
    legs = result.sample.y, result.sample.x
    every = max(1, len(legs[0]) // STEPS)
    step_us = every * result.params.bar.us
    index = pd.DatetimeIndex(legs[0].index)
    last_us = int(index.as_unit("us").asi8[-1])
    cut = pd.Timestamp(last_us // step_us * step_us, unit="us", tz="UTC")
    y, x = (leg.loc[:cut] for leg in legs)
    source = bars.key[0] if isinstance(bars.key, tuple) else bars.key
    return _follow(y, x, (source, result.params, len(y), cut), STEPS)


def path(result: PairAnalytics, bars: PairBars) -> Trend:
    """Follow the relation in more steps, up to the latest bar."""
    y, x = result.sample.y, result.sample.x
    return _follow(y, x, (bars.key, result.params), PATH_STEPS)


def _follow(y: pd.Series, x: pd.Series, key: Hashable, steps: int) -> Trend:
    return _trends.get((key, steps), lambda: attempt(lambda: stability(y, x, steps=steps)))
