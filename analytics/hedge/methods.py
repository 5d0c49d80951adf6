"""Hedge ratios: how much of S2 (x) stands against one S1 (y)."""

from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.hedge.burn_in import BURN_IN
from analytics.hedge.fit import HedgeFit, Legs
from analytics.hedge.johansen import fit_johansen
from analytics.hedge.kalman import fit_kalman
from analytics.hedge.kalman_walks import fit_kalman_chan, fit_kalman_walks
from analytics.hedge.least_squares import fit_dols, fit_fmols, fit_ols
from analytics.hedge.paths import EXPANDING_BARS, fit_expanding_ols, fit_rolling_ols
from analytics.hedge.robust import fit_huber, fit_theil_sen, fit_tls
from analytics.series import as_float_pair, index_of, series_name

_Fit = Callable[[Legs, bool, Mapping[str, object]], HedgeFit]
_METHODS: Final[dict[str, _Fit]] = {
    "ols": fit_ols,
    "rolling_ols": fit_rolling_ols,
    "expanding_ols": fit_expanding_ols,
    "kalman": fit_kalman,
    "kalman_walks": fit_kalman_walks,
    "kalman_chan": fit_kalman_chan,
    "tls": fit_tls,
    "huber": fit_huber,
    "theil_sen": fit_theil_sen,
    "dols": fit_dols,
    "fmols": fit_fmols,
    "johansen": fit_johansen,
}
HEDGE_METHODS: Final[tuple[str, ...]] = tuple(_METHODS)
CAUSAL_HEDGES: Final[tuple[str, ...]] = (
    "rolling_ols",
    "expanding_ols",
    "kalman",
    "kalman_walks",
    "kalman_chan",
)
# Filters, whose z-score stands on a scale of their own in place of a trailing window.
FILTERS: Final[tuple[str, ...]] = ("kalman", "kalman_walks", "kalman_chan")
HEDGE_WORDS: Final[dict[str, str]] = {
    "ols": "OLS of S1 on S2, with intercept",
    "rolling_ols": "Rolling OLS (causal)",
    "expanding_ols": "Expanding OLS (causal)",
    "kalman": "Kalman filter (causal)",
    "kalman_walks": "Kalman filter, α and β on walks (causal)",
    "kalman_chan": "Kalman filter, Chan's δ and Ve (causal)",
    "tls": "Orthogonal regression (TLS)",
    "huber": "Huber's robust regression",
    "theil_sen": "Theil-Sen median slope",
    "dols": "Dynamic OLS (leads and lags)",
    "fmols": "Fully modified OLS",
    "johansen": "Johansen's cointegrating vector",
}


def bars_before_path(method: str, options: Mapping[str, int]) -> int:
    """Bars that pass before a spread can stand on a method's path; 0 for one without a path.

    `options` are those of `fit_hedge`. A missing bar among them makes it one more.
    """
    if method == "rolling_ols":
        return options["window"] - 1
    if method == "expanding_ols":
        return EXPANDING_BARS - 1
    if method == "kalman":
        return BURN_IN
    # The first forecast stands on the state after the burn-in and the bar that follows it; Chan's
    # start at 0 is forgotten meanwhile.
    return BURN_IN + 1 if method in FILTERS else 0


def fit_hedge(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    method: str = "ols",
    *,
    intercept: bool = True,
    **options: object,
) -> HedgeFit:
    """Estimate the hedge ratio of y on x.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices (quote currency) or their logarithms, of the same times. Rows in which either is
        NaN are left out of both and counted in ``dropped``.
    method : str
        One of `HEDGE_METHODS`. Over all rows at once: ``"ols"``, ``"tls"``, ``"huber"``,
        ``"theil_sen"``, ``"dols"``, ``"fmols"``, ``"johansen"``. Causal paths, the value at bar t
        from bars up to t: ``"rolling_ols"``, ``"expanding_ols"``, ``"kalman"``,
        ``"kalman_walks"``, ``"kalman_chan"``.
    intercept : bool
        Estimate alpha too; otherwise the line goes through the origin (``"ols"`` only).
    **options
        ``"ols"`` ``hac_lags``; ``"rolling_ols"`` ``window`` (bars, 60); ``"expanding_ols"``
        ``least`` (bars before the first value, 30); ``"theil_sen"`` ``sample`` (rows, 600) and
        ``seed``; ``"dols"`` ``leads`` and ``lags`` (2 each) and ``hac_lags``;
        ``"fmols"`` ``lags`` of its kernel (automatic); ``"johansen"`` ``lags`` (1);
        ``"kalman"`` ``burn_in`` (bars, 200), ``walk`` and ``noise="whole"``, ``"kalman_walks"``
        the same without ``walk``, ``"kalman_chan"`` ``delta`` and ``ve``: see
        `analytics.hedge.kalman` and `analytics.hedge.kalman_walks`.

    Returns
    -------
    HedgeFit

    Raises
    ------
    ParameterError
        Unknown method (the message lists those known), unknown option or one out of its range.
    InvalidSeriesError
        Different lengths or times, or infinite values.
    NotEnoughDataError
        Fewer complete rows than the method needs: 3 for ``"ols"`` (2 without intercept).
    DegenerateSeriesError
        x is constant (zero without intercept), so that no slope is defined; legs that the method
        cannot tell apart.
    """
    fit = _METHODS.get(method)
    if fit is None:
        raise ParameterError("method", method, f"one of {', '.join(HEDGE_METHODS)}")
    y_values, x_values = as_float_pair(y, x)
    legs = Legs.of(y_values, x_values, index_of(y, x), series_name(y, "y"), series_name(x, "x"))
    return fit(legs, intercept, options)
