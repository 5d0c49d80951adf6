"""Descriptive statistics of a leg: prices, returns, and how much of it was really traded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from analytics.bars import exact_sum_by_group
from analytics.frames import COVERAGE, FloatArray
from analytics.leg import Leg

_UNITS = 1e8
_EXACT = 2.0**53


def describe_legs(legs: Sequence[tuple[str, pd.DataFrame | Leg]]) -> pd.DataFrame:
    """Put `describe_bars` of several legs side by side: a row a statistic, a column a symbol."""
    found = [describe_bars(bars) for _, bars in legs]
    values = np.array([list(each.values()) for each in found]).T
    columns = _names(tuple(name for name, _ in legs))
    return pd.DataFrame(values, index=_names(tuple(found[0])), columns=columns)


@lru_cache
def _names(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


def describe_bars(bars: pd.DataFrame | Leg) -> dict[str, float]:
    """Compute the descriptive statistics of one symbol's bars.

    Parameters
    ----------
    bars : DataFrame or Leg
        A bars frame (of which the closed bars count), or closed bars as arrays.

    Returns
    -------
    dict
        By name: closes in quote currency (first, last, mean, std, min, max), log returns of one bar
        (std, skew, excess kurtosis), volume in base currency, counts and shares of bars. Standard
        deviations with ddof 1; skew and kurtosis in the adjusted (unbiased for normal data) form
        G1 and G2 of Joanes & Gill (1998), as pandas and spreadsheets have them. NaN where too few
        bars are known. Missing bars are left out, and no return is taken across one.
    """
    leg = bars if isinstance(bars, Leg) else Leg.of(bars, 1)
    known, returns = _known(leg.close), _known(leg.log_returns)
    counts = [np.count_nonzero(leg.coverage == code) for code in range(len(COVERAGE))]
    sums = np.array([float(leg.trades.sum()), *counts])
    moments = _moments(known), _moments(returns)
    return described(leg, moments, (known.size, returns.size), None, sums)


def described(
    leg: Leg,
    moments: "tuple[_Moments, _Moments]",
    sizes: tuple[int, int],
    units: float | None,
    sums: FloatArray,
) -> dict[str, float]:
    """Lay out the statistics of a leg, as `describe_bars` names them.

    Parameters
    ----------
    moments, sizes
        Of its known closes and returns.
    units
        Its volume in units of 1e-8; NaN or None where that is to be summed exactly.
    sums
        Trades, and bars of each coverage.
    """
    (close, change), (trades, *counts) = moments, sums.tolist()
    bars_in_all = max(len(leg), 1)
    ends = _ends(leg.close)
    is_exact = units is not None and 0 <= units <= _EXACT
    return {
        "bars": float(len(leg)),
        "known bars": float(sizes[0]),
        "first": ends[0],
        "last": ends[1],
        "mean": close.mean,
        "std": close.std,
        "min": close.least,
        "max": close.most,
        "returns": float(sizes[1]),
        "return std": change.std,
        "return skew": change.skew,
        "return excess kurtosis": change.excess_kurtosis,
        **{
            f"share {kind}": float(counts[code]) / bars_in_all for code, kind in enumerate(COVERAGE)
        },
        "volume": (units or 0.0) / _UNITS if is_exact else _total(_known(leg.volume)),
        "trades": float(trades),
    }


def _ends(close: FloatArray) -> tuple[float, float]:
    """First and last known close; NaN without any."""
    if close.size and not (math.isnan(close[0]) or math.isnan(close[-1])):
        return float(close[0]), float(close[-1])
    known = _known(close)
    return (float(known[0]), float(known[-1])) if known.size else (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Mean, ends and shape of a sample; NaN where it is too small."""

    mean: float = math.nan
    least: float = math.nan
    most: float = math.nan
    std: float = math.nan
    skew: float = math.nan
    excess_kurtosis: float = math.nan


def _moments(values: FloatArray) -> _Moments:
    from analytics.kernels.describe import MOMENTS, sample_moments  # noqa: PLC0415 - numba, when needed

    n = values.size
    if not n:
        return _Moments()
    sums = np.empty(MOMENTS)
    sample_moments(values, sums)
    mean, squares, cubes, fourths = sums.tolist()
    ends = float(values.min()), float(values.max())
    return moments_of_sums(float(n), mean, squares, cubes, fourths, *ends)


def moments_of_sums(
    n: float,
    mean: float,
    squares: float,
    cubes: float,
    fourths: float,
    least: float,
    most: float,
) -> _Moments:
    """Take the shape of a sample from its mean, sums of powers of the deviations, and ends."""
    if not n:
        return _Moments()
    if least == most:
        return _Moments(mean, least, most, std=0.0 if n > 1 else math.nan)
    variance = squares / n
    skew = kurtosis = math.nan
    if n > 2:
        plain = cubes / n / (variance * math.sqrt(variance))
        skew = plain * math.sqrt(n * (n - 1)) / (n - 2)
    if n > 3:
        excess = fourths / n / (variance * variance) - 3.0
        kurtosis = ((n + 1) * excess + 6.0) * (n - 1) / ((n - 2) * (n - 3))
    return _Moments(mean, least, most, math.sqrt(squares / (n - 1)), skew, kurtosis)


def _known(values: FloatArray) -> FloatArray:
    # One NaN makes the least value NaN.
    return values[~np.isnan(values)] if values.size and np.isnan(values.min()) else values


def _total(volume: FloatArray) -> float:
    """Sum decimals as if they were exact."""
    from analytics.kernels.describe import unit_sum  # noqa: PLC0415 - numba, when needed

    if not volume.size:
        return 0.0
    units = unit_sum(volume, _UNITS, _EXACT)
    if units >= 0:
        return units / _UNITS
    return float(exact_sum_by_group(volume, np.zeros(1, dtype=np.int64))[0])
