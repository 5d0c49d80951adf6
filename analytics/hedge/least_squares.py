"""Least squares over all rows: OLS, dynamic OLS and fully modified OLS."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import BoolArray, FloatArray
from analytics.hedge.fit import (
    HedgeFit,
    Legs,
    check_options,
    fit_quality,
    only_with_intercept,
    whole_option,
)
from analytics.hedge.long_run import LONG_RUN_REFERENCE, andrews_lags, long_run_errors
from analytics.series import centred, interval_95
from analytics.stationarity import LineOfSums, SampleSums, long_run_of_fit, long_run_std

# Rows below which no long-run covariance is worth the name.
_FMOLS_ROWS = 10


def hac_covariance(design: FloatArray, residuals: FloatArray, lags: int) -> FloatArray:
    """Newey-West covariance of least-squares coefficients, Bartlett kernel, n / (n - k) corrected.

    Rows on both sides of a missing bar count as neighbours.
    """
    nobs, columns = design.shape
    scores = design * residuals[:, np.newaxis]
    middle = scores.T @ scores
    for lag in range(1, min(lags, nobs - 1) + 1):
        cross = scores[lag:].T @ scores[:-lag]
        middle += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    bread = np.linalg.inv(design.T @ design)
    covariance: FloatArray = bread @ middle @ bread * (nobs / (nobs - columns))
    return covariance


def fit_ols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares on centred data: no digits lost at prices far from zero."""
    from analytics.kernels.lines import FIT_SIZE, line_with_errors  # noqa: PLC0415 - numba, when needed

    check_options("ols", options, "hac_lags")
    coefficients = 2 if intercept else 1
    nobs = legs.nobs
    legs.need(coefficients + 1)
    legs.check_x_varies(intercept)
    hac_lags = whole_option(options, "hac_lags", 0, 0)
    lags = min(hac_lags, nobs - 1) if "hac_lags" in options else -1
    figures, residual = np.empty(FIT_SIZE), np.empty(nobs)
    line_with_errors(legs.y, legs.x, intercept, lags, figures, residual)
    *line, slope_variance, level_variance = figures.tolist()
    found = _Line(*line)
    if lags < 0:
        errors = found.long_run_errors(long_run_std(residual, coefficients), nobs)
    else:
        corrected = nobs / (nobs - coefficients)
        errors = math.sqrt(slope_variance * corrected), math.sqrt(level_variance * corrected)
    rows, names = (nobs, legs.dropped), (legs.y_name, legs.x_name)
    return _ols_fit(found, rows, names, errors, hac_lags, intercept)


def ols_on_sums(sums: SampleSums, y_name: str, x_name: str) -> HedgeFit | None:
    """Fit least squares with an intercept by a sample's sums; None where they would lose digits."""
    memory = sums.joined_fit
    if memory is None:
        return None
    nobs, line = sums.bars, _Line.of(sums)
    errors = line.long_run_errors(long_run_of_fit(memory, nobs), nobs)
    return _ols_fit(line, (nobs, sums.missing), (y_name, x_name), errors, 0, True)


def line_on_sums(sums: LineOfSums) -> tuple[float, float, float] | None:
    """Slope, intercept and the slope's standard error alone; None where they would lose digits."""
    if not (sums.varies and sums.has_rest):
        return None
    return sums.beta, sums.alpha, _Line.of(sums).errors(sums.bars)[1]


@dataclass(frozen=True, slots=True)
class _Line:
    """Means, the unit that x is measured in, slope in it, and sums of squares."""

    y_mean: float
    x_mean: float
    unit: float
    slope: float
    x_squares: float
    y_squares: float
    squares: float

    @classmethod
    def of(cls, sums: LineOfSums) -> "_Line":
        """Take it from sums."""
        yy, xx, squares = sums.squares
        return cls(*sums.means, 1.0, sums.beta, xx, yy, squares)

    def errors(self, nobs: int, coefficients: int = 2) -> tuple[float, float]:
        """Standard deviation of the residual, and standard error of the slope."""
        residual_std = math.sqrt(self.squares / (nobs - coefficients))
        return residual_std, residual_std / math.sqrt(self.x_squares)

    def long_run_errors(self, deviation: float, nobs: int) -> tuple[float, float]:
        """Errors of slope and level where the residual has that long-run deviation."""
        slope = deviation / math.sqrt(self.x_squares)
        return slope, math.hypot(deviation / math.sqrt(nobs), slope * (self.x_mean / self.unit))


def _ols_fit(
    line: _Line,
    rows: tuple[int, int],
    names: tuple[str, str],
    errors: tuple[float, float],
    hac_lags: int,
    intercept: bool,
) -> HedgeFit:
    """Put the fit together: `rows` used and dropped, names of y and x, HAC `errors`."""
    unit, nobs, (beta_hac, alpha_hac) = line.unit, rows[0], errors
    beta = line.slope / unit
    residual_std, stderr = line.errors(nobs, 2 if intercept else 1)
    return HedgeFit(
        beta=beta,
        alpha=line.y_mean - beta * line.x_mean,
        nobs=nobs,
        dropped=rows[1],
        beta_stderr=stderr / unit,
        alpha_stderr=math.hypot(residual_std / math.sqrt(nobs), stderr * (line.x_mean / unit))
        if intercept
        else math.nan,
        r_squared=1.0 - line.squares / line.y_squares if line.y_squares > 0 else math.nan,
        residual_std=residual_std,
        method="ols",
        intercept=intercept,
        causal=False,
        looks_back=f"over all {nobs:,} bars at once",
        y_name=names[0],
        x_name=names[1],
        reference="Engle & Granger (1987), Econometrica 55, 251-276: the cointegrating "
        f"regression; {LONG_RUN_REFERENCE}",
        beta_hac_stderr=beta_hac / unit,
        alpha_hac_stderr=alpha_hac if intercept else math.nan,
        hac_lags=hac_lags,
        beta_interval=interval_95(beta, beta_hac / unit),
    )


def fit_dols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares with leads and lags of the change of x, which take the bias out of beta.

    A row is used when every change it needs is known: nothing is joined across a missing bar.
    """
    only_with_intercept("dols", intercept)
    check_options("dols", options, "leads", "lags", "hac_lags")
    leads = whole_option(options, "leads", 2, 0)
    lags = whole_option(options, "lags", 2, 0)
    terms = leads + lags + 1
    used, changes = _leads_and_lags(legs, leads, lags)
    nobs = int(used.sum())
    if nobs < terms + 3:
        raise NotEnoughDataError(
            f"{legs.what} with {leads} leads and {lags} lags", terms + 3, nobs, "complete rows"
        )
    legs.check_x_varies()
    y, y_mean = centred(legs.all_y[used])
    x, x_mean = centred(legs.all_x[used])
    scale = float(np.abs(x).max())
    if scale == 0:
        raise DegenerateSeriesError(legs.what, f"{legs.x_name} is constant over {nobs} rows")
    design = np.column_stack([np.ones(nobs), x / scale, changes / scale])
    coefficients, _, rank, _ = np.linalg.lstsq(design, y, rcond=1e-12)
    if rank < design.shape[1]:
        raise DegenerateSeriesError(
            legs.what, f"{legs.x_name} and its {terms} leads and lags do not vary independently"
        )
    residuals = y - design @ coefficients
    hac_lags = whole_option(options, "hac_lags", 0, 0)
    if "hac_lags" in options:
        covariance = hac_covariance(design, residuals, hac_lags)
    else:
        variance = long_run_std(residuals, design.shape[1]) ** 2
        covariance = variance * np.linalg.inv(design.T @ design)
    beta, stderr = float(coefficients[1]) / scale, math.sqrt(float(covariance[1, 1])) / scale
    at_zero = np.array([1.0, -x_mean / scale])
    alpha = y_mean + float(coefficients[0]) - beta * x_mean
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=nobs,
        dropped=legs.known.size - nobs,
        beta_stderr=stderr,
        alpha_stderr=math.sqrt(np.maximum(at_zero @ covariance[:2, :2] @ at_zero, 0.0)),
        r_squared=r_squared,
        residual_std=residual_std,
        method="dols",
        intercept=True,
        causal=False,
        looks_back=f"over all {nobs:,} bars at once, {leads} bars ahead of each",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Stock & Watson (1993), Econometrica 61, 783-820: dynamic OLS; "
        f"{LONG_RUN_REFERENCE}",
        stderr_kind="HAC (Newey-West)" if "hac_lags" in options else "long-run",
        hac_lags=hac_lags,
        beta_interval=interval_95(beta, stderr),
        settings=(("leads", leads), ("lags", lags)),
    )


def fit_fmols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares with the shocks that both legs share taken out of y, and out of the slope.

    Long-run covariances by the Bartlett kernel, lags by Andrews' plug-in or as `lags` says. A row
    is used when the change of x into it is known.
    """
    only_with_intercept("fmols", intercept)
    check_options("fmols", options, "lags")
    legs.need(4)
    legs.check_x_varies()
    used, changes = _leads_and_lags(legs, 0, 0)
    nobs = int(used.sum())
    if nobs < _FMOLS_ROWS:
        raise NotEnoughDataError(legs.what, _FMOLS_ROWS, nobs, "complete rows in a row")
    y, y_mean = centred(legs.all_y[used])
    x, x_mean = centred(legs.all_x[used])
    residual, change = _residual_of_all(legs)[used], changes[:, 0]
    lags = whole_option(options, "lags", andrews_lags(residual), 0)
    shared, bias = _shared_shocks(residual, change, lags)
    squares = float(x @ x)
    beta = (float(x @ (y - shared * change)) - nobs * bias) / squares
    alpha = y_mean - shared * float(change.mean()) - beta * x_mean
    rest = legs.y - alpha - beta * legs.x
    stderr, alpha_stderr = long_run_errors(centred(rest)[0], legs.x)
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=nobs,
        dropped=legs.known.size - nobs,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=r_squared,
        residual_std=residual_std,
        method="fmols",
        intercept=True,
        causal=False,
        looks_back=f"over all {nobs:,} bars at once",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Phillips & Hansen (1990), Rev. Econ. Stud. 57, 99-125: fully modified OLS; "
        f"{LONG_RUN_REFERENCE}",
        stderr_kind="long-run",
        beta_interval=interval_95(beta, stderr),
        settings=(("lags", lags),),
    )


def _residual_of_all(legs: Legs) -> FloatArray:
    """Residual of the least-squares line at all rows, NaN where a leg is not known."""
    y, y_mean = centred(legs.y)
    x, x_mean = centred(legs.x)
    residual: FloatArray = legs.all_y - y_mean - float(x @ y) / float(x @ x) * (legs.all_x - x_mean)
    return residual


def _shared_shocks(residual: FloatArray, change: FloatArray, lags: int) -> tuple[float, float]:
    """Long-run slope of the residual on the change of x, and the bias that is left, a row.

    The bias is the one-sided covariance of the change with later residuals, less that slope times
    that of the change with its own later values.
    """
    nobs = residual.size
    both = np.column_stack([residual, change])
    long_run = both.T @ both / nobs
    one_sided = long_run.copy()
    for lag in range(1, min(lags, nobs - 1) + 1):
        cross = (1.0 - lag / (lags + 1.0)) * (both[lag:].T @ both[:-lag]) / nobs
        long_run += cross + cross.T
        one_sided += cross
    slope = float(long_run[0, 1] / long_run[1, 1])
    return slope, float(one_sided[0, 1] - slope * one_sided[1, 1])


def _leads_and_lags(legs: Legs, leads: int, lags: int) -> tuple[BoolArray, FloatArray]:
    """Rows whose changes of x from -lags to +leads are known, and those changes."""
    x = np.where(legs.known, legs.all_x, np.nan)
    size = x.size
    change = np.full(size + leads + lags, np.nan)
    change[lags + 1 : lags + size] = np.diff(x) if size else 0.0
    columns = np.column_stack([change[shift : shift + size] for shift in range(leads + lags + 1)])
    used = legs.known & ~np.isnan(columns).any(axis=1)
    return used, columns[used]
