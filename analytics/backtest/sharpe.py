"""How sure a Sharpe ratio is: bootstrap interval, probabilistic and deflated Sharpe ratio."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from analytics.frames import FloatArray

_EULER: Final = 0.5772156649015329
DRAWS: Final = 1_000
SEED: Final = 20240808


@dataclass(frozen=True, slots=True)
class Independent:
    """How many settings were tried, as far as luck is concerned.

    Attributes
    ----------
    distinct
        Settings whose profits are not the very same.
    correlation
        Mean over all pairs of these; 0 with fewer than two.
    number
        ``ρ̄ + (1 − ρ̄) · distinct``, ρ̄ at least 0.
    sharpe_variance
        Of the Sharpe ratios a bar of the distinct settings (ddof 1); 0 with fewer than two.
    """

    distinct: int
    correlation: float
    number: float
    sharpe_variance: float
    reference: str = (
        "Bailey & López de Prado (2014), Journal of Portfolio Management 40(5), 94-107, appendix"
    )


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """The chance that the true Sharpe ratio is above what luck alone gives the best of many.

    Attributes
    ----------
    probability
        Of a true Sharpe ratio above `expected_best`; NaN where it cannot be had.
    expected_best
        Expected highest Sharpe ratio of the settings tried if none of them is worth anything, in
        the unit of the returns (a bar).
    trials
        Settings tried, and how many independent ones they come to.
    """

    probability: float
    expected_best: float
    trials: Independent
    reference: str = "Bailey & López de Prado (2014), Journal of Portfolio Management 40(5), 94-107"


def sharpe(returns: FloatArray) -> float:
    """Mean over standard deviation (ddof 1) of a bar's returns; NaN where they do not vary."""
    if returns.size < 2:
        return math.nan
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation if deviation > 0 else math.nan


def sharpe_interval(
    returns: FloatArray, *, draws: int = DRAWS, seed: int = SEED, block: float | None = None
) -> tuple[float, float]:
    """95 % interval of the Sharpe ratio a bar by a studentised block bootstrap.

    Parameters
    ----------
    returns : ndarray, shape (n,)
    draws, seed
        Resamples, and where the generator starts.
    block
        Bars of a block, rounded; None for Politis & White's automatic choice with the correction of
        Patton, Politis & White (2009), Econometric Reviews 28, 372-375.

    Returns
    -------
    tuple of float
        Symmetric around the estimate; NaN with fewer than 20 returns or without variation.

    References
    ----------
    Ledoit & Wolf (2008), Journal of Empirical Finance 15, 850-859: the distance in each resample is
    divided by its own error, taken from its blocks; that of the sample by a long-run error
    (Bartlett weights, over twice the block).
    """
    from analytics.kernels.bootstrap import bootstrap_sharpe  # noqa: PLC0415 - numba, when needed

    if returns.size < 20 or not returns.std() > 0:
        return math.nan, math.nan
    length = min(max(1, round(automatic_block(returns) if block is None else block)), returns.size)
    distances = np.empty(draws)
    bootstrap_sharpe(np.ascontiguousarray(returns), length, seed, distances)
    reach = float(np.nanquantile(distances, 0.95)) * _sharpe_error(returns, length)
    ratio = sharpe(returns)
    return ratio - reach, ratio + reach


def _sharpe_error(returns: FloatArray, block: int) -> float:
    """Standard error of the Sharpe ratio, by the delta method on the first two moments."""
    mean, square = returns.mean(), np.mean(returns**2)
    variance = square - mean**2
    slope = np.array([square, -0.5 * mean]) / variance**1.5
    influence = slope[0] * (returns - mean) + slope[1] * (returns**2 - square)
    lags = min(2 * block, returns.size) - 1
    total = float(influence @ influence)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1)) * float(influence[lag:] @ influence[:-lag])
    return math.sqrt(max(total, 0.0)) / returns.size


def automatic_block(returns: FloatArray) -> float:
    """Mean block length of Politis & White (2004), corrected; 1 to a third of the returns."""
    from arch.bootstrap import optimal_block_length  # noqa: PLC0415 - seconds to import

    length = float(optimal_block_length(returns)["stationary"].iloc[0])
    return min(max(length, 1.0), returns.size / 3) if math.isfinite(length) else 1.0


def probabilistic_sharpe(returns: FloatArray, benchmark: float = 0.0) -> float:
    """Chance that the true Sharpe ratio a bar is above `benchmark`, given skew and fat tails.

    Bailey & López de Prado (2012), Journal of Risk 15(2), 3-44. Takes the returns as independent
    from bar to bar: where they are not, it is too sure. NaN without variation.
    """
    ratio = sharpe(returns)
    if math.isnan(ratio):
        return math.nan
    deviations = returns - returns.mean()
    scale = math.sqrt(float(np.mean(deviations**2)))
    skew = float(np.mean(deviations**3)) / scale**3
    kurtosis = float(np.mean(deviations**4)) / scale**4
    return psr(ratio, benchmark, returns.size, skew, kurtosis)


def psr(ratio: float, benchmark: float, n: int, skew: float, kurtosis: float) -> float:
    """Compute the probabilistic Sharpe ratio of its five figures (kurtosis 3 for a normal)."""
    variance = 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
    if variance <= 0:
        return math.nan
    return float(ndtr((ratio - benchmark) * math.sqrt(n - 1.0) / math.sqrt(variance)))


def independent_trials(returns: FloatArray, *, stretch: float = 1.0) -> Independent:
    """Count the settings that luck had to choose from.

    Parameters
    ----------
    returns : ndarray, shape (settings, stretches)
        Net; a row that does not vary is left out.
    stretch
        Bars that a return is of: the Sharpe ratios are those of a bar.
    """
    varying = returns[returns.std(axis=1) > 0] + 0.0  # one zero of the two
    rows = varying[sorted({row.tobytes(): place for place, row in enumerate(varying)}.values())]
    distinct = len(rows)
    if distinct < 2:
        return Independent(distinct, 0.0, float(distinct), 0.0)
    ratios = rows.mean(axis=1) / rows.std(axis=1, ddof=1)
    # The sum of all correlations is the squared length of the sum of the standardised rows.
    centred = rows - rows.mean(axis=1, keepdims=True)
    summed = (centred / np.linalg.norm(centred, axis=1, keepdims=True)).sum(axis=0)
    correlation = (float(summed @ summed) - distinct) / (distinct * (distinct - 1))
    shared = min(max(float(correlation), 0.0), 1.0)
    number = shared + (1.0 - shared) * distinct
    return Independent(distinct, float(correlation), number, float(ratios.var(ddof=1)) / stretch)


def expected_best_sharpe(variance: float, trials: float) -> float:
    """Expected maximum of the Sharpe ratios of `trials` worthless settings, `variance` of them.

    Asymptotic in the number; between one setting, of which none is the best, and two a line.
    """
    if trials < 2:
        return max(trials - 1.0, 0.0) * expected_best_sharpe(variance, 2.0)
    upper = (1.0 - _EULER) * float(ndtri(1.0 - 1.0 / trials))
    upper += _EULER * float(ndtri(1.0 - 1.0 / (trials * math.e)))
    return math.sqrt(variance) * upper


def deflated_sharpe_of(
    ratios: FloatArray, benchmark: float, n: int, skews: FloatArray, kurtoses: FloatArray
) -> FloatArray:
    """Compute `psr` of many runs of `n` bars against one benchmark; NaN where it cannot be had."""
    figures = zip(ratios.tolist(), skews.tolist(), kurtoses.tolist(), strict=True)
    return np.array([psr(ratio, benchmark, n, skew, tail) for ratio, skew, tail in figures])


def deflated_sharpe(returns: FloatArray, trials: Independent) -> DeflatedSharpe:
    """Deflate the Sharpe ratio of returns by the settings tried to find them.

    Parameters
    ----------
    returns : ndarray, shape (n,)
        Of the setting chosen, a bar.
    trials
        Of every setting tried, the chosen one among them, in the same unit of time.
    """
    best = expected_best_sharpe(trials.sharpe_variance, trials.number)
    return DeflatedSharpe(probabilistic_sharpe(returns, best), best, trials)
