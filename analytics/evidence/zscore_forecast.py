"""Whether a z-score says where the spread goes next, on bars that nothing was fitted on.

Of a walk, too, a held-out slope is below zero more often than not: mean and deviation of z come
from the same moves as the change, and both are centred in one sample (Stambaugh 1999). So the slope
is judged by those of walks made of the pair's own moves, never by a table.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.series import as_float_pair, as_floats, series_name
from analytics.spread import check_window, zscores
from analytics.stationarity import check_level

DRAWS: Final = 399
SEED: Final = 20261128
LEAST_PAIRS: Final = 50
# Longer samples are judged by their latest bars: the draws would take seconds.
MOST_BARS: Final = 20_000
# Changes that do not overlap, at the least, in the held-out half.
LEAST_BLOCKS: Final = 10
MEANS: Final = 20
# Deviation below this share of the prices is rounding.
ROUNDING: Final = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class ZscoreForecast:
    """Regression of the spread's next change on z, over the held-out half.

    Attributes
    ----------
    slope, stderr
        Change of the spread (its unit) for each 1 of z, and Hodrick's standard error.
    correlation, r_squared
        Of z and change, and its square: the regression's R².
    pvalue
        Twice the smaller share of walks whose correlation over √horizon is at least as far out.
    walk_slope, walk_r_squared
        Medians of the walks, each a bar of its horizon times the pair's: what the way of measuring
        gives where there is nothing.
    horizon
        Bars of a change: the half-life of the first half, a tenth of the held-out bars at most.
    window
        Bars of z.
    nobs, draws
        Held-out bars with z and change; walks.
    mean_zscore, mean_change
        Of up to 20 groups of equally many held-out bars, ordered by z.
    """

    slope: float
    stderr: float
    correlation: float
    pvalue: float
    walk_slope: float
    walk_r_squared: float
    horizon: int
    window: int
    nobs: int
    draws: int
    mean_zscore: FloatArray
    mean_change: FloatArray
    null_hypothesis: str = "no past value foretells the spread's moves: z says nothing"
    reference: str = (
        "Hodrick (1992), Rev. Fin. Studies 5, 357-386, standard errors 1B; Stambaugh (1999), "
        "J. Fin. Econ. 54, 375-421; wild bootstrap with common Rademacher signs"
    )

    @property
    def r_squared(self) -> float:
        """Share of the change's variance that z explains."""
        return self.correlation**2

    def predicts(self, level: float = 0.05) -> bool:
        """Whether z says more than it would of a walk."""
        check_level(level)
        return self.pvalue <= level

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what z says of the next bars."""
        bars = "bar" if self.horizon == 1 else f"{self.horizon:,} bars"
        if not self.predicts(level):
            return f"z says nothing of the next {bars} that it would not say of a walk"
        goes = "comes back" if self.slope < 0 else "moves on"
        return f"from a large z the spread {goes} in the next {bars}"


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    z: FloatArray
    change: FloatArray
    slope: float
    stderr: float
    correlation: float
    horizon: int

    @property
    def scaled(self) -> float:
        """Correlation a root of the horizon: of walks about as large for each horizon."""
        return self.correlation / math.sqrt(self.horizon)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """Where the values of a sample lie: known bars, the last known one of each, the halves."""

    known: BoolArray
    last: IntArray
    half: int
    window: int
    rounding: float


def zscore_forecast(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray | None = None,
    *,
    window: int,
    draws: int = DRAWS,
    seed: int = SEED,
) -> ZscoreForecast:
    """Regress the spread's change over the next half-life on its z-score, in the second half.

    β (least squares) and the half-life are of the first half, z is trailing: nothing looks ahead.
    Changes overlap, so that the errors are Hodrick's (1B). The p-value is by walks: the moves of
    both legs keep their size and place and get one random sign a bar, then β, half-life, z and the
    correlation of z and change are computed as of the pair. Where a move is as likely up as down
    that is exact, with fat tails and with volatility that comes and goes.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms of the same bars; or a spread whose β was given, without `x`.
        NaN is a missing bar. Of more than 20,000 bars the latest count.
    window : int
        Bars of z, 2 or more.
    draws, seed : int
        Walks, and the seed of their signs.

    Returns
    -------
    ZscoreForecast

    Raises
    ------
    NotEnoughDataError
        Fewer than 50 held-out bars with a z-score and a change.
    DegenerateSeriesError
        A spread or an x that does not move.
    ParameterError, InvalidSeriesError
        A window below 2; different lengths or times; infinite values.
    """
    what = f"z-score forecast of {series_name(y, 'the spread')}"
    window = check_window(window)
    levels = _levels(y, x)
    frame = _frame(levels, window)
    if frame.known.sum() < LEAST_PAIRS + window:
        raise NotEnoughDataError(what, LEAST_PAIRS + window, int(frame.known.sum()))
    fit = _fit(levels, frame, what)
    if fit.z.size < LEAST_PAIRS:
        raise NotEnoughDataError(what, LEAST_PAIRS, int(fit.z.size), "held-out z-scores")
    if not (fit.stderr > 0 and math.isfinite(fit.correlation)):
        raise DegenerateSeriesError(what, "the spread does not move in the held-out half")
    rng, order = np.random.default_rng(seed), np.argsort(fit.z, kind="stable")
    walks = [_fit(walk, frame, what) for walk in _walks(levels, frame.known, draws, rng)]
    return ZscoreForecast(
        slope=fit.slope,
        stderr=fit.stderr,
        correlation=fit.correlation,
        pvalue=_pvalue(fit.scaled, np.nan_to_num([walk.scaled for walk in walks])),
        walk_slope=fit.horizon * float(np.median([walk.slope / walk.horizon for walk in walks])),
        walk_r_squared=fit.horizon * float(np.median([walk.scaled**2 for walk in walks])),
        horizon=fit.horizon,
        window=window,
        nobs=int(fit.z.size),
        draws=draws,
        mean_zscore=_means(fit.z, order),
        mean_change=_means(fit.change, order),
    )


def _levels(y: pd.Series | FloatArray, x: pd.Series | FloatArray | None) -> FloatArray:
    """Stack the legs or the spread, from the first bar that is known to the last."""
    rows = (as_floats(y, series_name(y, "spread")),) if x is None else as_float_pair(y, x)
    levels = np.stack(rows)[:, -MOST_BARS:]
    known = np.flatnonzero(np.isfinite(levels).all(axis=0))
    return levels[:, known[0] : known[-1] + 1] if known.size else levels[:, :0]


def _frame(levels: FloatArray, window: int) -> _Frame:
    known = np.asarray(np.isfinite(levels).all(axis=0))
    last = np.maximum.accumulate(np.where(known, np.arange(known.size), 0))
    size = float(np.nansum(np.nanmax(np.abs(levels), axis=1))) if known.size else 0.0
    return _Frame(known, last, known.size // 2, window, ROUNDING * size)


def _spread(levels: FloatArray, frame: _Frame, what: str) -> FloatArray:
    """Take y less β x, with β of the first half; NaN where missing."""
    if len(levels) == 1:
        return np.asarray(levels[0])
    rows = np.flatnonzero(frame.known[: frame.half])
    y, x = levels[:, rows] - levels[:, rows].mean(axis=1, keepdims=True)
    squares = float(x @ x)
    if squares <= rows.size * frame.rounding**2:
        raise DegenerateSeriesError(what, "x does not move in the first half")
    return np.asarray(levels[0] - float(x @ y) / squares * levels[1])


def _zscore(spread: FloatArray, frame: _Frame) -> FloatArray:
    from analytics.kernels.rolling import (  # noqa: PLC0415 - numba, when needed
        MOMENT_ROWS,
        SQUARES_STATE,
        rolling_squares,
    )

    moments = np.full((MOMENT_ROWS, spread.size), np.nan)
    rolling_squares(spread, frame.window, 0, np.zeros(SQUARES_STATE), moments)
    _, squares, deviation = moments
    std = np.sqrt(squares / (frame.window - 1))
    return zscores(deviation, std, frame.rounding)


def _horizon(spread: FloatArray, frame: _Frame) -> int:
    """Half-life of the first half in bars, or as much of the held-out bars as is left for it.

    As `analytics.stationarity.half_life`, without its test: each walk asks for it.
    """
    most = max(1, (spread.size - frame.half) // LEAST_BLOCKS)
    early = spread[: frame.half]
    pairs = frame.known[1 : frame.half] & frame.known[: frame.half - 1]
    if not pairs.any():
        return most
    moves, levels = np.diff(early)[pairs], early[:-1][pairs]
    levels = levels - levels.mean()
    pull = -float(levels @ moves)
    if pull <= 0:
        return most
    return int(np.clip(round(math.log(2) * float(levels @ levels) / pull), 1, most))


def _used(z: FloatArray, frame: _Frame, horizon: int) -> IntArray:
    """Held-out bars with z whose change ends in a known bar."""
    bars = np.arange(frame.half, z.size - horizon)
    return bars[np.isfinite(z[bars]) & frame.known[bars + horizon]]


def _fit(levels: FloatArray, frame: _Frame, what: str) -> _Fit:
    """Fit β and horizon on the first half, and regress on the second."""
    spread = _spread(levels, frame, what)
    z, horizon = _zscore(spread, frame), _horizon(spread, frame)
    used = _used(z, frame, horizon)
    change = spread[used + horizon] - spread[used]
    moves = np.diff(spread[frame.last[frame.half :]])
    slope, stderr, correlation = math.nan, math.nan, math.nan
    if used.size:
        slope, stderr, correlation = _regress(z[used], change, used - frame.half, moves, horizon)
    return _Fit(z[used], change, slope, stderr, correlation, horizon)


def _regress(
    z: FloatArray, change: FloatArray, at: IntArray, moves: FloatArray, horizon: int
) -> tuple[float, float, float]:
    """Slope, Hodrick's error and correlation, with an intercept; NaN where nothing moves.

    `at` are the places of z among the held-out bars, `moves` the spread's from bar to bar. Under
    the null moves are unrelated: the error sums z over the horizon in place of the moves.
    """
    x, y = z - z.mean(), change - change.mean()
    squares, total = float(x @ x), float(y @ y)
    if not (squares and total):
        return math.nan, math.nan, math.nan
    regressor = np.zeros(moves.size + 1)
    regressor[at] = x
    weighted = (moves - moves.mean()) * _sums(regressor, horizon)[:-1]
    slope = float(x @ y) / squares
    stderr = math.sqrt(float(weighted @ weighted)) / squares
    return slope, stderr, slope * math.sqrt(squares / total)


def _sums(values: FloatArray, bars: int) -> FloatArray:
    """Trailing sum of `bars` values, of as many as there are at the beginning."""
    sums = values.cumsum()
    sums[bars:] -= sums[:-bars].copy()
    return sums


def _walks(
    levels: FloatArray, known: BoolArray, draws: int, rng: np.random.Generator
) -> Iterator[FloatArray]:
    """Yield walks of the moves from known bar to known bar, each with a random sign of its own."""
    at = np.flatnonzero(known)
    start, moves = levels[:, at[:1]], np.diff(levels[:, at])
    walk = np.full(levels.shape, np.nan)
    walk[:, at[:1]] = start
    for _ in range(draws):
        signs = 2.0 * rng.integers(0, 2, moves.shape[1]) - 1.0
        walk[:, at[1:]] = start + np.cumsum(moves * signs, axis=1)
        yield walk


def _pvalue(observed: float, walks: FloatArray) -> float:
    """Twice the smaller share of walks at least as far out, the pair itself counted in."""
    beyond = min(np.count_nonzero(walks <= observed), np.count_nonzero(walks >= observed))
    return min(1.0, 2.0 * (1 + beyond) / (1 + walks.size))


def _means(values: FloatArray, order: IntArray) -> FloatArray:
    """Mean of each of equally large groups, in this order."""
    return np.array([values[rows].mean() for rows in np.array_split(order, MEANS)])
