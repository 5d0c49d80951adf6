"""The least-squares line of a pair by sums of its levels, which move on with each bar."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from analytics.frames import FloatArray

# A leg whose deviation is a smaller share of its level is not one that sums of squares can judge.
_LEAST_VARIATION: Final = 1e-9
# Bars that may come and go before the sums are taken anew, and the least share of the largest sum
# since then: one digit lost of 16.
_RENEW: Final = 1_000
_QUIET: Final = 0.1
# The share of y's squares below which its difference from those of the line loses digits.
_LEAST_REST: Final = 1e-5
# Two coefficients need a third bar.
_LEAST_BARS: Final = 3


class LineOfSums:
    """The line of y on x that sums of levels stand for.

    Attributes
    ----------
    bars
        Known bars.
    levels
        As `analytics.kernels.sample_sums` has them.
    """

    bars: int
    levels: FloatArray

    @cached_property
    def centred(self) -> tuple[float, float, float]:
        """Sums of squares and of products about the means: yy, xx, yx."""
        _, _, y_sum, x_sum, yy, xx, yx = self.levels.tolist()
        bars = self.bars
        return yy - y_sum * y_sum / bars, xx - x_sum * x_sum / bars, yx - y_sum * x_sum / bars

    @cached_property
    def means(self) -> tuple[float, float]:
        """Mean of y and of x."""
        y_anchor, x_anchor, y_sum, x_sum, *_ = self.levels.tolist()
        return y_anchor + y_sum / self.bars, x_anchor + x_sum / self.bars

    @cached_property
    def squares(self) -> tuple[float, float, float]:
        """Sums of squares of y, of x and of the residual of y on x and a constant."""
        yy, xx, yx = self.centred
        return yy, xx, yy - yx * yx / xx

    @cached_property
    def beta(self) -> float:
        """Least-squares slope of y on x, with a constant."""
        _, xx, yx = self.centred
        return yx / xx

    @property
    def alpha(self) -> float:
        """That constant."""
        y_mean, x_mean = self.means
        return y_mean - self.beta * x_mean

    @cached_property
    def varies(self) -> bool:
        """Whether both legs move so much that sums of squares say how much."""
        y_mean, x_mean = self.means
        yy, xx, _ = self.centred
        least = _LEAST_VARIATION**2 * self.bars
        return yy > least * y_mean * y_mean and xx > least * x_mean * x_mean

    @property
    def has_rest(self) -> bool:
        """Whether the line leaves so much of y that the difference of sums says how much."""
        yy, _, rest = self.squares
        return rest > _LEAST_REST * yy


@dataclass(frozen=True, eq=False)
class LevelSums(LineOfSums):
    """Sums of the levels of two legs over a stretch of bars; missing bars are left out.

    Attributes
    ----------
    first, stop
        Numbers of the first bar and of the one after the last, counted in bars from the epoch.
    bars, levels
        As `LineOfSums` has them.
    largest
        Largest squares since the sums were last taken anew.
    age
        Bars that came and went since then.
    """

    first: int
    stop: int
    bars: int
    levels: FloatArray
    largest: tuple[float, float]
    age: int

    @classmethod
    def of(cls, first: int, y: FloatArray, x: FloatArray) -> "LevelSums | None":
        """Sum bars that begin at number `first`; None for fewer than 3 known ones."""
        from analytics.kernels.sample_sums import LEVEL_SUMS, sum_levels  # noqa: PLC0415 - numba

        known = ~(np.isnan(y) | np.isnan(x))
        bars = int(np.count_nonzero(known))
        if bars < _LEAST_BARS:
            return None
        levels = np.empty(LEVEL_SUMS)
        if bars == y.size:
            sum_levels(y, x, levels)
        else:
            sum_levels(y[known], x[known], levels)
        return cls(first, first + y.size, bars, levels, (levels[4], levels[5]), 0)

    def moved(
        self, left: tuple[FloatArray, FloatArray], came: tuple[FloatArray, FloatArray]
    ) -> "LevelSums | None":
        """Move on by the bars of y and x that left at the start and those that came at the end.

        None where digits would be lost: they are to be summed anew.
        """
        from analytics.kernels.sample_sums import move_levels  # noqa: PLC0415 - numba, when needed

        gone, new = left[0].size, came[0].size
        levels = self.levels.copy()
        bars = self.bars + move_levels(*left, *came, levels)
        age = self.age + gone + new
        if bars < _LEAST_BARS or age > _RENEW:
            return None
        _, _, _, _, yy, xx, _ = levels.tolist()
        largest = max(self.largest[0], yy), max(self.largest[1], xx)
        moved = LevelSums(self.first + gone, self.stop + new, bars, levels, largest, age)
        y_squares, x_squares, _ = moved.centred
        is_worn = not (y_squares >= _QUIET * largest[0] and x_squares >= _QUIET * largest[1])
        return None if is_worn else moved
