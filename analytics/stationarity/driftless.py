"""Johansen's tests of two series without drift: the table that fits prices over a short range.

The usual tables take the constant for a drift of the prices. Where there is none the statistics are
larger: on two walks the trace test then rejects 11 % of the time at 5 %.
"""

from dataclasses import replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.stationarity.johansen import JohansenResult, gamma_pvalue

_Kind = Literal["trace", "max_eigen"]
_SERIES: Final = 2
# Johansen & Juselius (1990), table A2: 10, 5 and 1 % points, at most no relation and at most one.
_POINTS: Final[dict[_Kind, tuple[tuple[float, float, float], ...]]] = {
    "trace": ((15.583, 17.844, 21.962), (6.691, 8.083, 11.576)),
    "max_eigen": ((12.783, 14.595, 18.782), (6.691, 8.083, 11.576)),
}


def without_drift(test: JohansenResult) -> JohansenResult:
    """Judge a Johansen test of two series as one of series that wander without drift.

    Parameters
    ----------
    test : JohansenResult
        Of two series, with a constant (`det_order` 0).

    Returns
    -------
    JohansenResult
        The same statistics with the p-values and critical values of that case; both allow for the
        coefficients that the sample had to bear.

    Raises
    ------
    ParameterError
        Another number of series or other deterministic terms.

    References
    ----------
    Johansen & Juselius (1990), Oxford Bulletin of Economics and Statistics 52, 169-210, table A2;
    Reinsel & Ahn (1992), J. Time Series Analysis 13, 353-375, for the small sample.
    """
    if len(test.names) != _SERIES:
        raise ParameterError("series", len(test.names), "two series")
    if test.det_order != 0:
        raise ParameterError("det_order", test.det_order, "0: a constant")
    # Levels of two series in each of `lags` + 1 bars.
    kept = 1.0 - _SERIES * (test.lags + 1) / test.nobs
    return replace(
        test,
        trace_pvalues=_pvalues(test.trace_stat * kept, "trace"),
        max_eigen_pvalues=_pvalues(test.max_eigen_stat * kept, "max_eigen"),
        critical_values={
            kind: pd.DataFrame(
                np.array(points) / kept,
                index=test.critical_values[kind].index,
                columns=["10%", "5%", "1%"],
            )
            for kind, points in _POINTS.items()
        },
        reference=f"{test.reference}; without drift Johansen & Juselius (1990), table A2",
    )


def _pvalues(stats: FloatArray, kind: _Kind) -> FloatArray:
    rows = zip(stats.tolist(), _POINTS[kind], strict=True)
    return np.array([gamma_pvalue(stat, tenth, hundredth) for stat, (tenth, _, hundredth) in rows])
