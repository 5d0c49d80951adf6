"""The Hurst exponent of a spread."""

import math

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray, IntArray
from analytics.stationarity.result import SpreadTest, normal_critical, unbroken


def hurst_exponent(series: pd.Series | FloatArray) -> SpreadTest:
    """Estimate how the size of changes grows with the horizon: horizon to the power H.

    Half the slope of log variance of overlapping k-bar changes on log k, k = 1, 2, 4 .. n/10 (at
    most 128).

    Parameters
    ----------
    series : Series or ndarray, shape (n,)
        Any unit; NaN is a missing bar.

    Returns
    -------
    SpreadTest
        `estimate` is H: 0.5 a random walk, towards 0 mean-reverting, above 0.5 trending. H0: a
        random walk, H = 0.5, its error from the covariance of variance ratios under a walk with
        equal variances.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, InvalidSeriesError
        Fewer than 80 bars in a row; a constant series; infinite values.
    """
    values, left_out = unbroken(series, "Hurst exponent of", least=80)
    count = int(math.log2(min(128, values.size // 10))) + 1
    lags = 2 ** np.arange(count, dtype=np.int64)
    variances = np.array([_debiased_variance(values, int(lag)) for lag in lags])
    if (variances <= 0).any():
        raise DegenerateSeriesError("Hurst exponent", "the series repeats itself exactly")
    place = np.log(lags) - np.log(lags).mean()
    weights = place / float(place @ place) / 2.0
    exponent = float(weights @ np.log(variances))
    stderr = math.sqrt(float(weights @ _ratio_covariance(lags, values.size) @ weights))
    stat = (exponent - 0.5) / stderr
    return SpreadTest(
        name="Hurst exponent",
        stat=stat,
        pvalue=2.0 * float(ndtr(-abs(stat))),
        critical_values=normal_critical(),
        lags=int(lags[-1]),
        nobs=values.size,
        left_out=left_out,
        null_hypothesis="a random walk: H = 0.5",
        if_rejected=f"mean-reverting: H = {exponent:.2f} is below 0.5"
        if exponent < 0.5
        else f"trending: H = {exponent:.2f} is above 0.5",
        if_not=f"cannot be told from a random walk: H = {exponent:.2f}",
        reference="Hurst (1951); errors by Richardson & Stock (1989), J. Fin. Econ. 25, 323-348",
        estimate=exponent,
        estimate_interval=(exponent - 1.96 * stderr, exponent + 1.96 * stderr),
    )


def _ratio_covariance(lags: IntArray, nobs: int) -> FloatArray:
    """Covariance of the variance ratios of a random walk with independent steps, p <= q."""
    short = np.minimum.outer(lags, lags).astype(np.float64)
    long = np.maximum.outer(lags, lags).astype(np.float64)
    covariance: FloatArray = 2.0 * (3.0 * long - short - 1.0) * (short - 1.0) / (3.0 * long * nobs)
    return covariance


def _debiased_variance(values: FloatArray, lag: int) -> float:
    """Variance of overlapping changes about the mean step, unbiased (Lo & MacKinlay's 2.13)."""
    steps = values.size - 1
    drift = lag * (values[-1] - values[0]) / steps
    changes = values[lag:] - values[:-lag] - drift
    return float(changes @ changes) / ((steps - lag + 1) * (1.0 - lag / steps))
