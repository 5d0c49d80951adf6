"""How far each hedge method's beta is from the truth: clean, with outliers, with a drifting beta.

    nice python tests/benchmarks/properties/statistics_beta_error.py [--pairs 2000] [--json FILE]

Seeded pairs y = 3 + beta x + AR(0.9), see statistics_draws.py. The error is that of the beta to
hedge with now: the estimate at the last bar less the truth at the last bar. Two processes.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from statistics_draws import DRIFT, KINDS, MEMORY, Draw, cointegrated

from analytics.hedge import HEDGE_METHODS, fit_hedge

LENGTHS = (500, 2_000)
WINDOW = 60
OPTIONS: dict[str, dict[str, Any]] = {"rolling_ols": {"window": WINDOW}}


def beta_errors(draw: Draw) -> list[float]:
    """Error of each method at the last bar."""
    fits = [
        fit_hedge(draw.y, draw.x, method, **OPTIONS.get(method, {})) for method in HEDGE_METHODS
    ]
    return [fit.beta - float(draw.beta[-1]) for fit in fits]


def sizes(task: tuple[str, int, int]) -> dict[str, dict[str, float]]:
    """Median of the absolute error and root mean square, by method; `task`: kind, bars, pairs."""
    kind, n, count = task
    errors = np.array([beta_errors(draw) for draw in cointegrated(n, count, kind)])
    return {
        method: {"median": float(np.median(np.abs(each))), "rmse": float(np.sqrt(np.mean(each**2)))}
        for method, each in zip(HEDGE_METHODS, errors.T, strict=True)
    }


def show(n: int, count: int, columns: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print a table, a row a method."""
    print(
        f"\nBETA at the last bar, n = {n:,}, {count:,} pairs, residual AR({MEMORY}), drift {DRIFT}"
    )
    print(f"{'median |error| / RMSE':<24}" + "".join(f"{kind:>22}" for kind in columns))
    for method in HEDGE_METHODS:
        errors = [column[method] for column in columns.values()]
        cells = "".join(f"{each['median']:>13.4f} / {each['rmse']:.4f}" for each in errors)
        print(f"{method:<24}{cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--json", type=Path, help="where to write the errors")
    options = parser.parse_args()
    tasks = [(kind, n, options.pairs) for n in LENGTHS for kind in KINDS]
    with ProcessPoolExecutor(2) as workers:
        errors = list(workers.map(sizes, tasks))
    table = {n: {kind: each for (kind, bars, _), each in zip(tasks, errors, strict=True)
                 if bars == n} for n in LENGTHS}  # fmt: skip
    for n, columns in table.items():
        show(n, options.pairs, columns)
    if options.json:
        answer = {"pairs": options.pairs, "window": WINDOW, "errors": table}
        options.json.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
