"""What a p-value is worth when it is one of many: Benjamini-Hochberg and Bonferroni."""

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import FloatArray


def benjamini_hochberg(pvalues: FloatArray, tried: int | None = None) -> FloatArray:
    """q-values: the smallest share of false discoveries at which each would be one.

    Parameters
    ----------
    pvalues : ndarray, shape (m,)
        NaN where a test gave no answer; it stays NaN.
    tried : int, optional
        Tests made in all; by default m. Those without an answer count as p = 1.

    Returns
    -------
    ndarray, shape (m,)
        Rejecting all q < 0.05 holds the expected share of false discoveries at 5 %, for
        independent and for positively dependent tests (pairs that share a leg are the latter).

    Raises
    ------
    ParameterError
        A p-value outside 0 .. 1, or fewer tried than given.

    References
    ----------
    Benjamini & Hochberg (1995), J. Royal Statistical Society B 57, 289-300; Benjamini & Yekutieli
    (2001), Annals of Statistics 29, 1165-1188.
    """
    count = _check(pvalues, tried)
    known = np.flatnonzero(~np.isnan(pvalues))
    order = known[np.argsort(pvalues[known], kind="stable")]
    scaled = pvalues[order] * count / np.arange(1, order.size + 1)
    # A larger p-value never has the smaller q: each takes the least at or after it.
    least = np.minimum.accumulate(scaled[::-1])[::-1]
    qvalues = np.full(pvalues.size, np.nan)
    qvalues[order] = np.minimum(least, 1.0)
    return qvalues


def bonferroni(pvalues: FloatArray, tried: int | None = None) -> FloatArray:
    """p-values times the number of tests, at most 1: holds the chance of any false discovery.

    Parameters and errors as of `benjamini_hochberg`; no assumption about dependence.

    References
    ----------
    Dunn (1961), J. American Statistical Association 56, 52-64.
    """
    count = _check(pvalues, tried)
    corrected: FloatArray = np.minimum(pvalues * count, 1.0)
    return corrected


def _check(pvalues: FloatArray, tried: int | None) -> int:
    if pvalues.size and not (np.isnan(pvalues) | ((pvalues >= 0) & (pvalues <= 1))).all():
        raise ParameterError("pvalues", float(np.nanmax(np.abs(pvalues))), "between 0 and 1")
    if tried is not None and tried < pvalues.size:
        raise ParameterError("tried", tried, f"at least the {pvalues.size} p-values given")
    return pvalues.size if tried is None else tried
