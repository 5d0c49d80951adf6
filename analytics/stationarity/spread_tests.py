"""More tests of a spread: KPSS, Phillips-Perron, variance ratio, Phillips-Ouliaris.

They run on `arch`, on centred data. These tests cannot leave bars out: with missing bars
they take the longest run without one, and `left_out` counts the rest.
"""

from collections.abc import Mapping
from typing import Literal, cast

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray
from analytics.series import ROUNDING, as_float_pair, centred, longest_run, series_name
from analytics.stationarity.dickey_fuller import NOISE, check_trend, min_bars
from analytics.stationarity.result import SpreadTest, normal_critical, unbroken

_COLLINEAR = 1e-12


def kpss_test(
    series: pd.Series | FloatArray, trend: str = "c", lags: int | None = None
) -> SpreadTest:
    """Test a series for stationarity (Kwiatkowski, Phillips, Schmidt & Shin).

    Parameters
    ----------
    series : Series or ndarray, shape (n,)
        Any unit; NaN is a missing bar.
    trend : {"c", "ct"}
        Stationary about a level, or about a line.
    lags : int, optional
        Bartlett lags of the long-run variance; by default ceil(12 (n/100)^(1/4)).

    Returns
    -------
    SpreadTest
        H0: the series is stationary. Here a *small* p-value speaks against the pair.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        Fewer than 23 bars in a row; a constant series; another trend; infinite values.
    """
    from arch.unitroot import KPSS  # noqa: PLC0415 - a second to import: when needed

    terms = cast("Literal['c', 'ct']", _check_trend(trend, "c", "ct"))
    values, left_out = unbroken(series, "KPSS on")
    # -1: ceil(12 (n/100)^(1/4)), which grows with the sample alone, as the ADF's most lags do.
    test = KPSS(values, trend=terms, lags=-1 if lags is None else _check_lags(lags, values.size))
    return SpreadTest(
        name="KPSS",
        stat=float(test.stat),
        pvalue=float(test.pvalue),
        critical_values=_critical(test.critical_values),
        lags=int(test.lags),
        nobs=values.size,
        left_out=left_out,
        null_hypothesis="the series is stationary: it keeps returning to one level",
        if_rejected="not stationary: its level wanders",
        if_not="nothing speaks against a stationary series",
        reference="Kwiatkowski, Phillips, Schmidt & Shin (1992), J. Econometrics 54, 159-178",
    )


def phillips_perron_test(
    series: pd.Series | FloatArray, trend: str = "c", lags: int | None = None
) -> SpreadTest:
    """Test a series for a unit root, autocorrelation met by a long-run variance instead of lags.

    Parameters
    ----------
    series : Series or ndarray, shape (n,)
        Any unit; NaN is a missing bar.
    trend : {"n", "c", "ct"}
        Nothing; constant; constant and line.
    lags : int, optional
        As `kpss_test`.

    Returns
    -------
    SpreadTest
        Z-tau. H0: the series has a unit root. As with ADF the p-value is too small for a spread
        whose beta was estimated from the same bars: use `phillips_ouliaris_test`.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        As `kpss_test`.
    """
    from arch.unitroot import PhillipsPerron  # noqa: PLC0415 - a second to import: when needed

    terms = cast("Literal['n', 'c', 'ct']", _check_trend(trend, "n", "c", "ct"))
    values, left_out = unbroken(series, "Phillips-Perron on", centre=trend != "n")
    known_lags = None if lags is None else _check_lags(lags, values.size)
    test = PhillipsPerron(values, lags=known_lags, trend=terms, test_type="tau")
    return SpreadTest(
        name="Phillips-Perron",
        stat=float(test.stat),
        pvalue=float(test.pvalue),
        critical_values=_critical(test.critical_values),
        lags=int(test.lags),
        nobs=int(test.nobs),
        left_out=left_out,
        null_hypothesis="the series has a unit root: it wanders and does not return to a mean",
        if_rejected="mean-reverting",
        if_not="no evidence of mean reversion",
        reference="Phillips & Perron (1988), Biometrika 75, 335-346; p-values MacKinnon (1994)",
    )


def variance_ratio_test(series: pd.Series | FloatArray, horizon: int = 10) -> SpreadTest:
    """Compare the variance of `horizon`-bar changes with `horizon` times that of 1-bar changes.

    Parameters
    ----------
    series : Series or ndarray, shape (n,)
        Any unit; NaN is a missing bar.
    horizon : int
        Bars, 2 or more.

    Returns
    -------
    SpreadTest
        Two-sided, robust to changing variance, overlapping and debiased; `estimate` is the ratio,
        below 1 where changes are undone. H0: changes are uncorrelated, so the ratio is 1.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        As `kpss_test`; at least 4 horizons of bars.
    """
    from arch.unitroot import VarianceRatio  # noqa: PLC0415 - a second to import: when needed

    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 2:
        raise ParameterError("horizon", horizon, "a whole number of bars, 2 or more")
    values, left_out = unbroken(series, "variance ratio on", least=4 * int(horizon))
    changes = np.diff(values)
    if float(np.ptp(changes)) <= NOISE * float(np.abs(values).max()):
        raise DegenerateSeriesError("variance ratio", "the series moves by the same in every bar")
    test = VarianceRatio(values, lags=int(horizon), trend="c", robust=True)
    ratio = float(test.vr)
    return SpreadTest(
        name="Variance ratio",
        stat=float(test.stat),
        pvalue=float(test.pvalue),
        critical_values=normal_critical(),
        lags=int(horizon),
        nobs=values.size,
        left_out=left_out,
        null_hypothesis=f"a random walk: {horizon}-bar changes vary {horizon} times as much as "
        "1-bar changes",
        if_rejected=f"mean-reverting: the ratio {ratio:.2f} is below 1"
        if ratio < 1
        else f"trending: the ratio {ratio:.2f} is above 1",
        if_not=f"cannot be told from a random walk: the ratio {ratio:.2f} is near 1",
        reference="Lo & MacKinlay (1988), Review of Financial Studies 1, 41-66",
        estimate=ratio,
    )


def phillips_ouliaris_test(
    y: pd.Series | FloatArray, x: pd.Series | FloatArray, trend: str = "c"
) -> SpreadTest:
    """Test two series for cointegration: Phillips-Perron on the residual, right critical values.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms; y is the dependent leg. NaN is a missing bar.
    trend : {"n", "c", "ct", "ctt"}
        Terms beside x.

    Returns
    -------
    SpreadTest
        Z-t. H0: y and x are not cointegrated.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        As `kpss_test`; identical or exactly collinear legs.
    """
    from arch.unitroot.cointegration import phillips_ouliaris  # noqa: PLC0415 - slow to import

    terms = check_trend(trend)
    what = f"Phillips-Ouliaris of {series_name(y, 'y')} on {series_name(x, 'x')}"
    y_values, x_values = as_float_pair(y, x)
    known = ~(np.isnan(y_values) | np.isnan(x_values))
    run = longest_run(known)
    y_run, x_run = y_values[run], x_values[run]
    if y_run.size < min_bars("c"):
        raise NotEnoughDataError(what, min_bars("c"), y_run.size)
    y_free, x_free = (_unit(values, leg, what) for values, leg in ((y_run, "y"), (x_run, "x")))
    slope = float(x_free @ y_free) / float(x_free @ x_free)
    if float(np.abs(y_free - slope * x_free).max()) <= _COLLINEAR * _level(y_run, x_run):
        raise DegenerateSeriesError(what, "the legs are identical or exactly collinear")
    if trend == "n":
        y_free, x_free = y_run / np.abs(y_run).max(), x_run / np.abs(x_run).max()
    test = phillips_ouliaris(y_free, x_free[:, np.newaxis], trend=terms, test_type="Zt")
    return SpreadTest(
        name="Phillips-Ouliaris",
        stat=float(test.stat),
        pvalue=float(test.pvalue),
        critical_values={f"{level}%": float(test.critical_values[level]) for level in (1, 5, 10)},
        lags=int(test.bandwidth),
        nobs=int(y_run.size),
        left_out=int(known.sum()) - int(y_run.size),
        null_hypothesis="the two series are not cointegrated: no fixed ratio keeps them together",
        if_rejected="cointegrated",
        if_not="no evidence of cointegration",
        reference="Phillips & Ouliaris (1990), Econometrica 58, 165-193",
    )


def _unit(values: FloatArray, leg: str, what: str) -> FloatArray:
    """Centre a leg and scale it to 1; DegenerateSeriesError for a constant one."""
    if float(np.ptp(values)) <= ROUNDING * float(np.abs(values).max()):
        raise DegenerateSeriesError(what, f"{leg} is constant over {values.size} bars")
    deviations, _ = centred(values)
    unit: FloatArray = deviations / np.abs(deviations).max()
    return unit


def _level(y: FloatArray, x: FloatArray) -> float:
    """Size of the prices in units of their movement: what rounding is measured by."""
    sizes = [float(np.abs(leg).max() / np.abs(leg - leg.mean()).max()) for leg in (y, x)]
    return sum(sizes)


def _check_trend(trend: str, *known: str) -> str:
    if trend not in known:
        raise ParameterError("trend", trend, f"one of {', '.join(known)}")
    return trend


def _check_lags(lags: int, bars: int) -> int:
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or not 0 <= lags < bars:
        raise ParameterError("lags", lags, f"a whole number from 0 to {bars - 1}")
    return int(lags)


def _critical(values: Mapping[str, float]) -> dict[str, float]:
    return {level: float(values[level]) for level in ("1%", "5%", "10%")}
