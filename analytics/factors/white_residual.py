"""Whether a residual returns at all: the test, and what residuals with nothing to return to give.

A regression's residuals add up to 0, so their cumulative sum begins and ends there: a bridge, which
looks like a process that returns whatever the market does. Schmidt & Phillips' (1992) LM test for a
unit root is that bridge's, and where there are no factors its values are theirs.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from analytics.factors.residuals import without
from analytics.factors.reversion import OPEN_AT, centred_means, fit_reversion
from analytics.frames import BoolArray, FloatArray

_SEED: Final = 1992
# Draws of the null distribution, in blocks; 400 symbols ask for p-values of 1 in 8,000.
_BLOCKS: Final = 10
_BLOCK: Final = 2_000
# From so many bars on the distribution moves by less than 0.02.
MOST_SIMULATED: Final = 500
# Sign draws a symbol; those of many symbols are fewer, their average over symbols is as sharp.
_SIGN_DRAWS: Final = 499
_SIGN_DRAWS_OF_MANY: Final = 199
# Of a long window there are fewer, down to so many: bars times draws are kept in memory.
_LEAST_SIGN_DRAWS: Final = 99
_MOST_SIGNS: Final = 1_000_000
_MANY: Final = 60
# Below this p-value a symbol's own volatility is allowed for, which costs draws.
_WORTH_DRAWING: Final = 0.2


def lag_count(bars: int) -> int:
    """Lagged residuals in the test: 4 (bars / 100)^(1/4), Schwert's (1989) shorter rule."""
    return int(4.0 * (bars / 100.0) ** 0.25)


def reversion_stats(residuals: FloatArray, lags: int) -> FloatArray:
    """Regress each residual on its sum so far, a constant and lags: the sum's t statistic.

    Lags take noise of single bars, such as trades that bounce between bid and ask, off the level.

    Parameters
    ----------
    residuals : ndarray, shape (bars, n)
    lags : int

    Returns
    -------
    ndarray, shape (n,)
        NaN for a column without variation.

    References
    ----------
    Schmidt & Phillips (1992), Oxford Bulletin of Economics and Statistics 54, 257-287; with lags
    Ahn (1993), Economics Letters 41, 1-9.
    """
    bars = len(residuals)
    level = np.zeros_like(residuals)  # before each change, 0 before the first
    np.cumsum(residuals[:-1], axis=0, out=level[1:])
    target = residuals[lags:]
    columns = [level[lags:], *(residuals[lags - k : bars - k] for k in range(1, lags + 1))]
    centred = np.stack([column - column.mean(axis=0) for column in columns])
    target = target - target.mean(axis=0)
    gram = np.einsum("ktn,ltn->nkl", centred, centred)
    cross = np.einsum("ktn,tn->nk", centred, target)
    scale = np.sqrt(np.einsum("nkk->nk", gram))
    flat = ~(scale > 0).all(axis=1)
    scale[flat] = 1.0
    gram /= scale[:, :, np.newaxis] * scale[:, np.newaxis, :]
    gram[flat] = np.eye(lags + 1)
    inverse = np.linalg.inv(gram)
    slopes = np.einsum("nkl,nl->nk", inverse, cross / scale)
    unexplained = np.einsum("tn,tn->n", target, target) - (slopes * cross / scale).sum(axis=1)
    freedom = len(target) - lags - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        stats: FloatArray = slopes[:, 0] / np.sqrt(unexplained / freedom * inverse[:, 0, 0])
    return np.where(flat, np.nan, stats)


@lru_cache(maxsize=32)
def null_stats(bars: int, factors: int) -> FloatArray:
    """Draw the statistic where residuals are white and Gaussian: sorted, the same each time.

    Factor returns of their own are drawn for each block. A longer window takes the draws of
    `MOST_SIMULATED` bars.
    """
    rng = np.random.default_rng((_SEED, bars, factors))
    simulated = min(bars, MOST_SIMULATED)
    drawn = []
    for _ in range(_BLOCKS):
        design = np.column_stack([np.ones(simulated), rng.standard_normal((simulated, factors))])
        basis, _triangle = np.linalg.qr(design)
        shocks = rng.standard_normal((simulated, _BLOCK))
        drawn.append(reversion_stats(without(basis, shocks), lag_count(simulated)))
    stats = np.sort(np.concatenate(drawn))
    stats.flags.writeable = False
    return stats


def simulated_pvalues(stats: FloatArray, bars: int, factors: int) -> FloatArray:
    """Share of the null's draws at or below each statistic, itself counted; NaN stays."""
    drawn = null_stats(bars, factors)
    below = np.searchsorted(drawn, stats, side="right")
    return np.where(np.isnan(stats), np.nan, (1.0 + below) / (1.0 + drawn.size))


@dataclass(frozen=True, slots=True, eq=False)
class WhiteShares:
    """How many symbols the paper's rules would pick if no residual had anything to return to.

    Attributes
    ----------
    passing, extreme
        Mean number of symbols that return within half the window, and of those among them whose
        s-score is beyond `OPEN_AT`.
    passing_range, extreme_range
        In 95 % of the draws.
    """

    passing: float
    extreme: float
    passing_range: tuple[int, int]
    extreme_range: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class WhiteComparison:
    """What white residuals of the sample's own volatility give: p-values, and the rules' counts."""

    stats: FloatArray
    pvalues: FloatArray
    shares: WhiteShares


def compare_with_white(residuals: FloatArray, basis: FloatArray) -> WhiteComparison:
    """Test each residual, and count what the paper's rules pick of residuals without memory.

    Each bar's residuals take one random sign, common to all symbols, so that they keep their sizes
    and what ties them across symbols, and lose all memory; then they are regressed on the same
    factors. Where the simulated p-value is small, the draws place the statistic on the simulated
    null's scale by their median and the spread of their lower half, and the larger p counts.

    Parameters
    ----------
    residuals : ndarray, shape (bars, symbols)
    basis : ndarray, shape (bars, factors + 1)
        As `analytics.factors.residuals.Regression` has them.

    References
    ----------
    Wild bootstrap: Liu (1988), Annals of Statistics 16, 1696-1708; Cavaliere & Taylor (2008),
    Econometric Theory 24, 43-71.
    """
    bars, symbols = residuals.shape
    factors, lags = basis.shape[1] - 1, lag_count(bars)
    stats = reversion_stats(residuals, lags)
    pvalues = simulated_pvalues(stats, bars, factors)
    draws = sign_draws(bars, symbols)
    signs = 2.0 * np.random.default_rng(_SEED).integers(0, 2, (bars, draws)) - 1.0
    fits = np.full((3, symbols, draws), np.nan)
    for place in range(symbols):
        drawn = without(basis, residuals[:, place, np.newaxis] * signs)
        fit = fit_reversion(np.cumsum(drawn, axis=0))
        fits[:, place] = fit.kappa, fit.mean, fit.std_eq
        if pvalues[place] < _WORTH_DRAWING:
            own = _graded(stats[place], reversion_stats(drawn, lags), bars, factors)
            pvalues[place] = max(pvalues[place], own)
    return WhiteComparison(stats, pvalues, _shares(fits, bars))


def sign_draws(bars: int, symbols: int) -> int:
    """Return how many sign draws a window takes."""
    most = _SIGN_DRAWS if symbols <= _MANY else _SIGN_DRAWS_OF_MANY
    return min(most, max(_LEAST_SIGN_DRAWS, _MOST_SIGNS // bars))


def _graded(stat: float, drawn: FloatArray, bars: int, factors: int) -> float:
    """Place a statistic among its own draws, which may be below one in their number."""
    scores = ndtri(simulated_pvalues(drawn, bars, factors))
    middle = np.median(scores)
    spread = np.sqrt(np.mean((scores[scores <= middle] - middle) ** 2))
    score = ndtri(simulated_pvalues(np.array([stat]), bars, factors)[0])
    return float(ndtr((score - middle) / spread))


def _shares(fits: FloatArray, bars: int) -> WhiteShares:
    kappa, mean, std_eq = fits
    passing: BoolArray = kappa > 2.0 / bars
    with np.errstate(invalid="ignore"):
        extreme = passing & (np.abs(centred_means(mean) / std_eq) > OPEN_AT)
    counts = passing.sum(axis=0), extreme.sum(axis=0)
    means = [float(count.mean()) for count in counts]
    return WhiteShares(means[0], means[1], _range_95(counts[0]), _range_95(counts[1]))


def _range_95(counts: FloatArray) -> tuple[int, int]:
    low, high = np.quantile(counts, [0.025, 0.975])
    return round(low), round(high)
