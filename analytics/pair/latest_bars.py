"""A leg's latest bars as readings see them: what all pairs of the leg share is made once."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.leg import TRADED, CodeArray, Leg
from analytics.spread import log_price, log_returns

# Bars looked at together, from the latest back.
_BLOCK: Final = 1_024
# Most kept with a leg: all its pairs need one for each range and window that they have.
_KEPT: Final = 16


class LatestBars:
    """The bars of a leg from one row to another, of which the last `bars` are looked at closely.

    Holds views of the leg's arrays, and not the leg, which keeps it.

    Attributes
    ----------
    close
        Of the last bars, shape (bars,) or shorter where there are fewer.
    range_close, range_coverage
        Of all bars of the range.
    last_close, last_coverage
        Of the latest bar.
    """

    def __init__(self, leg: Leg, start: int, stop: int, bars: int) -> None:
        low = max(stop - bars, start)
        self.close = leg.close[low:stop]
        self.range_close: FloatArray = leg.close[start:stop]
        self.range_coverage: CodeArray = leg.coverage[start:stop]
        self.last_close = float(leg.close[stop - 1])
        self.last_coverage = int(leg.coverage[stop - 1])
        self._close_before = leg.close[max(low - 1, 0) : stop]
        self._covered: dict[int, int] = {}

    @cached_property
    def log_close(self) -> FloatArray:
        """Logarithms of `close`."""
        return log_price(self.close, "a log spread")

    @cached_property
    def log_returns(self) -> FloatArray:
        """Log returns of the last bars; the leg knows the bar before them."""
        return log_returns(self._close_before)[self._close_before.size - self.close.size :]

    @cached_property
    def is_known(self) -> bool:
        """Whether none of the last bars is missing."""
        return not np.isnan(self.close).any()

    @cached_property
    def bars_untraded(self) -> int:
        """Bars of the range since the last one in which the leg traded."""
        size = self.range_coverage.size
        for start, stop in blocks_back(size):
            traded = np.flatnonzero(self.range_coverage[start:stop] == TRADED)
            if traded.size:
                return size - 1 - start - int(traded[-1])
        return size

    def bars_traded(self, window: int) -> int:
        """Bars of the latest `window` in which the leg traded."""
        count = self._covered.get(window)
        if count is None:
            count = int(np.count_nonzero(self.range_coverage[-window:] == TRADED))
            self._covered[window] = count
        return count


def latest_bars(leg: Leg, start_us: int, count: int, bars: int) -> LatestBars:
    """Give `count` bars of a leg from one on; the same to all that ask for the same."""
    whole = leg.whole or leg
    start = (start_us - whole.start_us) // whole.step_us
    key = start, start + count, bars
    kept: dict[tuple[int, int, int], LatestBars] = vars(whole).setdefault("_latest_bars", {})
    made = kept.get(key)
    if made is None:
        if len(kept) >= _KEPT:
            kept.clear()
        made = kept[key] = LatestBars(whole, *key)
    return made


def log_closes(leg: Leg, start: int, stop: int) -> FloatArray:
    """Give the logarithms of some rows of a leg; of a bar alone the same to all that ask for it."""
    if stop - start != 1:
        return log_price(leg.close[start:stop], "a log spread")
    whole = leg.whole or leg
    row = start + (leg.start_us - whole.start_us) // whole.step_us
    kept: dict[int, FloatArray] = vars(whole).setdefault("_log_closes", {})
    made = kept.get(row)
    if made is None:
        if len(kept) >= _KEPT:
            kept.clear()
        made = kept[row] = log_price(leg.close[start:stop], "a log spread")
    return made


def blocks_back(rows: int) -> Iterator[tuple[int, int]]:
    """Cut rows into blocks, the latest first."""
    return ((max(stop - _BLOCK, 0), stop) for stop in range(rows, 0, -_BLOCK))
