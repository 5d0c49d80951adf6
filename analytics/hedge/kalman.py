"""The Kalman hedge: alpha and beta wander, each bar's price corrects them a little."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.errors import DegenerateSeriesError, ParameterError
from analytics.frames import FloatArray
from analytics.hedge.fit import (
    HedgeFit,
    Legs,
    check_options,
    only_with_intercept,
    positive_option,
    whole_option,
)
from analytics.series import centred, interval_95

BURN_IN = 200
# The noise is estimated anew whenever the bars have doubled, up to so many of them.
_MOST_BARS = 4_000
# Variance of the start, in units of the residual's: the first bars decide, the OLS line hardly.
_VAGUE = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """A stretch of the path: the filter runs from the first bar with this noise.

    State from row `state_from`, forecast error from row `error_from`, both up to `stop`.
    """

    noise: FloatArray
    start: FloatArray
    state_from: int
    error_from: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The filter in its own units: x is measured as (x - x_mean) / x_unit, y as (y - y_mean)."""

    units: FloatArray
    stretches: tuple[_Stretch, ...]
    causal: bool
    looks_back: str
    settings: tuple[tuple[str, float], ...]


def fit_kalman(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Filter y = alpha + beta x with alpha and beta on random walks.

    Three ways to the noise variances:

    - default: maximum likelihood, one variance for beta and one for alpha, on the first ``burn_in``
      (200) complete bars, from a vague start about their OLS line; the path begins after them.
      When the bars have doubled (400, 800 .. up to 4,000) the noise is estimated anew on all of
      them so far, and the bars before are filtered again for the state that the path goes on from:
      what was said of them stays. Causal.
    - ``delta`` and ``ve`` given: Chan's form, state noise delta / (1 - delta) per bar on both
      coefficients in the units of the prices, observation noise ve, start at 0; causal.
    - ``noise="whole"``: maximum likelihood over all bars; the path knows the future's noise and is
      marked as not causal.

    Two variances, because alpha takes up what the residual remembers from bar to bar: with one for
    both, beta would have to wander too. The spread is the forecast error, y less its forecast from
    the bars before, and its scale the root of the forecast variance. The updated beta has already
    seen the bar it would explain.
    """
    only_with_intercept("kalman", intercept)
    check_options("kalman", options, "delta", "ve", "burn_in", "noise")
    model = _given(legs, options) or _fitted(legs, options)
    paths, alpha_stderr = _filtered(legs, model)
    beta, alpha, stderr = paths[:3, legs.last].tolist()
    names = ("beta", "alpha", "beta_stderr", "forecast_error", "forecast_variance")
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=legs.nobs,
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=math.nan,
        residual_std=math.sqrt(model.stretches[-1].noise[2]),
        method="kalman",
        intercept=True,
        causal=model.causal,
        looks_back=model.looks_back,
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Kalman (1960); Chan (2013), Algorithmic Trading, ch. 3; likelihood Harvey "
        "(1989), ch. 3",
        stderr_kind="filter, given the noise variances",
        beta_interval=interval_95(beta, stderr),
        settings=model.settings,
        paths=dict(zip(names, paths, strict=True)),
        index=legs.index,
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
        units=np.array([0.0, 0.0, 1.0]),
        stretches=(_Stretch(np.array([drift, drift, ve]), np.zeros(5), 0, 0, legs.known.size),),
        causal=True,
        looks_back="over all bars so far at each bar, the older the fainter",
        settings=(("delta", delta), ("ve", ve)),
    )


def _fitted(legs: Legs, options: Mapping[str, object]) -> _Model:
    """Noise by maximum likelihood, on a burn-in or on the whole."""
    noise = options.get("noise", "burn-in")
    if noise not in {"burn-in", "whole"}:
        raise ParameterError("noise", noise, "'burn-in' or 'whole'")
    burn_in = whole_option(options, "burn_in", BURN_IN, 30)
    legs.need(burn_in + 1)
    whole = noise == "whole"
    places = np.flatnonzero(legs.known)
    first = int(places[burn_in - 1]) + 1
    y_mean, x_mean, x_unit, slope, residual_std = _early_line(legs, slice(0, first))
    units = np.array([y_mean, x_mean, x_unit])
    start = np.array([slope / residual_std, 0.0, _VAGUE, 0.0, _VAGUE])
    counts = [legs.nobs] if whole else _estimated_at(burn_in, legs.nobs)
    estimates = _most_likely(
        (legs.y - y_mean) / residual_std, (legs.x - x_mean) / x_unit, start, counts
    )
    # The first stretch begins after its burn-in; a later one's first state is that of the last bar
    # it was estimated on, from which the next bar is forecast.
    begin = [int(places[count - 1]) for count in counts]
    begin[0] = first
    ends = [*begin[1:], legs.known.size]
    stretches = []
    for (beta_noise, alpha_noise, share), at, end in zip(estimates, begin, ends, strict=True):
        ve = share * residual_std**2
        scale = np.array([residual_std, residual_std, ve, ve, ve])
        variances = np.array([beta_noise * ve, alpha_noise * ve, ve])
        stop = end if end == legs.known.size else end + 1
        stretches.append(_Stretch(variances, start * scale, at, at + 1, stop))
    bars = f"the first {burn_in:,} bars"
    if counts[-1] > burn_in:
        bars = f"{bars} and anew at every doubling, up to {counts[-1]:,}"
    if whole:
        bars = "all bars at once"
    return _Model(
        units=units,
        stretches=tuple(stretches),
        causal=not whole,
        looks_back=f"over all bars so far at each bar, its noise estimated on {bars}",
        settings=(
            ("ve", float(stretches[-1].noise[2])),
            ("beta noise ratio", estimates[-1][0]),
            ("alpha noise ratio", estimates[-1][1]),
            ("burn_in", burn_in),
        ),
    )


def _estimated_at(burn_in: int, bars: int) -> list[int]:
    """Counts of bars at which the noise is estimated."""
    counts = [burn_in]
    while counts[-1] * 2 <= min(bars, _MOST_BARS):
        counts.append(counts[-1] * 2)
    return counts


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
    residual_std = math.sqrt(float(residuals @ residuals) / (x.size - 2))
    if residual_std <= 1e-13 * size:
        raise DegenerateSeriesError(legs.what, "the legs are exactly collinear over the burn-in")
    return y_mean, x_mean, unit, slope, residual_std


def _most_likely(
    y: FloatArray, x: FloatArray, start: FloatArray, counts: list[int]
) -> list[tuple[float, float, float]]:
    """For each count of bars: noise of beta and of alpha over the observation's, and the latter."""
    from analytics.kernels import kalman as kernel  # noqa: PLC0415 - numba, when needed

    best, estimates = np.full(kernel.SEARCH_SIZE, np.nan), []
    for count in counts:
        out = np.empty(kernel.SEARCH_SIZE)
        kernel.most_likely_noise(y[:count], x[:count], start, best, out)
        best = out
        beta, alpha = (_ratio(best[each]) for each in (kernel.LOG_BETA, kernel.LOG_ALPHA))
        estimates.append((beta, alpha, float(best[kernel.SHARE])))
    return estimates


def _ratio(logarithm: float) -> float:
    """State noise over the observation's; the lowest logarithm searched stands for none."""
    from analytics.kernels.kalman import LOWEST  # noqa: PLC0415 - numba, when needed

    return math.exp(logarithm) if logarithm > LOWEST else 0.0


def _filtered(legs: Legs, model: _Model) -> tuple[FloatArray, float]:
    """Run the filter: its path in the units of the prices, and alpha's last standard error."""
    from analytics.kernels import kalman as kernel  # noqa: PLC0415 - numba, when needed

    path = np.empty((kernel.PATH_ROWS, legs.all_y.size))
    first = model.stretches[0]
    path[: kernel.FORECAST_ERROR, : first.state_from] = np.nan
    path[kernel.FORECAST_ERROR :, : first.error_from] = np.nan
    alpha_stderr = math.nan
    for each in model.stretches:
        alpha_stderr = kernel.kalman_filter(
            legs.all_y, legs.all_x, model.units, each.start, each.noise,
            each.state_from, each.error_from, each.stop, path,
        )  # fmt: skip
    return path, alpha_stderr
