"""Which test a pair's verdict goes by, its name, and what it cannot see yet."""

import math

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult, HalfLife, bars_for_power

Judge = ADFResult | EngleGrangerResult | NotEnough | Degenerate


def judge(result: PairAnalytics) -> Judge:
    """Return the test to go by: Engle-Granger where β was estimated, ADF where it was given."""
    return result.engle_granger if result.params.uses_beta else result.adf


def judge_name(result: PairAnalytics) -> str:
    """Name the test to go by."""
    return "Engle-Granger" if result.params.uses_beta else "ADF"


def shows_return(result: PairAnalytics) -> bool:
    """Whether that test rejects a walk at the level: else a half-life is what any walk has."""
    test = judge(result)
    return not isinstance(test, NotEnough | Degenerate) and test.rejects(result.params.level)


def bars_to_show(result: PairAnalytics) -> float:
    """Count the bars at which that test finds a return at this half-life in 80 % of samples.

    NaN where there is no half-life, the level has no such number, or the bars at hand are as many:
    then a return as slow is not what they have.
    """
    half_life = result.half_life
    if not isinstance(half_life, HalfLife) or not half_life.mean_reverting:
        return math.nan
    params = result.params
    needed = bars_for_power(half_life.half_life, params.level, is_estimated=params.uses_beta)
    return needed if needed > half_life.nobs else math.nan
