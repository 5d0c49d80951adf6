"""The evidence in a trader's words: the headline, and what stands behind each name."""

from typing import Final

from analytics.hedge import HedgeFit
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult
from pages.ui.parts import formats
from pages.ui.parts.judge import judge, judge_name
from pages.ui.parts.markup import Figure

TITLES: Final = {
    "price difference": "The price difference of {y} and {x}",
    "hedged": "The spread of {y} on {x}",
    "log": "The log spread of {y} on {x}",
    "ratio": "The price ratio of {y} and {x}",
}
TESTS_EXPLAINED: Final = (
    Figure(
        "ADF", "",
        tip="Δs(t) = c + θ·s(t−1) + Σ φ(i)·Δs(t−i) + e(t): the statistic is θ over its error, the "
        "lags are chosen by AIC. Its p-value (MacKinnon 1994, 2010) takes β as known. Where β was "
        "chosen from the same bars it rejects a true null about 15 % of the time at a nominal 5 %. "
        "Dickey & Fuller (1979).",
    ),
    Figure(
        "Engle-Granger", "",
        tip="Regress y on x, then ADF on the residual, with critical values made for an estimated "
        "β. The two orderings are two tests: taking the better one is a second look at the same "
        "data. Engle & Granger (1987); MacKinnon (2010).",
    ),
    Figure(
        "Wild bootstrap", "",
        tip="Engle-Granger's statistic among those of unrelated pairs drawn from these very bars: "
        "each change keeps its size and takes a random sign, the same for both legs. Where "
        "volatility comes and goes, MacKinnon's p is too small; this one is not. Cavaliere, "
        "Rahbek & Taylor (2010, 2014).",
    ),
    Figure(
        "Phillips-Perron", "",
        tip="ADF without lags, its statistic corrected by a long-run variance. The same caution "
        "for an estimated β. Phillips & Perron (1988).",
    ),
    Figure(
        "Phillips-Ouliaris", "",
        tip="Phillips-Perron on the residual of y on x, with the right critical values. "
        "Phillips & Ouliaris (1990).",
    ),
    Figure(
        "Johansen", "",
        tip="Fits both legs at once, Δp(t) = Π·p(t−1) + Γ·Δp(t−1) + c, and asks for the rank of Π: "
        "no leg is the dependent one. Trace: −T·Σ ln(1 − λ); maximum eigenvalue: "
        "−T·ln(1 − λ of the next). p-values are approximate. Johansen (1991); "
        "MacKinnon, Haug & Michelis (1999).",
    ),
    Figure(
        "KPSS", "",
        tip="The other way round: here the null is that the spread is stationary. Sum of squared "
        "running sums over n² times the long-run variance. Where β was estimated it keeps that "
        "null too easily: Shin (1994) has the stricter values. Kwiatkowski et al. (1992).",
    ),
    Figure(
        "Variance ratio", "",
        tip="Variance of 10-bar changes over 10 times that of 1-bar changes: 1 for a random walk, "
        "below 1 where moves are undone. Lo & MacKinlay (1988).",
    ),
    Figure(
        "Hurst exponent", "",
        tip="The size of changes grows with the horizon to the power H: 0.5 a random walk, less "
        "where the spread returns, more where it trends. Hurst (1951); errors by Richardson & "
        "Stock (1989).",
    ),
    Figure(
        "Half-life", "",
        tip="Bars in which half of a deviation is gone: ln 2 / −θ from Δs(t) = c + θ·s(t−1), "
        "interval from θ ± 1.96 errors. Chan (2013), Algorithmic Trading, ch. 2.",
    ),
)  # fmt: skip
STABILITY_EXPLAINED: Final = (
    Figure(
        "Windows", "",
        tip="Each point stands on the bars of its own trailing window alone: β by OLS with a 95 % "
        "band (Newey-West), the Engle-Granger p-value of y on x, the half-life of that residual.",
    ),
    Figure(
        "Share cointegrated", "",
        tip="Windows whose p-value is below the level. Without any relation about that level of "
        "them would be, and windows that overlap agree with one another.",
    ),
    Figure(
        "Break", "",
        tip="CUSUM of the residuals of one line over the whole lookback, scaled by √n and their "
        "long-run deviation. Beyond the dashed lines the line did not hold. "
        "Xiao & Phillips (2002), J. Econometrics 108, 43-61.",
    ),
)  # fmt: skip
TOGETHER_EXPLAINED: Final = (
    Figure(
        "Epps effect", "",
        tip="At short intervals correlation falls because the legs do not trade at the same "
        "moments, not because they are unrelated. Pearson correlation of log returns, 95 % "
        "interval by Fisher's z. Epps (1979), JASA 74, 291-298.",
    ),
    Figure(
        "Lead-lag", "",
        tip="Products of the two legs' price changes over intervals that overlap, tick by tick, "
        "no bars in between; one leg is shifted by the lag. Hayashi & Yoshida (2005); Hoffmann, "
        "Rosenbaum & Yoshida (2013). Ratio: Huth & Abergel (2014).",
    ),
)  # fmt: skip
PROOF_EXPLAINED: Final = (
    "The bars are cut off at five points and everything is computed again from what is left. If a "
    "value of the past differs in a single bit, something looked at the future."
)
VALIDATION_EXPLAINED: Final = (
    "Published and seeded cases, computed again on this machine by the code that made the numbers "
    "above. Expected is what the source says."
)


def headline(result: PairAnalytics) -> str:
    """Say in one sentence whether the spread returns, at the level chosen, and by which test."""
    params, test = result.params, judge(result)
    title = TITLES[params.spread].format(y=params.y, x=params.x)
    if isinstance(test, NotEnough):
        had, needed = f"{test.had:,}", f"{test.needed:,}"
        return f"{title} has no verdict yet: {test.what} needs {needed} {test.unit}, had {had}."
    if isinstance(test, Degenerate):
        return f"{title} has no verdict: {test.cause}."
    level = percent(params.level)
    rejected = test.rejects(params.level)
    shows = "shows mean reversion" if rejected else "shows no evidence of mean reversion"
    critical = formats.statistic(test.critical_values[level_key(params.level)])
    return (
        f"{title} {shows} at {level}: {judge_name(result)} p {formats.pvalue(test.pvalue)}, "
        f"statistic {formats.statistic(test.stat)} against {critical}, "
        f"{formats.sample(test.nobs)}, {_covered(result)} covered."
    )


def _covered(result: PairAnalytics) -> str:
    return formats.share(result.coverage.known, result.coverage.bars)


def beside_headline(result: PairAnalytics) -> list[str]:
    """Say what must be known with it: the plain p-value, and whether the orderings agree."""
    sentences = []
    level = result.params.level
    test, swapped, adf = result.engle_granger, result.engle_granger_swapped, result.adf
    if not result.params.uses_beta:
        sentences.append("No β was estimated for this spread, so the ADF p-value stands as it is.")
    elif isinstance(adf, ADFResult):
        sentences.append(
            f"A plain ADF test would say p {formats.pvalue(adf.pvalue)}: too optimistic here, for "
            f"{_why_flattered(result)}."
        )
    if isinstance(test, EngleGrangerResult) and isinstance(swapped, EngleGrangerResult):
        agree = test.rejects(level) == swapped.rejects(level)
        sentences.append(
            f"Engle-Granger of {test.dependent} on {test.regressor}: p "
            f"{formats.pvalue(test.pvalue)}; of {swapped.dependent} on {swapped.regressor}: p "
            f"{formats.pvalue(swapped.pvalue)}. The two orderings "
            f"{'agree' if agree else 'disagree: trust neither alone'}."
        )
    return sentences


def _why_flattered(result: PairAnalytics) -> str:
    if isinstance(result.hedge, HedgeFit) and result.hedge.causal:
        return "β follows these prices, so the spread returns by its making"
    return "β was chosen from these same bars to make the spread look stable"


def percent(level: float) -> str:
    """Write a significance level: "5 %"."""
    return f"{level * 100:g} %"


def level_key(level: float) -> str:
    """Name a level as the critical values do: "5%"."""
    return f"{level * 100:g}%"
