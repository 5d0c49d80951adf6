"""How fast the statistics are beside their usual Python, and how far from its answer.

    python tests/benchmarks --only statistics_speed [--quick]

CPU time of the process, one thread, by turns, medians: what else the machine does falls on neither.
Beside the usual way stand the strongest public ones (`strong_ways`), and what they lose.
statsmodels gets centred input. On 86,400 bars its automatic lags take up to 20 s and 3 GB: it runs
once.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# CPU time would count threads that wait for one another: statsmodels and numbagg would look slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
import statsmodels.api as sm
import strong_ways
from bench_row import Row, Samples, interleaved, ratio_row, value_row
from scipy.optimize import minimize
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.stattools import adfuller, coint

from analytics.hedge import fit_hedge
from analytics.hedge.innovations import check_innovations
from analytics.kernels.partial_cointegration import (
    FORECAST_ERROR,
    FORECAST_VARIANCE,
    PATH_ROWS,
    Model,
    State,
    partial_filter,
)
from analytics.stationarity import (
    adf_test,
    engle_granger_test,
    trailing_engle_granger,
    trailing_half_life,
)
from analytics.warm import warm_up

SEED = 20240808
DELTA, VE = 1e-4, 1e-3
# Ours is run so often in a turn that the clock's grain does not show.
OFTEN = 20
WINDOW = 60
# Of the test requirements; a way whose library is not installed is not measured.
LIBRARIES = ("bottleneck", "numbagg")
Answer = Callable[[], float]
Ways = Mapping[str, Answer]
Line = Callable[..., tuple[np.ndarray, ...]]


def often(call: Callable[[], object]) -> Callable[[], None]:
    """Run it many times over."""

    def run() -> None:
        for _ in range(OFTEN):
            call()

    return run


def compared(
    name: str, n: int, calls: tuple[Answer, Answer], turns: int, bar: float | None, ways: Ways
) -> Row:
    """Measure ours, the usual way and the strong ones by turns; the note says how far apart."""
    ours, theirs = calls
    there = {way: call for way, call in ways.items() if is_installed(way)}
    answers: list[float] = [ours(), *(call() for call in there.values())]

    def alternative() -> None:
        answers.append(theirs())

    mine, other, *strong = interleaved(
        often(ours), alternative, *map(often, there.values()), times=turns, clock=time.process_time
    )
    apart = max(abs(each - answers[0]) for each in answers)
    row = ratio_row(
        f"{name}, {n:,} bars", mine.scaled(1e3 / OFTEN), other.scaled(1e3), unit="ms CPU",
        at_least=bar, note=f"{turns} turns; results differ by {apart:.1e} at the most",
    )  # fmt: skip
    figures = {way: each.scaled(1e3 / OFTEN) for way, each in zip(there, strong, strict=True)}
    return row.beside({way: figures.get(way) for way in ways})


def walks(n: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.random.default_rng(SEED).normal(size=(2, n)).cumsum(axis=1)
    return y - y.mean(), x - x.mean()


def pair(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    x = 100 + 0.1 * rng.normal(size=n).cumsum()
    return 3 + 1.5 * x + rng.normal(size=n), x


def matrix_kalman(y: np.ndarray, x: np.ndarray, noise: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The loop as books print it: beta, forecast error, its variance, bar by bar."""
    state, covariance, path = start[:2], start[2] * np.eye(2), np.empty((3, y.size))
    for t in range(y.size):
        row = np.array([x[t], 1.0])
        if t:
            covariance = covariance + np.diag(noise[:2])
        variance = row @ covariance @ row + noise[2]
        error = y[t] - row @ state
        gain = covariance @ row / variance
        state = state + gain * error
        covariance = covariance - np.outer(gain, row) @ covariance
        path[:, t] = state[0], error, variance
    return path


def chan_loop(y: np.ndarray, x: np.ndarray) -> float:
    drift = DELTA / (1 - DELTA)
    return float(matrix_kalman(y, x, np.array([drift, drift, VE]), np.zeros(3))[0, -1])


# Memory and variance of the shocks, of beta and of alpha, and the state to begin with.
PARTIAL = Model(0.9, 1.0, 1e-6, 0.0, 0.0)
BEGIN = State(1.0, 0.0, 0.0, 1e2, 0.0, 0.0, 1e4, 0.0, 1e2)


def partial_loop(y: np.ndarray, x: np.ndarray) -> float:
    """Last slope by the matrices of partial cointegration: beta, alpha, reply, residual."""
    transition, noise = np.eye(4), np.diag([PARTIAL.beta_noise, 0.0, 0.0, 1.0])
    transition[3, 3] = PARTIAL.memory
    state = np.array([*BEGIN[:3], 0.0])
    covariance = np.diag([BEGIN.bb, BEGIN.aa, BEGIN.gg, 1.0 / (1.0 - PARTIAL.memory**2)])
    row = np.array([0.0, 1.0, 0.0, 1.0])
    for t in range(y.size):
        if t:
            transition[3, 2] = x[t] - x[t - 1]
            state = transition @ state
            covariance = transition @ covariance @ transition.T + noise
        row[0] = x[t]
        variance = row @ covariance @ row
        gain = covariance @ row / variance
        state = state + gain * (y[t] - row @ state)
        covariance = covariance - np.outer(gain, row) @ covariance
    return float(state[0])


def partial_kernel(y: np.ndarray, x: np.ndarray) -> float:
    """The same by the desk's filter, with the whole path and the health check of its errors."""
    path = np.empty((PATH_ROWS, y.size))
    units = np.array([0.0, 0.0, 1.0])
    state = partial_filter(y, x, units, BEGIN, PARTIAL, 0, 0, y.size, path)
    return state.beta if check_innovations(path[FORECAST_ERROR], path[FORECAST_VARIANCE]) else 0.0


def partials(n: int, turns: int, bar: float | None) -> list[Row]:
    y, x = pair(n)
    y, x = y - y.mean(), x - x.mean()
    given = (lambda: partial_kernel(y, x), lambda: partial_loop(y, x))
    name = "partial cointegration, model given to both, with the health check / matrix loop"
    return [compared(name, n, given, turns, bar, {})]


def likeliest_loop(y: np.ndarray, x: np.ndarray) -> float:
    """Maximum likelihood of both noises by Nelder-Mead over the loop, about a vague OLS line."""
    unit = y.std() / x.std()
    y, x = (y - y.mean()) / y.std(), (x - x.mean()) / x.std()
    start = np.array([y @ x / (x @ x), 0.0, 1e4])

    def cost(logs: np.ndarray) -> float:
        _, error, variance = matrix_kalman(y, x, np.r_[np.exp(logs), 1.0], start)
        return float(y.size * np.log(np.mean(error**2 / variance)) + np.log(variance).sum())

    likeliest = minimize(cost, np.array([-9.0, -9.0]), method="Nelder-Mead")
    return float(unit * matrix_kalman(y, x, np.r_[np.exp(likeliest.x), 1.0], start)[0, -1])


def tests(n: int, turns: int, bar: float | None) -> list[Row]:
    y, x = walks(n)
    adf = (lambda: adf_test(y).stat, lambda: float(adfuller(y, result_object=True).statistic))
    both = (lambda: engle_granger_test(y, x).stat, lambda: float(coint(y, x).coint_t))
    adf_ways = {
        "arch, low memory": lambda: strong_ways.arch_adf(y),
        "Gram and Cholesky in NumPy": lambda: strong_ways.gram_adf(y),
    }
    both_ways = {
        "arch, low memory": lambda: strong_ways.arch_engle_granger(y, x),
        "Gram and Cholesky in NumPy": lambda: strong_ways.gram_engle_granger(y, x),
    }
    return [
        compared("ADF with AIC / statsmodels", n, adf, turns, bar, adf_ways),
        compared("Engle-Granger with AIC / statsmodels", n, both, turns, bar, both_ways),
    ]


def paths(n: int, turns: int, bar: float | None) -> list[Row]:
    y, x = pair(n)
    design = sm.add_constant(x)

    def checked() -> float:
        fit = fit_hedge(y, x, "kalman", delta=DELTA, ve=VE)
        return fit.beta if fit.innovations else 0.0

    loop = lambda: chan_loop(y, x)  # noqa: E731
    rolling = (
        lambda: fit_hedge(y, x, "rolling_ols", window=WINDOW).beta,
        lambda: float(RollingOLS(y, design, window=WINDOW).fit().params[-1, 1]),
    )
    plain = (lambda: fit_hedge(y, x, "kalman", delta=DELTA, ve=VE).beta, loop)
    drift = DELTA / (1 - DELTA)
    filters = {
        "statsmodels' state space (Cython)": lambda: strong_ways.state_space_kalman(
            y, x, drift, VE
        ),
        "plain numba": lambda: float(strong_ways.numba_kalman(y, x, drift, VE)[0, -1]),
    }
    kalman = "Kalman by fit_hedge / matrix loop, noise given to both"
    return [
        compared(
            "rolling OLS by fit_hedge / RollingOLS", n, rolling, turns, bar, _rolling_ways(y, x)
        ),
        compared(kalman, n, plain, turns, bar, filters),
        compared("the same with the health check", n, (checked, loop), turns, bar, filters),
    ]


def _rolling_ways(y: np.ndarray, x: np.ndarray) -> Ways:
    """Rolling slope and intercept."""
    functions: dict[str, Line] = {
        "bottleneck": strong_ways.bottleneck_line,
        "numbagg": strong_ways.numbagg_line,
        "20 lines of numba": strong_ways.running_sums_line,
        "those with the standard error": strong_ways.running_sums_with_error,
    }
    return {name: partial(_last_slope, function, y, x) for name, function in functions.items()}


def is_installed(way: str) -> bool:
    return way not in LIBRARIES or find_spec(way) is not None


def _last_slope(line: Line, y: np.ndarray, x: np.ndarray) -> float:
    return float(line(y, x, WINDOW)[0][-1])


def digits() -> list[Row]:
    """What running sums lose where a market that has moved stands nearly still."""
    y, x = after_a_jump()
    exact = long_slopes(y, x)
    ours = fit_hedge(y, x, "rolling_ols", window=WINDOW).paths["beta"]
    ways: dict[str, Line] = {
        "bottleneck": strong_ways.bottleneck_line,
        "numbagg": strong_ways.numbagg_line,
        "20 lines of numba": strong_ways.running_sums_line,
    }
    digits_of = {
        name: digits_kept(line(y, x, WINDOW)[0], exact) if is_installed(name) else None
        for name, line in ways.items()
    }
    row = value_row(
        "digits of a rolling slope that are right where a market that jumped stands nearly still",
        digits_kept(ours, exact), unit="digits", at_least=9,
        note="x at 60,000 with steps of 0.01 after a jump of 500, y = 1.5 x in steps of 0.01 and"
        " noise of 0.02; windows of 60 bars, against fits in extended precision",
    )  # fmt: skip
    return [row.beside(digits_of, more_is_better=True)]


def after_a_jump(n: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    x = 60_000 + np.round(0.01 * rng.integers(-1, 2, size=n).cumsum(), 2)
    x[: n // 2] += 500.0
    return np.round(1.5 * x + 0.02 * rng.normal(size=n), 2), np.round(x, 2)


def long_slopes(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Slope of each window after the jump in extended precision; NaN elsewhere."""
    slopes = np.full(y.size, np.nan)
    for end in range(y.size // 2 + WINDOW, y.size + 1):
        left, right = (each[end - WINDOW : end].astype(np.longdouble) for each in (y, x))
        left, right = left - left.mean(), right - right.mean()
        slopes[end - 1] = left @ right / (right @ right)
    return slopes


def digits_kept(slopes: np.ndarray, exact: np.ndarray) -> float:
    """Decimal digits of the worst slope, by its relative error."""
    known = ~np.isnan(exact)
    return float(-np.log10(np.max(np.abs(slopes[known] / exact[known] - 1.0))))


def likelihoods(n: int, turns: int) -> Row:
    y, x = pair(n)
    calls = (
        lambda: fit_hedge(y, x, "kalman_walks", noise="whole").beta,
        lambda: likeliest_loop(y, x),
    )
    name = "Kalman by fit_hedge / matrix loop, both noises by maximum likelihood on all bars"
    return compared(name, n, calls, turns, None, {})


def gates(n: int) -> list[Row]:
    """Both statistics gates over a lookback: a test each window of 60, over the ten before."""
    y, x = pair(n)
    ends = np.arange(60, n + 1, 60)
    starts = np.maximum(ends - 600, 0)

    def both() -> None:
        trailing_engle_granger(y, x, starts, ends)
        trailing_half_life(y, starts, ends, on=x)

    (taken,) = interleaved(both, times=5, clock=time.process_time)
    return [value_row(f"p and half-life gates, {n:,} bars", taken.scaled(1e3), unit="ms CPU",
                      at_most=50.0, note=f"{ends.size:,} spans of 600 bars")]  # fmt: skip


def rows(quick: bool) -> list[Row]:
    begun_s = time.process_time()
    warm_up()
    warm = value_row("compiled statistics, warmed", Samples((time.process_time() - begun_s,)),
                     unit="s CPU", note="from the cache on disk, if there is one")  # fmt: skip
    if quick:
        return [warm, *tests(500, 1, None), *paths(500, 1, None), *digits(), *gates(3_600)]
    return [
        warm,
        *tests(10_000, 3, 1_000),
        *tests(86_400, 1, 5_000),
        *paths(10_000, 3, 300),
        *paths(86_400, 1, 300),
        *digits(),
        likelihoods(1_000, 1),
        *partials(10_000, 3, 300),
        *partials(86_400, 1, 300),
        *gates(86_400),
    ]


def main() -> None:
    for row in rows("--quick" in sys.argv):
        beside = "" if row.ratio is None else f"{row.alternative:12,.1f}  {row.ratio:10,.0f} ×"
        print(f"{row.measure:<92}{row.ours:10.3g} {row.unit}{beside}  {row.bar}  {row.note}")


if __name__ == "__main__":
    main()
