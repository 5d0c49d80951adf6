"""The tests of a pair whose sample moves on with each bar, by sums carried from bar to bar.

A test by itself sums the products of 86,400 bars with each lag; the sums of the sample before are a
bar more and a bar less away from them. They are renewed every `RENEW` bars and where the market has
become so quiet that larger moves, gone since, would show in their last digits. So figures differ
from those of the tests by themselves in the last digits only; where more would be lost, there is
none, and the test by itself decides.

Missing bars are left out of the sums, as if those on both sides were neighbours; a test takes the
few rows that reach over them off its products again, so that it joins nothing across a gap.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.series import same_bits
from analytics.stationarity.adf import ADFResult, HalfLife, adf_of_fit, half_life_of_fit
from analytics.stationarity.dickey_fuller import (
    AUTO_LAGS,
    MOST_JOINS,
    NOISE,
    TREND_TERMS,
    AutoLag,
    DickeyFullerFit,
    Trend,
    joins_of,
    lags_between,
    schwert_max_lags,
)
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_of_fit
from analytics.stationarity.level_sums import LineOfSums

# Fewer bars are tested by themselves as quickly.
LEAST_BARS: Final = 200
RENEW: Final = 1_000
_NO_JOINS: Final = np.empty(0, dtype=np.int64)
# Least share of the largest sum since the last renewal: 3 digits lost of 16.
_QUIET = 1e-3
# A regression whose residual is nearer to the rounding of the levels is the tests' own to judge.
_ABOVE_NOISE = 1e3


@dataclass(frozen=True, eq=False)
class SampleSums(LineOfSums):
    """Sums of the levels and of the lagged changes of two legs, their missing bars left out.

    Attributes
    ----------
    first
        Number of the first known bar, counted from one that all samples which move on share.
    y, x
        Prices or their logarithms of the known bars, shape (n,); not copied where none is missing,
        and never to be written to.
    lagged, levels
        As `analytics.kernels.sample_sums` has them.
    largest
        Largest squares since the last renewal.
    age
        Bars that came and went since then.
    start
        Number of the sample's first bar, counted in bars from the epoch.
    known
        Which of its bars both legs know; None where that is all.
    joins
        Numbers of the changes that stand for missing bars: tests reach over none of them.
    """

    first: int
    y: FloatArray
    x: FloatArray
    lagged: FloatArray
    levels: FloatArray
    largest: FloatArray
    age: int
    start: int = 0
    known: BoolArray | None = None
    joins: IntArray = field(default_factory=lambda: _NO_JOINS)

    @classmethod
    def of(
        cls, first: int, y: FloatArray, x: FloatArray, before: "SampleSums | None" = None
    ) -> "SampleSums | None":
        """Sum a sample, from the sums of the one before where that is quicker.

        None for a sample with too few known bars, or cut into too many pieces by missing ones.
        """
        if y.size < LEAST_BARS:
            return None
        known, joins = _known(y, x)
        if known is not None:
            y, x = y[known], x[known]
            if y.size < LEAST_BARS or joins.size > MOST_JOINS:
                return None
        sums = None if before is None else before._moved(before.first + before._gone(first), y, x)
        sums = _summed(first, y, x) if sums is None else sums
        return replace(sums, start=first, known=known, joins=joins)

    def _gone(self, start: int) -> int:
        """Count the known bars before another start; negative for one before this."""
        left = start - self.start
        return left if left < 0 or self.known is None else int(np.count_nonzero(self.known[:left]))

    def _moved(self, first: int, y: FloatArray, x: FloatArray) -> "SampleSums | None":
        """Move on to another sample; None where it shares too little, or other bars, with this."""
        from analytics.kernels.sample_sums import move_sums  # noqa: PLC0415 - numba, when needed

        left = first - self.first
        kept = self.y.size - left
        age = self.age + left + y.size - kept
        if left < 0 or not y.size // 2 < kept <= y.size or age > RENEW:
            return None
        if self.lagged.shape[1] != schwert_max_lags(y.size, "n") + 1:
            return None
        if not (same_bits(self.y[left:], y[:kept]) and same_bits(self.x[left:], x[:kept])):
            return None
        if not np.isfinite([y[kept:], x[kept:]]).all():
            return None
        lagged, levels = self.lagged.copy(), self.levels.copy()
        move_sums(self.y, self.x, y, x, left, lagged, levels)
        largest = np.maximum(self.largest, _squares(lagged, levels))
        moved = SampleSums(first, y, x, lagged, levels, largest, age)
        return None if moved._is_worn() else moved

    def _is_worn(self) -> bool:
        yy, xx, _ = self.centred
        now = np.array([yy, xx, *_squares(self.lagged, self.levels)[2:]])
        return not (now >= _QUIET * self.largest).all()

    @property
    def bars(self) -> int:  # type: ignore[override] # not kept beside the bars themselves
        """Known bars of the sample."""
        return self.y.size

    @property
    def missing(self) -> int:
        """Bars of the sample that either leg lacks."""
        return 0 if self.known is None else self.known.size - self.y.size

    @cached_property
    def swapped(self) -> "SampleSums":
        """The same with the legs' parts exchanged."""
        return SampleSums(
            self.first,
            self.x,
            self.y,
            self.lagged[::-1].copy(),
            self.levels[[1, 0, 3, 2, 5, 4, 6]],
            self.largest[[1, 0, 3, 2]],
            self.age,
            self.start,
            self.known,
            self.joins,
        )

    @cached_property
    def line_fit(self) -> DickeyFullerFit | None:
        """The regression that Engle-Granger's test takes of the residual of y on x."""
        return self.dickey_fuller(self.beta, "n", None, "aic") if self.varies else None

    @cached_property
    def joined_fit(self) -> DickeyFullerFit | None:
        """The same with the bars on both sides of missing ones taken as neighbours."""
        return self.line_fit if self.known is None else replace(self, joins=_NO_JOINS).line_fit

    def dickey_fuller(
        self, slope: float, trend: Trend, max_lags: int | None, autolag: AutoLag | None
    ) -> DickeyFullerFit | None:
        """Fit the regression of y - slope * x less its mean; None where digits would be lost.

        `trend` is "n" or "c"; see `analytics.stationarity.dickey_fuller`.
        """
        from analytics.kernels.adf import FIT_SIZE  # noqa: PLC0415 - numba, when needed
        from analytics.kernels.sample_sums import fit_on_sums  # noqa: PLC0415 - numba, when needed

        terms, bars = TREND_TERMS[trend], self.y.size
        most = lags_between(self.joins, bars, trend) if max_lags is None else max_lags
        criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
        figures = np.empty(FIT_SIZE)
        sums = (self.lagged, self.levels)
        lags = fit_on_sums(
            self.y, self.x, slope, *sums, self.joins, terms, most, criterion, figures
        )
        if lags < 0:
            return None
        stat, coefficient, stderr, rest = figures.tolist()
        nobs = self._rows(lags)
        y_mean, x_mean = self.means
        size = abs(y_mean) + abs(slope * x_mean)
        if rest <= _ABOVE_NOISE * NOISE * size * math.sqrt(nobs):
            return None
        residual_std = rest / math.sqrt(nobs - terms - 1 - lags)
        return DickeyFullerFit(stat, coefficient, stderr, lags, nobs, most, residual_std)

    def _rows(self, lags: int) -> int:
        """Count the rows of a regression of so many lags."""
        from analytics.kernels.adf import rows_over  # noqa: PLC0415 - numba, when needed

        changes = self.y.size - 1
        return changes - lags - rows_over(self.joins, lags, changes)

    def engle_granger(self, dependent: str, regressor: str) -> EngleGrangerResult | None:
        """`engle_granger_test` of y on x; None where it has to be asked itself."""
        if self.line_fit is None:
            return None
        line, bars = (self.beta, self.alpha), self.y.size
        return engle_granger_of_fit(self.line_fit, "c", "aic", bars, line, (dependent, regressor))

    def adf(self, slope: float) -> ADFResult | None:
        """`adf_test` of y - slope * x; None where it has to be asked itself."""
        fit = self.dickey_fuller(slope, "c", None, "aic")
        return None if fit is None else adf_of_fit(fit, "c", "aic")

    def half_life(self, slope: float) -> HalfLife | None:
        """`half_life` of y - slope * x; None where it has to be asked itself."""
        fit = self.dickey_fuller(slope, "c", 0, None)
        return None if fit is None else half_life_of_fit(fit, self.y.size)


def _known(y: FloatArray, x: FloatArray) -> tuple[BoolArray | None, IntArray]:
    """Mark the bars that both legs know, and number the changes that reach over others."""
    # One NaN makes the least value NaN.
    if not math.isnan(y.min() + x.min()):
        return None, _NO_JOINS
    known = ~(np.isnan(y) | np.isnan(x))
    return known, joins_of(np.flatnonzero(known))


def _summed(first: int, y: FloatArray, x: FloatArray) -> SampleSums:
    from analytics.kernels.sample_sums import (  # noqa: PLC0415 - numba, when needed
        LAGGED_ROWS,
        LEVEL_SUMS,
        sum_sample,
    )

    lagged = np.empty((LAGGED_ROWS, schwert_max_lags(y.size, "n") + 1))
    levels = np.empty(LEVEL_SUMS)
    sum_sample(y, x, lagged, levels)
    return SampleSums(first, y, x, lagged, levels, _squares(lagged, levels), 0)


def _squares(lagged: FloatArray, levels: FloatArray) -> FloatArray:
    """Squares of both legs' levels about their anchors, and of their changes."""
    return np.array([*levels[4:6], lagged[0, 0], lagged[-1, 0]])
