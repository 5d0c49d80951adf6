"""The Kalman hedge: alpha and beta wander, each bar's price corrects them a little."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from analytics.errors import DegenerateSeriesError, ParameterError
from analytics.frames import FloatArray
from analytics.hedge_fit import (
    HedgeFit,
    Legs,
    centred,
    check_options,
    fit_quality,
    interval_95,
    last_known,
    only_with_intercept,
    positive_option,
    whole_option,
)
from analytics.innovations import check_innovations

_BURN_IN = 200
# Fewer forecast errors than this are not checked.
_LEAST_ERRORS = 30
# Variance of the start, in units of the residual's: the first bars decide, the OLS line hardly.
_VAGUE = 1e4
# Bounds of the search: ratio of the state's to the observation's noise variance.
_LOG_RATIO = (math.log(1e-12), math.log(1e2))


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The filter in its own units: x is measured as (x - x_mean) / x_unit, y as (y - y_mean)."""

    y_mean: float
    x_mean: float
    x_unit: float
    start: FloatArray
    state_noise: FloatArray
    noise: float
    first: int
    causal: bool
    looks_back: str
    settings: tuple[tuple[str, float], ...]


def fit_kalman(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Filter y = alpha + beta x with alpha and beta on random walks.

    Three ways to the noise variances:

    - default: maximum likelihood on the first ``burn_in`` (200) complete bars, from a vague start
      about their OLS line; the path begins after them and is causal.
    - ``delta`` and ``ve`` given: Chan's form, state noise delta / (1 - delta) per bar on both
      coefficients in the units of the prices, observation noise ve, start at 0; causal.
    - ``noise="whole"``: maximum likelihood over all bars; the path knows the future's noise and is
      marked as not causal.

    The spread is the forecast error, y less its forecast from the bars before, and its scale the
    root of the forecast variance. The updated beta has already seen the bar it would explain.
    """
    only_with_intercept("kalman", intercept)
    check_options("kalman", options, "delta", "ve", "burn_in", "noise")
    model = _given(legs, options) or _fitted(legs, options)
    paths = _filtered(legs, model)
    if model.first:
        # Bars that the start was made of have no path; the next one's forecast would stand on it.
        paths[:, : model.first] = np.nan
        begun = np.flatnonzero(~np.isnan(paths[0]))
        paths[5:, : int(begun[0]) + 1 if begun.size else None] = np.nan
    beta, alpha, beta_variance, alpha_variance, _, error, variance = paths
    # As soon as the path begins, whatever comes later: else its past would depend on the future.
    errors = int((~np.isnan(error)).sum())
    last_beta, last_alpha = last_known(beta), last_known(alpha)
    stderr = math.sqrt(last_known(beta_variance))
    r_squared, _ = fit_quality(legs, last_beta, last_alpha)
    return HedgeFit(
        beta=last_beta,
        alpha=last_alpha,
        nobs=legs.nobs,
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=math.sqrt(last_known(alpha_variance)),
        r_squared=r_squared,
        residual_std=math.sqrt(model.noise),
        method="kalman",
        intercept=True,
        causal=model.causal,
        looks_back=model.looks_back,
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Kalman (1960); Chan (2013), Algorithmic Trading, ch. 3; likelihood Harvey "
        "(1989), ch. 3",
        stderr_kind="filter, given the noise variances",
        beta_interval=interval_95(last_beta, stderr),
        settings=model.settings,
        beta_path=legs.path(beta, "hedge_ratio"),
        alpha_path=legs.path(alpha, "intercept"),
        beta_stderr_path=legs.path(np.sqrt(beta_variance), "hedge_ratio_stderr"),
        alpha_stderr_path=legs.path(np.sqrt(alpha_variance), "intercept_stderr"),
        forecast_error=legs.path(error, "forecast_error"),
        forecast_variance=legs.path(variance, "forecast_variance"),
        innovations=check_innovations(error, variance) if errors >= _LEAST_ERRORS else None,
    )


def _given(legs: Legs, options: Mapping[str, object]) -> _Model | None:
    """Chan's model, in the units of the prices; None when no noise is given."""
    if "delta" not in options and "ve" not in options:
        return None
    for name, other in (("delta", "ve"), ("ve", "delta")):
        if name not in options:
            raise ParameterError(name, None, f"given where {other} is")
    for name in ("burn_in", "noise"):
        if name in options:
            raise ParameterError(name, options[name], "left out where delta and ve are given")
    delta, ve = positive_option(options, "delta"), positive_option(options, "ve")
    if delta >= 1:
        raise ParameterError("delta", delta, "below 1")
    legs.need(3)
    drift = delta / (1.0 - delta)
    return _Model(
        y_mean=0.0,
        x_mean=0.0,
        x_unit=1.0,
        start=np.zeros(5),
        state_noise=np.array([drift, drift]),
        noise=ve,
        first=0,
        causal=True,
        looks_back="over all bars so far at each bar, the older the fainter",
        settings=(("delta", delta), ("ve", ve)),
    )


def _fitted(legs: Legs, options: Mapping[str, object]) -> _Model:
    """Noise by maximum likelihood, on a burn-in or on the whole."""
    noise = options.get("noise", "burn-in")
    if noise not in {"burn-in", "whole"}:
        raise ParameterError("noise", noise, "'burn-in' or 'whole'")
    burn_in = whole_option(options, "burn_in", _BURN_IN, 30)
    legs.need(burn_in + 1)
    places = np.flatnonzero(legs.known)
    first = int(places[burn_in - 1]) + 1
    whole = noise == "whole"
    early = slice(0, first)
    fitted = slice(0, legs.known.size if whole else first)
    y_mean, x_mean, x_unit, slope, rest = _early_line(legs, early)
    y = (legs.all_y[fitted] - y_mean) / rest
    x = (legs.all_x[fitted] - x_mean) / x_unit
    start = np.array([slope / rest, 0.0, _VAGUE, 0.0, _VAGUE])
    ratio, observed = _most_likely(y, x, start)
    ve = observed * rest**2
    scale = np.array([rest, rest, ve, ve, ve])
    bars = "all bars of the lookback" if whole else f"the first {burn_in:,} bars"
    return _Model(
        y_mean=y_mean,
        x_mean=x_mean,
        x_unit=x_unit,
        start=start * scale,
        state_noise=np.array([ratio * ve, ratio * ve]),
        noise=ve,
        first=first,
        causal=not whole,
        looks_back=f"over all bars so far at each bar, its noise estimated on {bars}",
        settings=(("ve", ve), ("noise ratio", ratio), ("burn_in", burn_in)),
    )


def _early_line(legs: Legs, early: slice) -> tuple[float, float, float, float, float]:
    """Means, unit of x, slope per unit and residual std of the OLS line of the burn-in."""
    known = legs.known[early]
    y, y_mean = centred(legs.all_y[early][known])
    x, x_mean = centred(legs.all_x[early][known])
    unit = math.sqrt(float(x @ x) / x.size)
    size = float(np.abs(legs.all_y[early][known]).max())
    if unit <= 1e-14 * abs(x_mean):
        raise DegenerateSeriesError(legs.what, f"{legs.x_name} is constant over the burn-in")
    slope = float(x @ y) / float(x @ x) * unit
    residuals = y - slope * (x / unit)
    rest = math.sqrt(float(residuals @ residuals) / (x.size - 2))
    if rest <= 1e-13 * size:
        raise DegenerateSeriesError(legs.what, "the legs are exactly collinear over the burn-in")
    return y_mean, x_mean, unit, slope, rest


def _most_likely(y: FloatArray, x: FloatArray, start: FloatArray) -> tuple[float, float]:
    """Ratio of state to observation noise that makes the bars most likely, and the latter."""
    from analytics.kernel_kalman import kalman_likelihood  # noqa: PLC0415 - numba, when needed

    def cost(log_ratio: float) -> float:
        drift = math.exp(log_ratio)
        return kalman_likelihood(y, x, start, np.array([drift, drift]))[0]

    # The likelihood may have a second, lesser peak: a grid finds the right one's neighbourhood.
    grid = np.linspace(*_LOG_RATIO, 18)
    best = int(np.argmin([cost(float(point)) for point in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    found = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    ratio = math.exp(float(found.x))
    _, observed = kalman_likelihood(y, x, start, np.array([ratio, ratio]))
    return ratio, observed


def _filtered(legs: Legs, model: _Model) -> FloatArray:
    """Run the filter in the model's units and bring its paths back to those of the prices."""
    from analytics.kernel_kalman import kalman_filter  # noqa: PLC0415 - numba, when needed

    paths = np.full((7, legs.all_y.size), np.nan)
    y = legs.all_y - model.y_mean
    x = (legs.all_x - model.x_mean) / model.x_unit
    kalman_filter(y, x, model.start, model.state_noise, model.noise, paths)
    place = model.x_mean / model.x_unit
    paths[0] /= model.x_unit
    paths[1] += model.y_mean - paths[0] * model.x_mean
    paths[3] += place * (place * paths[2] - 2.0 * paths[4])
    paths[2] /= model.x_unit**2
    return paths
