"""Quantiles of the Dickey-Fuller regression's t about the truth, for intervals of a half-life.

    nice python tests/benchmarks/properties/statistics_half_life_table.py [--samples 60000]

Writes analytics/stationarity/memory_table.py anew. u is a stationary AR(1) of n bars with
coefficient 1 - c / n, or the residual of a regression on a random walk unrelated to it.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

ROOT = Path(__file__).resolve().parents[3]
SEED = 20240808
SIZES = (25, 50, 100, 200, 500, 2_000)
DISTANCES = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 50.0)
# The slow end, the middle and the fast end of a 95 % interval.
LEVELS = (0.025, 0.5, 0.975)
_CELLS = 2_000_000
_HEAD = '''"""Quantiles of (estimate - truth) / error of a spread's memory, by bars and distance.

Written by `python tests/benchmarks/properties/statistics_half_life_table.py`,
{samples} samples a cell.
"""

from typing import Final

import numpy as np

from analytics.frames import FloatArray

# Bars, and n (1 - coefficient): how far from a random walk.
SIZES: Final[FloatArray] = np.array({sizes})
DISTANCES: Final[FloatArray] = np.array({distances})
# Shape (2, 3, sizes, distances): a spread as given, and the residual of an estimated line;
# quantiles 2.5 %, 50 % and 97.5 %.
T_QUANTILES: Final[FloatArray] = np.array(
'''


def autoregressions(rng: np.random.Generator, n: int, memory: float, count: int) -> np.ndarray:
    """Rows of n bars; a stationary start where there is one."""
    shocks = rng.normal(size=(count, n))
    shocks[:, 0] *= 1.0 / np.sqrt(1.0 - memory**2) if memory < 1 else 0.0
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks, axis=1))


def residuals(rng: np.random.Generator, u: np.ndarray) -> np.ndarray:
    """Each row's residual of its least-squares line on a random walk of its own."""
    x = rng.normal(size=u.shape).cumsum(axis=1)
    x -= x.mean(axis=1, keepdims=True)
    return np.asarray(u - ((u * x).sum(axis=1) / (x * x).sum(axis=1))[:, np.newaxis] * x)


def t_about(u: np.ndarray, memory: float) -> np.ndarray:
    """t statistics, about `memory`, of each row's coefficient in u(t) = c + coefficient u(t-1)."""
    before, after = u[:, :-1], u[:, 1:]
    before = before - before.mean(axis=1, keepdims=True)
    after = after - after.mean(axis=1, keepdims=True)
    squares = (before * before).sum(axis=1)
    slope = (before * after).sum(axis=1) / squares
    rest = ((after - slope[:, np.newaxis] * before) ** 2).sum(axis=1)
    return np.asarray((slope - memory) / np.sqrt(rest / (before.shape[1] - 2) / squares))


def quantiles(task: tuple[int, int, int, int]) -> np.ndarray:
    """Three quantiles of a cell; `task`: regressors, bars, number of the distance, samples."""
    regressors, n, place, samples = task
    rng = np.random.default_rng((SEED, *task))
    # A small sample has no coefficient below 0: its far cells repeat that of 0.
    memory = 1.0 - min(DISTANCES[place], n) / n
    left, stats = samples, []
    while left > 0:
        count = min(left, _CELLS // n)
        u = autoregressions(rng, n, memory, count)
        stats.append(t_about(residuals(rng, u) if regressors else u, memory))
        left -= count
    return np.asarray(np.quantile(np.concatenate(stats), LEVELS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--out", type=Path, help="where to write, in place of the module")
    options = parser.parse_args()
    cells = product((0, 1), SIZES, range(len(DISTANCES)), (options.samples,))
    with ProcessPoolExecutor(2) as workers:
        found = np.array(list(workers.map(quantiles, cells)))
    table = found.reshape(2, len(SIZES), len(DISTANCES), len(LEVELS)).transpose(0, 3, 1, 2)
    head = _HEAD.format(samples=options.samples, sizes=[float(n) for n in SIZES],
                        distances=list(DISTANCES))  # fmt: skip
    numbers = np.array2string(table.round(3), separator=", ", threshold=10_000, max_line_width=90)
    where = options.out or ROOT / "analytics/stationarity/memory_table.py"
    where.write_text(f"{head}    {numbers}\n)  # fmt: skip\n")
    sys.stdout.write(f"{where}\n")


if __name__ == "__main__":
    main()
