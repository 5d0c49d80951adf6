"""What a study of z comes to, in sentences that Live and Evidence share."""

from typing import Final

from analytics.evidence.zscore_distribution import Beyond, ZscoreDistribution
from analytics.evidence.zscore_forecast import ZscoreForecast
from analytics.evidence.zscore_study import ZscoreStudy
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairParams
from pages.ui.parts import formats

FITTED: Final = {
    "autoregression": "the fitted process",
    "walk": "the fitted process, a walk,",
    "normal": "the normal distribution that the filter has",
}


def sentences(study: ZscoreStudy, params: PairParams) -> list[str]:
    """Say how often z is beyond the thresholds, and what it foretells."""
    shares, forecast = study.distribution, study.forecast
    return [
        _often(shares, params) if isinstance(shares, ZscoreDistribution) else _lacking(shares),
        _foretells(forecast, params)
        if isinstance(forecast, ZscoreForecast)
        else _lacking(forecast),
    ]


def _lacking(lack: NotEnough | Degenerate) -> str:
    return f"{formats.capital(lack.reason)}."


def _often(found: ZscoreDistribution, params: PairParams) -> str:
    above, below = (f"{at:+g}" if at else "0" for at in (params.sell_above, params.buy_below))
    walk = "" if found.fitted == "normal" else f", for a walk {_both(found.walk_beyond)}"
    words = (
        f"Of {formats.count(found.nobs, 'bar')} z is above {above} and below {below} in "
        f"{_both(found.beyond)}; for {FITTED[found.fitted]} it would be "
        f"{_both(found.fitted_beyond)}{walk}."
    )
    return formats.with_minus(words)


def _both(beyond: Beyond) -> str:
    """Write the share above and the share below: "3.1 and 2.9 %"."""
    return f"{beyond.above * 100:.1f} and {formats.percent(beyond.below, 1)}"


def _foretells(found: ZscoreForecast, params: PairParams) -> str:
    fitted = "β and horizon were" if params.uses_beta else "the horizon was"
    line = ""
    if params.uses_beta and params.hedge != "ols":
        line = f"The z of one fitted line over {params.window:,} bars, not that drawn: "
    fits = (formats.percent(share, 1) for share in (found.r_squared, found.walk_r_squared))
    return (
        f"{formats.capital(line + found.verdict(params.level))}: p {formats.pvalue(found.pvalue)}, "
        f"R² {' (of walks '.join(fits)}), {formats.sample(found.nobs)} after those that {fitted} "
        "fitted on."
    )
