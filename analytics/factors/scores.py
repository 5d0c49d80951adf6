"""Residuals of many symbols after their common factors, and how far each stands from its level."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.factors.common_returns import CommonReturns, common_returns
from analytics.factors.eigenportfolios import (
    Spectrum,
    flipped_edges,
    marchenko_pastur_edge,
    spectrum,
    standing_out,
)
from analytics.factors.memory import unbiased_half_lives
from analytics.factors.residuals import Regression, regress
from analytics.factors.reversion import Reversion, centred_means, fit_reversion
from analytics.factors.white_residual import WhiteComparison, WhiteShares, compare_with_white
from analytics.frames import FloatArray
from analytics.scanner import benjamini_hochberg

LEAST_WINDOW: Final = 30
# What a regression leaves of a symbol's variance: less is rounding.
_LEAST_LEFT: Final = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """The factors of many symbols and what they leave of each.

    Attributes
    ----------
    names : tuple of str
        Symbols that take part.
    left_out : mapping
        Why others do not.
    bars_given, bars
        Bars of the closes; returns known to all, which correlation and portfolios stand on.
    window
        The latest of these, which the regressions stand on.
    factors
        How many are taken out.
    eigenvalues, weights
        As `Spectrum`; weights of the factors taken out, shape (symbols, factors).
    edge, flipped
        Marchenko and Pastur's edge; the edges by sign flips, of the eigenvalues tested.
    standing_out
        Eigenvalues that exceed theirs.
    table : DataFrame
        A row a symbol, those with the largest absolute s-score first:

        ``symbol``; ``alpha`` a bar; ``beta_1`` … : on one unit of money of each factor;
        ``r_squared``; ``b``, ``kappa`` a bar, ``mean``, ``std_eq`` of the cumulative residual;
        ``s_score`` : levels centred over the symbols; ``s_own`` : not centred; ``s_drift`` :
        centred, allowing for alpha; ``passes`` : 1 / kappa < window / 2; ``half_life_plain`` :
        ln 2 / kappa; ``half_life``, ``half_life_low``, ``half_life_high`` : median-unbiased with
        its 95 % interval; ``stat``, ``pvalue`` : H0, the residual does not return; ``qvalue`` :
        Benjamini-Hochberg over all symbols given; ``reason`` : why a row has no numbers, else "".
    walks : DataFrame, shape (window, symbols)
        Cumulative residuals by time, columns in the order of `names`.
    white : WhiteShares
        What the paper's rules pick where no residual has anything to return to.
    """

    names: tuple[str, ...]
    left_out: Mapping[str, str]
    bars_given: int
    bars: int
    window: int
    factors: int
    eigenvalues: FloatArray
    weights: FloatArray
    edge: float
    flipped: FloatArray
    standing_out: int
    table: pd.DataFrame
    walks: pd.DataFrame
    white: WhiteShares

    @property
    def explained(self) -> FloatArray:
        """Share of the variance of each factor, the largest first."""
        share: FloatArray = self.eigenvalues / self.eigenvalues.size
        return share


def factor_scores(
    closes: pd.DataFrame,
    *,
    window: int = 60,
    factors: int | None = 1,
    explained: float | None = None,
) -> FactorScores:
    """Take the common factors out of many symbols and score what is left of each.

    Parameters
    ----------
    closes : DataFrame, shape (bars, symbols)
        Closes in quote currency, a column a symbol; NaN is a missing bar. No return reaches over
        one, and bars that a symbol misses are left out for all (`common_returns`).
    window : int
        Returns of each regression, the latest ones; correlation and portfolios stand on all.
    factors : int, optional
        How many are taken out; None for as many as stand out by sign flips, one at least.
    explained : float, optional
        In place of it: as many as explain this share of the variance.

    Returns
    -------
    FactorScores
        Of the last bar; nothing in it looks beyond.

    Raises
    ------
    NotEnoughDataError
        Fewer than three symbols, or fewer returns than the window.
    ParameterError
        A window below 30, or a number of factors outside 1 to symbols - 2 and window / 6.
    DegenerateSeriesError
        Too few symbols move in the window to tell the factors apart.
    FrameError, InvalidSeriesError
        As `analytics.scanner.scan_pairs`.

    References
    ----------
    Avellaneda & Lee (2010), Statistical arbitrage in the US equities market, Quantitative Finance
    10(7), 761-782.
    """
    if isinstance(window, bool) or window < LEAST_WINDOW:
        raise ParameterError("window", window, f"a whole number, {LEAST_WINDOW} or more")
    common = common_returns(closes)
    returns = common.values
    if len(returns) < window:
        raise NotEnoughDataError(
            f"a window of {window} returns known to {len(common.names)} symbols",
            window, len(returns), "returns",
        )  # fmt: skip
    observed = spectrum(returns)
    edges = flipped_edges(returns, observed)
    out = standing_out(observed, edges)
    count = _count(observed, window, factors, explained, out)
    portfolios = observed.weights[:, :count]
    recent = returns[-window:]
    regression = regress(recent, recent @ portfolios)
    white = compare_with_white(regression.residuals, regression.basis)
    table = _table(common, regression, white, factors_given=len(closes.columns))
    walks = pd.DataFrame(
        regression.walks, index=common.times[-window:], columns=list(common.names), copy=False
    )
    return FactorScores(
        common.names, common.left_out, common.bars_given, len(returns), window, count,
        observed.eigenvalues, portfolios, marchenko_pastur_edge(len(common.names), len(returns)),
        edges, out, table, walks, white.shares,
    )  # fmt: skip


def most_factors(symbols: int, window: int) -> int:
    """Return how many factors leave enough of the symbols and of the bars."""
    return max(1, min(symbols - 2, window // 6))


def _count(
    observed: Spectrum, window: int, factors: int | None, explained: float | None, out: int
) -> int:
    most = most_factors(observed.eigenvalues.size, window)
    if explained is not None:
        if not 0.0 < explained < 1.0:
            raise ParameterError("explained", explained, "above 0 and below 1")
        return min(observed.count_for(explained), most)
    if factors is None:
        return min(max(out, 1), most)
    if isinstance(factors, bool) or not 1 <= factors <= most:
        raise ParameterError("factors", factors, f"1 to {most} of so many symbols and bars")
    return factors


def _table(
    common: CommonReturns, regression: Regression, white: WhiteComparison, *, factors_given: int
) -> pd.DataFrame:
    bars, factors = len(regression.residuals), len(regression.betas)
    flat = ~(1.0 - regression.r_squared > _LEAST_LEFT)
    reversion = fit_reversion(np.where(flat, np.nan, regression.walks))
    means = centred_means(reversion.mean)
    low, middle, high = unbiased_half_lives(reversion.b, bars, factors)
    pvalues = np.where(flat, np.nan, white.pvalues)
    columns: dict[str, object] = {
        "symbol": list(common.names), "alpha": regression.alpha,
        **{f"beta_{n}": beta for n, beta in enumerate(regression.betas, start=1)},
        "r_squared": regression.r_squared, **_process(reversion),
        "s_score": reversion.s_scores(means), "s_own": reversion.s_scores(),
        "s_drift": reversion.drifting_s_scores(regression.alpha, means),
        "passes": reversion.passes(bars), "half_life_plain": reversion.half_life,
        "half_life": middle, "half_life_low": low, "half_life_high": high,
        "stat": np.where(flat, np.nan, white.stats), "pvalue": pvalues,
        "qvalue": benjamini_hochberg(pvalues, max(factors_given, pvalues.size)),
        "reason": [_reason(r, is_flat=f) for r, f in zip(regression.r_squared, flat, strict=True)],
    }  # fmt: skip
    table = pd.DataFrame(columns)
    return table.sort_values(
        "s_score", key=lambda scores: -scores.abs(), kind="stable", ignore_index=True
    )


def _process(reversion: Reversion) -> dict[str, FloatArray]:
    return {
        "b": reversion.b, "kappa": reversion.kappa, "mean": reversion.mean,
        "std_eq": reversion.std_eq,
    }  # fmt: skip


def _reason(r_squared: float, *, is_flat: bool) -> str:
    if not is_flat:
        return ""
    if np.isnan(r_squared):
        return "does not move in the window"
    return "moves with the factors alone"
