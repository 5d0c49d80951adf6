"""What was held out of a scan: whether the spread, with the earlier slope, still returns."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner.engine import FixedSlopes, SpanTests, scan_span
from analytics.scanner.moments import affordable_lags, own_products, sample
from analytics.scanner.verdict import dickey_fuller_pvalues, verdicts
from analytics.stationarity import (
    AUTO_LAGS,
    LEAST_DRAWS,
    WildDraws,
    adf_test,
    counted_pvalue,
    min_bars,
)

_LEAST_BARS: Final = min_bars("c")
# Rows drawn for: as many as keep it to a few seconds, bars times rows.
_MOST_ROW_BARS: Final = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """The better ordering of each pair: numbers of its legs, its slope and intercept."""

    swapped: BoolArray
    y: IntArray
    x: IntArray
    beta: FloatArray
    alpha: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Holdout:
    """The held-out part: its values, shape (symbols, bars), and how it is judged."""

    values: FloatArray
    is_log: bool
    level: float
    workers: int

    def columns(self, pairs: Ordered, found: BoolArray) -> dict[str, object]:
        """Test the held-out residual of the train part's slope.

        Of the pairs `found` in the train part, whose second finding would be believed, the larger
        of the plain p-value and the wild bootstrap's decides.
        """
        size, bars = pairs.y.size, self.values.shape[1]
        if bars < _LEAST_BARS:
            nothing = np.full(size, np.nan)
            return {
                "holdout_bars": np.full(size, bars), "holdout_stat": nothing,
                "holdout_pvalue": nothing, "holdout_pvalue_wild": nothing,
                "holdout_crossings": np.zeros(size, dtype=np.int64), "verdict": [""] * size,
            }  # fmt: skip
        from analytics.kernels.scan_lanes import STAT  # noqa: PLC0415 - numba, when needed
        from analytics.kernels.scan_paths import crossings  # noqa: PLC0415 - as above

        tests = scan_span(
            self.values, None, "aic", is_log=self.is_log,
            fixed_slopes=FixedSlopes(pairs.beta, pairs.y < pairs.x), workers=self.workers,
        )  # fmt: skip
        self._plain_tests(tests, pairs)
        stats = tests.results[0, :, STAT]
        pvalues = dickey_fuller_pvalues(stats)
        wild = self._wild(pairs, stats, found & (pvalues < self.level))
        crossed = crossings(self.values, pairs.y, pairs.x, pairs.beta, pairs.alpha)
        return {
            "holdout_bars": tests.bars, "holdout_stat": stats, "holdout_pvalue": pvalues,
            "holdout_pvalue_wild": wild, "holdout_crossings": crossed,
            "verdict": verdicts(np.fmax(pvalues, wild), crossed, self.level),
        }  # fmt: skip

    def _plain_tests(self, tests: SpanTests, pairs: Ordered) -> None:
        """Judge by the plain test what moments would lose digits of."""
        from analytics.kernels.scan_lanes import STAT, STATE, UNSAFE  # noqa: PLC0415 - numba, when needed

        unsafe = (tests.results[0, :, STATE] == UNSAFE) & ~np.isnan(pairs.beta)
        for place in np.flatnonzero(unsafe).tolist():
            try:
                tests.results[0, place, STAT] = adf_test(self._residual(pairs, place)).stat
            except (DegenerateSeriesError, NotEnoughDataError):
                tests.results[0, place, STAT] = np.nan

    def _wild(self, pairs: Ordered, stats: FloatArray, deciding: BoolArray) -> FloatArray:
        """p-values of 199 draws for the rows that decide, smallest first; NaN for all others."""
        pvalues = np.full(stats.size, np.nan)
        places = np.flatnonzero(deciding)
        most = _MOST_ROW_BARS // self.values.shape[1] + 1
        places = places[np.argsort(stats[places], kind="stable")][:most]
        draws = WildDraws.exactly(LEAST_DRAWS, self.values.shape[1])

        def of_row(place: int) -> float:
            return counted_pvalue(
                float(stats[place]), null_stats(self._residual(pairs, place), draws)
            )

        with ThreadPoolExecutor(self.workers, thread_name_prefix="wild") as pool:
            pvalues[places] = list(pool.map(of_row, places.tolist()))
        return pvalues

    def _residual(self, pairs: Ordered, place: int) -> FloatArray:
        y, x = self.values[pairs.y[place]], self.values[pairs.x[place]]
        rest: FloatArray = y - pairs.beta[place] * x
        return rest


def null_stats(residual: FloatArray, draws: WildDraws) -> FloatArray:
    """ADF statistics, with a constant, of a residual drawn without a return.

    Its changes keep their size and take a new sign, that of both legs (`WildDraws`); lags by AIC,
    through the same lanes as the residual was tested by. NaN for a draw that would lose digits.

    References
    ----------
    Cavaliere & Taylor (2008), Econometric Theory 24, 43-71: of a single series.
    """
    from analytics.kernels.scan import test_orderings  # noqa: PLC0415 - numba
    from analytics.kernels.scan_lanes import RESULTS, STAT  # noqa: PLC0415 - as above

    known = ~np.isnan(residual)
    changes = np.diff(residual[known], prepend=residual[known][:1])
    paths = np.full(draws.signs.shape, np.nan)
    paths[:, known] = np.cumsum(draws.signs[:, known] * changes, axis=1)
    count = len(paths)
    drawn = sample(paths, np.arange(count), known)
    lags = affordable_lags(drawn.starts, "c")
    own = own_products(drawn.levels, drawn.rows(lags), lags)
    # One leg alone: the other is 0, and so is its slope.
    nothing, bars = np.zeros((count, 1)), drawn.levels.shape[1]
    out = np.full((count, RESULTS), np.nan)
    test_orderings(
        drawn.levels, np.zeros((1, bars)), drawn.starts, own, np.zeros((1, lags + 1)),
        np.zeros((count, 1, lags + 1)), nothing, nothing + bars, nothing == 0.0,
        np.arange(count)[:, np.newaxis], 1, AUTO_LAGS.index("aic"), False, out,
    )  # fmt: skip
    stats: FloatArray = out[:, STAT]
    return stats
