"""One test over many trailing spans: the answers of one at a time, some hundred times faster."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.outcome import attempt
from analytics.series import as_float_pair, as_floats
from analytics.stationarity.adf import ADFResult, HalfLife, adf_test, half_life
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_test
from analytics.stationarity.mackinnon import mackinnon_pvalue

Values = pd.Series | FloatArray


def trailing_engle_granger(y: Values, x: Values, starts: IntArray, ends: IntArray) -> FloatArray:
    """p-values of `engle_granger_test` of rows start to end of each span; NaN where it has none."""
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    y_values, x_values = as_float_pair(y, x)
    fits, choose = np.full((trailing.SPAN_ROWS, ends.size), np.nan), trailing.AUTO_LAGS
    untested = trailing.trailing_fits(y_values, x_values, starts, ends, True, choose, fits)
    stats = fits[trailing.SPAN_STATISTIC]

    def by_itself(rows: slice) -> float:
        test = attempt(lambda: engle_granger_test(y_values[rows], x_values[rows]))
        return test.stat if isinstance(test, EngleGrangerResult) else math.nan

    _test_rest(stats, untested, starts, ends, by_itself)
    return np.array([mackinnon_pvalue(stat, "c", 2) for stat in stats.tolist()])


def trailing_adf(spread: Values, starts: IntArray, ends: IntArray) -> FloatArray:
    """p-values of `adf_test` of rows start to end of each span; NaN where it has none."""
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    values, fits = as_floats(spread), np.full((trailing.SPAN_ROWS, ends.size), np.nan)
    choose = trailing.AUTO_LAGS
    untested = trailing.trailing_fits(values, values, starts, ends, False, choose, fits)

    def by_itself(rows: slice) -> float:
        test = attempt(lambda: adf_test(values[rows]))
        return test.stat if isinstance(test, ADFResult) else math.nan

    stats = fits[trailing.SPAN_STATISTIC]
    _test_rest(stats, untested, starts, ends, by_itself)
    return np.array([mackinnon_pvalue(stat, "c", 1) for stat in stats.tolist()])


def trailing_half_life(
    spread: Values, starts: IntArray, ends: IntArray
) -> tuple[FloatArray, BoolArray]:
    """`half_life` of rows start to end of each span, bars; and whether there was one to estimate.

    NaN where the spread does not return, or where nothing could be estimated.
    """
    from analytics.kernels import trailing  # noqa: PLC0415 - numba, when needed

    values, fits = as_floats(spread), np.full((trailing.SPAN_ROWS, ends.size), np.nan)
    choose = trailing.NO_LAGS
    untested = trailing.trailing_fits(values, values, starts, ends, False, choose, fits)

    def by_itself(rows: slice) -> float:
        test = attempt(lambda: half_life(values[rows]))
        return test.theta if isinstance(test, HalfLife) else math.nan

    theta = fits[trailing.SPAN_COEFFICIENT]
    _test_rest(theta, untested, starts, ends, by_itself)
    bars = np.full(theta.size, np.nan)
    np.divide(math.log(2), -theta, out=bars, where=theta < 0)
    return bars, ~np.isnan(theta)


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
