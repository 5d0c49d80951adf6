"""One scan from panel to table: the train part, its better orderings, what was held out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.scanner.engine import Progress, SpanTests, pair_legs, scan_span
from analytics.scanner.holdout import Holdout, Ordered
from analytics.scanner.multiple_testing import benjamini_hochberg, bonferroni
from analytics.scanner.panel import Panel
from analytics.scanner.verdict import engle_granger_pvalues, half_lives
from analytics.scanner.volatility import Rows, wild_pvalues
from analytics.stationarity import AutoLag, engle_granger_test, half_life

# The smaller p-value of the two orderings is paid for by this factor.
ORDERINGS_TRIED: Final = 2
# Returns this much alike are one series under two names, or its copy.
_NEARLY_ONE: Final = 0.9999

COLUMNS: Final = (
    "y", "x", "bars", "correlation", "beta", "alpha", "beta_swapped",
    "stat", "lags", "pvalue_ordered", "stat_swapped", "lags_swapped", "pvalue_swapped",
    "pvalue", "pvalue_wild", "qvalue", "pvalue_bonferroni",
    "half_life", "half_life_low", "half_life_high", "half_life_unbiased", "deviation", "worth",
    "zscore", "share_traded", "liquidity",
    "holdout_bars", "holdout_stat", "holdout_pvalue", "holdout_pvalue_wild",
    "holdout_crossings", "verdict", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Everything a scan was asked for."""

    panel: Panel
    border: int
    window: int
    max_lags: int | None
    autolag: AutoLag | None
    level: float
    workers: int
    progress: Progress | None
    draw_progress: Progress | None

    def table(self, traded: FloatArray | None, volumes: FloatArray | None) -> pd.DataFrame:
        """Test the train part, then check the better orderings on what was held out."""
        first, second = pair_legs(len(self.panel.names))
        train, reasons = self._train(first, second)
        swapped = _second_is_better(train)
        chosen = self._ordered(train, swapped, first, second)
        columns = self._statistics(train, chosen)
        columns |= self._now(chosen, traded, volumes)
        found = np.asarray(columns["pvalue_ordered"], dtype=np.float64) < self.level
        columns |= self._held_out().columns(chosen, found)
        columns["reason"] = [
            reason or _warning(correlation)
            for reason, correlation in zip(reasons, train.correlation.tolist(), strict=True)
        ]
        return self._ranked(pd.DataFrame(columns)[list(COLUMNS)])

    def _train(self, first: IntArray, second: IntArray) -> tuple[SpanTests, list[str]]:
        values = self.panel.values[:, : self.border]
        tests = scan_span(
            values, self.max_lags, self.autolag, is_log=self.panel.is_log,
            workers=self.workers, progress=self.progress,
        )  # fmt: skip
        reasons = [""] * first.size
        from analytics.kernels.scan_lanes import DONE, STATE  # noqa: PLC0415 - numba, when needed

        for place in np.flatnonzero((tests.results[..., STATE] != DONE).any(axis=0)).tolist():
            legs = int(first[place]), int(second[place])
            reasons[place] = self._plain_tests(tests, place, legs)
        return tests, reasons

    def _plain_tests(self, tests: SpanTests, place: int, legs: tuple[int, int]) -> str:
        """Judge a pair by the plain tests, where moments would lose digits; return why not."""
        for leg in legs:
            if self.panel.unusable[leg]:
                return f"{self.panel.names[leg]}: {self.panel.unusable[leg]}"
        series = [
            pd.Series(self.panel.values[leg, : self.border], name=self.panel.names[leg])
            for leg in legs
        ]
        try:
            for ordering, (y, x) in enumerate((series, series[::-1])):
                test = engle_granger_test(y, x, max_lags=self.max_lags, autolag=self.autolag)
                decay = half_life(y - test.beta * x)
                tests.beta[place, ordering] = test.beta
                tests.results[ordering, place, :5] = (
                    test.stat, test.lags, test.nobs, decay.theta, decay.theta_stderr,
                )  # fmt: skip
        except DegenerateSeriesError as error:
            tests.results[:, place] = np.nan
            return error.reason
        except NotEnoughDataError as error:
            tests.results[:, place] = np.nan
            return f"needs {error.needed} {error.unit} known to both, had {error.had}"
        return ""

    def _ordered(
        self, train: SpanTests, swapped: BoolArray, first: IntArray, second: IntArray
    ) -> Ordered:
        y, x = np.where(swapped, second, first), np.where(swapped, first, second)
        beta = np.where(swapped, train.beta[:, 1], train.beta[:, 0])
        means = _common_means(self.panel.values[:, : self.border], first, second)
        y_mean = np.where(swapped, means[1], means[0])
        x_mean = np.where(swapped, means[0], means[1])
        return Ordered(swapped, y, x, beta, y_mean - beta * x_mean)

    def _statistics(self, train: SpanTests, chosen: Ordered) -> dict[str, object]:
        """Lay out what the train part gave, the better ordering first."""
        from analytics.kernels.scan_lanes import LAG, STAT, THETA, THETA_STDERR  # noqa: PLC0415 - numba

        rows = np.arange(chosen.swapped.size)
        best = train.results[chosen.swapped.astype(np.int64), rows]
        other = train.results[1 - chosen.swapped.astype(np.int64), rows]
        ordered, swapped = (
            engle_granger_pvalues(best[:, STAT]),
            engle_granger_pvalues(other[:, STAT]),
        )
        pvalue = np.minimum(ORDERINGS_TRIED * ordered, 1.0)
        half, low, middle, high = half_lives(best[:, THETA], best[:, THETA_STDERR], train.bars)
        corrected = self._corrected(
            train, chosen, np.stack([best[:, STAT], other[:, STAT]]), pvalue
        )
        names = np.array(self.panel.names, dtype=object)
        return {
            "y": names[chosen.y], "x": names[chosen.x], "bars": train.bars,
            "correlation": train.correlation, "beta": chosen.beta, "alpha": chosen.alpha,
            "beta_swapped": train.beta[rows, 1 - chosen.swapped.astype(np.int64)],
            "stat": best[:, STAT], "lags": best[:, LAG], "pvalue_ordered": ordered,
            "stat_swapped": other[:, STAT], "lags_swapped": other[:, LAG],
            "pvalue_swapped": swapped, "pvalue": pvalue,
            **corrected,
            "half_life": half, "half_life_low": low, "half_life_high": high,
            "half_life_unbiased": middle,
            "deviation": self._deviations(chosen, corrected["qvalue"] < self.level),
            "worth": self._worth(chosen),
        }  # fmt: skip

    def _corrected(
        self, train: SpanTests, chosen: Ordered, stats: FloatArray, pvalue: FloatArray
    ) -> dict[str, FloatArray]:
        """Allow for volatility where that decides, and for the number of pairs."""
        rows = Rows(chosen.y, chosen.x, stats, train.max_lags, pvalue)
        wild = wild_pvalues(
            self.panel.values[:, : self.border], rows, self.autolag, self.level,
            workers=self.workers, progress=self.draw_progress,
        )  # fmt: skip
        larger = np.fmax(pvalue, wild)
        return {
            "pvalue_wild": wild,
            "qvalue": benjamini_hochberg(larger),
            "pvalue_bonferroni": bonferroni(larger),
        }

    def _deviations(self, chosen: Ordered, found: BoolArray) -> FloatArray:
        """Standard deviation of the residual of the pairs found; NaN for all others."""
        values, out = self.panel.values[:, : self.border], np.full(found.size, np.nan)
        for place in np.flatnonzero(found).tolist():
            rest = values[chosen.y[place]] - chosen.beta[place] * values[chosen.x[place]]
            out[place] = np.nanstd(rest)
        return out

    def _worth(self, chosen: Ordered) -> FloatArray:
        """Value of both legs of a unit of the spread, in its own unit, at the last closes."""
        if self.panel.is_log:
            return 1.0 + np.abs(chosen.beta)
        last = _last_known(self.panel.values)
        worth: FloatArray = last[chosen.y] + np.abs(chosen.beta) * last[chosen.x]
        return worth

    def _now(
        self, chosen: Ordered, traded: FloatArray | None, volumes: FloatArray | None
    ) -> dict[str, object]:
        from analytics.kernels.scan_paths import zscores_now  # noqa: PLC0415 - numba, when needed

        nothing = np.full(chosen.y.size, np.nan)
        return {
            "zscore": zscores_now(self.panel.values, chosen.y, chosen.x, chosen.beta, self.window),
            "share_traded": nothing if traded is None else traded[chosen.y, chosen.x],
            "liquidity": (
                nothing if volumes is None else np.minimum(volumes[chosen.y], volumes[chosen.x])
            ),
        }

    def _held_out(self) -> Holdout:
        values = np.ascontiguousarray(self.panel.values[:, self.border :])
        return Holdout(values, self.panel.is_log, self.level, self.workers)

    def _ranked(self, table: pd.DataFrame) -> pd.DataFrame:
        table = table.assign(
            _named=table["reason"] != "", _larger=table[["pvalue", "pvalue_wild"]].max(axis=1)
        )
        table = table.sort_values(["_named", "_larger", "stat"], kind="stable", ignore_index=True)
        ranked = table.drop(columns=["_named", "_larger"])
        ranked.attrs = {
            "pairs_tried": len(table),
            "symbols": len(self.panel.names),
            "unusable": {
                name: reason
                for name, reason in zip(self.panel.names, self.panel.unusable, strict=True)
                if reason
            },
            "bars": self.panel.values.shape[1],
            "train_bars": self.border,
        }
        return ranked


def _second_is_better(train: SpanTests) -> BoolArray:
    """Whether the second leg on the first has the smaller statistic, and so the smaller p."""
    better: BoolArray = train.results[1, :, 0] < train.results[0, :, 0]
    return better


def _last_known(values: FloatArray) -> FloatArray:
    """Last value of each row that is no NaN; NaN without one."""
    known = ~np.isnan(values)
    place = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    last: FloatArray = values[np.arange(len(values)), place]
    return last


def _warning(correlation: float) -> str:
    if abs(correlation) > _NEARLY_ONE:
        return f"returns correlate at {correlation:.5f}: nearly one series under two names"
    return ""


def _common_means(
    values: FloatArray, first: IntArray, second: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Mean of both legs over the bars that both know, by pair."""
    known = ~np.isnan(values)
    mask = known.astype(np.float64)
    # Means of deviations: what a common sample changes is small beside the level.
    counts = np.maximum(known.sum(axis=1), 1)
    level = np.where(known, values, 0.0).sum(axis=1) / counts
    deviation = np.where(known, values - level[:, np.newaxis], 0.0)
    common = np.maximum(mask @ mask.T, 1.0)
    mean = level[:, np.newaxis] + (deviation @ mask.T) / common
    return mean[first, second], mean[second, first]
