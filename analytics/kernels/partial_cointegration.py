"""The Kalman filter of y = alpha + beta x with a residual that returns, and its likelihood."""

from typing import Final, NamedTuple

import numpy as np

from analytics.frames import FloatArray, IntArray
from analytics.kernels.jit import compiled

# Rows of a path, each of n bars.
BETA: Final = 0
ALPHA: Final = 1
BETA_STDERR: Final = 2
LEVEL: Final = 3
LEVEL_VARIANCE: Final = 4
FORECAST_ERROR: Final = 5
FORECAST_VARIANCE: Final = 6
PATH_ROWS: Final = 7

# Units in which the filter thinks: x is measured as (x - X_MEAN) / X_UNIT, y as y - Y_MEAN.
Y_MEAN: Final = 0
X_MEAN: Final = 1
X_UNIT: Final = 2

# Of the likeliest model: atanh of the memory, logarithm of the noise as a share of the shock's
# variance, that, and the cost.
ARC: Final = 0
LOG_NOISE: Final = 1
LIKELY_SHOCK: Final = 2
COST: Final = 3
SEARCH_SIZE: Final = 4

# Beyond it a memory is 1: half of a deviation would be gone in a million bars.
MOST_ARC = 7.5
_ARCS = np.array([-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.7, 3.7])
_SHARES = np.array([-10.0, -7.0, -5.0, -3.0, -1.5, -0.2])
_FIRST_STEP, _NEXT_STEP, _LAST_STEP = 0.25, 0.125, 4e-3
# A cost must fall by so much to count as likelier: along a flat ridge nothing is gained.
_BETTER = 1e-5
_FLUSH = 1e-150


class Model(NamedTuple):
    """Parameters: the residual's memory and its shocks' variance, and what moves.

    `beta_noise`, `alpha_noise`: variance that a bar adds, as a share of the shock's. A move of beta
    turns the line about the x that lies `turn` below the mean.
    """

    memory: float
    shock: float
    beta_noise: float
    alpha_noise: float
    turn: float


class State(NamedTuple):
    """Coefficients, with the residual's reply to a move of x, and their covariance."""

    beta: float
    alpha: float
    reply: float
    bb: float
    ba: float
    bg: float
    aa: float
    ag: float
    gg: float


@compiled
def _advance(
    state: State, model: Model, y: float, x: float, y_before: float, x_before: float, bars: int
) -> tuple[State, float, float]:
    """Take in a bar, `bars` after the one before (0 for the first): state, error, 1 / variance.

    Variances are shares of the shock's. The residual of the bar before is y - alpha - beta x, so it
    needs no state of its own; the noise of beta and alpha then is part of the forecast too.
    """
    beta, alpha, reply, bb, ba, bg, aa, ag, gg = state
    memory, _, beta_noise, alpha_noise, turn = model
    kept, h_g, noise = memory, x - x_before, 1.0
    if bars != 1:
        kept = memory**bars if bars > 0 else 0.0
        h_g *= (1.0 - kept) / (bars * (1.0 - memory)) if bars > 0 else 0.0
        noise = (1.0 - kept * kept) / (1.0 - memory * memory)
        beta_noise *= bars
        alpha_noise *= bars
    h_b, h_a = x - kept * x_before, 1.0 - kept
    arm = beta_noise * (x + turn)
    error = y - kept * y_before - h_b * beta - h_a * alpha - h_g * reply
    # Covariance of the state with the forecast, and the forecast's own variance.
    b = bb * h_b + ba * h_a + bg * h_g
    a = ba * h_b + aa * h_a + ag * h_g
    g = bg * h_b + ag * h_a + gg * h_g
    share = 1.0 / (h_b * b + h_a * a + h_g * g + arm * (x + turn) + alpha_noise + noise)
    b += arm
    a += turn * arm + alpha_noise
    gain_b, gain_a, gain_g = b * share, a * share, g * share
    after = State(
        beta + gain_b * error, alpha + gain_a * error, reply + gain_g * error,
        bb + beta_noise - gain_b * b, ba + turn * beta_noise - gain_b * a, bg - gain_b * g,
        aa + turn * turn * beta_noise + alpha_noise - gain_a * a, ag - gain_a * g,
        gg - gain_g * g,
    )  # fmt: skip
    return after, error, share


@compiled
def partial_filter(
    y: FloatArray, x: FloatArray, units: FloatArray, start: State, model: Model,
    state_from: int, error_from: int, stop: int, out: FloatArray,
) -> State:  # fmt: skip
    """Run the filter over rows 0 to `stop`; return the last state.

    It is in the filter's units, its variances shares of the shock's. `out`, shape (7, n), takes
    the path: coefficients, the standard error of beta, the residual's estimated level and the
    scale it is measured by from row `state_from` on, forecast error and its variance from row
    `error_from` on; NaN at a missing bar. The scale: the variance that the estimate has in the long
    run, the AR(1)'s less that of the line's error; the latter where it is the larger.
    """
    y_mean, x_mean, x_unit = units[Y_MEAN], units[X_MEAN], units[X_UNIT]
    shock, settled = model.shock, 1.0 / (1.0 - model.memory * model.memory)
    state, y_before, x_before, before = start, 0.0, 0.0, -1
    for t in range(stop):
        if np.isnan(y[t]) or np.isnan(x[t]):
            if t >= state_from:
                for row in range(FORECAST_ERROR):
                    out[row, t] = np.nan
            if t >= error_from:
                out[FORECAST_ERROR, t] = out[FORECAST_VARIANCE, t] = np.nan
            continue
        y_now, x_now = y[t] - y_mean, (x[t] - x_mean) / x_unit
        bars = t - before if before >= 0 else 0
        state, error, share = _advance(state, model, y_now, x_now, y_before, x_before, bars)
        y_before, x_before, before = y_now, x_now, t
        if t >= state_from:
            beta = state.beta / x_unit
            out[BETA, t], out[ALPHA, t] = beta, state.alpha + y_mean - beta * x_mean
            out[BETA_STDERR, t] = np.sqrt(shock * state.bb) / x_unit
            out[LEVEL, t] = y_now - state.alpha - state.beta * x_now
            line = state.aa + x_now * (2.0 * state.ba + x_now * state.bb)
            out[LEVEL_VARIANCE, t] = shock * max(settled - line, line)
        if t >= error_from:
            out[FORECAST_ERROR, t], out[FORECAST_VARIANCE, t] = error, shock / share
    return state


@compiled
def partial_likelihood(
    y: FloatArray, x: FloatArray, bars: IntArray, start: State, model: Model
) -> tuple[float, float]:
    """Return -2 log likelihood less its constant, concentrated, and the variance of the shocks.

    Shape (n,) each, without NaN, in the units of the search; `bars` since the row before, 0 first.
    """
    state, squares, logs, product = start, 0.0, 0.0, 1.0
    y_before, x_before = 0.0, 0.0
    for t in range(y.size):
        state, error, share = _advance(state, model, y[t], x[t], y_before, x_before, bars[t])
        squares += error * error * share
        # Each share is 1 or less: their product is taken to the logarithm before it vanishes.
        product *= share
        if product < _FLUSH:
            logs += np.log(product)
            product = 1.0
        y_before, x_before = y[t], x[t]
    shock = squares / y.size
    return y.size * np.log(shock) - logs - np.log(product), shock


@compiled
def _try(
    y: FloatArray, x: FloatArray, bars: IntArray, start: State, turn: float, walk: bool,
    most: float, arc: float, log_noise: float, best: FloatArray,
) -> bool:  # fmt: skip
    """Keep this memory and noise in `best` if they are allowed and make the bars likelier."""
    memory, noise = np.tanh(arc), np.exp(log_noise)
    lever = 1.0 if walk else 1.0 + turn * turn
    if abs(arc) > MOST_ARC or noise * lever * (1.0 + memory) > most:
        return False
    model = Model(memory, 1.0, 0.0 if walk else noise, noise if walk else 0.0, turn)
    cost, shock = partial_likelihood(y, x, bars, start, model)
    if not cost < best[COST] - _BETTER:
        return False
    best[ARC], best[LOG_NOISE], best[LIKELY_SHOCK], best[COST] = arc, log_noise, shock, cost
    return True


@compiled
def most_likely_partial(
    y: FloatArray, x: FloatArray, bars: IntArray, start: State, turn: float, walk: bool,
    moves: bool, most: float, known: FloatArray, best: FloatArray,
) -> None:  # fmt: skip
    """Search the memory, and where something `moves` its noise, that make the bars most likely.

    `walk`: alpha moves, otherwise beta about `turn`. `known` holds what was found on fewer bars, to
    begin at, or NaN; `best` takes atanh of the memory, logarithm of the noise as a share of the
    shock's variance, that, and the cost. A grid finds the neighbourhood, a compass search its top.
    """
    best[COST] = np.inf
    lever = 0.0 if walk else np.log(1.0 + turn * turn)
    step = _FIRST_STEP
    if not np.isnan(known[ARC]):
        step = _NEXT_STEP
        _try(y, x, bars, start, turn, walk, most, known[ARC], known[LOG_NOISE], best)
    elif moves:
        for arc in _ARCS:
            for share in _SHARES:
                _try(y, x, bars, start, turn, walk, most, arc, share - lever, best)
    else:
        for arc in _ARCS:
            _try(y, x, bars, start, turn, walk, most, arc, -np.inf, best)
    while step > _LAST_STEP:
        arc, noise = best[ARC], best[LOG_NOISE]
        moved = _try(y, x, bars, start, turn, walk, most, arc + step, noise, best) or _try(
            y, x, bars, start, turn, walk, most, arc - step, noise, best
        )
        if moves and not moved:
            more, less = noise + 4.0 * step, noise - 4.0 * step
            moved = _try(y, x, bars, start, turn, walk, most, arc, more, best) or _try(
                y, x, bars, start, turn, walk, most, arc, less, best
            )
        if not moved:
            step /= 2.0
