"""How often each test rejects at 5 % on unrelated walks and on cointegrated pairs.

    nice python tests/benchmarks/properties/statistics_size_power.py [--pairs 2000] [--json FILE]

On unrelated walks the share of rejections should be 5 %: the test's size. On cointegrated pairs it
is its power. With 2,000 pairs a share of 5 % is known to within 1 point (two standard errors). Two
processes; what the pages show by each hedge: statistics_size_by_hedge.py; how well each method
finds beta: statistics_beta_error.py.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from statistics_draws import KINDS, SEED, Draw, cointegrated, returning, unrelated

from analytics.stationarity import (
    JohansenResult,
    adf_test,
    engle_granger_test,
    hurst_exponent,
    johansen_test,
    kpss_test,
    phillips_ouliaris_test,
    phillips_perron_test,
    variance_ratio_test,
    without_drift,
)

LEVEL = 0.05
LENGTHS = (100, 500, 2_000)


def engle_granger(draw: Draw) -> dict[str, bool]:
    """Both orderings, and the other ways to choose lags or to judge."""
    one, two = engle_granger_test(draw.y, draw.x), engle_granger_test(draw.x, draw.y)
    bic = engle_granger_test(draw.y, draw.x, autolag="bic")
    fixed = engle_granger_test(draw.y, draw.x, max_lags=1, autolag=None)
    return {
        "Engle-Granger y on x, AIC lags": one.pvalue < LEVEL,
        "Engle-Granger x on y, AIC lags": two.pvalue < LEVEL,
        "Engle-Granger, either ordering (two looks)": min(one.pvalue, two.pvalue) < LEVEL,
        "Engle-Granger, AIC, finite-sample critical value": one.stat < one.critical_values["5%"],
        "Engle-Granger, BIC lags": bic.pvalue < LEVEL,
        "Engle-Granger, BIC, finite-sample critical value": bic.stat < bic.critical_values["5%"],
        "Engle-Granger, 1 lag": fixed.pvalue < LEVEL,
    }


def johansen(draw: Draw) -> JohansenResult:
    """One lagged difference, a constant."""
    return johansen_test(pd.DataFrame({"y": draw.y, "x": draw.x}))


def of_the_pair(draw: Draw) -> dict[str, bool]:
    """Every test's answer; the names say which are the wrong question."""
    both = johansen(draw)
    driftless, ouliaris = without_drift(both), phillips_ouliaris_test(draw.y, draw.x).pvalue
    one = engle_granger_test(draw.y, draw.x)
    three = [one.rejects(LEVEL), ouliaris < LEVEL, driftless.max_eigen_pvalues[0] < LEVEL]
    pvalues = {
        "Phillips-Ouliaris y on x": ouliaris,
        "Johansen trace": both.trace_pvalues[0],
        "Johansen maximum eigenvalue": both.max_eigen_pvalues[0],
        "Johansen trace, table without drift": driftless.trace_pvalues[0],
        "Johansen maximum eigenvalue, without drift": driftless.max_eigen_pvalues[0],
        "plain ADF on the estimated residual (wrong)": adf_test(draw.residual).pvalue,
        "plain PP on the estimated residual (wrong)": phillips_perron_test(draw.residual).pvalue,
        "ADF, β given": adf_test(draw.given).pvalue,
        "Phillips-Perron, β given": phillips_perron_test(draw.given).pvalue,
        "variance ratio, β given": variance_ratio_test(draw.given).pvalue,
        "Hurst exponent, β given": hurst_exponent(draw.given).pvalue,
        "KPSS, β given (its null is a stationary spread)": kpss_test(draw.given).pvalue,
    }
    together = {
        "any of Engle-Granger, Phillips-Ouliaris, Johansen": any(three),
        "all three of them": all(three),
    }
    rejected = {name: bool(p < LEVEL) for name, p in pvalues.items()}
    return engle_granger(draw) | together | rejected


def kpss_size(memory: float, n: int, count: int) -> float:
    """Share of stationary series that KPSS calls wandering: its own size."""
    rng = np.random.default_rng(SEED)
    return float(np.mean([kpss_test(returning(rng, n, memory)).pvalue < LEVEL
                          for _ in range(count)]))  # fmt: skip


def shares(task: tuple[str, int, int]) -> tuple[str, int, dict[str, float]]:
    """Share of pairs that each test rejects; `task` is kind, bars, pairs."""
    kind, n, count = task
    pairs = unrelated(n, count) if kind == "unrelated" else cointegrated(n, count, kind)
    rejected = pd.DataFrame([of_the_pair(draw) for draw in pairs]).mean()
    table = {str(name): float(share) for name, share in rejected.items()}
    if kind == "unrelated":
        for memory in (0.5, 0.9):
            name = f"KPSS under its own null, AR({memory})"
            table[name] = kpss_size(memory, n, count)
    return kind, n, table


def show(title: str, columns: dict[str, dict[str, float]]) -> None:
    """Print a table, a row a test."""
    print(f"\n{title}\n{'':<52}" + "".join(f"{head:>16}" for head in columns))
    for name in next(iter(columns.values())):
        cells = "".join(f"{column[name]:>16.1%}" for column in columns.values())
        print(f"{name:<52}{cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--json", type=Path, help="where to write the shares")
    options = parser.parse_args()
    tasks = [("unrelated", n, options.pairs) for n in LENGTHS]
    tasks += [("clean", n, options.pairs) for n in LENGTHS]
    tasks += [(kind, 500, options.pairs) for kind in KINDS[1:]]
    with ProcessPoolExecutor(2) as workers:
        rejected = list(workers.map(shares, tasks))
    size = {f"n = {n:,}": table for kind, n, table in rejected if kind == "unrelated"}
    power = {f"{kind}, {n:,}": table for kind, n, table in rejected if kind != "unrelated"}
    show(f"SIZE: unrelated walks, rejected at 5 %, {options.pairs:,} pairs", size)
    show(f"POWER: residual AR(0.9), rejected at 5 %, {options.pairs:,} pairs", power)
    if options.json:
        answer = {"pairs": options.pairs, "level": LEVEL, "size": size, "power": power}
        options.json.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
