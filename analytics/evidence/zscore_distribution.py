"""How z is distributed, beside what the process fitted to the spread and a walk would give."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analytics.errors import NotEnoughDataError
from analytics.frames import FloatArray
from analytics.outcome import attempt
from analytics.series import as_floats
from analytics.spread import check_window, rolling_moments
from analytics.stationarity import HalfLife, half_life

LEAST_ZSCORES: Final = 50
BINS: Final = 48
REACH: Final = 6.0
SEED: Final = 20261128
# Simulated windows, side by side without overlap, were they cut up; within limits of time.
WINDOWS: Final = 2_000
LEAST_BARS: Final = 100_000
MOST_BARS: Final = 1_000_000

Fitted = Literal["autoregression", "walk", "normal"]


@dataclass(frozen=True, slots=True)
class Beyond:
    """Shares of z above and below the thresholds, 0 to 1."""

    above: float
    below: float


@dataclass(frozen=True, slots=True, eq=False)
class ZscoreDistribution:
    """Shares of z in equal bins, and beyond the thresholds, of three: seen, fitted, a walk.

    Attributes
    ----------
    nobs, window
        Known z-scores, and the bars of each.
    fitted
        What was fitted: an ``"autoregression"`` of the spread; a ``"walk"`` where it has no pull;
        ``"normal"`` for a filter, which measures each error by its own deviation.
    memory
        Share of a deviation that is left after a bar, by the fit; NaN for a filter.
    bin_edges
        The outermost bins hold what is beyond ±6, too.
    share, fitted_share, walk_share
        Of each bin. The walk's is that of a rolling z, NaN for a filter.
    beyond, fitted_beyond, walk_beyond
        Strictly above and strictly below the thresholds, as the signals go by them.
    """

    nobs: int
    window: int
    fitted: Fitted
    memory: float
    bin_edges: FloatArray
    share: FloatArray
    fitted_share: FloatArray
    walk_share: FloatArray
    beyond: Beyond
    fitted_beyond: Beyond
    walk_beyond: Beyond
    reference: str = "Gaussian AR(1) simulated, z by the same window; Uhlenbeck & Ornstein (1930)"


def zscore_distribution(
    zscore: pd.Series | FloatArray,
    spread: pd.Series | FloatArray,
    window: int,
    sell_above: float,
    buy_below: float,
) -> ZscoreDistribution:
    """Count z and set it beside the z of the process that was fitted to the spread.

    A trailing z of a walk is no normal number: it leaves ±2 in 14 % of all bars at 60 bars. So both
    comparisons are made by the same trailing window, of simulated spreads.

    Parameters
    ----------
    zscore, spread : Series or ndarray, shape (n,)
        As drawn; NaN is left out.
    window : int
        Bars of z; 1 for a filter's own scale.
    sell_above, buy_below : float
        Thresholds.

    Returns
    -------
    ZscoreDistribution
        The fit describes the spread as drawn; it is no evidence that it returns.

    Raises
    ------
    NotEnoughDataError
        Fewer than 50 known z-scores.
    ParameterError, InvalidSeriesError
        A window below 1; infinite values.
    """
    window, z = check_window(window, least=1), as_floats(zscore, "zscore")
    z = z[np.isfinite(z)]
    if z.size < LEAST_ZSCORES:
        raise NotEnoughDataError("the distribution of z", LEAST_ZSCORES, int(z.size), "z-scores")
    top = float(np.clip(np.abs(z).max(), 2.0, REACH))
    edges, at = np.linspace(-top, top, BINS + 1), (sell_above, buy_below)
    memory = math.nan if window == 1 else _memory(spread)
    fitted, walk = (_normal(edges, *at), _UNKNOWN) if window == 1 else (
        _counted(_simulated(memory, window), edges, *at),
        _counted(_walk(window), edges, *at),
    )  # fmt: skip
    seen = _counted(z, edges, *at)
    return ZscoreDistribution(
        nobs=int(z.size),
        window=window,
        fitted=_name(memory),
        memory=memory,
        bin_edges=edges,
        share=seen.share,
        fitted_share=fitted.share,
        walk_share=walk.share,
        beyond=seen.beyond,
        fitted_beyond=fitted.beyond,
        walk_beyond=walk.beyond,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    share: FloatArray
    beyond: Beyond


_UNKNOWN: Final = _Counts(np.full(BINS, np.nan), Beyond(math.nan, math.nan))


def _name(memory: float) -> Fitted:
    if math.isnan(memory):
        return "normal"
    return "autoregression" if memory < 1 else "walk"


def _memory(spread: pd.Series | FloatArray) -> float:
    """Coefficient of a first-order autoregression; 1 where the spread has no pull."""
    found = attempt(lambda: half_life(spread))
    if not isinstance(found, HalfLife) or not found.mean_reverting:
        return 1.0
    return max(0.0, 1.0 + found.theta)


@lru_cache(maxsize=2)
def _walk(window: int) -> FloatArray:
    """Trailing z of the simulated walk, which no data changes: kept from step to step."""
    return _simulated(1.0, window)


def _simulated(memory: float, window: int) -> FloatArray:
    """Trailing z of a simulated autoregression, or walk; the same at each call."""
    from scipy.signal import lfilter  # noqa: PLC0415 - half a second to import

    bars = int(np.clip(WINDOWS * window, LEAST_BARS, MOST_BARS))
    path = lfilter([1.0], [1.0, -memory], np.random.default_rng(SEED).normal(size=bars))
    z = rolling_moments(path, window).zscore().to_numpy()
    return np.asarray(z[np.isfinite(z)])


def _counted(z: FloatArray, edges: FloatArray, sell_above: float, buy_below: float) -> _Counts:
    counts = np.histogram(np.clip(z, edges[0], edges[-1]), bins=edges)[0]
    beyond = Beyond(float((z > sell_above).mean()), float((z < buy_below).mean()))
    return _Counts(counts / z.size, beyond)


def _normal(edges: FloatArray, sell_above: float, buy_below: float) -> _Counts:
    ends = ndtr(edges)
    ends[0], ends[-1] = 0.0, 1.0
    return _Counts(np.diff(ends), Beyond(float(ndtr(-sell_above)), float(ndtr(buy_below))))
