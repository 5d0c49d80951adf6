"""What was held out of a scan: whether the spread, with the earlier slope, still returns."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner.engine import FixedSlopes, SpanTests, scan_span
from analytics.scanner.held_draws import batches, null_stats
from analytics.scanner.verdict import dickey_fuller_pvalues, verdicts
from analytics.stationarity import LEAST_DRAWS, WildDraws, adf_test, counted_pvalue, min_bars

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
                tests.results[0, place, STAT] = adf_test(
                    self._residuals(pairs, np.array([place]))[0]
                ).stat
            except (DegenerateSeriesError, NotEnoughDataError):
                tests.results[0, place, STAT] = np.nan

    def _wild(self, pairs: Ordered, stats: FloatArray, deciding: BoolArray) -> FloatArray:
        """p-values of 199 draws for the rows that decide, smallest first; NaN for all others."""
        pvalues = np.full(stats.size, np.nan)
        places = np.flatnonzero(deciding)
        most = _MOST_ROW_BARS // self.values.shape[1] + 1
        places = places[np.argsort(stats[places], kind="stable")][:most]
        draws = WildDraws.exactly(LEAST_DRAWS, self.values.shape[1])

        residuals = self._residuals(pairs, places)

        def of_batch(numbers: IntArray) -> None:
            """Draw for some pairs at once and put their p-values in their places."""
            drawn = null_stats(residuals[numbers], draws)
            for place, each in zip(places[numbers].tolist(), drawn, strict=True):
                pvalues[place] = counted_pvalue(float(stats[place]), each)

        with ThreadPoolExecutor(self.workers, thread_name_prefix="wild") as pool:
            list(pool.map(of_batch, batches(residuals, draws)))
        return pvalues

    def _residuals(self, pairs: Ordered, places: IntArray) -> FloatArray:
        y, x = self.values[pairs.y[places]], self.values[pairs.x[places]]
        rest: FloatArray = y - pairs.beta[places, np.newaxis] * x
        return rest
