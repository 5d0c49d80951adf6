"""MacKinnon's p-values and critical values.

statsmodels' own functions pass each number through general machinery that takes longer than the
test, and through imports that take half a second.
"""

import math
from collections.abc import Sequence
from typing import Final

from analytics.stationarity.mackinnon_tables import TABLES

LEVELS: Final = ("1%", "5%", "10%")

_SQRT_HALF = math.sqrt(0.5)


def mackinnon_pvalue(stat: float, trend: str, variables: int) -> float:
    """p-value of a Dickey-Fuller t statistic; NaN stays NaN.

    Parameters
    ----------
    stat
        t of the lagged level.
    trend : {"n", "c", "ct", "ctt"}
    variables
        1 for a series with given coefficients, 2 for the residual of one on another.

    References
    ----------
    MacKinnon (1994), J. Business & Economic Statistics 12, 167-176.
    """
    lowest, highest, star, left, right, _ = TABLES[trend][variables - 1]
    if math.isnan(stat):
        return math.nan
    if stat > highest:
        return 1.0
    if stat < lowest:
        return 0.0
    place = _polynomial(left if stat <= star else right, stat)
    return 0.5 * math.erfc(-place * _SQRT_HALF)


def critical_values(trend: str, variables: int, nobs: int) -> dict[str, float]:
    """MacKinnon (2010) at `LEVELS`; NaN for trend "n" with two variables, never published."""
    surfaces = TABLES[trend][variables - 1].critical
    if not surfaces:
        return dict.fromkeys(LEVELS, math.nan)
    return {
        level: _polynomial(surface, 1.0 / nobs)
        for level, surface in zip(LEVELS, surfaces, strict=True)
    }


def _polynomial(coefficients: Sequence[float], at: float) -> float:
    """Evaluate from the highest power down; coefficients ascend."""
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * at + coefficient
    return value
