"""Short histories behind the figures: β, p-value and half-life over windows that trail.

Each value sees the bars of its own window only. They are made anew when a step of the range has
passed, not at every bar: a sparkline of sixteen points has nothing new to say before.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from analytics.evidence.stability import Stability, stability
from analytics.frames import bar_times_us
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import PairAnalytics
from pages.ui.desk.pair_data import PairBars
from pages.ui.state.once import Once

STEPS: Final = 16
PATH_STEPS: Final = 40

Trend = Stability | NotEnough | Degenerate

# A handful of numbers each, kept for as many pairs as are looked at side by side.
_trends: Final[Once[Trend]] = Once(256)


@dataclass(frozen=True, slots=True)
class Step:
    """The latest whole step of a sample: its rows, and the key of what is computed of them."""

    rows: slice
    key: Hashable


def step_of(result: PairAnalytics, bars: PairBars) -> Step:
    """Cut the sample at its latest whole step, a sixteenth of it."""
    index, params = result.sample.y.index, result.params
    every = max(1, len(index) // STEPS)
    step_us = every * params.bar.us
    times_us = bar_times_us(index)
    cut_us = int(times_us[-1]) // step_us * step_us
    rows = slice(0, int(np.searchsorted(times_us, cut_us, side="right")))
    if bars.last and len(times_us) == params.sample:
        # With each new bar the oldest goes: what the sample has through all of a step stands still.
        rows = slice(rows.stop - (len(times_us) - every + 1), rows.stop)
    # A new bar leaves the epochs as they are; what is repaired among the old ones changes them.
    return Step(
        rows, (line_of(result, bars), bars.closed.epochs, int(times_us[rows.start]), cut_us)
    )


def line_of(result: PairAnalytics, bars: PairBars) -> Hashable:
    """Name what moves on with each bar: the source and the parameters."""
    return (_source_of(bars), result.params, STEPS)


def relation(result: PairAnalytics, bars: PairBars) -> Trend:
    """Follow the relation in a few steps, for sparklines."""
    step, legs = step_of(result, bars), (result.sample.y, result.sample.x)
    follow = partial(_follow, *legs, step.rows, STEPS, result.params.level)
    return _trends.get(step.key, follow, line_of(result, bars))


def path(result: PairAnalytics, bars: PairBars) -> Trend:
    """Follow the relation in more steps, up to the latest bar."""
    y, x = result.sample.y, result.sample.x
    line = (_source_of(bars), result.params, PATH_STEPS)
    follow = partial(_follow, y, x, slice(None), PATH_STEPS, result.params.level)
    return _trends.get((line, bars.key), follow, line)


def _source_of(bars: PairBars) -> Hashable:
    return bars.key[0] if isinstance(bars.key, tuple) else bars.key


def _follow(y: pd.Series, x: pd.Series, rows: slice, steps: int, level: float) -> Trend:
    """Follow the relation; a half-life only where the window shows a return."""
    found = attempt(lambda: stability(y.iloc[rows], x.iloc[rows], steps=steps))
    if not isinstance(found, Stability):
        return found
    return replace(found, table=found.table.assign(half_life=found.half_lives(level)))
