"""Gates: the choice of what must hold at a bar before its z-score may become a signal.

Each gate looks at bars up to its own only, so a gated signal is as causal as the z-score. Gates on
the data are on by default; gates on statistics are off, and with all off the plain rule runs.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import Interval

# Trailing windows that each test of a gate looks at.
_TEST_WINDOWS = 10
_LEAST_TEST_BARS = 100


@dataclass(frozen=True, slots=True)
class Gates:
    """Which gates are on, and where they close.

    Attributes
    ----------
    leg_stale, stale_after_s
        NEUTRAL when a leg has not traded for longer than this (seconds, in whole bars).
    window_covered, least_traded
        NEUTRAL when a leg traded in less than this share of the window's bars.
    enough_bars, least_bars
        NEUTRAL until so many bars are known on both legs; None for the window.
    pvalue
        NEUTRAL unless a return is shown at the level: by Engle-Granger of y on x where the spread
        has an estimated hedge ratio, whatever its method, by ADF of the spread where it has none.
    half_life
        NEUTRAL unless that test shows a return and its half-life is no longer than the window. The
        test is part of it: on ten windows an unrelated walk has a half-life shorter than one.

    The two on statistics are tested once every window, over the ten windows (100 bars or more)
    before; counted from the epoch, so that a bar's gate does not depend on where the range begins.
    Each test fits its own line to the bars that it looks at. A basket is tested every ten bars at
    most.
    """

    leg_stale: bool = True
    window_covered: bool = True
    enough_bars: bool = True
    pvalue: bool = False
    half_life: bool = False
    stale_after_s: float = 60.0
    least_traded: float = 0.1
    least_bars: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.stale_after_s) and self.stale_after_s > 0):
            raise ParameterError("stale_after_s", self.stale_after_s, "a finite number above 0")
        if not 0 <= self.least_traded <= 1:
            raise ParameterError("least_traded", self.least_traded, "a share from 0 to 1")
        least = self.least_bars
        if least is not None and (
            isinstance(least, bool) or not isinstance(least, int | np.integer) or least < 1
        ):
            raise ParameterError("least_bars", least, "a whole number, 1 or more, or None")

    def bars_before(self, window: int, interval: Interval) -> int:
        """Bars before its own that the gates which are on look at."""
        looked_at = [0]
        if self.leg_stale:
            looked_at.append(int(self.stale_after_s * 1e6 // interval.us) + 1)
        if self.window_covered:
            looked_at.append(window - 1)
        if self.enough_bars:
            looked_at.append((self.least_bars or window) - 1)
        if self.pvalue or self.half_life:
            # A test holds until the next one.
            looked_at.append(bars_of_test(window) + bars_between_refits(window) - 1)
        return max(looked_at)


def bars_of_test(window: int) -> int:
    """Bars that a test of a gate looks at."""
    return max(_TEST_WINDOWS * window, _LEAST_TEST_BARS)


def bars_between_refits(window: int) -> int:
    """Bars from one test of a basket to the next: a window, or a tenth of a short window's test."""
    return max(window, bars_of_test(window) // 10)


DATA_GATES: Final = Gates()
ALL_GATES: Final = Gates(pvalue=True, half_life=True)
NO_GATES: Final = Gates(leg_stale=False, window_covered=False, enough_bars=False)
