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
from analytics.frames import FloatArray, IntArray
from analytics.series import as_float_pair, series_name
from analytics.stationarity.dickey_fuller import AUTO_LAGS, AutoLag, check_autolag
from analytics.stationarity.engle_granger import EngleGrangerResult, engle_granger_test
from analytics.stationarity.mackinnon_tables import TABLES
from analytics.stationarity.result import SpreadTest

DRAWS: Final = 399
# Fewer answers than this of the draws asked for are no distribution.
_LEAST_SHARE: Final = 0.5
_SEED: Final = 20100701


@dataclass(frozen=True, slots=True, eq=False)
class KnownPair:
    """Levels of the bars that both legs know, scaled; where unbroken stretches begin, and n."""

    y: FloatArray
    x: FloatArray
    starts: IntArray

    @classmethod
    def of(cls, y: FloatArray, x: FloatArray) -> "KnownPair":
        """Take two rows of closes or their logarithms, NaN at missing bars."""
        known = np.flatnonzero(~(np.isnan(y) | np.isnan(x)))
        breaks = np.flatnonzero(np.diff(known) > 1) + 1
        starts = np.concatenate([[0], breaks, [known.size]]).astype(np.int64)
        return cls(_scaled(y[known]), _scaled(x[known]), starts)


def random_signs(draws: int, bars: int) -> npt.NDArray[np.int8]:
    """Signs of the change into each bar, shape (draws, bars); the same ones each time."""
    coins = np.random.default_rng(_SEED).integers(0, 2, (draws, bars), dtype=np.int8)
    return 2 * coins - 1


def null_stats(
    pair: KnownPair, signs: npt.NDArray[np.int8], lags: int, autolag: AutoLag | None
) -> FloatArray:
    """Engle-Granger statistics of the pair drawn without cointegration.

    Parameters
    ----------
    pair
        Of n bars.
    signs : ndarray, shape (draws, n - 1)
        Of the change into each bar but the first.
    lags, autolag
        Most lags tried, and how they are chosen.

    Returns
    -------
    ndarray, shape (draws, 2)
        Of y on x, and of x on y; NaN where a draw would lose digits.

    References
    ----------
    Cavaliere, Rahbek & Taylor (2010), Econometric Theory 26, 1719-1760, (2014), Econometric Reviews
    33, 606-650: one weight of 1 or -1 a bar for all legs (Rademacher's), under the null.
    """
    from analytics.kernels import wild  # noqa: PLC0415 - numba, when needed

    criterion = -1 if autolag is None else AUTO_LAGS.index(autolag)
    out = np.full((signs.shape[0], 2), np.nan)
    wild.null_stats(
        pair.y, pair.x, pair.starts, np.ascontiguousarray(signs), lags, criterion, out
    )  # fmt: skip
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
    with np.errstate(invalid="ignore"):
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
    draws: int = 999,
) -> SpreadTest:
    """Test two series for cointegration, allowing for volatility that comes and goes.

    Parameters
    ----------
    y, x, max_lags, autolag
        As in `engle_granger_test`; y is the dependent leg.
    draws : int
        Pairs drawn. The smallest p-value is 1 in draws + 1.

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
    Cavaliere, Rahbek & Taylor (2010, 2014), as in `null_stats`.
    """
    plain = engle_granger_test(y, x, max_lags=max_lags, autolag=autolag)
    pair = KnownPair.of(*as_float_pair(y, x))
    signs = random_signs(draws, pair.y.size - 1)
    drawn = null_stats(pair, signs, plain.max_lags, check_autolag(autolag))[:, 0]
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
