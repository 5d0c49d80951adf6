"""Which test a pair's verdict goes by, and its name."""

from analytics.outcome import Degenerate, NotEnough
from analytics.pair import PairAnalytics
from analytics.stationarity import ADFResult, EngleGrangerResult

Judge = ADFResult | EngleGrangerResult | NotEnough | Degenerate


def judge(result: PairAnalytics) -> Judge:
    """Return the test to go by: Engle-Granger where β was estimated, ADF where it was given."""
    return result.engle_granger if result.params.uses_beta else result.adf


def judge_name(result: PairAnalytics) -> str:
    """Name the test to go by."""
    return "Engle-Granger" if result.params.uses_beta else "ADF"
