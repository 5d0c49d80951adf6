"""Kalman hedges whose alpha and beta wander, each bar's price correcting them: ML's and Chan's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import FloatArray
from analytics.hedge.burn_in import (
    BURN_IN,
    Stretch,
    early_line,
    estimated_at,
    estimated_on,
    stretches,
)
from analytics.hedge.fit import (
    HedgeFit,
    Legs,
    check_options,
    only_with_intercept,
    positive_option,
    whole_option,
)

# Chan's, for the prices of two funds.
DELTA, VE = 1e-4, 1e-3
# Variance of the start, in units of the residual's: the first bars decide, the OLS line hardly.
_VAGUE = 1e4
# A noise below this share of the observation's moves nothing in a few thousand bars.
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The filter in its own units, with a start and noise variances a stretch of the path."""

    units: FloatArray
    stretches: tuple[tuple[Stretch, FloatArray, FloatArray], ...]
    causal: bool
    looks_back: str
    settings: tuple[tuple[str, float], ...]


def fit_kalman_walks(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Filter y = alpha + beta x + noise with alpha and beta on random walks.

    Noise variances by maximum likelihood, one for beta and one for alpha, on the first ``burn_in``
    (200) complete bars, from a vague start about their OLS line; the path begins after them. When
    the bars have doubled (400, 800 .. up to 4,000) the noise is estimated anew on all of them so
    far, and the bars before are filtered again for the state that the path goes on from: what was
    said of them stays. Causal. ``noise="whole"``: maximum likelihood over all bars; the path knows
    the future's noise and is marked as not causal.

    alpha takes up what the residual remembers from bar to bar, so that the spread, the forecast
    error, is the news of one bar: a check of the model, little to trade. Its scale is the root of
    the forecast variance.
    """
    only_with_intercept("kalman_walks", intercept)
    check_options("kalman_walks", options, "burn_in", "noise")
    reference = "Kalman (1960); likelihood Harvey (1989), ch. 3"
    return _fit(legs, _fitted(legs, options), "kalman_walks", reference)


def fit_kalman_chan(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Filter the same model with Chan's noise: given, not estimated. Causal.

    State noise ``delta`` / (1 - ``delta``) a bar on both coefficients (1e-4), observation noise
    ``ve`` (1e-3), both in the units of the prices as he published them, start at 0.
    """
    only_with_intercept("kalman_chan", intercept)
    check_options("kalman_chan", options, "delta", "ve")
    reference = "Kalman (1960); Chan (2013), Algorithmic Trading, ch. 3"
    return _fit(legs, _given(legs, options), "kalman_chan", reference)


def _fit(legs: Legs, model: _Model, method: str, reference: str) -> HedgeFit:
    paths, alpha_stderr = _filtered(legs, model)
    beta, alpha, stderr = paths[:3, legs.last].tolist()
    names = ("beta", "alpha", "beta_stderr", "forecast_error", "forecast_variance")
    _, _, noise = model.stretches[-1]
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=legs.nobs,
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=math.nan,
        residual_std=math.sqrt(noise[2]),
        method=method,
        intercept=True,
        causal=model.causal,
        looks_back=model.looks_back,
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference=reference,
        stderr_kind="filter, given the noise variances",
        # Held in 78 % where shocks are unrelated, in 2 % where they correlate 0.5.
        beta_interval=(math.nan, math.nan),
        settings=model.settings,
        paths=dict(zip(names, paths, strict=True)),
        index=legs.index,
    )


def _given(legs: Legs, options: Mapping[str, object]) -> _Model:
    """Chan's model, in the units of the prices."""
    given = {"delta": DELTA, "ve": VE, **options}
    delta, ve = positive_option(given, "delta"), positive_option(given, "ve")
    if delta >= 1:
        raise ParameterError("delta", delta, "below 1")
    legs.need(1)
    drift = delta / (1.0 - delta)
    whole = Stretch(0, 0, legs.known.size)
    return _Model(
        units=np.array([0.0, 0.0, 1.0]),
        stretches=((whole, np.zeros(5), np.array([drift, drift, ve])),),
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
    line = early_line(legs, burn_in)
    std = line.residual_std
    start = np.array([line.slope / std, 0.0, _VAGUE, 0.0, _VAGUE])
    counts = [legs.nobs] if whole else estimated_at(burn_in, legs.nobs)
    estimates = _most_likely(*line.scaled(legs), start, counts)
    parts = []
    for (beta_noise, alpha_noise, share), part in zip(
        estimates, stretches(legs, burn_in, counts), strict=True
    ):
        ve = share * std**2
        scale = np.array([std, std, ve, ve, ve])
        parts.append((part, start * scale, np.array([beta_noise * ve, alpha_noise * ve, ve])))
    return _Model(
        units=line.units,
        stretches=tuple(parts),
        causal=not whole,
        looks_back="over all bars so far at each bar, its noise estimated on "
        f"{estimated_on(burn_in, counts, whole)}{_edge_words(estimates[-1])}",
        settings=(
            ("ve", float(parts[-1][2][2])),
            ("beta noise ratio", estimates[-1][0]),
            ("alpha noise ratio", estimates[-1][1]),
            ("burn_in", burn_in),
        ),
    )


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


def _edge_words(estimate: tuple[float, float, float]) -> str:
    """Say which noise ended at an edge of the search; nothing where none did."""
    from analytics.kernels.kalman import HIGHEST  # noqa: PLC0415 - numba, when needed

    words = ""
    for name, ratio in zip(("beta", "alpha"), estimate, strict=False):
        if ratio < _NOTHING:
            words += f"; {name} stands still (no noise is likelier than any)"
        elif ratio > 0.9 * math.exp(HIGHEST):
            words += f"; {name} is as free as the search allows"
    return words


def _ratio(logarithm: float) -> float:
    """State noise over the observation's; the lowest logarithm searched stands for none."""
    from analytics.kernels.kalman import LOWEST  # noqa: PLC0415 - numba, when needed

    return math.exp(logarithm) if logarithm > LOWEST else 0.0


def _filtered(legs: Legs, model: _Model) -> tuple[FloatArray, float]:
    """Run the filter: its path in the units of the prices, and alpha's last standard error."""
    from analytics.kernels import kalman as kernel  # noqa: PLC0415 - numba, when needed

    path = np.empty((kernel.PATH_ROWS, legs.all_y.size))
    first, _, _ = model.stretches[0]
    path[: kernel.FORECAST_ERROR, : first.state_from] = np.nan
    path[kernel.FORECAST_ERROR :, : first.error_from] = np.nan
    alpha_stderr = math.nan
    for part, start, noise in model.stretches:
        alpha_stderr = kernel.kalman_filter(
            legs.all_y, legs.all_x, model.units, start, noise,
            part.state_from, part.error_from, part.stop, path,
        )  # fmt: skip
    return path, alpha_stderr
