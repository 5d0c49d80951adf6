"""The long-run variance of a series with memory, by an autoregression."""

import math

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.stationarity.dickey_fuller import DickeyFullerFit, dickey_fuller


def long_run_std(residual: FloatArray, coefficients: int = 2) -> float:
    """Long-run standard deviation of a line's residual: √n times that of its mean.

    The augmented Dickey-Fuller regression, lags by AIC, gives the sum of the autoregressive
    coefficients and the shocks' deviation σ; the answer is σ / (1 - sum). Least squares finds
    the sum too small, about as beside a line in time, since a price wanders: by (2 + 4 sum) / n,
    which is added back (Kendall 1954; Grubb & Symons 1987). At most 1 - 1 / n is believed.

    Parameters
    ----------
    residual : ndarray, shape (n,)
        Any unit, no NaN; bars on both sides of a missing one count as neighbours.
    coefficients : int
        Of the line, for the degrees of freedom.

    Returns
    -------
    float
        NaN for fewer than 22 bars, or a residual that its own past reproduces exactly.
    """
    try:
        fit = dickey_fuller(residual, "n", None, "aic", "the long-run variance")
    except (NotEnoughDataError, DegenerateSeriesError):
        return math.nan
    return long_run_of_fit(fit, residual.size, coefficients)


def long_run_of_fit(fit: DickeyFullerFit, bars: int, coefficients: int = 2) -> float:
    """Read it off the regression of a residual of `bars` bars."""
    memory = 1.0 + fit.coefficient
    memory = min(memory + (2.0 + 4.0 * memory) / bars, 1.0 - 1.0 / bars)
    free = fit.nobs - fit.lags - 1
    shocks = fit.residual_std * math.sqrt(free / max(free - coefficients, 1))
    return shocks / (1.0 - memory)
