"""Whether z says anything, in two sentences: made anew at each step of the range, not each bar."""

from functools import partial
from typing import Final

from analytics.evidence.zscore_study import ZscoreStudy, zscore_study
from analytics.pair import PairAnalytics
from pages.ui.desk.pair_data import PairBars
from pages.ui.live import trends
from pages.ui.parts import zscore_words
from pages.ui.state.once import Once

_studies: Final[Once[ZscoreStudy]] = Once(64)


def sentences(result: PairAnalytics, bars: PairBars) -> list[str]:
    """Say how often z is beyond the thresholds, and what it foretells."""
    return zscore_words.sentences(study(result, bars), result.params)


def study(result: PairAnalytics, bars: PairBars) -> ZscoreStudy:
    """Study z over the latest whole step of the sample."""
    step = trends.step_of(result, bars)
    line = trends.line_of(result, bars)
    return _studies.get(step.key, partial(zscore_study, result, step.rows), line)
