"""MacKinnon's p-values and critical values, from the tables statsmodels carries.

Its own functions pass each number through general machinery that takes longer than the test.
"""

import math
from typing import Final

from statsmodels.tsa import adfvalues as tables

from analytics.frames import FloatArray

LEVELS: Final = ("1%", "5%", "10%")

_SQRT_HALF = math.sqrt(0.5)
# By trend: where the distribution's ends are, and its polynomials left and right of `star`.
_TABLES: Final = {
    "n": (tables.tau_min_nc, tables.tau_max_nc, tables.tau_star_nc, tables.tau_nc_smallp,
          tables.tau_nc_largep, tables.tau_nc_2010),
    "c": (tables.tau_min_c, tables.tau_max_c, tables.tau_star_c, tables.tau_c_smallp,
          tables.tau_c_largep, tables.tau_c_2010),
    "ct": (tables.tau_min_ct, tables.tau_max_ct, tables.tau_star_ct, tables.tau_ct_smallp,
           tables.tau_ct_largep, tables.tau_ct_2010),
    "ctt": (tables.tau_min_ctt, tables.tau_max_ctt, tables.tau_star_ctt, tables.tau_ctt_smallp,
            tables.tau_ctt_largep, tables.tau_ctt_2010),
}  # fmt: skip


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
    lowest, highest, star, left, right = (table[variables - 1] for table in _TABLES[trend][:5])
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
    if trend == "n" and variables > 1:
        return dict.fromkeys(LEVELS, math.nan)
    surfaces = _TABLES[trend][5][variables - 1]
    return {
        level: _polynomial(surface, 1.0 / nobs)
        for level, surface in zip(LEVELS, surfaces, strict=True)
    }


def _polynomial(coefficients: FloatArray, at: float) -> float:
    """Evaluate from the highest power down; coefficients ascend."""
    value = 0.0
    for coefficient in reversed(coefficients.tolist()):
        value = value * at + coefficient
    return float(value)
