"""Whether a filter's forecast errors are what its model promises: mean 0, variance 1, no memory."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, chdtrc, ndtr

from analytics.errors import NotEnoughDataError
from analytics.frames import FloatArray


@dataclass(frozen=True, slots=True)
class InnovationCheck:
    """Health of standardised forecast errors.

    Attributes
    ----------
    mean, mean_pvalue
        Of the standardised errors, and its test against 0.
    variance, variance_pvalue
        The same against 1: above 1 the filter is too sure of itself, below 1 not sure enough.
    ljung_box, ljung_box_pvalue, lags
        Ljung-Box statistic of no autocorrelation up to `lags`.
    nobs
        Forecast errors looked at.
    """

    mean: float
    mean_pvalue: float
    variance: float
    variance_pvalue: float
    ljung_box: float
    ljung_box_pvalue: float
    lags: int
    nobs: int
    null_hypothesis: str = "the forecast errors are independent, with mean 0 and the variance said"
    reference: str = "Ljung & Box (1978), Biometrika 65, 297-303; Harvey (1989), ch. 5"

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words which of the three promises is broken at this level."""
        failures = []
        if self.mean_pvalue < level:
            failures.append(f"their mean is {self.mean:+.2f} standard deviations, not 0")
        if self.variance_pvalue < level:
            sure = "too sure of itself" if self.variance > 1 else "less sure than it could be"
            failures.append(f"their variance is {self.variance:.2f}, not 1: the filter is {sure}")
        if self.ljung_box_pvalue < level:
            failures.append(f"they remember the past (Ljung-Box p = {self.ljung_box_pvalue:.2g})")
        if not failures:
            return f"healthy: nothing in {self.nobs:,} forecast errors speaks against the model"
        return f"unhealthy: of {self.nobs:,} forecast errors, {'; '.join(failures)}"


def check_innovations(errors: FloatArray, variances: FloatArray, lags: int = 10) -> InnovationCheck:
    """Test standardised forecast errors; NaN (missing bars) is left out.

    Raises
    ------
    NotEnoughDataError
        Fewer known errors than three times the lags.
    """
    from analytics.kernels.adf import lagged_dots  # noqa: PLC0415 - numba, when needed
    from analytics.kernels.lines import standardised  # noqa: PLC0415

    standard = np.empty(errors.size + lags)
    n, mean, squares = standardised(errors, variances, lags, standard)
    if n < 3 * lags:
        raise NotEnoughDataError("check of the forecast errors", 3 * lags, n)
    products = np.empty(lags + 1)
    lagged_dots(standard[: lags + n], lags, lags, products)
    correlations = products[1:] / (products[0] if products[0] > 0 else 1.0)
    ljung_box = n * (n + 2.0) * float(np.sum(correlations**2 / (n - np.arange(1, lags + 1))))
    return InnovationCheck(
        mean=mean,
        mean_pvalue=2.0 * float(ndtr(-abs(mean) * math.sqrt(n))),
        variance=squares / n,
        variance_pvalue=2.0 * min(float(chdtrc(n, squares)), float(chdtr(n, squares))),
        ljung_box=ljung_box,
        ljung_box_pvalue=float(chdtrc(lags, ljung_box)),
        lags=lags,
        nobs=n,
    )
