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
class DeflatedSharpe:
    """The chance that the true Sharpe ratio is above what luck alone gives the best of many.

    Attributes
    ----------
    probability
        Of a true Sharpe ratio above `expected_best`; NaN where it cannot be had.
    expected_best
        Expected highest Sharpe ratio of `trials` settings none of which is worth anything, in the
        unit of the returns (a bar).
    trials
        Settings tried.
    """

    probability: float
    expected_best: float
    trials: int
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
    """95 % percentile interval of the Sharpe ratio a bar by the stationary bootstrap.

    Parameters
    ----------
    returns : ndarray, shape (n,)
    draws, seed
        Resamples, and where the generator starts.
    block
        Mean length of a block in bars; None for Politis & White's automatic choice with the
        correction of Patton, Politis & White (2009), Econometric Reviews 28, 372-375.

    Returns
    -------
    tuple of float
        NaN with fewer than 20 returns or without variation.

    References
    ----------
    Politis & Romano (1994), JASA 89, 1303-1313; Ledoit & Wolf (2008), Journal of Empirical
    Finance 15, 850-859, on the bootstrap of Sharpe ratios.
    """
    from analytics.kernels.bootstrap import bootstrap_sharpe  # noqa: PLC0415 - numba, when needed

    if returns.size < 20 or not returns.std() > 0:
        return math.nan, math.nan
    length = _automatic_block(returns) if block is None else block
    ratios = np.empty(draws)
    bootstrap_sharpe(np.ascontiguousarray(returns), 1.0 / max(length, 1.0), seed, ratios)
    low, high = np.nanquantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def _automatic_block(returns: FloatArray) -> float:
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


def expected_best_sharpe(variance: float, trials: int) -> float:
    """Expected maximum of the Sharpe ratios of `trials` worthless settings, `variance` of them."""
    if trials < 2:
        return 0.0
    upper = (1.0 - _EULER) * float(ndtri(1.0 - 1.0 / trials))
    upper += _EULER * float(ndtri(1.0 - 1.0 / (trials * math.e)))
    return math.sqrt(variance) * upper


def deflated_sharpe(returns: FloatArray, tried: FloatArray) -> DeflatedSharpe:
    """Deflate the Sharpe ratio of returns by the settings tried to find them.

    Parameters
    ----------
    returns : ndarray, shape (n,)
        Of the setting chosen, a bar.
    tried : ndarray
        Sharpe ratios a bar of every setting tried, the chosen one among them; NaN is left out.
    """
    known = tried[np.isfinite(tried)]
    variance = float(known.var(ddof=1)) if known.size > 1 else 0.0
    best = expected_best_sharpe(variance, known.size)
    return DeflatedSharpe(probabilistic_sharpe(returns, best), best, int(known.size))
