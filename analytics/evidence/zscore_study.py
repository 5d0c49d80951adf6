"""Does the z of a pair say anything: its distribution, and what it foretells."""

from dataclasses import dataclass

from analytics.evidence.zscore_distribution import ZscoreDistribution, zscore_distribution
from analytics.evidence.zscore_forecast import ZscoreForecast, zscore_forecast
from analytics.outcome import Degenerate, NotEnough, attempt
from analytics.pair import PairAnalytics

Lack = NotEnough | Degenerate
ALL_BARS = slice(None)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ZscoreStudy:
    """What is known of a pair's z, or why it is not."""

    distribution: ZscoreDistribution | Lack
    forecast: ZscoreForecast | Lack


def zscore_study(result: PairAnalytics, rows: slice = ALL_BARS) -> ZscoreStudy:
    """Study the z of an analysed pair, over these rows of its sample.

    The distribution is that of z as drawn. The forecast is by one least-squares line of the first
    half, whichever hedge draws the spread, as the tests are: a β that follows the bars would come
    back to them by itself.
    """
    params, sample = result.params, result.sample
    span = sample.spread.iloc[rows]
    drawn = result.zscore.reindex(span.index)
    return ZscoreStudy(
        attempt(
            lambda: zscore_distribution(
                drawn, span, params.zscore_bars, params.sell_above, params.buy_below
            )
        ),
        _forecast(result, rows),
    )


def _forecast(result: PairAnalytics, rows: slice) -> ZscoreForecast | Lack:
    params, sample = result.params, result.sample
    if isinstance(result.residual, NotEnough | Degenerate):
        return result.residual
    if not params.uses_beta:
        return attempt(lambda: zscore_forecast(sample.spread.iloc[rows], window=params.window))
    y, x = sample.y.iloc[rows], sample.x.iloc[rows]
    return attempt(lambda: zscore_forecast(y, x, window=params.window))
