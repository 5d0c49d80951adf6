"""Causal paths of least squares: over a trailing window, and over all bars so far."""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from analytics.errors import DegenerateSeriesError, NotEnoughDataError
from analytics.frames import FloatArray
from analytics.hedge.fit import HedgeFit, Legs, check_options, only_with_intercept, whole_option
from analytics.series import ROUNDING, interval_95, longest_run
from analytics.stationarity import long_run_std

# Bars before the first value of an expanding line.
EXPANDING_BARS = 30


def fit_rolling_ols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares over the trailing `window` bars, the current one included.

    A window is full when all its bars are known on both legs; a flat x gives NaN.
    """
    from analytics.kernels.line_paths import rolling_lines  # noqa: PLC0415 - numba, when needed

    only_with_intercept("rolling_ols", intercept)
    check_options("rolling_ols", options, "window")
    window = whole_option(options, "window", 60, 3)
    legs.need(window)
    return _path_fit(
        legs,
        partial(rolling_lines, legs.all_y, legs.all_x, window, ROUNDING),
        method="rolling_ols",
        looks_back=f"over the trailing {window:,} bars at each bar",
        reference="ordinary least squares on each trailing window",
        settings=(("window", window),),
        full_window=window,
    )


def fit_expanding_ols(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Least squares over all bars up to each bar; missing bars are left out."""
    from analytics.kernels.line_paths import expanding_lines  # noqa: PLC0415 - numba, when needed

    only_with_intercept("expanding_ols", intercept)
    check_options("expanding_ols", options, "least")
    least = whole_option(options, "least", EXPANDING_BARS, 3)
    legs.need(least)
    return _path_fit(
        legs,
        partial(expanding_lines, legs.all_y, legs.all_x, least, ROUNDING),
        method="expanding_ols",
        looks_back="over all bars so far at each bar",
        reference="recursive least squares: Brown, Durbin & Evans (1975), JRSS B 37, 149-192",
        settings=(("least", least),),
    )


def lines_of_windows(y: FloatArray, x: FloatArray, window: int) -> FloatArray:
    """Lines of `fit_rolling_ols` at each bar, by themselves.

    Returns
    -------
    ndarray, shape (3, n)
        Slope, intercept, standard error of the slope; NaN where there is no line.
    """
    from analytics.kernels.line_paths import LINE_ROWS, rolling_lines  # noqa: PLC0415 - numba
    from analytics.kernels.rolling import COUNTED_ROWS  # noqa: PLC0415

    path = np.empty((LINE_ROWS, y.size))
    rolling_lines(y, x, window, ROUNDING, path, np.empty(COUNTED_ROWS))
    return path


def _path_fit(
    legs: Legs,
    fill: Callable[[FloatArray, FloatArray], int],
    *,
    method: str,
    looks_back: str,
    reference: str,
    settings: tuple[tuple[str, float], ...],
    full_window: int = 0,
) -> HedgeFit:
    from analytics.kernels.line_paths import LINE_ROWS  # noqa: PLC0415 - numba, when needed
    from analytics.kernels.rolling import COUNT, COUNTED_ROWS  # noqa: PLC0415

    path, last = np.empty((LINE_ROWS, legs.known.size)), np.empty(COUNTED_ROWS)
    row = fill(path, last)
    if row < 0:
        raise _no_line(legs, full_window)
    beta, alpha, stderr = path[:, row].tolist()
    r_squared, residual_std, alpha_stderr = _quality(beta, stderr, last)
    memory = _memory(legs, row, int(last[COUNT]), (beta, alpha, residual_std))
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=int(last[COUNT]),
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=r_squared,
        residual_std=residual_std,
        method=method,
        intercept=True,
        causal=True,
        looks_back=looks_back,
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference=reference,
        beta_hac_stderr=stderr * memory,
        alpha_hac_stderr=alpha_stderr * memory,
        beta_interval=interval_95(beta, stderr * memory),
        settings=settings,
        paths=dict(zip(("beta", "alpha", "beta_stderr"), path, strict=True)),
        index=legs.index,
    )


def _memory(legs: Legs, row: int, bars: int, line: tuple[float, float, float]) -> float:
    """How many times the last line's errors grow for the memory of its own bars' residual.

    `line`: slope, intercept, residual deviation.
    """
    beta, alpha, residual_std = line
    end = int(np.count_nonzero(legs.known[: row + 1]))
    y, x = legs.y[end - bars : end], legs.x[end - bars : end]
    return long_run_std(y - alpha - beta * x) / residual_std if residual_std > 0 else math.nan


def _no_line(legs: Legs, window: int) -> NotEnoughDataError | DegenerateSeriesError:
    """Say why no window has a line: none of `window` bars is full, or x did not move in any."""
    run = longest_run(legs.known)
    if run.stop - run.start < window:
        return NotEnoughDataError(legs.what, window, run.stop - run.start, "known bars in a row")
    return DegenerateSeriesError(legs.what, f"{legs.x_name} did not move in any window")


def _quality(beta: float, stderr: float, last: FloatArray) -> tuple[float, float, float]:
    """R squared, residual std and standard error of the intercept of the last line."""
    from analytics.kernels.line_paths import LEAST_REST  # noqa: PLC0415 - numba, when needed

    _, x_mean, yy, _, xy, bars = last.tolist()
    rest = max(yy - beta * xy, LEAST_REST * yy)
    residual_std = math.sqrt(rest / (bars - 2.0))
    alpha_stderr = math.sqrt(residual_std**2 / bars + (stderr * x_mean) ** 2)
    return 1.0 - rest / yy if yy > 0 else math.nan, residual_std, alpha_stderr
