"""A leg of a pair as arrays: closed bars of one symbol, on a grid without holes."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.errors import FrameError
from analytics.frames import (
    COVERAGE,
    BoolArray,
    FloatArray,
    IntArray,
    bar_times_us,
    check_bars,
    closed_bars,
    utc_index,
)
from analytics.growing import Growing
from analytics.spread import log_returns

CodeArray = npt.NDArray[np.int8]
# Of so many bars a copy at each new one costs more than all that is new.
_LONG_LEG: Final = 100_000

TRADED, QUIET, MISSING = range(len(COVERAGE))
_CODES: Final = {name: code for code, name in enumerate(COVERAGE)}


@dataclass(frozen=True, eq=False)
class Leg:
    """Closed bars of one symbol. Its arrays are never written to.

    Attributes
    ----------
    start_us, step_us
        Open of the first bar, µs since the epoch, UTC, and the length of a bar.
    close
        Quote currency; NaN where missing. float64, contiguous.
    volume, trades
        Base currency; NaN and 0 where missing.
    coverage
        `TRADED`, `QUIET` or `MISSING`, int8.
    open, high, low
        Quote currency, NaN where missing; None where only closes are known. Drawn, never computed
        with.
    whole
        The leg that this one is a part of; it knows the bar before the first.
    """

    start_us: int
    step_us: int
    close: FloatArray
    volume: FloatArray
    trades: IntArray
    coverage: CodeArray
    open: FloatArray | None = None
    high: FloatArray | None = None
    low: FloatArray | None = None
    whole: "Leg | None" = field(default=None, repr=False)

    @classmethod
    def of(cls, bars: pd.DataFrame, step_us: int, what: str = "a bars frame") -> "Leg":
        """Take the closed bars of a frame.

        Parameters
        ----------
        bars
            A bars frame; the bar that still forms (``attrs["forming"]``) is left out.
        step_us
            Length of a bar, for a frame too short to show it.
        what
            Names the frame in messages.

        Raises
        ------
        FrameError
            No bars frame.
        """
        check_bars(bars, what)
        closed = closed_bars(bars)
        times_us = bar_times_us(closed.index)
        return cls(
            start_us=int(times_us[0]) if times_us.size else 0,
            step_us=int(times_us[1] - times_us[0]) if times_us.size > 1 else step_us,
            close=_own(closed["close"]),
            volume=_own(closed["volume"]),
            trades=np.array(closed["trades"].to_numpy(dtype=np.int64)),
            coverage=coverage_codes(closed["coverage"]),
            open=_own(closed["open"]),
            high=_own(closed["high"]),
            low=_own(closed["low"]),
        )

    def __len__(self) -> int:
        return self.close.size

    @property
    def end_us(self) -> int:
        """Open of the last bar; meaningless without any."""
        return self.start_us + (len(self) - 1) * self.step_us

    @property
    def index(self) -> pd.DatetimeIndex:
        """Open of each bar, UTC."""
        end_us = self.start_us + len(self) * self.step_us
        return utc_index(np.arange(self.start_us, end_us, self.step_us, dtype=np.int64))

    @cached_property
    def log_returns(self) -> FloatArray:
        """Log return of each bar over the one before, NaN without one: see `log_returns`."""
        if self.whole is None:
            return log_returns(self.close)
        first = (self.start_us - self.whole.start_us) // self.step_us
        return self.whole.log_returns[first : first + len(self)]

    def continue_returns(self, earlier: "Leg") -> None:
        """Take over the log returns of an earlier state of the same bars; later bars add theirs.

        The caller knows that the bars which both hold are equal. Prices that have no logarithm are
        left for `log_returns` to refuse.
        """
        first = (self.start_us - earlier.start_us) // self.step_us
        known = len(earlier) - first
        if "log_returns" not in vars(earlier) or first < 0 or not 0 < known <= len(self):
            return
        if (self.close[known:] <= 0).any():
            return
        more = log_returns(self.close[known - 1 :])[1:]
        if len(self) < _LONG_LEG:
            kept = earlier.log_returns[first:].copy()
            kept[0] = np.nan
            vars(self)["log_returns"] = np.concatenate([kept, more])
            return
        grown = vars(earlier).get("_grown_returns") or Growing.of(earlier.log_returns)
        vars(self)["_grown_returns"] = grown = grown.moved(first, more)
        # That of the first bar is over one before it, which is right, and known no more.
        vars(self)["log_returns"] = grown.values

    @cached_property
    def traded(self) -> BoolArray:
        """Whether each bar traded."""
        traded: BoolArray = self.coverage == TRADED
        return traded

    def part(self, start: int, stop: int) -> "Leg":
        """Rows from `start` to `stop`, as views."""
        if (start, stop) == (0, len(self)):
            return self
        rows = slice(start, stop)
        return Leg(
            self.start_us + start * self.step_us,
            self.step_us,
            self.close[rows],
            self.volume[rows],
            self.trades[rows],
            self.coverage[rows],
            **{
                name: None if values is None else values[rows]
                for name, values in (("open", self.open), ("high", self.high), ("low", self.low))
            },
            whole=self.whole or self,
        )

    def closed_by(self, time_us: int) -> "Leg":
        """The bars that close at a time or before, µs since the epoch, as views."""
        return self.part(0, min(max((time_us - self.start_us) // self.step_us, 0), len(self)))

    def last(self, bars: int) -> "Leg":
        """The last bars, as views."""
        return self.part(max(len(self) - bars, 0), len(self))


def align_legs(y: Leg, x: Leg, lookback: int | None = None) -> tuple[Leg, Leg]:
    """Cut two legs to the bars both span, and to the last `lookback` of them.

    Raises
    ------
    FrameError
        The legs have different intervals, or bars that open at different instants.
    """
    start_us, count = common_bars(y, x, lookback)
    return tuple(  # type: ignore[return-value] # two of them
        leg.part(first, first + count)
        for leg in (y, x)
        for first in ((start_us - leg.start_us) // leg.step_us if count else 0,)
    )


def common_bars(y: Leg, x: Leg, lookback: int | None = None) -> tuple[int, int]:
    """Find what `align_legs` cuts to: open of the first bar, µs, and how many there are.

    Raises
    ------
    FrameError
        As `align_legs`.
    """
    if not len(y) or not len(x):
        return 0, 0
    start, end = max(y.start_us, x.start_us), min(y.end_us, x.end_us)
    if y.step_us != x.step_us or (y.start_us - x.start_us) % y.step_us:
        raise FrameError(
            f"the legs have different bars: {len(y):,} of y every {y.step_us / 1e6:g} s, "
            f"{len(x):,} of x every {x.step_us / 1e6:g} s. Resample both to one interval"
        )
    count = max((end - start) // y.step_us + 1, 0)
    if lookback is not None and count > lookback:
        start, count = start + (count - lookback) * y.step_us, lookback
    return start, count


def coverage_codes(kinds: pd.Series) -> CodeArray:
    """Turn a coverage column into codes.

    Raises
    ------
    FrameError
        A word that is none of `COVERAGE`.
    """
    codes = pd.Categorical(kinds, categories=list(COVERAGE)).codes
    if (codes < 0).any():
        raise FrameError(f"coverage must be one of {', '.join(COVERAGE)}")
    return np.array(codes, dtype=np.int8)


def _own(column: pd.Series) -> FloatArray:
    """Copy a column: contiguous and writeable, the one layout that kernels are compiled for."""
    return np.array(column.to_numpy(dtype=np.float64, na_value=np.nan))


@dataclass(frozen=True, slots=True)
class PairCoverage:
    """How much of the pair's span is known, in bars.

    Attributes
    ----------
    bars
        Closed bars in the span both legs cover, after the lookback.
    known
        Bars with a close on both legs; the rest is `missing` on one or both.
    both_traded
        Bars in which both legs traded, so that neither price was carried.
    y_quiet, x_quiet, y_missing, x_missing
        Per leg.
    """

    bars: int
    known: int
    both_traded: int
    y_quiet: int
    x_quiet: int
    y_missing: int
    x_missing: int

    @property
    def missing(self) -> int:
        """Bars missing on either leg."""
        return self.bars - self.known

    @property
    def share_both_traded(self) -> float:
        """Bars in which both legs traded over all bars; NaN without any."""
        return self.both_traded / self.bars if self.bars else math.nan


def pair_coverage(y: CodeArray, x: CodeArray) -> PairCoverage:
    """Count the coverage codes of two aligned legs: see `analytics.leg.coverage_codes`."""
    kinds = len(COVERAGE)
    codes = y * np.int8(kinds) + x
    counts = [np.count_nonzero(codes == code) for code in range(kinds * kinds)]
    pairs = np.array(counts).reshape(kinds, kinds)
    both_known = pairs[:MISSING, :MISSING]
    y_counts, x_counts = pairs.sum(axis=1).tolist(), pairs.sum(axis=0).tolist()
    return PairCoverage(
        bars=y.size,
        known=int(both_known.sum()),
        both_traded=int(pairs[TRADED, TRADED]),
        y_quiet=y_counts[QUIET],
        x_quiet=x_counts[QUIET],
        y_missing=y_counts[MISSING],
        x_missing=x_counts[MISSING],
    )
