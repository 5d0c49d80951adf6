"""How often the Evidence page says which leg gives way, M-TAR or Gregory-Hansen where it is not so.

    nice python tests/benchmarks/properties/statistics_leg_gives_way.py [--pairs 2000]
    nice python tests/benchmarks/properties/statistics_leg_gives_way.py --quantiles [--pairs 40000]

Sizes at 5 % on unrelated walks and on pairs that return symmetrically with one leg that does not
answer; power where the difference is there. `--quantiles` makes the table of M-TAR's phi again that
stands in `analytics/evidence/momentum.py`. Two processes.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from statistics_draws import SEED, Draw, unrelated

from analytics.evidence.error_correction import error_correction
from analytics.evidence.momentum import PHI_SHARES, momentum_test
from analytics.evidence.regime_shift import SHIFTS, shift_test
from analytics.stationarity import engle_granger_test

LEVEL = 0.05
LENGTHS = (120, 500, 2_000)
QUANTILES_AT = (80, 200, 500, 2_000)
GIVING_Y = (0.1, 0.0)


def shocks(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """Shocks of two legs, shape (n, 2), correlated 0.5; GARCH where named."""
    drawn = rng.normal(size=(n, 2)) @ np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]]).T
    if kind != "GARCH":
        return drawn
    variance = 1.0
    for t in range(n):
        drawn[t] *= np.sqrt(variance)
        variance = 0.02 + 0.13 * float(drawn[t] @ drawn[t]) / 2.0 + 0.85 * variance
    return drawn


def returning(
    rng: np.random.Generator, n: int, kind: str, closes: tuple[float, float] = GIVING_Y
) -> Draw:
    """Pair whose gap y - 1.5 x is closed by y and x by these shares a bar."""
    drawn = shocks(rng, n + 100, kind)
    y, x = np.zeros(n + 100), np.zeros(n + 100)
    gap = last = 0.0
    for t in range(1, n + 100):
        speed = 4.0 if kind == "asymmetric" and gap < last else 1.0
        y[t] = y[t - 1] - speed * closes[0] * gap + drawn[t, 0]
        x[t] = x[t - 1] + closes[1] / 1.5 * gap + drawn[t, 1] / 1.5
        last, gap = gap, y[t] - 1.5 * x[t]
    return Draw(y[100:], x[100:], np.full(n, 1.5))


def shifted(rng: np.random.Generator, n: int) -> Draw:
    """A pair that returns, its level 15 deviations higher from 60 % of the bars on."""
    draw = returning(rng, n, "clean")
    return Draw(draw.y + 15.0 * (np.arange(n) >= int(0.6 * n)), draw.x, draw.beta)


def pairs_of(kind: str, n: int, count: int) -> Iterator[Draw]:
    """Seeded pairs of a kind."""
    if kind == "walks":
        yield from unrelated(n, count)
        return
    rng = np.random.default_rng(SEED + 3 * n)
    for _ in range(count):
        if kind == "walks, GARCH":
            y, x = shocks(rng, n, "GARCH").cumsum(axis=0).T
            yield Draw(y, x, np.full(n, np.nan))
        elif kind == "shifted":
            yield shifted(rng, n)
        else:
            both = (0.05, 0.05) if kind == "both give way" else GIVING_Y
            yield returning(rng, n, kind, both)


def verdicts(draw: Draw, *, with_shifts: bool) -> dict[str, bool]:
    """Each thing that the page may say; the slow Gregory-Hansen where it is asked for."""
    model, momentum = error_correction(draw.y, draw.x), momentum_test(draw.y, draw.x)
    is_shown = engle_granger_test(draw.y, draw.x).rejects(LEVEL)
    shifts = {
        f"Gregory-Hansen, {shift}": shift_test(draw.y, draw.x, shift).rejects(LEVEL)
        for shift in SHIFTS
        if with_shifts
    }
    unequal = momentum.symmetry_pvalue < LEVEL
    return {
        "Engle-Granger": is_shown,
        "page: y gives way": is_shown and model.y.gives_way(LEVEL),
        "page: x gives way": is_shown and model.x.gives_way(LEVEL),
        "loading of y, alone": model.y.pvalue < LEVEL,
        "loading of x, alone": model.x.pvalue < LEVEL,
        "M-TAR phi": momentum.rejects(LEVEL),
        "M-TAR, unequal speeds, alone": unequal,
        "page: M-TAR, unequal speeds": momentum.rejects(LEVEL) and unequal,
        **shifts,
    }


def shares(task: tuple[str, int, int]) -> tuple[str, dict[str, float]]:
    """Share of pairs of which each thing is said."""
    kind, n, count = task
    with_shifts = "walks" in kind or kind == "shifted"
    pairs = pairs_of(kind, n, count)
    said = pd.DataFrame([verdicts(draw, with_shifts=with_shifts) for draw in pairs]).mean()
    return f"{kind}, {n:,}", {str(name): float(share) for name, share in said.items()}


def quantiles(task: tuple[int, int]) -> tuple[int, list[float]]:
    """Upper quantiles of phi on unrelated walks."""
    n, count = task
    phi = [momentum_test(draw.y, draw.x, draws=0).phi for draw in unrelated(n, count)]
    return n, np.quantile(phi, 1.0 - np.array(PHI_SHARES)).round(3).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--quantiles", action="store_true")
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as workers:
        if options.quantiles:
            count = options.pairs or 40_000
            for n, row in workers.map(quantiles, [(n, count) for n in QUANTILES_AT]):
                print(f"    {n:_}: {tuple(row)},", flush=True)
            return
        count = options.pairs or 2_000
        tasks = [("walks", n, count) for n in LENGTHS]
        kinds = ("walks, GARCH", "clean", "GARCH", "both give way", "asymmetric", "shifted")
        tasks += [(kind, 500, count) for kind in kinds]
        table = pd.DataFrame(dict(workers.map(shares, tasks)))
    print((100 * table).round(1).to_string(na_rep="–"))


if __name__ == "__main__":
    main()
