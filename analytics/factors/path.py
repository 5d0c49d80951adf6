"""The s-score of each symbol at earlier bars, as it was known then."""

from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import DegenerateSeriesError
from analytics.factors.common_returns import common_returns
from analytics.factors.eigenportfolios import spectrum_of
from analytics.factors.residuals import regress
from analytics.factors.reversion import centred_means, fit_reversion
from analytics.frames import FloatArray

# Bars back: each costs an eigenvalue decomposition.
MOST_BARS: Final = 120
_MOST_BARS_OF_MANY: Final = 30
_MANY: Final = 60


def score_paths(closes: pd.DataFrame, *, window: int, factors: int) -> pd.DataFrame:
    """Compute the centred s-scores again at each of the latest bars, from what was known there.

    Correlation and portfolios stand on the returns from the first to that bar, the regressions on
    its `window`; the number of factors is given.

    Returns
    -------
    DataFrame, shape (bars, symbols)
        At most `MOST_BARS` rows, 30 of many symbols; the last one is that of `factor_scores`. NaN
        where a residual does not return, or the symbol did not move yet; a whole row where too few
        symbols moved to tell the factors apart.

    Raises
    ------
    NotEnoughDataError, FrameError, InvalidSeriesError
        As `factor_scores`.
    """
    common = common_returns(closes)
    returns = common.values
    most = MOST_BARS if returns.shape[1] <= _MANY else _MOST_BARS_OF_MANY
    count = max(0, min(most, len(returns) - window + 1))
    ends = np.arange(len(returns) - count + 1, len(returns) + 1)
    scores = np.full((count, returns.shape[1]), np.nan)
    moments = _Moments(returns[: len(returns) - count])
    for row, end in enumerate(ends):
        moments.add(returns[end - 1])
        recent = returns[end - window : end]
        scores[row] = _scores(recent, moments.weights(factors))
    return pd.DataFrame(scores, index=common.times[ends - 1], columns=list(common.names))


def _scores(recent: FloatArray, weights: FloatArray) -> FloatArray:
    try:
        regression = regress(recent, recent @ weights)
    except DegenerateSeriesError:
        return np.full(recent.shape[1], np.nan)
    fit = fit_reversion(regression.walks)
    return fit.s_scores(centred_means(fit.mean))


class _Moments:
    """Sums and products of the returns so far."""

    def __init__(self, returns: FloatArray) -> None:
        self._count = len(returns)
        self._sums = returns.sum(axis=0)
        self._products = returns.T @ returns

    def add(self, row: FloatArray) -> None:
        """Take one more bar in."""
        self._count += 1
        self._sums = self._sums + row
        self._products = self._products + np.outer(row, row)

    def weights(self, factors: int) -> FloatArray:
        """Return the first eigenportfolios; a symbol that did not move yet has no weight.

        Where fewer symbols moved than there are factors the last ones are empty.
        """
        mean = self._sums / self._count
        covariance = (self._products - self._count * np.outer(mean, mean)) / (self._count - 1)
        volatility = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
        moves = volatility > 0
        weights = np.zeros((volatility.size, factors))
        correlation = covariance[np.ix_(moves, moves)] / np.outer(
            volatility[moves], volatility[moves]
        )
        portfolios = spectrum_of(correlation, volatility[moves]).weights[:, :factors]
        weights[moves, : portfolios.shape[1]] = portfolios
        return weights
