"""Distributions of what a basket's page judges by, where its weights were fitted to the same bars.

Writes analytics/baskets/null_table.py and analytics/baskets/memory_table.py anew. The first: k
unrelated walks of n bars; the second: an AR(1) beside k - 1 unrelated walks, by its distance from a
walk. Weights are found by each method as the product does, and the statistics are those of the
spread that results; as every method gives the same spread after any recombination of the
symbols, one covariance serves for all.

    python tests/benchmarks/properties/statistics_basket_tables.py --samples 4000
"""

import argparse
import multiprocessing
import os
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.signal import lfilter

from analytics.baskets.params import METHODS
from analytics.baskets.weights import find_direction
from analytics.frames import FloatArray
from analytics.stationarity.dickey_fuller import dickey_fuller

ROOT = Path(__file__).resolve().parents[3]
SYMBOLS: Final = (3, 4, 5, 6, 7, 8)
SIZES: Final = (50, 100, 200, 500, 2000)
LEVELS: Final = (0.001, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95)
MEMORY_SIZES: Final = (100, 500)
DISTANCES: Final = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 50.0)
MEMORY_LEVELS: Final = (0.025, 0.5, 0.975)

NULL_HEAD = '''"""Quantiles of a basket's statistics on unrelated walks: method, symbols, bars.

Written by `python tests/benchmarks/properties/statistics_basket_tables.py` ({samples} samples).
"""

from typing import Final

import numpy as np

from analytics.frames import FloatArray

# Bars, and shares of the walks below each quantile.
SIZES: Final[FloatArray] = np.array({sizes})
LEVELS: Final[FloatArray] = np.array({levels})
'''

MEMORY_HEAD = '''"""Quantiles of (estimate - truth) / error of a basket's memory, by distance.

Written by `python tests/benchmarks/properties/statistics_basket_tables.py` ({samples} samples).
"""

from typing import Final

import numpy as np

from analytics.frames import FloatArray

# Bars; the distances are those of `analytics.stationarity.memory_table`.
SIZES: Final[FloatArray] = np.array({sizes})
'''


def basket(rng: np.random.Generator, bars: int, symbols: int, theta: float) -> FloatArray:
    """An AR(1) with coefficient 1 + theta, from its stationary start, beside unrelated walks."""
    shocks = rng.standard_normal((bars, symbols))
    walks = shocks.cumsum(axis=0)
    if theta < 0:
        shocks[0, 0] /= np.sqrt(-theta * (2.0 + theta))
        walks[:, 0] = lfilter([1.0], [1.0, -1.0 - theta], shocks[:, 0])
    return walks


def null_cell(job: tuple[int, int, int]) -> FloatArray:
    """ADF statistic and the method's own, each method; quantiles of shape (levels, 3, 2)."""
    symbols, bars, samples = job
    rng = np.random.default_rng([20240808, symbols, bars])
    out = np.empty((len(METHODS), 2, samples))
    for at in range(samples):
        values = basket(rng, bars, symbols, 0.0)
        for place, method in enumerate(METHODS):
            found = find_direction(values, method, "sample")
            spread = values @ found.vector
            out[place, :, at] = (
                dickey_fuller(spread, "c", None, "aic", "sample").stat,
                # Large where there is a relation: its negative has the same tail as the others.
                -found.stat,
            )
    return np.quantile(out, LEVELS, axis=-1)


def memory_cell(job: tuple[int, int, int]) -> FloatArray:
    """(estimate - truth) / error at each distance; shape (3 quantiles, methods, distances)."""
    symbols, bars, samples = job
    rng = np.random.default_rng([20240809, symbols, bars])
    out = np.empty((len(METHODS), len(DISTANCES), samples))
    for far, distance in enumerate(DISTANCES):
        theta = -distance / bars
        for at in range(samples):
            values = basket(rng, bars, symbols, theta)
            for place, method in enumerate(METHODS):
                spread = values @ find_direction(values, method, "sample").vector
                fit = dickey_fuller(spread, "c", 0, None, "sample")
                out[place, far, at] = (fit.coefficient - theta) / fit.stderr
    return np.quantile(out, MEMORY_LEVELS, axis=-1)


def text(values: FloatArray, name: str, shape: str) -> str:
    body = np.array2string(
        np.round(values, 3), separator=", ", threshold=10**6, max_line_width=96, floatmode="maxprec"
    )
    return f"# Shape {shape}.\n{name}: Final[FloatArray] = np.array(\n    {body}\n)  # fmt: skip\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "analytics/baskets")
    options = parser.parse_args()
    samples = options.samples
    with multiprocessing.Pool(options.processes) as pool:
        cells = [(k, n, samples) for k in SYMBOLS for n in SIZES]
        null = np.array(pool.map(null_cell, cells, chunksize=1))
        # Cells, levels, methods, statistics -> statistics, methods, symbols, sizes, levels.
        null = null.reshape(len(SYMBOLS), len(SIZES), len(LEVELS), len(METHODS), 2)
        null = null.transpose(4, 3, 0, 1, 2)
        head = NULL_HEAD.format(samples=samples, sizes=[float(n) for n in SIZES], levels=LEVELS)
        (options.out / "null_table.py").write_text(
            head
            + text(null[0], "ADF", "(methods, symbols - 3, sizes, levels)")
            + text(null[1, 0], "MINUS_TRACE", "(symbols - 3, sizes, levels)")
        )
        memory_cells = [(k, n, max(samples // 2, 2)) for k in SYMBOLS for n in MEMORY_SIZES]
        memory = np.array(pool.map(memory_cell, memory_cells, chunksize=1))
        shape = (len(SYMBOLS), len(MEMORY_SIZES), len(MEMORY_LEVELS), len(METHODS), len(DISTANCES))
        memory = memory.reshape(shape).transpose(3, 0, 2, 1, 4)
        head = MEMORY_HEAD.format(samples=samples // 2, sizes=[float(n) for n in MEMORY_SIZES])
        (options.out / "memory_table.py").write_text(
            head
            + text(memory, "T_QUANTILES", "(methods, symbols - 3, quantiles, sizes, distances)")
        )


if __name__ == "__main__":
    main()
