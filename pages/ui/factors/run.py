"""Factors of each state of the bars and settings, computed once for all sessions."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from analytics.errors import NotEnoughDataError, ParameterError
from analytics.factors import FactorScores, factor_scores, score_paths
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
        """From when to when the bars are."""
        index = self.material.closes.index
        return formats.span(index[0], index[-1])


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


def paths(result: FactorResult) -> pd.DataFrame:
    """Return the s-scores of all symbols at earlier bars, as they were known then."""
    scores = result.scores
    return _paths.get(
        (result.material.key, scores.factors),
        lambda: score_paths(
            result.material.closes, window=scores.window, factors=scores.factors
        ),
    )  # fmt: skip
