"""Whether a mean profit is more than nothing, its own memory allowed for."""

import math
from typing import Final

import numpy as np
from scipy.special import stdtr

from analytics.frames import FloatArray

LEAST_STRETCHES: Final = 20


def mean_above_zero(profits: FloatArray) -> tuple[float, float]:
    """Test the mean of profits against nothing, one-sided.

    Parameters
    ----------
    profits : ndarray, shape (n,)
        Of stretches of equal length, one after another.

    Returns
    -------
    tuple of float
        t and p; NaN with fewer than 20 profits or without variation. H0: the mean is 0 or less.

    References
    ----------
    Newey & West (1987), Econometrica 55, 703-708: Bartlett weights over ⌊4 (n / 100)^(2/9)⌋ lags;
    Student's t with n − 1 degrees of freedom.
    """
    size = profits.size
    if size < LEAST_STRETCHES or not profits.std() > 0:
        return math.nan, math.nan
    centred = profits - profits.mean()
    lags = int(4.0 * (size / 100.0) ** (2.0 / 9.0))
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    # Bartlett's weights keep it from falling below 0; rounding may not.
    error = math.sqrt(max(total, np.finfo(np.float64).tiny)) / size
    ratio = float(profits.mean()) / error
    return ratio, float(stdtr(size - 1, -ratio))
