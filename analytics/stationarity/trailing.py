"""One test over many trailing spans: the answers of one at a time, some hundred times faster."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.outcome import attempt
from analytics.series import as_float_pair, as_floats
from analytics.stationarity.adf import ADFResult, HalfLife, adf_test, half_life
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_test
from analytics.stationarity.mackinnon import critical_values, mackinnon_pvalue
from analytics.stationarity.median_unbiased import halvings
from analytics.stationarity.verdicts import check_level

Values = pd.Series | FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TrailingTests:
    """One unit-root test of each span.

    Attributes
    ----------
    stat, pvalue : ndarray, shape (spans,)
        NaN where a span has no answer.
    bars : ndarray, shape (spans,)
        Known bars of the span.
    variables
        1 for a given series, 2 for the residual of one on another.
    """

    stat: FloatArray
    pvalue: FloatArray
    bars: FloatArray
    variables: int

    def rejects(self, level: float) -> BoolArray:
        """Whether each span rejects, by p-value and by the critical value for its known bars."""
        check_level(level)
        rejected: BoolArray = self.pvalue < level
        for place in np.flatnonzero(rejected).tolist():
            known = critical_values("c", self.variables, int(self.bars[place]) - 1)
            rejected[place] = not self.stat[place] > known.get(f"{level * 100:g}%", math.nan)
        return rejected


def trailing_engle_granger(y: Values, x: Values, starts: IntArray, ends: IntArray) -> TrailingTests:
    """`engle_granger_test` of rows start to end of each span."""
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    y_values, x_values = as_float_pair(y, x)
    fits, choose = np.full((trailing.SPAN_ROWS, ends.size), np.nan), trailing.AUTO_LAGS
    untested = trailing.trailing_fits(y_values, x_values, starts, ends, True, choose, fits)

    def by_itself(rows: slice) -> float:
        """Statistic of one span by the plain test; NaN where it has none."""
        test = attempt(lambda: engle_granger_test(y_values[rows], x_values[rows]))
        return test.stat if isinstance(test, EngleGrangerResult) else math.nan

    _test_rest(fits[trailing.SPAN_STATISTIC], untested, starts, ends, by_itself)
    return _tests(fits[trailing.SPAN_STATISTIC], fits[trailing.SPAN_BARS], 2)


def trailing_adf(spread: Values, starts: IntArray, ends: IntArray) -> TrailingTests:
    """`adf_test` of rows start to end of each span."""
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    values, fits = as_floats(spread), np.full((trailing.SPAN_ROWS, ends.size), np.nan)
    choose = trailing.AUTO_LAGS
    untested = trailing.trailing_fits(values, values, starts, ends, False, choose, fits)

    def by_itself(rows: slice) -> float:
        """Statistic of one span by the plain test; NaN where it has none."""
        test = attempt(lambda: adf_test(values[rows]))
        return test.stat if isinstance(test, ADFResult) else math.nan

    _test_rest(fits[trailing.SPAN_STATISTIC], untested, starts, ends, by_itself)
    return _tests(fits[trailing.SPAN_STATISTIC], fits[trailing.SPAN_BARS], 1)


def _tests(stats: FloatArray, bars: FloatArray, variables: int) -> TrailingTests:
    pvalues = [mackinnon_pvalue(stat, "c", variables) for stat in stats.tolist()]
    return TrailingTests(stats, np.array(pvalues), bars, variables)


def trailing_half_life(
    y: Values, starts: IntArray, ends: IntArray, *, on: Values | None = None
) -> tuple[FloatArray, BoolArray]:
    """`half_life` of rows start to end of each span, bars; and whether there was one to estimate.

    Of `y` itself, or of its residual on the line that fits `on` in the same span. NaN where it does
    not return, or where nothing could be estimated.
    """
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    values = as_floats(y)
    other = values if on is None else as_floats(on)
    fits, choose = np.full((trailing.SPAN_ROWS, ends.size), np.nan), trailing.NO_LAGS
    on_line = on is not None
    untested = trailing.trailing_fits(values, other, starts, ends, on_line, choose, fits)

    def by_itself(rows: slice) -> float:
        """Theta of one span by the plain fit; NaN where it has none."""
        spread = _off_line(values[rows], other[rows]) if on_line else values[rows]
        test = attempt(lambda: half_life(spread))
        return test.theta if isinstance(test, HalfLife) else math.nan

    theta = fits[trailing.SPAN_COEFFICIENT]
    _test_rest(theta, untested, starts, ends, by_itself)
    return halvings(theta), ~np.isnan(theta)


def _off_line(y: FloatArray, x: FloatArray) -> FloatArray:
    """Return the residual that Engle-Granger tests; NaN where there is none."""
    test = attempt(lambda: engle_granger_test(y, x))
    if not isinstance(test, EngleGrangerResult):
        return np.full(y.size, np.nan)
    return y - (test.alpha + test.beta * x)


def _test_rest(
    path: FloatArray,
    untested: BoolArray,
    starts: IntArray,
    ends: IntArray,
    by_itself: Callable[[slice], float],
) -> None:
    """Test the spans that the compiled run left."""
    for i in np.flatnonzero(untested):
        path[i] = by_itself(slice(int(starts[i]), int(ends[i])))
