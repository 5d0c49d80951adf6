"""Engle-Granger's test with the volatility of the pair at hand in place of MacKinnon's table.

MacKinnon's values are those of shocks of one size. Where volatility comes in clusters or steps, as
in every market, unrelated legs reach them too often; the wild bootstrap draws its own values from
the pair: the changes of both legs keep their size, bar by bar, and take a new sign.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray
from analytics.series import as_float_pair, series_name
from analytics.stationarity.dickey_fuller import AUTO_LAGS, AutoLag, check_autolag
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_test
from analytics.stationarity.mackinnon_tables import TABLES
from analytics.stationarity.result import SpreadTest

Signs = npt.NDArray[np.int8]

LEAST_DRAWS: Final = 199
_MOST_DRAWS: Final = 999
# Signs kept at once, a byte each; the time that draws take grows with them.
_MOST_SIGNS: Final = 20_000_000
# Fewer answers than this of the draws asked for are no distribution.
_LEAST_SHARE: Final = 0.5
_SEED: Final = 20100701


@dataclass(frozen=True, slots=True, eq=False)
class WildDraws:
    """Pairs under the null, the same ones each time, for all pairs of the same bars.

    Attributes
    ----------
    signs : ndarray, shape (draws, bars)
        1 or -1 for the change into each bar, the same for all legs.
    """

    signs: Signs

    @classmethod
    def of(cls, most: int, bars: int) -> "WildDraws":
        """Take `most` draws of so many bars; fewer where these are many, but 199 at least."""
        draws = max(LEAST_DRAWS, min(most, _MOST_SIGNS // max(bars, 1)))
        return cls.exactly(draws, bars)

    @classmethod
    def exactly(cls, draws: int, bars: int) -> "WildDraws":
        """Take as many draws as asked."""
        coins = np.random.default_rng(_SEED).integers(0, 2, (draws, bars), dtype=np.int8)
        return cls(2 * coins - 1)

    def first(self, draws: int) -> "WildDraws":
        """Keep the first ones."""
        return WildDraws(self.signs[:draws])

    def null_stats(
        self, y: FloatArray, x: FloatArray, lags: int, autolag: AutoLag | None
    ) -> FloatArray:
        """Engle-Granger statistics of a pair drawn without cointegration.

        Parameters
        ----------
        y, x : ndarray, shape (bars,)
            Prices or their logarithms, NaN missing.
        lags, autolag
            Most lags tried, and how they are chosen.

        Returns
        -------
        ndarray, shape (draws, 2)
            Of y on x, and of x on y; NaN where a draw would lose digits.

        References
        ----------
        Cavaliere, Rahbek & Taylor (2010), Econometric Theory 26, 1719-1760, (2014), Econometric
        Reviews 33, 606-650: one weight of 1 or -1 a bar for all legs (Rademacher's), under the
        null.
        """
        from analytics.kernels import wild  # noqa: PLC0415 - numba, when needed

        known = np.flatnonzero(~(np.isnan(y) | np.isnan(x)))
        breaks = np.flatnonzero(np.diff(known) > 1) + 1
        starts = np.concatenate([[0], breaks, [known.size]]).astype(np.int64)
        criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
        legs = _scaled(y[known]), _scaled(x[known])
        out = np.full((self.signs.shape[0], 2), np.nan)
        wild.null_stats(*legs, starts, known, self.signs, lags, criterion, out)
        return out


def graded_pvalues(stats: FloatArray, drawn: FloatArray) -> FloatArray:
    """p-values below one in the number of draws, for corrections that ask for such.

    On the scale on which MacKinnon's p is that of a normal variable, the draws' median and the
    spread of their lower half place the statistic.

    Parameters
    ----------
    stats : ndarray, shape (k,)
        Of the pair.
    drawn : ndarray, shape (draws, k)
        Of pairs under the null; NaN for a draw without an answer.

    Returns
    -------
    ndarray, shape (k,)
        NaN where fewer than half of the draws have an answer.
    """
    scores = _normal_scores(drawn)
    enough = (~np.isnan(drawn)).mean(axis=0) >= _LEAST_SHARE
    middle = np.nanmedian(np.where(enough, scores, 0.0), axis=0)
    below = np.where(scores < middle, scores - middle, np.nan)
    spread = np.sqrt(np.nanmean(np.where(enough, below, 1.0) ** 2, axis=0))
    pvalues: FloatArray = ndtr((_normal_scores(stats) - middle) / spread)
    return np.where(enough, pvalues, np.nan)


def counted_pvalue(stat: float, drawn: FloatArray) -> float:
    """Share of draws at or below the statistic, the statistic counted among them; NaN without."""
    known = drawn[~np.isnan(drawn)]
    if known.size < _LEAST_SHARE * drawn.size:
        return float("nan")
    return float((1 + (known <= stat).sum()) / (1 + known.size))


def wild_bootstrap_test(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    max_lags: int | None = None,
    autolag: str | None = "aic",
    draws: int | None = None,
) -> SpreadTest:
    """Test two series for cointegration, allowing for volatility that comes and goes.

    Parameters
    ----------
    y, x, max_lags, autolag
        As in `engle_granger_test`; y is the dependent leg.
    draws : int, optional
        Pairs drawn, by default 999 or fewer of many bars. The smallest p-value is 1 in draws + 1.

    Returns
    -------
    SpreadTest
        H0: y and x are not cointegrated. The statistic is Engle-Granger's; p-value and critical
        values are of the draws, the same ones each time.

    Raises
    ------
    NotEnoughDataError, DegenerateSeriesError, ParameterError, InvalidSeriesError
        As `engle_granger_test`; DegenerateSeriesError too where most draws have no answer.

    References
    ----------
    Cavaliere, Rahbek & Taylor (2010, 2014), as in `WildDraws`.
    """
    plain = engle_granger_test(y, x, max_lags=max_lags, autolag=autolag)
    legs = as_float_pair(y, x)
    bars = legs[0].size
    pairs = WildDraws.of(_MOST_DRAWS, bars) if draws is None else WildDraws.exactly(draws, bars)
    drawn = pairs.null_stats(*legs, plain.max_lags, check_autolag(autolag))[:, 0]
    what = f"the wild bootstrap of {series_name(y, 'y')} on {series_name(x, 'x')}"
    return _of_draws(plain, drawn, what)


def _of_draws(plain: EngleGrangerResult, drawn: FloatArray, what: str) -> SpreadTest:
    pvalue = counted_pvalue(plain.stat, drawn)
    if np.isnan(pvalue):
        raise DegenerateSeriesError(what, "most draws hardly move")
    critical = {f"{level}%": float(np.nanquantile(drawn, level / 100)) for level in (1, 5, 10)}
    return SpreadTest(
        name="Engle-Granger, wild bootstrap",
        stat=plain.stat,
        pvalue=pvalue,
        critical_values=critical,
        lags=plain.lags,
        nobs=plain.nobs,
        left_out=0,
        null_hypothesis=plain.null_hypothesis,
        if_rejected="cointegrated, volatility allowed for",
        if_not="no evidence of cointegration once volatility is allowed for",
        reference="Cavaliere, Rahbek & Taylor (2010, 2014)",
    )


def _scaled(values: FloatArray) -> FloatArray:
    rest = values - values.mean()
    size = float(np.abs(rest).max()) if rest.size else 0.0
    scaled: FloatArray = rest / (size or 1.0)
    return scaled


def _normal_scores(stats: FloatArray) -> FloatArray:
    """Where MacKinnon's p-value of a residual's statistic lies on the normal distribution."""
    lowest, highest, star, left, right, _ = TABLES["c"][1]
    inside = np.clip(stats, lowest, highest)
    smaller = np.polynomial.polynomial.polyval(inside, left)
    larger = np.polynomial.polynomial.polyval(inside, right)
    scores: FloatArray = np.where(inside <= star, smaller, larger)
    return scores
