"""How fast the statistics are beside their usual Python, and how far from its answer.

    python tests/benchmarks --only statistics_speed [--quick]

CPU time of the process, one thread, by turns, medians: what else the machine does falls on neither.
statsmodels gets centred input. On 86,400 bars its automatic lags take up to 20 s and 3 GB: it runs
once.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# CPU time would count threads of BLAS that wait for one another: statsmodels would look slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import statsmodels.api as sm
from bench_row import Row, Samples, interleaved, ratio_row, value_row
from scipy.optimize import minimize
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.stattools import adfuller, coint

from analytics.hedge import fit_hedge
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
Answer = Callable[[], float]


def often(call: Callable[[], object]) -> Callable[[], None]:
    """Run it many times over."""

    def run() -> None:
        for _ in range(OFTEN):
            call()

    return run


def compared(name: str, n: int, calls: tuple[Answer, Answer], turns: int, bar: float | None) -> Row:
    """Measure ours and theirs by turns, after one run of ours; the note says how far apart."""
    ours, theirs = calls
    answers: list[float] = [ours()]

    def alternative() -> None:
        answers.append(theirs())

    mine, other = interleaved(often(ours), alternative, times=turns, clock=time.process_time)
    return ratio_row(
        f"{name}, {n:,} bars", mine.scaled(1e3 / OFTEN), other.scaled(1e3), unit="ms CPU",
        at_least=bar, note=f"{turns} turns; results differ by {abs(answers[0] - answers[-1]):.1e}",
    )  # fmt: skip


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


def likeliest_loop(y: np.ndarray, x: np.ndarray) -> float:
    """Maximum likelihood of both noises by Nelder-Mead over the loop, about a vague OLS line."""
    unit = y.std() / x.std()
    y, x = (y - y.mean()) / y.std(), (x - x.mean()) / x.std()
    start = np.array([y @ x / (x @ x), 0.0, 1e4])

    def cost(logs: np.ndarray) -> float:
        _, error, variance = matrix_kalman(y, x, np.r_[np.exp(logs), 1.0], start)
        return float(y.size * np.log(np.mean(error**2 / variance)) + np.log(variance).sum())

    found = minimize(cost, np.array([-9.0, -9.0]), method="Nelder-Mead")
    return float(unit) * float(matrix_kalman(y, x, np.r_[np.exp(found.x), 1.0], start)[0, -1])


def tests(n: int, turns: int, bar: float | None) -> list[Row]:
    y, x = walks(n)
    adf = (lambda: adf_test(y).stat, lambda: float(adfuller(y, result_object=True).statistic))
    both = (lambda: engle_granger_test(y, x).stat, lambda: float(coint(y, x).coint_t))
    return [
        compared("ADF with AIC / statsmodels", n, adf, turns, bar),
        compared("Engle-Granger with AIC / statsmodels", n, both, turns, bar),
    ]


def paths(n: int, turns: int, bar: float | None) -> list[Row]:
    y, x = pair(n)
    design = sm.add_constant(x)

    def checked() -> float:
        fit = fit_hedge(y, x, "kalman", delta=DELTA, ve=VE)
        return fit.beta if fit.innovations else 0.0

    loop = lambda: chan_loop(y, x)  # noqa: E731
    rolling = (
        lambda: fit_hedge(y, x, "rolling_ols", window=60).beta,
        lambda: float(RollingOLS(y, design, window=60).fit().params[-1, 1]),
    )
    plain = (lambda: fit_hedge(y, x, "kalman", delta=DELTA, ve=VE).beta, loop)
    return [
        compared("rolling OLS by fit_hedge / RollingOLS", n, rolling, turns, bar),
        compared("Kalman by fit_hedge / matrix loop, noise given to both", n, plain, turns, bar),
        compared("the same with the health check", n, (checked, loop), turns, None),
    ]


def likelihoods(n: int, turns: int) -> Row:
    y, x = pair(n)
    calls = (lambda: fit_hedge(y, x, "kalman", noise="whole").beta, lambda: likeliest_loop(y, x))
    name = "Kalman by fit_hedge / matrix loop, both noises by maximum likelihood on all bars"
    return compared(name, n, calls, turns, None)


def gates(n: int) -> list[Row]:
    """Both statistics gates over a lookback: a test each window of 60, over the ten before."""
    y, x = pair(n)
    ends = np.arange(60, n + 1, 60)
    starts = np.maximum(ends - 600, 0)

    def both() -> None:
        trailing_engle_granger(y, x, starts, ends)
        trailing_half_life(y - 1.5 * x, starts, ends)

    (taken,) = interleaved(both, times=5, clock=time.process_time)
    return [value_row(f"p and half-life gates, {n:,} bars", taken.scaled(1e3), unit="ms CPU",
                      at_most=50.0, note=f"{ends.size:,} spans of 600 bars")]  # fmt: skip


def rows(quick: bool) -> list[Row]:
    begun_s = time.process_time()
    warm_up()
    warm = value_row("compiled statistics, warmed", Samples((time.process_time() - begun_s,)),
                     unit="s CPU", note="from the cache on disk, if there is one")  # fmt: skip
    if quick:
        return [warm, *tests(500, 1, None), *paths(500, 1, None), *gates(3_600)]
    return [
        warm,
        *tests(10_000, 3, 1_000),
        *tests(86_400, 1, 5_000),
        *paths(10_000, 3, 300),
        *paths(86_400, 1, 300),
        likelihoods(1_000, 1),
        *gates(86_400),
    ]


def main() -> None:
    for row in rows("--quick" in sys.argv):
        told = "" if row.ratio is None else f"{row.alternative:12,.1f}  {row.ratio:10,.0f} ×"
        print(f"{row.measure:<92}{row.ours:10.3f} {row.unit}{told}  {row.bar}  {row.note}")


if __name__ == "__main__":
    main()
