"""What is left over by a hedge, looked at: its distribution, its quantiles, its memory."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from analytics.errors import DegenerateSeriesError, NotEnoughDataError

FloatArray = npt.NDArray[np.float64]

MIN_RESIDUALS: Final = 20
BINS: Final = 40
QUANTILES: Final = 300
LAGS: Final = 40
# The outermost residuals stretch the bins no further than this many standard deviations.
REACH_STD: Final = 5.0


@dataclass(frozen=True, eq=False)
class ResidualDiagnostics:
    """How residuals are distributed and how they remember. Never changed after it is made.

    Attributes
    ----------
    nobs
        Residuals that are known.
    mean, std
        In the residual's unit; std with ddof 1.
    skew, excess_kurtosis
        Third and fourth standardised moment (ddof 0), the latter less 3.
    bin_edges, bin_share, normal_share
        Edges of equal bins; the share of residuals in each, and what a normal of their mean and
        std has there.
    theoretical, ordered
        Quantiles of the standard normal at the plotting positions (i − 0.5) / n, and the
        standardised residuals there; at most `QUANTILES` of them, the outermost among them.
    lags, acf, acf_bound
        Lags in bars, the sample autocorrelation at each, and 1.96 / √n: about 95 % of those of
        unrelated residuals lie within.
    """

    nobs: int
    mean: float
    std: float
    skew: float
    excess_kurtosis: float
    bin_edges: FloatArray
    bin_share: FloatArray
    normal_share: FloatArray
    theoretical: FloatArray
    ordered: FloatArray
    lags: FloatArray
    acf: FloatArray
    acf_bound: float


def residual_diagnostics(residual: pd.Series) -> ResidualDiagnostics:
    """Describe residuals against a normal distribution and against having no memory.

    Parameters
    ----------
    residual : Series
        A row a bar, any unit. NaN is left out of the distribution; in the autocorrelation a pair
        of bars counts where both are known.

    Returns
    -------
    ResidualDiagnostics

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 known residuals.
    DegenerateSeriesError
        All residuals are equal.

    References
    ----------
    Box, Jenkins, Reinsel (2008), Time Series Analysis, section 2.1.5: the autocorrelation and its
    bound.
    """
    values = residual.to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    if known.size < MIN_RESIDUALS:
        raise NotEnoughDataError("residual diagnostics", MIN_RESIDUALS, int(known.size))
    mean, std = float(known.mean()), float(known.std(ddof=1))
    if std <= np.finfo(np.float64).eps * max(abs(mean), 1.0):
        raise DegenerateSeriesError("residual diagnostics", "the residuals do not move")
    standard = (known - mean) / known.std()
    edges, share, normal = _histogram(known, mean, std)
    theoretical, ordered = _quantiles(np.sort((known - mean) / std))
    lags = np.arange(1.0, min(LAGS, known.size // 4) + 1)
    return ResidualDiagnostics(
        nobs=int(known.size),
        mean=mean,
        std=std,
        skew=float((standard**3).mean()),
        excess_kurtosis=float((standard**4).mean()) - 3.0,
        bin_edges=edges,
        bin_share=share,
        normal_share=normal,
        theoretical=theoretical,
        ordered=ordered,
        lags=lags,
        acf=_autocorrelation(values - mean, lags.astype(np.int64)),
        acf_bound=1.96 / float(np.sqrt(known.size)),
    )


def _histogram(
    known: FloatArray, mean: float, std: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Share of residuals, and of a normal, in equal bins; what is beyond is in the last."""
    low = max(float(known.min()), mean - REACH_STD * std)
    high = min(float(known.max()), mean + REACH_STD * std)
    edges = np.linspace(low, high, BINS + 1)
    counts = np.histogram(np.clip(known, low, high), bins=edges)[0]
    return edges, counts / known.size, np.diff(ndtr((edges - mean) / std))


def _quantiles(ordered: FloatArray) -> tuple[FloatArray, FloatArray]:
    places = np.unique(np.linspace(0, ordered.size - 1, QUANTILES).round().astype(np.int64))
    return ndtri((places + 0.5) / ordered.size), ordered[places]


def _autocorrelation(centred: FloatArray, lags: npt.NDArray[np.int64]) -> FloatArray:
    """Sums over pairs of known bars, over the sum of squares: the usual estimate without gaps."""
    filled = np.where(np.isfinite(centred), centred, 0.0)
    total = filled @ filled
    sums = np.array([filled[lag:] @ filled[:-lag] for lag in lags], dtype=np.float64)
    return np.asarray(sums / total)
