"""Descriptive statistics of a leg: prices, returns, and how much of it was really traded."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analytics.bars import exact_sum_by_group
from analytics.frames import COVERAGE, FloatArray, check_bars
from analytics.hedge import centred
from analytics.spread import log_returns


def describe_bars(bars: pd.DataFrame, name: str = "statistic") -> pd.Series:
    """Compute the descriptive statistics of one symbol's bars.

    Parameters
    ----------
    bars : DataFrame
        A bars frame.
    name : str
        Symbol, the name of the result.

    Returns
    -------
    Series of float64, one entry a statistic
        Closes in quote currency (first, last, mean, std, min, max), log returns of one bar (std,
        skew, excess kurtosis), volume in base currency, counts and shares of bars. Standard
        deviations with ddof 1; skew and kurtosis in the adjusted (unbiased for normal data) form
        G1 and G2 of Joanes & Gill (1998), as pandas and spreadsheets have them. NaN where too few
        bars are known. Missing bars are left out, and no return is taken across one.
    """
    check_bars(bars)
    close = bars["close"].to_numpy(dtype=np.float64)
    known = close[~np.isnan(close)]
    returns = log_returns(close)
    returns = returns[~np.isnan(returns)]
    shares = bars["coverage"].value_counts(normalize=True)
    volume = bars["volume"].to_numpy(dtype=np.float64)
    values = {
        "bars": float(len(bars)),
        "known bars": float(known.size),
        "first": float(known[0]) if known.size else math.nan,
        "last": float(known[-1]) if known.size else math.nan,
        "mean": float(known.mean()) if known.size else math.nan,
        "std": _std(known),
        "min": float(known.min()) if known.size else math.nan,
        "max": float(known.max()) if known.size else math.nan,
        "returns": float(returns.size),
        "return std": _std(returns),
        "return skew": _skew(returns),
        "return excess kurtosis": _excess_kurtosis(returns),
        **{f"share {kind}": float(shares.get(kind, 0.0)) for kind in COVERAGE},
        "volume": _total(volume[~np.isnan(volume)]),
        "trades": float(bars["trades"].sum()),
    }
    return pd.Series(values, name=name, dtype="float64")


def describe_legs(legs: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Put `describe_bars` of several legs side by side: a row a statistic, a column a symbol."""
    return pd.concat([describe_bars(bars, symbol) for symbol, bars in legs], axis=1)


def _moments(values: FloatArray) -> tuple[FloatArray, float]:
    """Deviations from the mean, and their mean square."""
    deviations, _ = centred(values)
    return deviations, float(deviations @ deviations) / values.size


def _total(volume: FloatArray) -> float:
    if not volume.size:
        return 0.0
    return float(exact_sum_by_group(volume, np.zeros(1, dtype=np.int64))[0])


def _flat(values: FloatArray) -> bool:
    return bool(np.ptp(values) == 0)


def _std(values: FloatArray) -> float:
    if values.size < 2:
        return math.nan
    if _flat(values):
        return 0.0
    _, variance = _moments(values)
    return math.sqrt(variance * values.size / (values.size - 1))


def _skew(values: FloatArray) -> float:
    n = values.size
    if n < 3 or _flat(values):
        return math.nan
    deviations, variance = _moments(values)
    skew = float(np.mean(deviations**3)) / (variance * math.sqrt(variance))
    return skew * math.sqrt(n * (n - 1)) / (n - 2)


def _excess_kurtosis(values: FloatArray) -> float:
    n = values.size
    if n < 4 or _flat(values):
        return math.nan
    deviations, variance = _moments(values)
    excess = float(np.mean(deviations**4)) / (variance * variance) - 3.0
    return ((n + 1) * excess + 6.0) * (n - 1) / ((n - 2) * (n - 3))
