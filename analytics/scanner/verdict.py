"""From statistics to what a row says: p-values, half-lives, the verdict of the held-out part."""

from typing import Final, Literal, cast

import numpy as np
from scipy.special import ndtr

from analytics.frames import BoolArray, FloatArray, IntArray
from analytics.stationarity import TABLES, halvings, unbiased_thetas

Verdict = Literal["", "holds", "shifted", "unproven", "broke"]

VERDICTS: Final[dict[Verdict, str]] = {
    "holds": "mean reversion found again, around the level of the earlier part",
    "shifted": "mean reversion found again, around another level",
    "unproven": "came back to its level, but no more than a random walk might",
    "broke": "never came back to its level",
    "": "no held-out part, or too short for the test",
}


def engle_granger_pvalues(stats: FloatArray) -> FloatArray:
    """MacKinnon's p-values of the residual of one series on another, with a constant."""
    return _pvalues(stats, 1)


def dickey_fuller_pvalues(stats: FloatArray) -> FloatArray:
    """MacKinnon's p-values of a series with given coefficients, with a constant."""
    return _pvalues(stats, 0)


def _pvalues(stats: FloatArray, row: int) -> FloatArray:
    """Vectorised `stationarity.mackinnon.mackinnon_pvalue`: trend "c", row + 1 variables."""
    lowest, highest, star, left, right, _ = TABLES["c"][row]
    smaller = np.polynomial.polynomial.polyval(stats, left)
    larger = np.polynomial.polynomial.polyval(stats, right)
    pvalues = ndtr(np.where(stats <= star, smaller, larger))
    pvalues = np.where(stats > highest, 1.0, pvalues)
    pvalues = np.where(stats < lowest, 0.0, pvalues)
    known: FloatArray = np.where(np.isnan(stats), np.nan, pvalues)
    return known


def half_lives(
    theta: FloatArray, stderr: FloatArray, bars: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Half-life in bars, low end, median-unbiased value, high end of its 95 % interval.

    As `analytics.stationarity.half_life` has them.
    """
    slow, middle, fast = unbiased_thetas(theta, stderr, bars, on_estimated_line=True)
    return halvings(theta), halvings(fast), halvings(middle), halvings(slow)


def verdicts(pvalues: FloatArray, crossings: IntArray, level: float) -> list[Verdict]:
    """Judge the held-out part: is there mean reversion, and is it around the earlier level?"""
    reverts: BoolArray = pvalues < level
    came_back = crossings > 0
    chosen = np.select(
        [np.isnan(pvalues), reverts & came_back, reverts, came_back],
        ["", "holds", "shifted", "unproven"],
        default="broke",
    )
    return cast("list[Verdict]", chosen.tolist())
