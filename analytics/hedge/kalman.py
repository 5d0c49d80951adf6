"""The Kalman hedge: beta moves slowly if at all, and what is left over returns as an AR(1)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from analytics.errors import ParameterError
from analytics.frames import FloatArray, IntArray
from analytics.hedge.burn_in import (
    BURN_IN,
    EarlyLine,
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
    whole_option,
)
from analytics.hedge.kalman_walks import fit_kalman_chan
from analytics.series import interval_95

# Variances of the start as shares of the shock's: of alpha, vague; of the reply, where the moves of
# x are of the shock's size, about that of correlations up to 0.6 either way; of beta, where x is
# measured in deviations, that of a line with twice the residual's own deviation.
_VAGUE, _REPLY, _SLOPE = 1e4, 0.5, 4.0
# Drift may make no more than half of the residual's moves: R² of mean reversion 0.5 or more.
_MOST_DRIFT = 2.0
_AT_BOUND = 1.95

if TYPE_CHECKING:
    from analytics.kernels.partial_cointegration import Model

Moves = Literal["nothing", "beta about zero", "beta about the price", "alpha"]
_WORDS: Final[dict[Moves, str]] = {
    "nothing": "beta and alpha stand still",
    "beta about zero": "beta drifts, turning about an x of 0",
    "beta about the price": "beta drifts, turning about the mean x of the burn-in",
    "alpha": "beta stands still, alpha drifts",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A model to try: what moves, beta about the x that lies `turn` below the mean, and the start.

    `most` bounds the drift's share of the residual's moves.
    """

    moves: Moves
    turn: float
    start: tuple[float, ...]
    most: float = _MOST_DRIFT


@dataclass(frozen=True, slots=True, eq=False)
class _Estimate:
    """A candidate with its likeliest parameters."""

    candidate: _Candidate
    solution: FloatArray
    cost: float

    @property
    def model(self) -> "Model":
        """As the compiled filter takes it, in the units of the search."""
        from analytics.kernels import partial_cointegration as kernel  # noqa: PLC0415 - numba

        noise = math.exp(self.solution[kernel.LOG_NOISE])
        is_alpha = self.candidate.moves == "alpha"
        return kernel.Model(
            memory=math.tanh(self.solution[kernel.ARC]),
            shock=float(self.solution[kernel.LIKELY_SHOCK]),
            beta_noise=0.0 if is_alpha else noise,
            alpha_noise=noise if is_alpha else 0.0,
            turn=self.candidate.turn,
        )

    def words(self, bars: int) -> str:
        """What moves, how fast the residual returns, and whether either stands at a bound."""
        model, words = self.model, _WORDS[self.candidate.moves]
        drift = model.beta_noise * (1.0 + model.turn**2) * (1.0 + model.memory)
        if drift > _AT_BOUND:
            words += " as fast as it may (half of the residual's moves)"
        return f"{words}; {_return_words(model.memory, bars)}"


def fit_kalman(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Filter y = alpha + beta x + residual, the residual an AR(1): partial cointegration.

    ``residual[t] = memory * residual[t-1] + reply * (x[t] - x[t-1]) + shock``: the reply takes up
    what the shocks of both legs have in common, which would bias beta towards the slope of
    differences. The state holds beta, alpha and the reply; the residual is y - alpha - beta x, so
    it needs none. Three models are tried:

    - beta and alpha stand still;
    - beta on a random walk that turns the line about an x of 0, so that the level moves with it;
    - the same about the mean x of the burn-in.

    A walk is taken where its likelihood pays for the variance it adds (BIC), and may make up half
    of the residual's moves at the most (R² of mean reversion 0.5), lest nothing be left to trade;
    `looks_back` says which model it is, and where it stands at that bound.

    ``walk=True`` takes Clegg & Krauss's own model instead: beta still, no reply, and a random walk
    beside the AR(1), unbounded.

    Maximum likelihood on the first ``burn_in`` (200) complete bars, from a vague start about their
    OLS line, and anew when the bars have doubled (400, 800 .. up to 4,000): the bars before are
    filtered again for the state that the path goes on from, what was said of them stays. Causal.
    ``noise="whole"``: parameters by all bars; marked as not causal. ``delta`` and ``ve`` given:
    Chan's form, see `analytics.hedge.kalman_walks`.

    The spread is the residual's level given the bars so far. Its scale is the deviation that this
    estimate has in the long run (the AR(1)'s variance less that of the line's error), or the line's
    own error where that is larger: a level of which no more is known is no reason to trade.

    Across missing bars the memory fades as over any others; the moves of x among them count as
    equal.
    """
    if "delta" in options or "ve" in options:
        return _chan(legs, intercept, options)
    only_with_intercept("kalman", intercept)
    check_options("kalman", options, "burn_in", "noise", "walk")
    noise, walk = options.get("noise", "burn-in"), options.get("walk", False)
    if noise not in {"burn-in", "whole"}:
        raise ParameterError("noise", noise, "'burn-in' or 'whole'")
    if not isinstance(walk, bool):
        raise ParameterError("walk", walk, "True or False")
    burn_in = whole_option(options, "burn_in", BURN_IN, 30)
    legs.need(burn_in + 1)
    whole = noise == "whole"
    line = early_line(legs, burn_in)
    counts = [legs.nobs] if whole else estimated_at(burn_in, legs.nobs)
    estimates = _likeliest(legs, line, counts, _candidates(legs, line, burn_in, walk))
    paths, reply, alpha_stderr = _filtered(
        legs, line, list(zip(stretches(legs, burn_in, counts), estimates, strict=True))
    )
    last = estimates[-1]
    seen = f"{estimated_on(burn_in, counts, whole)}: {last.words(counts[-1])}"
    beta, alpha, stderr = paths[:3, legs.last].tolist()
    names = (
        "beta", "alpha", "beta_stderr", "level", "level_variance", "forecast_error",
        "forecast_variance",
    )  # fmt: skip
    return HedgeFit(
        beta=beta,
        alpha=alpha,
        nobs=legs.nobs,
        dropped=legs.dropped,
        beta_stderr=stderr,
        alpha_stderr=alpha_stderr,
        r_squared=math.nan,
        residual_std=math.sqrt(float(paths[4, legs.last])),
        method="kalman",
        intercept=True,
        causal=not whole,
        looks_back=f"over all bars so far at each bar, its model estimated on {seen}",
        y_name=legs.y_name,
        x_name=legs.x_name,
        reference="Clegg & Krauss (2018), Quantitative Finance 18, 121-138: partial cointegration; "
        "Kalman (1960); likelihood Harvey (1989), ch. 3; reply Phillips & Loretan (1991)",
        stderr_kind="filter, given memory and noise",
        beta_interval=interval_95(beta, stderr),
        settings=(*_settings(last.model, line), ("reply", reply), ("burn_in", burn_in)),
        paths=dict(zip(names, paths, strict=True)),
        index=legs.index,
    )


def _chan(legs: Legs, intercept: bool, options: Mapping[str, object]) -> HedgeFit:
    """Chan's form by the name it had before it had its own."""
    for name, other in (("delta", "ve"), ("ve", "delta")):
        if name not in options:
            raise ParameterError(name, None, f"given where {other} is")
    return fit_kalman_chan(legs, intercept, options)


def _return_words(memory: float, bars: int) -> str:
    """Say how fast a residual of this memory returns, estimated on so many bars."""
    if memory <= 0.5:
        return "half of a residual is gone within a bar"
    half_life = -math.log(2.0) / math.log(memory)
    if half_life > bars:
        return f"the residual does not return: its half-life is longer than those {bars:,} bars"
    return f"half of a residual is gone in {half_life:,.3g} bars"


def _settings(model: "Model", line: EarlyLine) -> tuple[tuple[str, float], ...]:
    """Name what was estimated; variances in the units of the prices."""
    variance = model.shock * line.residual_std**2
    return (
        ("memory", model.memory),
        ("shock variance", variance),
        ("beta variance a bar", model.beta_noise * variance / line.x_unit**2),
        ("alpha variance a bar", model.alpha_noise * variance),
    )


def _candidates(legs: Legs, line: EarlyLine, burn_in: int, walk: bool) -> tuple[_Candidate, ...]:
    """List the models to try, each about the line of the burn-in."""
    y, x = (each[:burn_in] for each in line.scaled(legs))
    slope = line.slope / line.residual_std
    shocks = np.diff(y - slope * x)
    spread = _SLOPE / float(np.mean(shocks**2))
    reply = 0.0 if walk else _REPLY / float(np.mean(np.diff(x) ** 2))
    start = (slope, 0.0, 0.0, spread, 0.0, 0.0, _VAGUE, 0.0, reply)
    if walk:
        return (_Candidate("alpha", 0.0, start, math.inf),)
    return (
        _Candidate("nothing", 0.0, start),
        _Candidate("beta about zero", line.x_mean / line.x_unit, start),
        _Candidate("beta about the price", 0.0, start),
    )


def _likeliest(
    legs: Legs, line: EarlyLine, counts: list[int], candidates: tuple[_Candidate, ...]
) -> list[_Estimate]:
    """For each count of bars: the candidate that makes them likeliest."""
    y, x = line.scaled(legs)
    bars = np.diff(np.flatnonzero(legs.known), prepend=0)
    bars[0] = 0
    chosen: list[_Estimate] = []
    known: list[_Estimate | None] = [None] * len(candidates)
    for count in counts:
        tried = [
            _search(y[:count], x[:count], bars[:count], candidate, before)
            for candidate, before in zip(candidates, known, strict=True)
        ]
        chosen.append(min(tried, key=partial(_price, count=count)))
        known = [*tried]
    return chosen


def _price(estimate: _Estimate, count: int) -> float:
    """-2 log likelihood, and log n for a variance more."""
    is_still = estimate.candidate.moves == "nothing"
    return estimate.cost + (0.0 if is_still else math.log(count))


def _search(
    y: FloatArray, x: FloatArray, bars: IntArray, candidate: _Candidate, before: _Estimate | None
) -> _Estimate:
    from analytics.kernels import partial_cointegration as kernel  # noqa: PLC0415 - numba

    known = np.full(kernel.SEARCH_SIZE, np.nan) if before is None else before.solution
    solution = np.empty(kernel.SEARCH_SIZE)
    kernel.most_likely_partial(
        y, x, bars, kernel.State(*candidate.start), candidate.turn, candidate.moves == "alpha",
        candidate.moves != "nothing", candidate.most, known, solution,
    )  # fmt: skip
    return _Estimate(candidate, solution, float(solution[kernel.COST]))


def _filtered(
    legs: Legs, line: EarlyLine, parts: list[tuple[Stretch, _Estimate]]
) -> tuple[FloatArray, float, float]:
    """Run the filter: its path in the units of the prices, last reply, alpha's standard error."""
    from analytics.kernels import partial_cointegration as kernel  # noqa: PLC0415 - numba

    path = np.empty((kernel.PATH_ROWS, legs.all_y.size))
    first = parts[0][0]
    path[: kernel.FORECAST_ERROR, : first.state_from] = np.nan
    path[kernel.FORECAST_ERROR :, : first.error_from] = np.nan
    std = line.residual_std
    for part, estimate in parts:
        model = estimate.model._replace(shock=estimate.model.shock * std**2)
        beta, alpha, reply, *covariance = estimate.candidate.start
        state = kernel.partial_filter(
            legs.all_y, legs.all_x, line.units,
            kernel.State(beta * std, alpha * std, reply * std, *covariance), model,
            part.state_from, part.error_from, part.stop, path,
        )  # fmt: skip
    place = line.x_mean / line.x_unit
    at_zero = state.aa + place * (place * state.bb - 2.0 * state.ba)
    return path, state.reply / line.x_unit, math.sqrt(max(model.shock * at_zero, 0.0))
