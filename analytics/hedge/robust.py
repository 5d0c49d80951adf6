"""Lines that do not lean on one leg or on outliers: orthogonal, Huber, Theil-Sen."""

import math
from collections.abc import Mapping

import numpy as np

from analytics.errors import DegenerateSeriesError
from analytics.frames import FloatArray
from analytics.hedge.fit import (
    HedgeFit,
    Legs,
    check_options,
    fit_quality,
    only_with_intercept,
    whole_option,
)
from analytics.hedge.long_run import long_run_errors, memory_of_ranks
from analytics.series import centred, interval_95

# Huber's constant: 95 % efficient on normal errors.
_TUNING = 1.345
# Median absolute deviation of a standard normal variable.
_NORMAL_MAD = 0.6744897501960817
_MAX_STEPS = 100
_CONVERGED = 1e-12
_SAMPLE_ROWS = 600


def fit_tls(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Orthogonal regression: the line with the least squared distances at right angles to it.

    Neither leg is the dependent one, so the beta of x on y is 1 / beta. It is a method of one unit:
    rescaling one leg changes the line. Standard errors by the delete-one jackknife, and long-run
    ones beside. No interval: where y alone errs, beta lies too far from 0 by β/(1+β²) times the
    residual's share of the variance of x, and ±1.96 errors held it in 79 % of such samples.
    """
    only_with_intercept("tls", intercept)
    check_options("tls", options)
    legs.need(3)
    legs.check_x_varies()
    legs.check_y_varies()
    y, y_mean = centred(legs.y)
    x, x_mean = centred(legs.x)
    yy, xx, xy = float(y @ y), float(x @ x), float(x @ y)
    if abs(xy) <= 1e-12 * math.sqrt(yy * xx):
        raise DegenerateSeriesError(legs.what, "the legs are uncorrelated: no direction stands out")
    beta = float(_orthogonal_slope(np.array(yy), np.array(xx), np.array(xy)))
    alpha = y_mean - beta * x_mean
    n = legs.nobs
    shrink = n / (n - 1.0)
    left_out = _orthogonal_slope(yy - shrink * y * y, xx - shrink * x * x, xy - shrink * x * y)
    intercepts = -y / (n - 1.0) + left_out * x / (n - 1.0) + y_mean - left_out * x_mean
    stderr, alpha_stderr = _jackknife(left_out), _jackknife(intercepts)
    beta_hac, alpha_hac = long_run_errors(y - beta * x, legs.x)
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=n,
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=r_squared,
        residual_std=residual_std,
        method="tls",
        intercept=True,
        causal=False,
        looks_back=f"over all {n:,} bars at once",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Golub & Van Loan (1980), SIAM J. Numer. Anal. 17, 883-893; jackknife errors "
        "Linnet (1990), Stat. Med. 9, 1463-1473",
        stderr_kind="jackknife",
        beta_hac_stderr=beta_hac,
        alpha_hac_stderr=alpha_hac,
    )


def _orthogonal_slope(yy: FloatArray, xx: FloatArray, xy: FloatArray) -> FloatArray:
    """Slope of the first principal axis; the form that cancels nothing for either sign."""
    half = (yy - xx) / 2.0
    root = np.hypot(half, xy)
    with np.errstate(divide="ignore", invalid="ignore"):
        steep: FloatArray = np.where(half > 0, (half + root) / xy, xy / (root - half))
    return steep


def _jackknife(estimates: FloatArray) -> float:
    n = estimates.size
    deviations = estimates - estimates.mean()
    stderr = math.sqrt((n - 1.0) / n * float(deviations @ deviations))
    return stderr if math.isfinite(stderr) else math.nan


def fit_huber(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Huber's M-estimate (1.345 robust deviations), scale by the MAD about zero, by reweighting."""
    only_with_intercept("huber", intercept)
    check_options("huber", options)
    legs.need(4)
    legs.check_x_varies()
    y, y_mean = centred(legs.y)
    x, x_mean = centred(legs.x)
    unit = float(np.abs(x).max())
    x = x / unit
    slope, level, scale = _huber_line(y, x, legs.what)
    rest = y - level - slope * x
    stderr, level_stderr, cross = _huber_errors(rest, x, scale)
    beta = slope / unit
    alpha = y_mean + level - beta * x_mean
    place = x_mean / unit
    alpha_variance = level_stderr**2 - 2.0 * place * cross + (place * stderr) ** 2
    beta_hac, alpha_hac = _huber_long_run(rest, legs.x, scale)
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=legs.nobs,
        dropped=legs.dropped,
        beta_stderr=stderr / unit,
        alpha_stderr=math.sqrt(max(alpha_variance, 0.0)),
        r_squared=r_squared,
        residual_std=residual_std,
        method="huber",
        intercept=True,
        causal=False,
        looks_back=f"over all {legs.nobs:,} bars at once",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Huber (1981), Robust Statistics, ch. 7: M-estimate, standard errors H1",
        stderr_kind="Huber's H1",
        beta_hac_stderr=beta_hac,
        alpha_hac_stderr=alpha_hac,
        beta_interval=interval_95(beta, beta_hac),
        settings=(("tuning", _TUNING), ("robust scale", scale)),
    )


def _huber_line(y: FloatArray, x: FloatArray, what: str) -> tuple[float, float, float]:
    """Slope, level and robust scale by iteratively reweighted least squares."""
    slope, level = float(x @ y) / float(x @ x), 0.0
    scale = 0.0
    for _ in range(_MAX_STEPS):
        rest = y - level - slope * x
        scale = float(np.median(np.abs(rest))) / _NORMAL_MAD
        if scale <= 1e-13 * float(np.abs(y).max()):
            # More than half of the rows lie on the line: it cannot be bettered.
            return slope, level, scale
        weights = np.minimum(1.0, _TUNING * scale / np.maximum(np.abs(rest), 1e-300))
        total = float(weights.sum())
        x_mean, y_mean = float(weights @ x) / total, float(weights @ y) / total
        x_squares = float(weights @ (x - x_mean) ** 2)
        if x_squares <= 1e-24 * total:
            raise DegenerateSeriesError(what, "x varies in rows that count as outliers only")
        new_slope = float(weights @ ((x - x_mean) * (y - y_mean))) / x_squares
        new_level = y_mean - new_slope * x_mean
        moved = max(abs(new_slope - slope), abs(new_level - level))
        slope, level = new_slope, new_level
        if moved <= _CONVERGED * scale:
            break
    return slope, level, scale


def _huber_errors(rest: FloatArray, x: FloatArray, scale: float) -> tuple[float, float, float]:
    """Huber's H1 standard errors of slope and level, and their covariance."""
    if scale == 0:
        return 0.0, 0.0, 0.0
    n = x.size
    clipped = np.clip(rest / scale, -_TUNING, _TUNING)
    inside = np.abs(rest / scale) <= _TUNING
    slope_of_psi = float(inside.mean())
    if slope_of_psi == 0:
        return math.nan, math.nan, math.nan
    correction = 1.0 + 2.0 / n * float(inside.var()) / slope_of_psi**2
    factor = (correction * scale / slope_of_psi) ** 2 * float(clipped @ clipped) / (n - 2)
    mean = float(x.mean())
    x_squares = float((x - mean) @ (x - mean))
    return (
        math.sqrt(factor / x_squares),
        math.sqrt(factor * (1.0 / n + mean**2 / x_squares)),
        -factor * mean / x_squares,
    )


def _huber_long_run(rest: FloatArray, x: FloatArray, scale: float) -> tuple[float, float]:
    """Long-run errors of slope and intercept: those of least squares on the clipped residual."""
    if scale == 0:
        return math.nan, math.nan
    reach = _TUNING * scale
    inside = float(np.mean(np.abs(rest) <= reach))
    stderr, level_stderr = long_run_errors(centred(np.clip(rest, -reach, reach))[0], x)
    return stderr / inside, level_stderr / inside


def fit_theil_sen(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Median of the slopes between pairs of rows, with Sen's 95 % interval for rows with memory.

    Sen's interval counts rows as independent; here its half-width grows by the root of how many
    times the residual's ranks exceed the variance of independent ones (Hamed & Rao 1998).
    The pairs grow as rows squared, so at most `sample` rows take part, drawn evenly at random with
    a fixed seed and said in `looks_back`.
    """
    only_with_intercept("theil_sen", intercept)
    check_options("theil_sen", options, "sample", "seed")
    sample = whole_option(options, "sample", _SAMPLE_ROWS, 3)
    seed = whole_option(options, "seed", 0, 0)
    legs.need(3)
    legs.check_x_varies()
    rows = np.arange(legs.nobs)
    is_sampled = legs.nobs > sample
    if is_sampled:
        rows = np.sort(np.random.default_rng(seed).choice(legs.nobs, sample, replace=False))
    x, y = legs.x[rows], legs.y[rows]
    if float(np.ptp(x)) == 0:
        raise DegenerateSeriesError(legs.what, f"{legs.x_name} is constant in {rows.size} rows")
    beta, slopes, half = _median_slope(y, x)
    alpha = float(np.median(y - beta * x))
    low, high = _sen_interval(slopes, half * _widening(legs, beta, rows.size))
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    how = f"over {rows.size:,} rows drawn at random of" if is_sampled else "over all"
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=int(rows.size),
        dropped=legs.dropped,
        beta_stderr=math.nan,
        alpha_stderr=math.nan,
        r_squared=r_squared,
        residual_std=residual_std,
        method="theil_sen",
        intercept=True,
        causal=False,
        looks_back=f"{how} {legs.nobs:,} bars at once",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Theil (1950); Sen (1968), JASA 63, 1379-1389; interval for residuals with "
        "memory Hamed & Rao (1998), J. Hydrol. 204, 182-196",
        stderr_kind="none: see the interval",
        beta_interval=(low, high),
        settings=(("sample", sample), ("seed", seed)),
    )


def _widening(legs: Legs, beta: float, sampled: int) -> float:
    """How many times wider than for independent rows; of rows drawn apart, fewer are neighbours."""
    excess = memory_of_ranks(legs.y - beta * legs.x) - 1.0
    return math.sqrt(1.0 + excess * sampled / legs.nobs)


def _median_slope(y: FloatArray, x: FloatArray) -> tuple[float, FloatArray, float]:
    """Median of the slopes between rows of different x, all of them, and half of Sen's interval."""
    left, right = np.triu_indices(x.size, 1)
    run = x[right] - x[left]
    rising = run != 0
    slopes = np.sort((y[right] - y[left])[rising] / run[rising])
    n = float(x.size)
    variance = (n * (n - 1) * (2 * n + 5) - _tied(x) - _tied(y)) / 18.0
    half = 1.959963984540054 * math.sqrt(max(variance, 0.0)) / 2.0
    return float(np.median(slopes)), slopes, half


def _sen_interval(slopes: FloatArray, half: float) -> tuple[float, float]:
    """Slopes `half` places to either side of the middle (Sen's 2.6); NaN where not known."""
    if math.isnan(half):
        return math.nan, math.nan
    middle = slopes.size / 2.0
    low = max(round(middle - half) - 1, 0)
    high = min(round(middle + half), slopes.size - 1)
    return float(slopes[low]), float(slopes[high])


def _tied(values: FloatArray) -> float:
    """What equal values take from the variance of Kendall's score."""
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float(np.sum(counts * (counts - 1) * (2 * counts + 5)))
