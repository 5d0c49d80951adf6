"""Causal paths of least squares: over a trailing window, and over all bars so far."""

import math
from collections.abc import Mapping

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.hedge.fit import HedgeFit, Legs, check_options, only_with_intercept, whole_option
from analytics.series import ROUNDING, interval_95, last_known, longest_run

# Bars before the first value of an expanding line.
EXPANDING_BARS = 30

# Syy - Sxy²/Sxx keeps no digit of a sum of squared residuals below this share of Syy.
_LEAST_REST = 1e-14


def fit_rolling_ols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares over the trailing `window` bars, the current one included.

    A window is full when all its bars are known on both legs; a flat x gives NaN.
    """
    from analytics.kernels.rolling import rolling_products  # noqa: PLC0415 - numba, when needed

    only_with_intercept("rolling_ols", intercept)
    check_options("rolling_ols", options, "window")
    window = whole_option(options, "window", 60, 3)
    legs.need(window)
    products = np.full((5, legs.all_y.size), np.nan)
    rolling_products(legs.all_y, legs.all_x, window, products)
    if np.isnan(products[0]).all():
        run = longest_run(legs.known)
        had = run.stop - run.start
        raise NotEnoughDataError(legs.what, window, had, "known bars in a row")
    return _path_fit(
        legs,
        products,
        np.full(legs.all_y.size, float(window)),
        method="rolling_ols",
        looks_back=f"over the trailing {window:,} bars at each bar",
        reference="ordinary least squares on each trailing window",
        settings=(("window", window),),
    )


def fit_expanding_ols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares over all bars up to each bar; missing bars are left out."""
    from analytics.kernels.rolling import expanding_products  # noqa: PLC0415 - numba, when needed

    only_with_intercept("expanding_ols", intercept)
    check_options("expanding_ols", options, "least")
    least = whole_option(options, "least", EXPANDING_BARS, 3)
    legs.need(least)
    products = np.full((6, legs.all_y.size), np.nan)
    expanding_products(legs.all_y, legs.all_x, least, products)
    return _path_fit(
        legs,
        products[:5],
        products[5],
        method="expanding_ols",
        looks_back="over all bars so far at each bar",
        reference="recursive least squares: Brown, Durbin & Evans (1975), JRSS B 37, 149-192",
        settings=(("least", least),),
    )


def _path_fit(
    legs: Legs,
    products: FloatArray,
    counts: FloatArray,
    *,
    method: str,
    looks_back: str,
    reference: str,
    settings: tuple[tuple[str, float], ...],
) -> HedgeFit:
    y_mean, x_mean, yy, xx, xy = products
    # By each window's own prices: the largest of all would let the future into past values.
    moving = np.sqrt(xx / counts) > ROUNDING * np.abs(x_mean)
    beta = np.full(xx.size, np.nan)
    np.divide(xy, xx, out=beta, where=moving)
    alpha = y_mean - beta * x_mean
    rest = yy - beta * xy
    rest = np.maximum(rest, _LEAST_REST * yy)
    residual_std = np.sqrt(rest / (counts - 2.0))
    stderr = np.full(xx.size, np.nan)
    np.divide(residual_std, np.sqrt(xx), out=stderr, where=moving)
    alpha_stderr = np.sqrt(residual_std**2 / counts + (stderr * x_mean) ** 2)
    if not moving.any():
        raise DegenerateSeriesError(legs.what, f"{legs.x_name} did not move in any window")
    last = int(np.flatnonzero(moving)[-1])
    fitted = yy[last] > 0
    return HedgeFit(
        beta=last_known(beta),
        alpha=last_known(alpha),
        nobs=int(counts[last]),
        dropped=legs.dropped,
        beta_stderr=float(stderr[last]),
        alpha_stderr=float(alpha_stderr[last]),
        r_squared=float(1.0 - rest[last] / yy[last]) if fitted else math.nan,
        residual_std=float(residual_std[last]),
        method=method,
        intercept=True,
        causal=True,
        looks_back=looks_back,
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference=reference,
        beta_interval=interval_95(last_known(beta), float(stderr[last])),
        settings=settings,
        paths={
            "beta": beta,
            "alpha": alpha,
            "beta_stderr": stderr,
            "alpha_stderr": alpha_stderr,
        },
        index=legs.index,
    )
