"""The evidence in a trader's words: the headline, and what stands behind each name."""

import math
from collections.abc import Mapping
from typing import Final

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    JohansenResult,
    SpreadTest,
)
from pages.ui.parts import formats
from pages.ui.parts.judge import bars_to_show, judge, judge_name, shows_return
from pages.ui.parts.markup import Figure

Lack = NotEnough | Degenerate

# Share of unrelated walks in which Engle-Granger, Phillips-Ouliaris or Johansen rejects at 5 %
# (9.5 % on 500 bars): the table of sizes in the README of `analytics`.
ANY_OF_THREE: Final = "10 %"

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
        "lags are chosen by AIC. Where a β is estimated it is run on the residual of one line over "
        "all bars, with MacKinnon's p-values for that (1994, 2010): the usual ones would reject a "
        "true null about 15 % of the time at a nominal 5 %. Dickey & Fuller (1979).",
    ),
    Figure(
        "Engle-Granger", "",
        tip="Regress y on x, then ADF on the residual, with critical values made for an estimated "
        "β. The two orderings are two tests: on unrelated walks the better one is below 5 % in "
        "about 10 % of cases. Engle & Granger (1987); MacKinnon (2010).",
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
        tip="ADF without lags, its statistic corrected by a long-run variance. p-values for an "
        "estimated β as ADF's. Phillips & Perron (1988); Phillips & Ouliaris (1990).",
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
        "−T·ln(1 − λ of the next). p-values are approximate, for prices without drift: those for "
        "prices with one find a relation between two such walks in 11 % of cases. Johansen (1991); "
        "Johansen & Juselius (1990), table A2; Reinsel & Ahn (1992).",
    ),
    Figure(
        "KPSS", "",
        tip="The other way round: here the null is that the spread is stationary. Sum of squared "
        "running sums over n² times the long-run variance. Where β is estimated by Shin's (1994) "
        "values, which are stricter. Kwiatkowski et al. (1992).",
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
        "Stock (1989), for an estimated β moved by what two unrelated walks show.",
    ),
    Figure(
        "Half-life", "",
        tip="Bars in which half of a deviation is gone: ln 2 / −θ from Δs(t) = c + θ·s(t−1), "
        "interval right near a random walk too: Andrews (1993). Two unrelated walks have one too, "
        "so it counts only where a test shows a return. Chan (2013), Algorithmic Trading, ch. 2.",
    ),
)  # fmt: skip
STABILITY_EXPLAINED: Final = (
    Figure(
        "Windows", "",
        tip="Each point stands on the bars of its own trailing window alone: β by OLS with a 95 % "
        "band that allows for autocorrelation, the Engle-Granger p-value of y on x, and where that "
        "is below the level the half-life of its residual.",
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


def other_tests(
    result: PairAnalytics, ouliaris: SpreadTest | Lack, johansen: JohansenResult | Lack
) -> list[str]:
    """Say whether the other tests of an estimated β agree with the headline, and what if not."""
    test, level = result.engle_granger, result.params.level
    if not result.params.uses_beta or isinstance(test, NotEnough | Degenerate):
        return []
    others = {}
    if isinstance(ouliaris, SpreadTest):
        others["Phillips-Ouliaris"] = ouliaris.pvalue
    if isinstance(johansen, JohansenResult):
        others["Johansen"] = float(johansen.max_eigen_pvalues[0])
    apart = {
        name: pvalue for name, pvalue in others.items() if (pvalue < level) != test.rejects(level)
    }
    named = " and ".join(f"{name} (p {formats.pvalue(pvalue)})" for name, pvalue in others.items())
    if apart:
        return [_disagreement(apart, is_found=not test.rejects(level))]
    return [f"{named} {'agree' if len(others) > 1 else 'agrees'}."] if others else []


def _disagreement(apart: Mapping[str, float], *, is_found: bool) -> str:
    """Say which tests see it otherwise, and why the first still counts."""
    named = " and ".join(f"{name} (p {formats.pvalue(pvalue)})" for name, pvalue in apart.items())
    if is_found:
        return (
            f"{named} would say cointegrated. Engle-Granger, chosen beforehand, stands: one of the "
            f"three says so of about {ANY_OF_THREE} of unrelated pairs at 5 %."
        )
    return (
        f"{named} would not say so: take it as doubtful, for a relation that is there and strong "
        "is seen by all three."
    )


def beside_headline(result: PairAnalytics) -> list[str]:
    """Say what must be known with it: the plain p-value, the orderings, what more bars would do."""
    sentences = []
    level = result.params.level
    test, swapped, adf = result.engle_granger, result.engle_granger_swapped, result.adf
    if not result.params.uses_beta:
        sentences.append("No β was estimated for this spread, so the ADF p-value stands as it is.")
    elif isinstance(adf, ADFResult):
        sentences.append(
            f"A plain ADF test would say p {formats.pvalue(adf.plain_pvalue)}: too optimistic, for "
            "β was chosen from these same bars to make the residual look stable."
        )
    if isinstance(test, EngleGrangerResult) and isinstance(swapped, EngleGrangerResult):
        agree = test.rejects(level) == swapped.rejects(level)
        sentences.append(
            f"Engle-Granger of {test.dependent} on {test.regressor}: p "
            f"{formats.pvalue(test.pvalue)}; of {swapped.dependent} on {swapped.regressor}: p "
            f"{formats.pvalue(swapped.pvalue)}. The two orderings "
            f"{'agree' if agree else 'disagree: trust neither alone'}."
        )
    return [*sentences, *_power(result)]


def _power(result: PairAnalytics) -> list[str]:
    """Say how many bars would tell, where no return is shown."""
    needed, half_life = bars_to_show(result), result.half_life
    if shows_return(result) or math.isnan(needed) or not isinstance(half_life, HalfLife):
        return []
    sentence = (
        "Unproven is not disproved: a return with the half-life that these bars seem to have, "
        f"{formats.number(half_life.half_life, 1)} bars, would be found in 80 % of samples of "
        f"{needed:,.0f} bars; these are {half_life.nobs:,}."
    )
    return [sentence]


def percent(level: float) -> str:
    """Write a significance level: "5 %"."""
    return f"{level * 100:g} %"


def level_key(level: float) -> str:
    """Name a level as the critical values do: "5%"."""
    return f"{level * 100:g}%"
