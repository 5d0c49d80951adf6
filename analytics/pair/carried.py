"""What an analysis leaves to the next one of the same pair, a few bars later."""

from dataclasses import dataclass

from analytics.frames import FloatArray
from analytics.stationarity import SampleSums
from analytics.trailing import TrailingPath


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Sums of the sample, and the trailing paths of spread and correlation; None where it has none.

    Of a long range that moves on, `moving` (`analytics.pair.moving.Moving`) has all paths. Each
    knows of which bars it is, and moves on where these are the same to the bit.
    """

    sums: SampleSums | None = None
    moments: TrailingPath | None = None
    correlation: TrailingPath | None = None
    moving: object = None


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where an analysis begins.

    Attributes
    ----------
    first
        Number of its first bar, counted in bars from the epoch.
    before
        What an analysis before left; None where none was given.
    """

    first: int = 0
    before: Carried | None = None

    def sums_of(self, y: FloatArray, x: FloatArray, row: int) -> SampleSums | None:
        """Sum a sample that begins at a row: only where one was before, so that more may follow."""
        if self.before is None:
            return None
        return SampleSums.of(self.first + row, y, x, self.before.sums)

    @property
    def moments(self) -> TrailingPath | None:
        """The spread's moments before."""
        return None if self.before is None else self.before.moments

    @property
    def correlation(self) -> TrailingPath | None:
        """The correlation before."""
        return None if self.before is None else self.before.correlation
