"""The tests of a pair whose sample moves on with each bar, by sums carried from bar to bar.

A test by itself sums the products of 86,400 bars with each lag; the sums of the sample before are a
bar more and a bar less away from them. They are renewed every `RENEW` bars and where the market has
become so quiet that larger moves, gone since, would show in their last digits. So figures differ
from those of the tests by themselves in the last digits only; where more would be lost, there is
none, and the test by itself decides.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from analytics.frames import FloatArray
from analytics.series import same_bits
from analytics.stationarity.adf import ADFResult, HalfLife, adf_of_fit, half_life_of_fit
from analytics.stationarity.dickey_fuller import (
    AUTO_LAGS,
    NOISE,
    TREND_TERMS,
    AutoLag,
    DickeyFullerFit,
    Trend,
    schwert_max_lags,
)
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_of_fit
from analytics.stationarity.level_sums import LineOfSums

# Fewer bars are tested by themselves as quickly.
LEAST_BARS: Final = 200
RENEW: Final = 1_000
# Least share of the largest sum since the last renewal: 3 digits lost of 16.
_QUIET = 1e-3
# A regression whose residual is nearer to the rounding of the levels is the tests' own to judge.
_ABOVE_NOISE = 1e3


@dataclass(frozen=True, eq=False)
class SampleSums(LineOfSums):
    """Sums of the levels and of the lagged changes of two legs, no bar missing.

    Attributes
    ----------
    first
        Number of the first bar, counted in bars from the epoch.
    y, x
        Prices or their logarithms, shape (n,); not copied, and never to be written to.
    lagged, levels
        As `analytics.kernels.sample_sums` has them.
    largest
        Largest squares since the last renewal.
    age
        Bars that came and went since then.
    """

    first: int
    y: FloatArray
    x: FloatArray
    lagged: FloatArray
    levels: FloatArray
    largest: FloatArray
    age: int

    @classmethod
    def of(
        cls, first: int, y: FloatArray, x: FloatArray, before: "SampleSums | None" = None
    ) -> "SampleSums | None":
        """Sum a sample, from the sums of the one before where that is quicker.

        None for a sample with missing bars, or too short a one.
        """
        if y.size < LEAST_BARS:
            return None
        moved = None if before is None else before._moved(first, y, x)
        if moved is not None:
            return moved
        return None if math.isnan(y.min() + x.min()) else _summed(first, y, x)

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
    def bars(self) -> int:  # type: ignore[override] # no bar is missing
        """Bars of the sample."""
        return self.y.size

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
        )

    @cached_property
    def line_fit(self) -> DickeyFullerFit | None:
        """The regression that Engle-Granger's test takes of the residual of y on x."""
        return self.dickey_fuller(self.beta, "n", None, "aic") if self.varies else None

    def dickey_fuller(
        self, slope: float, trend: Trend, max_lags: int | None, autolag: AutoLag | None
    ) -> DickeyFullerFit | None:
        """Fit the regression of y - slope * x less its mean; None where digits would be lost.

        `trend` is "n" or "c"; see `analytics.stationarity.dickey_fuller`.
        """
        from analytics.kernels.adf import FIT_SIZE  # noqa: PLC0415 - numba, when needed
        from analytics.kernels.sample_sums import fit_on_sums  # noqa: PLC0415 - numba, when needed

        terms, bars = TREND_TERMS[trend], self.y.size
        most = schwert_max_lags(bars, trend) if max_lags is None else max_lags
        criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
        figures = np.empty(FIT_SIZE)
        sums = (self.lagged, self.levels)
        lags = fit_on_sums(self.y, self.x, slope, *sums, terms, most, criterion, figures)
        if lags < 0:
            return None
        stat, coefficient, stderr, rest = figures.tolist()
        nobs = bars - 1 - lags
        y_mean, x_mean = self.means
        size = abs(y_mean) + abs(slope * x_mean)
        if rest <= _ABOVE_NOISE * NOISE * size * math.sqrt(nobs):
            return None
        residual_std = rest / math.sqrt(nobs - terms - 1 - lags)
        return DickeyFullerFit(stat, coefficient, stderr, lags, nobs, most, residual_std)

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
