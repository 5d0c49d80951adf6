"""The hedge ratio of Johansen's first cointegrating vector."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

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
from analytics.series import centred, interval_95, longest_run
from analytics.stationarity import johansen_test


def fit_johansen(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Weights of the most stationary combination, scaled to 1 of y; no leg is the dependent one.

    A vector autoregression cannot leave bars out: with missing bars it is fitted on the longest run
    without one, as `looks_back` says. The intercept is the mean of y - beta x over all rows.
    """
    only_with_intercept("johansen", intercept)
    check_options("johansen", options, "lags")
    lags = whole_option(options, "lags", 1, 1)
    run = longest_run(legs.known)
    frame = pd.DataFrame({legs.y_name: legs.all_y[run], legs.x_name: legs.all_x[run]})
    result = johansen_test(frame, det_order=0, lags=lags)
    weights = result.eigenvectors[:, 0]
    sizes = np.abs(weights) * frame.std().to_numpy()
    if sizes[0] <= 1e-10 * sizes[1]:
        raise DegenerateSeriesError(
            legs.what, f"the cointegrating vector leaves {legs.y_name} out: {legs.x_name} alone "
            "looks stationary"
        )  # fmt: skip
    beta = -float(weights[1] / weights[0])
    alpha = centred(legs.y)[1] - beta * centred(legs.x)[1]
    stderr = _beta_stderr(frame.to_numpy(), beta, lags)
    r_squared, residual_std = fit_quality(legs, beta, alpha)
    bars = f"all {legs.nobs:,} bars at once"
    if len(frame) < legs.nobs:
        bars = f"the {len(frame):,} bars of the longest run without a missing one at once"
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=result.nobs,
        dropped=legs.known.size - len(frame),
        beta_stderr=stderr,
        alpha_stderr=math.nan,
        r_squared=r_squared,
        residual_std=residual_std,
        method="johansen",
        intercept=True,
        causal=False,
        looks_back=f"over {bars}",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Johansen (1991), Econometrica 59, 1551-1580; standard error Luetkepohl (2005), "
        "New Introduction to Multiple Time Series Analysis, 7.2.4",
        stderr_kind="asymptotic, given one cointegrating relation",
        beta_interval=interval_95(beta, stderr),
        settings=(("lags", lags),),
    )


def _beta_stderr(values: FloatArray, beta: float, lags: int) -> float:
    """Standard error of beta in the error-correction model with one relation and a constant."""
    deviations = values - values.mean(axis=0)
    change = np.diff(deviations, axis=0)
    rows = change.shape[0] - lags
    past = [np.ones((rows, 1))]
    past += [change[lags - lag : change.shape[0] - lag] for lag in range(1, lags + 1)]
    short = np.hstack(past)
    both = np.hstack([change[lags:], deviations[lags:-1]])
    both = both - short @ np.linalg.lstsq(short, both, rcond=None)[0]
    moved, level = both[:, :2], both[:, 2:]
    gap = level[:, 0] - beta * level[:, 1]
    speed = gap @ moved / float(gap @ gap)
    shocks = moved - np.outer(gap, speed)
    precision = np.linalg.pinv(shocks.T @ shocks / rows)
    information = float(speed @ precision @ speed) * float(level[:, 1] @ level[:, 1])
    return 1.0 / math.sqrt(information) if information > 0 else math.nan
