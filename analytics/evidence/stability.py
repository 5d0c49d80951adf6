"""Whether the relation of a pair holds still: beta, p-value and half-life over trailing windows.

The windows end at a bounded number of bars, evenly spaced, so the cost does not grow with the
square of the sample. Each value uses the bars of its own window only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, IntArray
from analytics.hedge import HedgeFit, Legs, fit_hedge
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.series import as_float_pair, centred, index_of, series_name
from analytics.stationarity import (
    check_level,
    trailing_engle_granger,
    trailing_half_life,
    verdict_words,
)

_LEAST_WINDOW = 50
_START = np.zeros(1, dtype=np.int64)

# Upper quantiles of the statistic under its null, one wandering regressor with intercept and
# independent errors: regression values of 40,000 simulated samples of 2,000 bars, seed 20240808.
_CUSUM_SHARES = (0.50, 0.25, 0.10, 0.05, 0.025, 0.01, 0.005, 0.001)
_CUSUM_QUANTILES = (0.717, 0.8779, 1.0562, 1.1756, 1.2987, 1.4473, 1.54, 1.74)
_CUSUM_CRITICAL = {"1%": 1.4473, "5%": 1.1756, "10%": 1.0562}


@dataclass(frozen=True, slots=True, eq=False)
class BreakTest:
    """CUSUM of the residuals of y on x: how far their running sum strays.

    Attributes
    ----------
    stat
        Largest |sum of residuals so far| over sqrt(n) times their long-run deviation.
    pvalue, critical_values
        By simulation; p-values outside 0.001 to 0.5 are given as that bound.
    time
        Index entry at which the sum strays farthest: the likeliest place of a break.
    path
        The scaled running sum, over all rows; NaN at missing bars.
    lags, nobs
        Bartlett lags of the long-run variance; complete rows.
    """

    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    time: object
    path: pd.Series
    lags: int
    nobs: int
    null_hypothesis: str = "one line holds over the whole sample, with residuals that return to 0"
    reference: str = (
        "Xiao & Phillips (2002), J. Econometrics 108, 43-61: CUSUM of cointegrating residuals; "
        "quantiles simulated for errors independent of the regressor"
    )

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words whether the line broke, and where it looks likeliest."""
        return verdict_words(
            self.pvalue, level, f"the relation changed, likeliest near {self.time}",
            "no break in the relation shows",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Stability:
    """A pair's relation over trailing windows.

    Attributes
    ----------
    table
        A row for each window's last bar: ``beta``, ``beta_low``, ``beta_high`` (95 %, HAC),
        ``pvalue`` (Engle-Granger, y on x), ``half_life`` (bars; NaN where not mean-reverting at
        all). NaN where a window has too few known bars or is degenerate.
    window
        Bars of each window.
    break_test
        CUSUM over the whole sample, or why there is none.
    """

    table: pd.DataFrame
    window: int
    break_test: BreakTest | NotEnough | Degenerate

    @property
    def windows(self) -> int:
        """Windows with a p-value."""
        return int(self.table["pvalue"].notna().sum())

    def share_cointegrated(self, level: float = 0.05) -> float:
        """Share of windows whose p-value is below the level; NaN without any window.

        On unrelated legs about `level` of them is. Windows that overlap agree with one another.
        """
        check_level(level)
        known = self.table["pvalue"].dropna()
        return float((known < level).mean()) if len(known) else math.nan

    def half_lives(self, level: float = 0.05) -> pd.Series:
        """Half-life of the windows whose p-value is below the level; NaN in the others.

        The residual of two unrelated walks has one too: some 15th of the window, by chance.
        """
        check_level(level)
        return self.table["half_life"].where(self.table["pvalue"] < level)

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words how much of the time the pair held together."""
        share = self.share_cointegrated(level)
        if math.isnan(share):
            return "no window has enough bars to say"
        words = (
            f"cointegrated in {share * 100:.0f} % of {self.windows} windows of {self.window:,} bars"
        )
        if share <= 2 * level:
            return f"{words}: what chance alone would give"
        return f"{words} ({level * 100:g} % would be chance)"


def stability(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    window: int | None = None,
    steps: int = 40,
) -> Stability:
    """Follow beta, the Engle-Granger p-value and the half-life over trailing windows.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms, of the same bars; NaN is a missing bar.
    window : int, optional
        Bars, 50 or more; by default a fifth of the sample, at least 50.
    steps : int
        At most this many windows, 1 to 500.

    Returns
    -------
    Stability
        Each row uses bars up to its own only; the break test looks at the whole sample.

    Raises
    ------
    NotEnoughDataError
        Fewer bars than one window.
    ParameterError, InvalidSeriesError
        A window below 50, steps outside 1 to 500; different lengths or times; infinite values.
    """
    y_values, x_values = as_float_pair(y, x)
    index = index_of(y, x)
    names = series_name(y, "y"), series_name(x, "x")
    bars = _checked_window(window, y_values.size, f"stability of {names[0]} on {names[1]}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or not 1 <= steps <= 500:
        raise ParameterError("steps", steps, "a whole number from 1 to 500")
    ends = np.unique(np.linspace(y_values.size, bars, int(steps)).astype(np.int64))
    table = pd.DataFrame(
        _windows(y_values, x_values, ends - bars, ends),
        columns=["beta", "beta_low", "beta_high", "pvalue", "half_life"],
        index=index[ends - 1],
        dtype="float64",
    )
    legs = Legs.of(y_values, x_values, index, *names)
    return Stability(table, bars, attempt(lambda: cusum_test(legs)))


def _checked_window(window: int | None, size: int, what: str) -> int:
    if window is None:
        window = max(_LEAST_WINDOW, size // 5)
    if isinstance(window, bool) or not isinstance(window, int | np.integer):
        raise ParameterError("window", window, "a whole number of bars")
    if window < _LEAST_WINDOW:
        raise ParameterError("window", window, f"{_LEAST_WINDOW} bars or more")
    if size < window:
        raise NotEnoughDataError(what, int(window), size)
    return int(window)


def _windows(y: FloatArray, x: FloatArray, starts: IntArray, ends: IntArray) -> FloatArray:
    """For each window: beta with its band, p-value, half-life; NaN for what cannot be had."""
    table = np.full((ends.size, 5), np.nan)
    table[:, 3] = trailing_engle_granger(y, x, starts, ends).pvalue
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        y_span, x_span = y[start:end], x[start:end]
        fit = attempt(partial(fit_hedge, y_span, x_span))
        if not isinstance(fit, HedgeFit):
            table[i] = np.nan
            continue
        table[i, :3] = fit.beta, *fit.beta_interval
        if not math.isnan(table[i, 3]):
            rest = y_span - fit.alpha - fit.beta * x_span
            halving, _ = trailing_half_life(rest, _START, np.array([rest.size]))
            table[i, 4] = halving[0]
    return table


def cusum_test(legs: Legs) -> BreakTest:
    """Test whether one line of y on x holds over the whole sample.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError
        Fewer than 50 complete rows; a constant leg or an exact line.
    """
    legs.need(_LEAST_WINDOW)
    legs.check_x_varies()
    legs.check_y_varies()
    from analytics.kernels.lines import bartlett_variance  # noqa: PLC0415 - numba, when needed

    fit = fit_hedge(legs.y, legs.x)
    residuals = centred(legs.y - fit.alpha - fit.beta * legs.x)[0]
    _check_noise(residuals, legs)
    n = residuals.size
    lags = _andrews_lags(residuals)
    squares = bartlett_variance(residuals, lags)
    sums = residuals.cumsum() / math.sqrt(max(squares, 1e-300))
    place = int(np.argmax(np.abs(sums)))
    path = np.full(legs.known.size, np.nan)
    path[legs.known] = sums
    stat = float(abs(sums[place]))
    return BreakTest(
        stat=stat,
        pvalue=float(np.interp(stat, _CUSUM_QUANTILES, _CUSUM_SHARES)),
        critical_values=_CUSUM_CRITICAL,
        time=legs.index[np.flatnonzero(legs.known)[place]],
        path=legs.path(path, "cusum"),
        lags=lags,
        nobs=n,
    )


def _andrews_lags(residuals: FloatArray) -> int:
    """Bartlett lags that suit an AR(1) of the residuals' memory: Andrews (1991), at most n / 5."""
    squares = float(residuals @ residuals)
    memory = min(max(float(residuals[1:] @ residuals[:-1]) / squares, -0.97), 0.97)
    spread = 4.0 * memory**2 / (1.0 - memory**2) ** 2
    return min(int(1.1447 * (spread * residuals.size) ** (1.0 / 3.0)), residuals.size // 5)


def _check_noise(residuals: FloatArray, legs: Legs) -> None:
    size = float(np.abs(legs.y).max())
    if float(np.abs(residuals).max()) <= 1e-12 * size:
        raise DegenerateSeriesError(legs.what, "the legs are identical or exactly collinear")
