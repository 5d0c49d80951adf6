"""How often each test rejects on unrelated walks and on cointegrated pairs; how well beta is found.

    python tests/benchmarks/statistics_size_power.py [--quick]

2,000 seeded pairs for each length (200 with --quick). On unrelated walks the share of rejections at
5 % should be 5 %: that is the test's size. On cointegrated pairs it is its power.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from analytics.hedge import HEDGE_METHODS, fit_hedge
from analytics.stationarity import adf_test, engle_granger_test, johansen_test
from analytics.unit_root import (
    hurst_exponent,
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
)

SEED = 20240808
LEVEL = 0.05
BETA = 1.5
Pair = tuple[np.ndarray, np.ndarray]


def residual(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    fit = fit_hedge(y, x)
    return y - fit.alpha - fit.beta * x


TESTS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "Engle-Granger": lambda y, x: engle_granger_test(y, x).pvalue,
    "Phillips-Ouliaris": lambda y, x: phillips_ouliaris_test(y, x).pvalue,
    "Johansen trace": lambda y, x: johansen_test(pd.DataFrame({"y": y, "x": x})).trace_pvalues[0],
    "Johansen max": lambda y, x: johansen_test(pd.DataFrame({"y": y, "x": x})).max_eigen_pvalues[0],
    "plain ADF of residual (wrong)": lambda y, x: adf_test(residual(y, x)).pvalue,
    "plain PP of residual (wrong)": lambda y, x: phillips_perron_test(residual(y, x)).pvalue,
    "ADF of one walk": lambda y, _: adf_test(y).pvalue,
    "Phillips-Perron of one walk": lambda y, _: phillips_perron_test(y).pvalue,
    "variance ratio of one walk": lambda y, _: variance_ratio_test(y).pvalue,
    "Hurst of one walk": lambda y, _: hurst_exponent(y).pvalue,
}


def returning(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    shocks = rng.normal(size=n)
    values = np.empty(n)
    values[0] = shocks[0]
    for t in range(1, n):
        values[t] = memory * values[t - 1] + shocks[t]
    return values


def unrelated(n: int, count: int) -> Iterator[Pair]:
    rng = np.random.default_rng(SEED + n)
    for _ in range(count):
        y, x = rng.normal(size=(2, n)).cumsum(axis=1)
        yield y, x


def cointegrated(n: int, count: int, kind: str = "plain") -> Iterator[Pair]:
    rng = np.random.default_rng(SEED + 2 * n)
    for _ in range(count):
        x = rng.normal(size=n).cumsum() + 100
        beta = BETA + (0.005 * rng.normal(size=n).cumsum() if kind == "drifting beta" else 0.0)
        y = 3 + beta * x + returning(rng, n, 0.9)
        if kind == "outliers":
            y = y + np.where(rng.random(n) < 0.02, 30 * rng.normal(size=n), 0.0)
        yield y, x


def table_of_tests(lengths: list[int], count: int) -> None:
    for title, pairs in (("SIZE: unrelated walks", unrelated), ("POWER: AR(0.9)", cointegrated)):
        print(f"\n{title}, share rejected at 5 %, {count:,} pairs")
        print(f"{'':<32}" + "".join(f"{f'n = {n:,}':>12}" for n in lengths))
        rejected = {name: [] for name in TESTS}
        for n in lengths:
            found = [[test(y, x) < LEVEL for test in TESTS.values()] for y, x in pairs(n, count)]
            for name, share in zip(TESTS, np.mean(found, axis=0), strict=True):
                rejected[name].append(share)
        for name, shares in rejected.items():
            print(f"{name:<32}" + "".join(f"{share:>12.1%}" for share in shares), flush=True)
    stationary = np.random.default_rng(SEED)
    for n in lengths:
        shares = [kpss_test(returning(stationary, n, 0.2)).pvalue < LEVEL for _ in range(count)]
        print(f"KPSS on a stationary AR(0.2), n = {n:,}: {np.mean(shares):.1%}")


def table_of_betas(n: int, count: int) -> None:
    kinds = ("plain", "outliers", "drifting beta")
    print(
        f"\nBETA, median |error| against the truth's mean path {BETA}, n = {n:,}, {count:,} pairs"
    )
    print(f"{'':<32}" + "".join(f"{kind:>16}" for kind in kinds) + f"{'ratio to OLS':>16}")
    errors = {
        kind: np.array([
            [abs(fit_hedge(y, x, method).beta - BETA) for method in HEDGE_METHODS]
            for y, x in cointegrated(n, count, kind)
        ])
        for kind in kinds
    }  # fmt: skip
    medians = {kind: np.median(found, axis=0) for kind, found in errors.items()}
    for place, method in enumerate(HEDGE_METHODS):
        cells = "".join(f"{medians[kind][place]:>16.4f}" for kind in kinds)
        print(f"{method:<32}{cells}{medians['outliers'][place] / medians['outliers'][0]:>16.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="200 pairs, n = 100 and 500")
    quick = parser.parse_args().quick
    lengths, count = ([100, 500], 200) if quick else ([100, 500, 2_000], 2_000)
    table_of_tests(lengths, count)
    table_of_betas(500, min(count, 500))


if __name__ == "__main__":
    main()
