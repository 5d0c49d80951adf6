"""Factors of each state of the bars and settings, computed once for all sessions."""

import time
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analytics.errors import DegenerateSeriesError, NotEnoughDataError, ParameterError
from analytics.factors import FactorScores, factor_scores, score_paths
from analytics.frames import parse_interval
from pages.ui.factors import words
from pages.ui.factors.data import FactorMaterial
from pages.ui.factors.settings import FactorSettings
from pages.ui.parts import formats
from pages.ui.parts.notices import Notice
from pages.ui.state.once import Once


@dataclass(frozen=True, eq=False)
class FactorResult:
    """What was found, of what, and where it is from."""

    scores: FactorScores
    material: FactorMaterial
    settings: FactorSettings

    @property
    def span(self) -> str:
        """From the first bar to the end of the last one that all of it stands on."""
        return formats.span(self.material.closes.index[0], self.end)

    @property
    def end(self) -> pd.Timestamp:
        """End of the last bar that all symbols know."""
        last = pd.Timestamp(self.scores.walks.index[-1])
        return last + parse_interval(self.settings.interval).timedelta

    @property
    def bars_behind(self) -> int:
        """Bars from that one to the newest of any symbol."""
        index = self.material.closes.index
        return int((index > self.scores.walks.index[-1]).sum())

    def age_s(self) -> float:
        """How long ago the last bar that all symbols know ended, in seconds."""
        return time.time() - self.end.timestamp()


_scores: Final[Once[FactorScores]] = Once(8)
_paths: Final[Once[pd.DataFrame]] = Once(8)


def run(material: FactorMaterial, settings: FactorSettings) -> FactorResult | Notice:
    """Score all symbols, or say why there is nothing to score.

    Raises
    ------
    AnalyticsError
        The bars do not allow it; the words say what they lack.
    """

    def compute() -> FactorScores:
        return factor_scores(
            material.closes, window=settings.window, factors=settings.factors,
            explained=settings.explained,
        )  # fmt: skip

    try:
        return FactorResult(_scores.get(material.key, compute), material, settings)
    except ParameterError as error:
        return words.too_many_factors(error)
    except NotEnoughDataError as error:
        return words.too_little(error)
    except DegenerateSeriesError as error:
        return words.too_quiet(error)


def paths(result: FactorResult) -> pd.DataFrame:
    """Return the s-scores of all symbols at earlier bars, as they were known then."""
    scores = result.scores
    return _paths.get(
        (result.material.key, scores.factors),
        lambda: score_paths(
            result.material.closes, window=scores.window, factors=scores.factors
        ),
    )  # fmt: skip
