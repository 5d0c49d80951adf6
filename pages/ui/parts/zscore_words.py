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
    "walk": "the fitted process, a walk",
    "normal": "a normal one, as the filter has it",
}


def sentences(study: ZscoreStudy, params: PairParams) -> list[str]:
    """Say how often z is beyond the thresholds, and what it foretells."""
    shares, forecast = study.distribution, study.forecast
    return [
        _often(shares) if isinstance(shares, ZscoreDistribution) else _lacking(shares),
        _foretells(forecast, params)
        if isinstance(forecast, ZscoreForecast)
        else _lacking(forecast),
    ]


def _lacking(lack: NotEnough | Degenerate) -> str:
    return f"{formats.capital(lack.reason)}."


def _often(found: ZscoreDistribution) -> str:
    walk = "" if found.fitted == "normal" else f", of a walk's {both(found.walk_beyond)}"
    return (
        f"z is beyond the thresholds in {both(found.beyond)} of "
        f"{formats.count(found.nobs, 'bar')}; "
        f"of {FITTED[found.fitted]} it would be {both(found.fitted_beyond)}{walk}."
    )


def both(beyond: Beyond) -> str:
    """Write the share above and the share below: "3.1 % above and 2.9 % below"."""
    above, below = formats.percent(beyond.above, 1), formats.percent(beyond.below, 1)
    return f"{above} above and {below} below"


def _foretells(found: ZscoreForecast, params: PairParams) -> str:
    fitted = "β and horizon were" if params.uses_beta else "the horizon was"
    fits = (formats.percent(share, 1) for share in (found.r_squared, found.walk_r_squared))
    return (
        f"{formats.capital(found.verdict(params.level))}: p {formats.pvalue(found.pvalue)}, "
        f"R² {' (of walks '.join(fits)}), {formats.sample(found.nobs)} after those that {fitted} "
        "fitted on."
    )
