"""Tests of cointegration: Engle-Granger's residual test, Johansen's rank tests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import gamma
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from analytics.dickey_fuller import (
    NOISE,
    TREND_TERMS,
    Trend,
    check_autolag,
    check_trend,
    dickey_fuller,
    min_bars,
)
from analytics.errors import (
    DegenerateSeriesError,
    InvalidSeriesError,
    NotEnoughDataError,
    ParameterError,
)
from analytics.frames import BoolArray, FloatArray
from analytics.hedge_fit import centred
from analytics.mackinnon import critical_values, mackinnon_pvalue
from analytics.series import as_float_pair, as_floats, series_name
from analytics.verdicts import check_level, pvalue_words, verdict_words

# Printed prices have at most 15 digits: a residual this small beside them is rounding.
_COLLINEAR = 1e-12


@dataclass(frozen=True, slots=True)
class EngleGrangerResult:
    """Engle-Granger test of y on x; swapping the legs gives another number.

    Attributes
    ----------
    stat
        t statistic of the lagged residual.
    pvalue
        MacKinnon's, for a residual whose beta was estimated from the same bars.
    critical_values
        At ``"1%"``, ``"5%"``, ``"10%"``; NaN with trend "n", for which none are published.
    lags, max_lags
        Lagged differences used, and the most that were tried.
    nobs
        Rows of the residual's test regression; `bars` is the rows of the regression of y on x.
    beta, alpha
        Of that regression; alpha is NaN where a trend stands beside it.
    dependent, regressor
        Names of y and x.
    """

    stat: float
    pvalue: float
    critical_values: Mapping[str, float]
    lags: int
    nobs: int
    max_lags: int
    trend: str
    autolag: str | None
    bars: int
    beta: float
    alpha: float
    dependent: str
    regressor: str
    null_hypothesis: str = "the two series are not cointegrated: no fixed ratio keeps them together"
    reference: str = "Engle & Granger (1987); MacKinnon (1994, 2010) for two variables"

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what the test says at this level."""
        return verdict_words(self.pvalue, level, "cointegrated", "no evidence of cointegration")


@dataclass(frozen=True, slots=True, eq=False)
class JohansenResult:
    """Johansen's trace and maximum-eigenvalue tests.

    Attributes
    ----------
    trace_stat, max_eigen_stat : ndarray, shape (k,)
        Entry r tests "at most r cointegrating relations".
    critical_values : dict
        ``"trace"`` and ``"max_eigen"``: DataFrame, a row each r, columns 10%, 5%, 1%.
    trace_pvalues, max_eigen_pvalues : ndarray, shape (k,)
        Approximate: of the gamma distribution through the 10 % and 1 % critical values.
    eigenvalues : ndarray, shape (k,)
        Descending.
    eigenvectors : ndarray, shape (k, k)
        Column r belongs to eigenvalue r: the weights of the series.
    """

    trace_stat: FloatArray
    max_eigen_stat: FloatArray
    critical_values: Mapping[str, pd.DataFrame]
    trace_pvalues: FloatArray
    max_eigen_pvalues: FloatArray
    eigenvalues: FloatArray
    eigenvectors: FloatArray
    names: tuple[str, ...]
    lags: int
    det_order: int
    nobs: int
    null_hypothesis: str = "row r: there are at most r cointegrating relations"
    reference: str = (
        "Johansen (1991), Econometrica 59, 1551-1580; critical values MacKinnon et al. (1999); "
        "gamma p-values as Doornik (1998), J. Economic Surveys 12, 573-593"
    )

    def relations(self, level: float = 0.05) -> int:
        """Count the relations the maximum-eigenvalue test finds, row by row until one stands.

        Of the two tests this is the one to count by: the tables are made for series with drift,
        and on two walks without any the trace test rejects about 11 % of the time at 5 %, the
        maximum-eigenvalue test about 6 %.
        """
        check_level(level)
        kept = np.flatnonzero(~(self.max_eigen_pvalues < level))
        return int(kept[0]) if kept.size else len(self.names)

    def verdict(self, level: float = 0.05) -> str:
        """Say in plain words what the maximum-eigenvalue test says at this level."""
        found = self.relations(level)
        first = pvalue_words(float(self.max_eigen_pvalues[0]))
        if found == 0:
            return f"no evidence of cointegration ({first}, not below {level:g})"
        if found == len(self.names):
            return f"stationary, together or each series by itself ({first}, below {level:g})"
        many = "one relation" if found == 1 else f"{found} relations"
        return f"cointegrated: {many} ({first}, below {level:g})"


def engle_granger_test(
    y: pd.Series | FloatArray,
    x: pd.Series | FloatArray,
    trend: str = "c",
    max_lags: int | None = None,
    autolag: str | None = "aic",
) -> EngleGrangerResult:
    """Test two series for cointegration: regress y on x, test the residual for a unit root.

    Parameters
    ----------
    y, x : Series or ndarray, shape (n,)
        Prices or their logarithms, of the same times; y is the dependent leg. Rows with NaN in
        either are missing bars: left out of the regression, and no lag reaches over them.
    trend : {"c", "n", "ct", "ctt"}
        Terms beside x in the regression of y on x; the residual's test has none.
    max_lags, autolag
        As in `adf_test`.

    Returns
    -------
    EngleGrangerResult
        H0: y and x are not cointegrated. Critical values are MacKinnon's (2010) for two variables
        and n - 1 observations, as Stata's ``egranger`` has them.

    Raises
    ------
    NotEnoughDataError
        Too few bars, as in `adf_test`.
    DegenerateSeriesError
        A constant leg, or identical or exactly collinear legs (statsmodels answers -inf, p = 0).
    ParameterError, InvalidSeriesError
        Unknown trend or criterion; different lengths or times; infinite values.
    """
    known_trend, criterion = check_trend(trend), check_autolag(autolag)
    y_values, x_values = as_float_pair(y, x)
    dependent, regressor = series_name(y, "y"), series_name(x, "x")
    what = f"Engle-Granger of {dependent} on {regressor}"
    known = ~(np.isnan(y_values) | np.isnan(x_values))
    bars = int(known.sum())
    if bars < min_bars(known_trend, max_lags):
        raise NotEnoughDataError(what, min_bars(known_trend, max_lags), bars)
    residual, beta, alpha = _cointegrating_residual(y_values, x_values, known, known_trend, what)
    fit = dickey_fuller(residual, "n", max_lags, criterion, what)
    return EngleGrangerResult(
        stat=fit.stat,
        pvalue=mackinnon_pvalue(fit.stat, known_trend, 2),
        critical_values=critical_values(known_trend, 2, bars - 1),
        lags=fit.lags,
        nobs=fit.nobs,
        max_lags=fit.max_lags,
        trend=known_trend,
        autolag=criterion,
        bars=bars,
        beta=beta,
        alpha=alpha,
        dependent=dependent,
        regressor=regressor,
    )


def johansen_test(frame: pd.DataFrame, det_order: int = 0, lags: int = 1) -> JohansenResult:
    """Test how many cointegrating relations hold among the columns (Johansen).

    Parameters
    ----------
    frame : DataFrame, shape (n, k), 2 <= k <= 12
        Prices or their logarithms, a column a series, no NaN: this test cannot leave out bars.
    det_order : {-1, 0, 1}
        No deterministic terms; constant; linear trend.
    lags : int
        Lagged differences in the vector error-correction model, 1 or more.

    Returns
    -------
    JohansenResult
        H0 of row r: at most r cointegrating relations.

    Raises
    ------
    InvalidSeriesError
        NaN or infinite values, or a number of columns outside 2 to 12.
    NotEnoughDataError
        Fewer than 20 rows beyond the coefficients of the model.
    DegenerateSeriesError
        Constant, identical or collinear columns.
    ParameterError
        Other `det_order`, or `lags` below 1.
    """
    if det_order not in {-1, 0, 1}:
        raise ParameterError("det_order", det_order, "-1, 0 or 1")
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 1:
        # statsmodels' coint_johansen takes the level of the same bar, not the one before, at 0.
        raise ParameterError("lags", lags, "a whole number, 1 or more")
    names = tuple(str(name) for name in frame.columns)
    values = _johansen_values(frame, lags, names)
    result = coint_johansen(values, det_order, lags)
    trace, max_eigen = np.asarray(result.trace_stat), np.asarray(result.max_eig_stat)
    trace_table = _johansen_table(result.trace_stat_crit_vals)
    max_eigen_table = _johansen_table(result.max_eig_stat_crit_vals)
    return JohansenResult(
        trace_stat=trace,
        max_eigen_stat=max_eigen,
        critical_values={"trace": trace_table, "max_eigen": max_eigen_table},
        trace_pvalues=_gamma_pvalues(trace, trace_table),
        max_eigen_pvalues=_gamma_pvalues(max_eigen, max_eigen_table),
        eigenvalues=np.asarray(result.eig),
        eigenvectors=np.asarray(result.evec),
        names=names,
        lags=int(lags),
        det_order=det_order,
        nobs=int(result.rkt.shape[0]),
    )


def _cointegrating_residual(
    y: FloatArray, x: FloatArray, known: BoolArray, trend: Trend, what: str
) -> tuple[FloatArray, float, float]:
    """Residual of y on x and the trend, NaN at missing bars; beta; alpha (NaN beside a trend)."""
    if trend == "c" and known.all():
        return _residual_on_line(y, x, what)
    y_known, x_known = y[known], x[known]
    for values, leg in ((y_known, "dependent"), (x_known, "other")):
        if float(np.ptp(values)) <= NOISE * float(np.abs(values).max()):
            raise DegenerateSeriesError(what, f"the {leg} leg is constant over {values.size} bars")
    y_free = _without_trend(y_known, known, trend)
    x_free = _without_trend(x_known, known, trend)
    x_size = float(np.abs(x_free).max())
    if x_size <= NOISE * float(np.abs(x_known).max()):
        raise DegenerateSeriesError(what, "the other leg is nothing but the trend")
    unit = x_free / x_size
    slope = float(unit @ y_free) / float(unit @ unit)
    rest = y_free - slope * unit
    beta = slope / x_size
    size = float(np.abs(y_known).max()) + abs(beta) * float(np.abs(x_known).max())
    if float(np.abs(rest).max()) <= _COLLINEAR * size:
        raise DegenerateSeriesError(what, "the legs are identical or exactly collinear")
    residual = np.full(y.size, np.nan)
    residual[known] = rest
    alpha = {"n": 0.0, "c": float(y_known.mean()) - beta * float(x_known.mean())}
    return residual, beta, alpha.get(trend, math.nan)


def _residual_on_line(y: FloatArray, x: FloatArray, what: str) -> tuple[FloatArray, float, float]:
    """Do the same in compiled code, for legs without missing bars and a constant."""
    from analytics.kernel_adf import residual_on_line  # noqa: PLC0415 - numba, when needed

    for values, leg in ((y, "dependent"), (x, "other")):
        if float(np.ptp(values)) <= NOISE * float(np.abs(values).max()):
            raise DegenerateSeriesError(what, f"the {leg} leg is constant over {values.size} bars")
    residual, found = np.empty(y.size), np.empty(7)
    residual_on_line(y, x, residual, found)
    y_mean, x_mean, beta, reach, largest, y_size, x_size = found.tolist()
    if reach <= NOISE * x_size:
        raise DegenerateSeriesError(what, "the other leg is nothing but the trend")
    if largest <= _COLLINEAR * (y_size + abs(beta) * x_size):
        raise DegenerateSeriesError(what, "the legs are identical or exactly collinear")
    return residual, beta, y_mean - beta * x_mean


def _without_trend(values: FloatArray, known: BoolArray, trend: Trend) -> FloatArray:
    if trend == "n":
        return values
    if trend == "c":
        return centred(values)[0]
    place = np.linspace(-1.0, 1.0, known.size)[known]
    basis, _ = np.linalg.qr(np.column_stack([place**power for power in range(TREND_TERMS[trend])]))
    free: FloatArray = values - values.mean()
    # The second pass removes what the first was rounded by.
    for _ in range(2):
        free = free - basis @ (basis.T @ free)
    return free


def _johansen_values(frame: pd.DataFrame, lags: int, names: tuple[str, ...]) -> FloatArray:
    """Check the columns and return them as an array."""
    what = f"Johansen on {', '.join(names)}"
    columns = len(names)
    if not 2 <= columns <= 12:
        raise InvalidSeriesError(f"{what} takes 2 to 12 series, had {columns}")
    values: FloatArray = np.column_stack(
        [as_floats(frame.iloc[:, i], names[i]) for i in range(columns)]
    )
    holes = int(np.isnan(values).any(axis=1).sum())
    if holes:
        raise InvalidSeriesError(f"{what} takes no missing bars, had {holes} of {len(values)}")
    needed = 20 + (lags + 1) * (columns + 1)
    if len(values) < needed:
        raise NotEnoughDataError(what, needed, len(values))
    deviations = values - values.mean(axis=0)
    sizes = np.sqrt(np.einsum("ij,ij->j", deviations, deviations))
    flat = np.ptp(values, axis=0) <= NOISE * np.abs(values).max(axis=0)
    if flat.any():
        raise DegenerateSeriesError(what, f"{names[int(np.argmax(flat))]} is constant")
    singular = np.linalg.svd(deviations / sizes, compute_uv=False)
    if singular[-1] <= 1e-10 * singular[0]:
        raise DegenerateSeriesError(what, "the series are identical or exactly collinear")
    return values


def _johansen_table(values: FloatArray) -> pd.DataFrame:
    """Label statsmodels' columns (90 %, 95 %, 99 % quantiles) by their significance."""
    rows = [f"r <= {r}" for r in range(len(values))]
    return pd.DataFrame(np.asarray(values), index=rows, columns=["10%", "5%", "1%"])


def _gamma_pvalues(stats: FloatArray, table: pd.DataFrame) -> FloatArray:
    """p-value of each row by the gamma distribution with that row's 10 % and 1 % points."""
    pvalues = np.full(stats.size, np.nan)
    for row, (tenth, hundredth) in enumerate(table[["10%", "1%"]].to_numpy()):
        if tenth > 0:
            shape = brentq(_quantile_gap, 0.05, 500.0, args=(hundredth / tenth,))
            scale = tenth / gamma.isf(0.10, shape)
            pvalues[row] = gamma.sf(stats[row] / scale, shape)
    return pvalues


def _quantile_gap(shape: float, wanted: float) -> float:
    return float(gamma.isf(0.01, shape) / gamma.isf(0.10, shape)) - wanted
