"""How many bars a test needs to see a return as slow as this one."""

import math
from typing import Final

# c in n = c / (1 - φ) at which a spread AR(φ) is found in 80 % of samples, by level: regression
# values of 2,000 simulated samples of 300 and of 1,000 bars each, lags by AIC:
# `tests/benchmarks/properties/statistics_size_by_hedge.py`.
_GIVEN: Final = {0.01: 27.6, 0.05: 19.3, 0.10: 15.4}
_ESTIMATED: Final = {0.01: 32.8, 0.05: 23.7, 0.10: 19.3}


def bars_for_power(half_life: float, level: float = 0.05, *, is_estimated: bool) -> float:
    """Count the bars at which a test finds a return of this half-life in 80 % of samples.

    Parameters
    ----------
    half_life
        Bars.
    level : {0.01, 0.05, 0.10}
        At which the test rejects.
    is_estimated
        Whether the line is estimated from the same bars (Engle-Granger) or given (ADF).

    Returns
    -------
    float
        Whole bars; NaN for another level, or where there is no half-life. At 5 % 34 half-lives for
        Engle-Granger, 28 for ADF: near a unit root power depends on n (1 - φ) alone.

    References
    ----------
    Phillips (1987), Biometrika 74, 535-547, for that; the constants are simulated.
    """
    needed = (_ESTIMATED if is_estimated else _GIVEN).get(level, math.nan)
    if math.isnan(needed) or not half_life > 0 or math.isinf(half_life):
        return math.nan
    return float(math.ceil(needed / (1.0 - 0.5 ** (1.0 / half_life))))
