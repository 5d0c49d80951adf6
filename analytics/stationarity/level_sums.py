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
# The least that the line may leave, so that the residual has its digits: a share of the squares of
# what was summed, of those of y, and of the levels.
_LEAST_OF_SUMMED: Final = 1e-4
_LEAST_OF_Y: Final = 1e-12
_LEAST_OF_LEVELS: Final = 1e-11
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
    slope
        What was summed is y - slope * x. Near the line it is small, and what the line leaves of y
        keeps the digits that the difference of two large sums would lose.
    """

    bars: int
    levels: FloatArray
    slope: float = 0.0

    @cached_property
    def centred(self) -> tuple[float, float, float]:
        """Sums of squares and of products about the means: yy, xx, yx, of y - slope * x for y."""
        _, _, y_sum, x_sum, yy, xx, yx = self.levels.tolist()
        bars = self.bars
        return yy - y_sum * y_sum / bars, xx - x_sum * x_sum / bars, yx - y_sum * x_sum / bars

    @cached_property
    def _means(self) -> tuple[float, float]:
        """Mean of what was summed, and of x."""
        y_anchor, x_anchor, y_sum, x_sum, *_ = self.levels.tolist()
        return y_anchor + y_sum / self.bars, x_anchor + x_sum / self.bars

    @cached_property
    def means(self) -> tuple[float, float]:
        """Mean of y and of x."""
        y_mean, x_mean = self._means
        return y_mean + self.slope * x_mean, x_mean

    @cached_property
    def squares(self) -> tuple[float, float, float]:
        """Sums of squares of y, of x and of the residual of y on x and a constant."""
        yy, xx, yx = self.centred
        return self._y_squares, xx, yy - yx * yx / xx

    @cached_property
    def _y_squares(self) -> float:
        yy, xx, yx = self.centred
        return yy + self.slope * (2.0 * yx + self.slope * xx)

    @cached_property
    def _more(self) -> float:
        """Slope of what was summed on x."""
        _, xx, yx = self.centred
        return yx / xx

    @property
    def beta(self) -> float:
        """Least-squares slope of y on x, with a constant."""
        return self.slope + self._more

    @property
    def alpha(self) -> float:
        """That constant."""
        y_mean, x_mean = self._means
        return y_mean - self._more * x_mean

    @cached_property
    def varies(self) -> bool:
        """Whether both legs move so much that sums of squares say how much."""
        y_mean, x_mean = self.means
        yy, xx = self._y_squares, self.centred[1]
        least = _LEAST_VARIATION**2 * self.bars
        return yy > least * y_mean * y_mean and xx > least * x_mean * x_mean

    @cached_property
    def has_rest(self) -> bool:
        """Whether the line leaves so much of y that the residual has its digits."""
        y_mean, x_mean = self.means
        yy, _, rest = self.squares
        level = _LEAST_OF_LEVELS * (abs(y_mean) + abs(self.slope * x_mean))
        return (
            rest > _LEAST_OF_Y * yy
            and rest > _LEAST_OF_SUMMED * self.centred[0]
            and rest > self.bars * level * level
        )


@dataclass(frozen=True, eq=False)
class LevelSums(LineOfSums):
    """Sums of the levels of two legs over a stretch of bars; missing bars are left out.

    Attributes
    ----------
    first, stop
        Numbers of the first bar and of the one after the last, counted in bars from the epoch.
    bars, levels, slope
        As `LineOfSums` has them; the slope is that of the line as they were taken anew.
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
    slope: float = 0.0

    @classmethod
    def of(cls, first: int, y: FloatArray, x: FloatArray) -> "LevelSums | None":
        """Sum bars that begin at number `first`; None for fewer than 3 known ones."""
        known = ~(np.isnan(y) | np.isnan(x))
        bars = int(np.count_nonzero(known))
        if bars < _LEAST_BARS:
            return None
        if bars < y.size:
            y, x = y[known], x[known]
        span = first, first + known.size
        rough = cls._summed(span, y, x, 0.0)
        return cls._summed(span, y, x, rough.beta) if rough.varies else rough

    @classmethod
    def _summed(
        cls, span: tuple[int, int], y: FloatArray, x: FloatArray, slope: float
    ) -> "LevelSums":
        from analytics.kernels.sample_sums import LEVEL_SUMS, sum_levels  # noqa: PLC0415 - numba

        levels = np.empty(LEVEL_SUMS)
        sum_levels(y - slope * x, x, levels)
        return cls(*span, y.size, levels, (levels[4], levels[5]), 0, slope)

    def moved(
        self, left: tuple[FloatArray, FloatArray], came: tuple[FloatArray, FloatArray]
    ) -> "LevelSums | None":
        """Move on by the bars of y and x that left at the start and those that came at the end.

        None where digits would be lost: they are to be summed anew.
        """
        from analytics.kernels.sample_sums import move_levels  # noqa: PLC0415 - numba, when needed

        gone, new = left[0].size, came[0].size
        levels = self.levels.copy()
        y_left, y_came = left[0] - self.slope * left[1], came[0] - self.slope * came[1]
        bars = self.bars + move_levels(y_left, left[1], y_came, came[1], levels)
        age = self.age + gone + new
        if bars < _LEAST_BARS or age > _RENEW:
            return None
        _, _, _, _, yy, xx, _ = levels.tolist()
        largest = max(self.largest[0], yy), max(self.largest[1], xx)
        span = self.first + gone, self.stop + new
        moved = LevelSums(*span, bars, levels, largest, age, self.slope)
        return None if moved._is_worn() else moved

    def _is_worn(self) -> bool:
        yy, xx, _ = self.centred
        if not (yy >= _QUIET * self.largest[0] and xx >= _QUIET * self.largest[1]):
            return True
        return self.varies and not self.has_rest
