"""How fast the statistics are beside their usual Python, and how far from its answer.

    python tests/benchmarks/statistics_speed.py [--quick]

Prints medians in milliseconds, ratios, and the difference of the results. statsmodels gets centred
input; its ADF on 86,400 bars takes up to 20 s and 3 GB, so it runs once, and not with --quick.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tsa.stattools import adfuller, coint

from analytics.hedge import fit_hedge
from analytics.kernel_kalman import kalman_filter
from analytics.spread import rolling_correlation, rolling_moments
from analytics.stationarity import adf_test, engle_granger_test
from analytics.warm import warm_up

SEED = 20240808
ROW = "{:<36}{:>9,}{:>14.3f}{:>14.3f}{:>12,.0f}{:>12.1e}"


def median_ms(call: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def matrix_kalman(y: np.ndarray, x: np.ndarray, delta: float, ve: float) -> np.ndarray:
    """The loop as books print it."""
    state, covariance, path = np.zeros(2), np.zeros((2, 2)), np.empty(y.size)
    wander = delta / (1 - delta) * np.eye(2)
    for t in range(y.size):
        row = np.array([x[t], 1.0])
        if t:
            covariance = covariance + wander
        gain = covariance @ row / (row @ covariance @ row + ve)
        state = state + gain * (y[t] - row @ state)
        covariance = covariance - np.outer(gain, row) @ covariance
        path[t] = state[0]
    return path


def kernel_beta(y: np.ndarray, x: np.ndarray) -> float:
    paths = np.empty((7, y.size))
    wander = np.full(2, 1e-4 / (1 - 1e-4))
    kalman_filter(y, x, np.zeros(5), wander, 1e-3, paths)
    return float(paths[0, -1])


def compare(
    name: str, n: int, ours: Callable[[], float], theirs: Callable[[], float], times: int
) -> None:
    gap = abs(ours() - theirs()) if times > 1 else None
    quick = median_ms(ours, 15)
    answer: list[float] = []
    slow = median_ms(lambda: answer.append(theirs()), times)
    difference = abs(ours() - answer[-1]) if gap is None else gap
    print(ROW.format(name, n, quick, slow, slow / quick, difference), flush=True)


def compare_tests(n: int, times: int) -> None:
    y, x = np.random.default_rng(SEED).normal(size=(2, n)).cumsum(axis=1)
    y, x = y - y.mean(), x - x.mean()
    compare(
        "ADF, AIC / statsmodels", n,
        lambda: adf_test(y).stat, lambda: float(adfuller(y, result_object=True).statistic), times,
    )  # fmt: skip
    compare(
        "Engle-Granger, AIC / statsmodels", n,
        lambda: engle_granger_test(y, x).stat, lambda: float(coint(y, x).coint_t), times,
    )  # fmt: skip


def compare_paths(n: int, times: int) -> None:
    rng = np.random.default_rng(SEED)
    x = 100 + rng.normal(size=n).cumsum() * 0.1
    y = 3 + 1.5 * x + rng.normal(size=n)
    frame = pd.DataFrame({"y": y, "x": x})
    compare(
        "rolling OLS, 60 / RollingOLS", n,
        lambda: fit_hedge(y, x, "rolling_ols", window=60).beta,
        lambda: float(RollingOLS(y, sm.add_constant(x), window=60).fit().params[-1, 1]), times,
    )  # fmt: skip
    compare(
        "Kalman, kernel alone / matrix loop", n,
        lambda: kernel_beta(y, x), lambda: float(matrix_kalman(y, x, 1e-4, 1e-3)[-1]), times,
    )  # fmt: skip
    compare(
        "Kalman, bands, checks / matrix loop", n,
        lambda: fit_hedge(y, x, "kalman", delta=1e-4, ve=1e-3).beta,
        lambda: float(matrix_kalman(y, x, 1e-4, 1e-3)[-1]), times,
    )  # fmt: skip
    compare(
        "rolling std, 3,600 / pandas", n,
        lambda: float(rolling_moments(y, 3_600).std.iloc[-1]) if n > 3_600 else 0.0,
        lambda: float(frame["y"].rolling(3_600).std().iloc[-1]) if n > 3_600 else 0.0, times,
    )  # fmt: skip
    compare(
        "rolling correlation, 60 / pandas", n,
        lambda: float(rolling_correlation(y, x, 60, "prices").iloc[-1]),
        lambda: float(frame["y"].rolling(60).corr(frame["x"]).iloc[-1]), times,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10,000 bars at most")
    quick = parser.parse_args().quick
    start = time.perf_counter()
    warm_up()
    print(f"warm_up() took {time.perf_counter() - start:.2f} s\n")
    print(f"{'':<36}{'bars':>9}{'ours, ms':>14}{'theirs, ms':>14}{'ratio':>12}{'difference':>12}")
    for n, times in ((1_000, 5), (10_000, 3)) if quick else ((1_000, 7), (10_000, 5), (86_400, 1)):
        compare_tests(n, times)
        compare_paths(n, min(times, 3))


if __name__ == "__main__":
    main()
