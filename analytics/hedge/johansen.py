"""The hedge ratio of Johansen's first cointegrating vector."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

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
from analytics.series import centred, longest_run
from analytics.stationarity import johansen_test

# 95 % point of a chi square with one degree of freedom.
_CHI_SQUARE_95 = 3.841458820694124


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
    model = _ErrorCorrection.of(frame.to_numpy(), lags)
    stderr = model.stderr(beta)
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
        "New Introduction to Multiple Time Series Analysis, 7.2.4; interval by the likelihood "
        "ratio, Johansen (1995), Likelihood-based Inference, 7.2",
        stderr_kind="asymptotic, given one cointegrating relation",
        beta_interval=model.interval(),
        settings=(("lags", lags),),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _ErrorCorrection:
    """Changes and levels of both legs, less what a constant and past changes explain of them."""

    moved: FloatArray
    level: FloatArray
    short_terms: int

    @classmethod
    def of(cls, values: FloatArray, lags: int) -> "_ErrorCorrection":
        """Take a constant and `lags` changes off the levels of both legs, shape (bars, 2)."""
        deviations = values - values.mean(axis=0)
        change = np.diff(deviations, axis=0)
        rows = change.shape[0] - lags
        past = [np.ones((rows, 1))]
        past += [change[lags - lag : change.shape[0] - lag] for lag in range(1, lags + 1)]
        short = np.hstack(past)
        both = np.hstack([change[lags:], deviations[lags:-1]])
        both = both - short @ np.linalg.lstsq(short, both, rcond=None)[0]
        return cls(both[:, :2], both[:, 2:], short.shape[1])

    def stderr(self, beta: float) -> float:
        """Standard error of beta in the model with one relation and a constant."""
        rows = self.moved.shape[0]
        gap = self.level[:, 0] - beta * self.level[:, 1]
        speed = gap @ self.moved / float(gap @ gap)
        shocks = self.moved - np.outer(gap, speed)
        precision = np.linalg.pinv(shocks.T @ shocks / rows)
        information = float(speed @ precision @ speed) * float(self.level[:, 1] @ self.level[:, 1])
        return 1.0 / math.sqrt(information) if information > 0 else math.nan

    def interval(self) -> tuple[float, float]:
        """95 % interval: every beta that the likelihood ratio does not reject.

        With λ of a beta the squared correlation of its gap with the changes, the ratio is
        (rows - terms) ln((1 - λ) / (1 - λ greatest)), and the betas below its 95 % point lie
        between the roots of a parabola, or beyond an end where S2 alone would do as well.
        """
        moved, level = self.moved, self.level
        cross, squares = level.T @ moved, level.T @ level
        explained = cross @ np.linalg.pinv(moved.T @ moved) @ cross.T
        greatest = float(np.linalg.eigvals(np.linalg.pinv(squares) @ explained).real.max())
        free = moved.shape[0] - self.short_terms - 2
        least = 1.0 - (1.0 - greatest) * math.exp(_CHI_SQUARE_95 / free)
        form = explained - least * squares
        constant, slope, curve = form[0, 0], form[0, 1], form[1, 1]
        if curve >= 0:
            return -math.inf, math.inf
        root = math.sqrt(max(slope**2 - curve * constant, 0.0))
        return float((slope + root) / curve), float((slope - root) / curve)
