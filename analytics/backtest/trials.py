"""Many settings tried on the same bars: what each earned, and whether any is worth it."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.backtest.sharpe import SEED, Independent, automatic_block, independent_trials
from analytics.backtest.sweep import Prepared, Sweep, laid_out
from analytics.errors import ParameterError
from analytics.frames import BoolArray, FloatArray, IntArray

# Bars are put together until no more than this are left: the profits of a stretch add up.
MOST_STRETCHES: Final = 2_000
DRAWS: Final = 500
LEVEL: Final = 0.05
# With fewer there is nothing to resample.
LEAST_STRETCHES: Final = 20
# Draws resampled at once: a few MB of counts.
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class SettingReturns:
    """What each setting earned in each stretch of the same bars.

    Attributes
    ----------
    returns : ndarray, shape (settings, stretches)
        Net profit on the capital, of every setting whose profits vary; copies (windows that z does
        not depend on) are there once.
    places : ndarray, shape (settings, 2)
        Row and column of each in the grid of windows and entries.
    tried
        Settings of the grid that the rules allow, copies and idle ones among them.
    stretch
        Bars in each, on average.
    swept
        The figures of the same walks, as `analytics.backtest.sweep.sweep_span` has them.
    """

    returns: FloatArray
    places: IntArray
    tried: int
    stretch: float
    swept: Sweep

    @property
    def independent(self) -> Independent:
        """How many settings these are, as far as luck is concerned; Sharpe ratios a bar."""
        return independent_trials(self.returns, stretch=self.stretch)


@dataclass(frozen=True, slots=True, eq=False)
class Superiority:
    """Whether the best of many settings earns more than nothing, luck of the choice counted.

    Attributes
    ----------
    pvalue
        Hansen's consistent p-value; NaN without a setting that traded, or with fewer than 20
        stretches.
    lower, upper
        Its bounds; the upper one is White's reality check, studentised.
    worth : ndarray of bool, shape (settings,)
        Settings that Romano & Wolf's step-down keeps at `level`: the chance that any of them is
        there by luck is at most that.
    level, draws, block
        Size of the step-down; resamples; mean length of their blocks in stretches.
    """

    pvalue: float
    lower: float
    upper: float
    worth: BoolArray
    level: float
    draws: int
    block: float
    null_hypothesis: str = "no setting earns more than nothing after costs"
    reference: str = (
        "Hansen (2005), Journal of Business & Economic Statistics 23(4), 365-380; "
        "Romano & Wolf (2005), Econometrica 73(4), 1237-1282"
    )


def setting_returns(prepared: Prepared, start: int, stop: int) -> SettingReturns:
    """Walk and book every setting over the bars ``start`` to ``stop`` (not included).

    At most 2,000 stretches of equal length (but for a bar) are told apart.
    """
    grid = prepared.grid
    columns = np.flatnonzero(grid.allowed)
    edges = np.linspace(0, stop - start, min(stop - start, MOST_STRETCHES), endpoint=False)
    found, places, figures = [], [], []
    for row in range(len(grid.distinct)):
        for column, rule in zip(columns, grid.rows, strict=True):
            profit, came_to = _booked(prepared, row, rule, start, stop)
            figures.append(came_to)
            if profit.any():
                found.append(np.add.reduceat(profit, edges.astype(np.int64)))
                places.append((row, column))
    shape = (len(grid.distinct), columns.size, -1)
    returns = np.array(found).reshape(len(found), edges.size) / grid.rules.capital
    return SettingReturns(
        returns=returns,
        places=np.array(places, dtype=np.int64).reshape(-1, 2),
        tried=len(grid.windows) * columns.size,
        stretch=(stop - start) / edges.size,
        swept=laid_out(grid, np.array(figures).reshape(shape), stop - start),
    )


def _booked(
    prepared: Prepared, row: int, rule: FloatArray, start: int, stop: int
) -> tuple[FloatArray, FloatArray]:
    """Net profit of each bar of a rule, quote currency, and what a sweep has of it."""
    from analytics.kernels.settle import (  # noqa: PLC0415 - numba, when needed
        GROSS,
        MONEY_COLUMNS,
        TRADED,
        settle,
    )
    from analytics.kernels.walk import TALLIES, TRADE_COLUMNS, walk  # noqa: PLC0415

    market, bar_signals = prepared.market, prepared.bar_signals[row]
    trades = np.zeros(((stop - start) // 2 + 2, TRADE_COLUMNS), dtype=np.int64)
    tally = np.zeros(TALLIES, dtype=np.int64)
    count = walk(bar_signals.compared, market.tradable, start, stop, rule, trades, tally)
    money = np.zeros((count, MONEY_COLUMNS))
    gross, net = np.zeros((2, market.size))
    settle(trades, count, market.paths, bar_signals.units, market.costs, money, gross, net)
    profit, capital = net[start:stop], prepared.grid.rules.capital
    deviation = profit.std(ddof=1) / capital
    totals = count, money[:, GROSS].sum(), profit.sum(), money[:, TRADED].sum()
    return profit, np.array([*totals, profit.mean() / capital, deviation])


def superiority(
    returns: FloatArray,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
    block: float | None = None,
) -> Superiority:
    """Test the best of many settings against earning nothing.

    All settings are resampled together (stationary bootstrap, Politis & Romano 1994), so that what
    they have in common stays; each is divided by its own long-run standard deviation.

    Parameters
    ----------
    returns : ndarray, shape (settings, stretches)
        Net; a row that does not vary is never worth anything.
    draws, level, seed
        Resamples, size of the step-down, and where the generator starts.
    block
        Mean length of a block in stretches; None for Politis & White's choice for the best row.

    Raises
    ------
    ParameterError
        Fewer than 1 draw, a level outside 0 to 1, a block below 1.
    """
    _check(draws, level, block)
    worth = np.zeros(len(returns), dtype=np.bool_)
    varies = returns.std(axis=1) > 0
    if not varies.any() or returns.shape[1] < LEAST_STRETCHES:
        return Superiority(math.nan, math.nan, math.nan, worth, level, draws, math.nan)
    used = returns[varies]
    mean, size = used.mean(axis=1), used.shape[1]
    best_row = used[int(np.argmax(mean / used.std(axis=1)))]
    length = automatic_block(best_row) if block is None else block
    scale = np.sqrt(_long_run_variance(used, length) / size)
    resampled = _resampled_means(used, length, draws, seed)
    score, noise = mean / scale, (resampled - mean) / scale
    # Settings so bad that they cannot be the best do not count against the others.
    is_near = score >= -math.sqrt(2.0 * math.log(math.log(size)))
    shifts = np.minimum(score, 0.0), np.where(is_near, 0.0, score), np.zeros_like(score)
    best = max(float(score.max()), 0.0)
    lower, consistent, upper = (
        _share_above(np.maximum((noise + shift).max(axis=1), 0.0), best) for shift in shifts
    )
    worth[varies] = _step_down(score, noise, level)
    return Superiority(consistent, lower, upper, worth, level, draws, length)


def _check(draws: int, level: float, block: float | None) -> None:
    if draws < 1:
        raise ParameterError("draws", draws, "1 or more")
    if not 0 < level < 1:
        raise ParameterError("level", level, "between 0 and 1")
    if block is not None and not block >= 1:
        raise ParameterError("block", block, "1 or more")


def _share_above(drawn: FloatArray, observed: float) -> float:
    return (1 + int((drawn >= observed).sum())) / (1 + drawn.size)


def _step_down(score: FloatArray, noise: FloatArray, level: float) -> BoolArray:
    """Keep what is above the highest of what is left, until nothing more is."""
    worth = np.zeros(score.size, dtype=np.bool_)
    while not worth.all():
        highest = noise[:, ~worth].max(axis=1)
        more = ~worth & (score > np.quantile(highest, 1.0 - level))
        if not more.any():
            break
        worth |= more
    return worth


def _long_run_variance(returns: FloatArray, block: float) -> FloatArray:
    """Variance of √n times each row's mean under the stationary bootstrap, exactly.

    Politis & Romano (1994), lemma 1.
    """
    size = returns.shape[1]
    centred = returns - returns.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * size, axis=1)
    products = np.fft.irfft(np.abs(spectrum) ** 2, 2 * size, axis=1)[:, :size] / size
    lags = np.arange(size)
    kept = 1.0 - 1.0 / block
    weights = (1.0 - lags / size) * kept**lags + lags / size * kept ** (size - lags)
    weights[0] = 0.5
    variance: FloatArray = 2.0 * products @ weights
    return np.maximum(variance, np.finfo(np.float64).tiny)


def _resampled_means(returns: FloatArray, block: float, draws: int, seed: int) -> FloatArray:
    """Mean of each row in each resample, shape (draws, settings)."""
    rng = np.random.default_rng(seed)
    size = returns.shape[1]
    parts = [
        _counts(rng, size, block, min(_AT_ONCE, draws - done)) @ returns.T
        for done in range(0, draws, _AT_ONCE)
    ]
    means: FloatArray = np.concatenate(parts) / size
    return means


def _counts(rng: np.random.Generator, size: int, block: float, draws: int) -> FloatArray:
    """How often each stretch is in each resample: blocks of geometric length, around the end."""
    begins = rng.random((draws, size)) < 1.0 / block
    begins[:, 0] = True
    time = np.arange(size)
    begun = np.maximum.accumulate(np.where(begins, time, 0), axis=1)
    first = np.take_along_axis(rng.integers(size, size=(draws, size)), begun, axis=1)
    places = (first + time - begun) % size + size * np.arange(draws)[:, None]
    counts = np.bincount(places.ravel(), minlength=draws * size)
    return counts.reshape(draws, size).astype(np.float64)
