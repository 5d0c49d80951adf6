"""All tests of a pair for the evidence page: dearer than a live view, computed when asked for."""

from dataclasses import dataclass

import pandas as pd

from analytics.hedge import HedgeFit, fit_hedge
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import PairAnalytics
from analytics.pair_spread import fitted_legs
from analytics.series import longest_run
from analytics.stability import Stability, stability
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    JohansenResult,
    adf_test,
    johansen_test,
)
from analytics.unit_root import (
    SpreadTest,
    hurst_exponent,
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
)

Lacking = NotEnough | Degenerate


@dataclass(frozen=True, slots=True, eq=False)
class PairEvidence:
    """What the tests say of a pair. Each entry is a result, or why there is none.

    Attributes
    ----------
    ols
        OLS of y on x with both kinds of standard errors.
    adf_of_residual
        Plain ADF of that line's residual: its p-value is too small, shown beside Engle-Granger's.
    engle_granger, engle_granger_swapped, phillips_ouliaris, phillips_ouliaris_swapped, johansen
        Tests of the two legs.
    adf, kpss, phillips_perron, variance_ratio, hurst, half_life
        Of the spread chosen. Where `estimated` is true, its beta came from the same bars.
    stability
        Beta, p-value and half-life over trailing windows, and the break test.
    """

    estimated: bool
    ols: HedgeFit | Lacking
    adf_of_residual: ADFResult | Lacking
    engle_granger: EngleGrangerResult | Lacking
    engle_granger_swapped: EngleGrangerResult | Lacking
    phillips_ouliaris: SpreadTest | Lacking
    phillips_ouliaris_swapped: SpreadTest | Lacking
    johansen: JohansenResult | Lacking
    adf: ADFResult | Lacking
    kpss: SpreadTest | Lacking
    phillips_perron: SpreadTest | Lacking
    variance_ratio: SpreadTest | Lacking
    hurst: SpreadTest | Lacking
    half_life: HalfLife | Lacking
    stability: Stability | Lacking


def gather_evidence(result: PairAnalytics) -> PairEvidence:
    """Run every test on an analysed pair: about a second on a day of 1-second bars.

    Parameters
    ----------
    result : PairAnalytics
        As `analyse_pair` gives it; its legs are taken as prices, or for the log spread as logs.

    Returns
    -------
    PairEvidence
        Nothing is raised for too few bars or degenerate legs: the entry says so.
    """
    y, x = fitted_legs(result.y, result.x, result.params)
    spread = result.spread
    ols = attempt(lambda: fit_hedge(y, x))
    return PairEvidence(
        estimated=result.params.uses_beta,
        ols=ols,
        adf_of_residual=_residual_test(y, x, ols),
        engle_granger=result.engle_granger,
        engle_granger_swapped=result.engle_granger_swapped,
        phillips_ouliaris=attempt(lambda: phillips_ouliaris_test(y, x)),
        phillips_ouliaris_swapped=attempt(lambda: phillips_ouliaris_test(x, y)),
        johansen=attempt(lambda: johansen_test(_unbroken(y, x))),
        adf=result.adf,
        kpss=attempt(lambda: kpss_test(spread)),
        phillips_perron=attempt(lambda: phillips_perron_test(spread)),
        variance_ratio=attempt(lambda: variance_ratio_test(spread)),
        hurst=attempt(lambda: hurst_exponent(spread)),
        half_life=result.half_life,
        stability=attempt(lambda: stability(y, x)),
    )


def _residual_test(
    y: pd.Series, x: pd.Series, ols: HedgeFit | Lacking
) -> ADFResult | NotEnough | Degenerate:
    if not isinstance(ols, HedgeFit):
        return ols
    residual = (y - ols.alpha - ols.beta * x).rename(f"residual of {ols.y_name} on {ols.x_name}")
    size = float(y.abs().max()) + abs(ols.beta) * float(x.abs().max())
    if float(residual.max() - residual.min()) <= 1e-12 * size:
        return Degenerate(f"ADF on {residual.name}", "the legs are identical or exactly collinear")
    return attempt(lambda: adf_test(residual))


def _unbroken(y: pd.Series, x: pd.Series) -> pd.DataFrame:
    """Both legs over the longest run of bars known on both."""
    run = longest_run((y.notna() & x.notna()).to_numpy())
    return pd.DataFrame({y.name: y.iloc[run], x.name: x.iloc[run]})
