"""How often a 95 % interval holds the truth: of beta by each method, and of the half-life.

    nice python tests/benchmarks/properties/statistics_coverage.py [--pairs 1000] [--json FILE]

Seeded pairs y = 3 + 1.5 x + AR(memory), the shocks of y and x correlated, in some cells noise of
single bars on top; the spread of a given line and the residual of an estimated one, all and those
whose p-value is below 5 %. Two processes.
"""

import argparse
import json
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
from scipy.signal import lfilter

from analytics.hedge import FILTERS, HEDGE_METHODS, fit_hedge
from analytics.stationarity import HalfLife, adf_test, engle_granger_test, half_life

SEED = 20240808
BETA = 1.5
START = 400
METHODS = tuple(method for method in HEDGE_METHODS if method not in ("tls", *FILTERS))
NEWEY_WEST = "ols, Newey-West"
LEVEL = 0.05


@dataclass(frozen=True)
class Market:
    """Bars, memory of the residual, correlation of the shocks, noise over the residual's size."""

    bars: int
    memory: float
    correlation: float
    noise: float = 0.0


MARKETS = (
    Market(500, 0.9, 0.5),
    Market(200, 0.97, 0.5),
    Market(500, 0.9, 0.0),
    Market(2_000, 0.98, 0.5),
    Market(500, 0.5, 0.5),
    Market(500, 0.9, 0.5, 0.5),
)
SPREADS = (
    *(Market(300, memory, correlation) for memory in (0.9, 0.95, 0.98) for correlation in (0, 0.5)),
    Market(300, 0.95, 0.0, 0.3),
)


def draw(rng: np.random.Generator, market: Market) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return y, x and the residual."""
    shock, own, noise = rng.normal(size=(3, market.bars + START))
    rest = math.sqrt(1.0 - market.correlation**2)
    x = (market.correlation * shock + rest * own)[START:].cumsum() + 100
    u = lfilter([1.0], [1.0, -market.memory], shock)[START:]
    u = u + market.noise / math.sqrt(1.0 - market.memory**2) * noise[START:]
    return 3.0 + BETA * x + u, x, u


def usual_lags(bars: int) -> int:
    """Newey & West's rule of thumb."""
    return int(4.0 * (bars / 100.0) ** (2.0 / 9.0))


def beta_coverage(task: tuple[str, Market, int]) -> tuple[float, float]:
    """Share of intervals that hold beta, and their median width."""
    method, market, count = task
    rng = np.random.default_rng(SEED)
    options = {"hac_lags": usual_lags(market.bars)} if method == NEWEY_WEST else {}
    ends = []
    for _ in range(count):
        y, x, _ = draw(rng, market)
        name = "ols" if method == NEWEY_WEST else method
        ends.append(fit_hedge(y, x, name, intercept=True, **options).beta_interval)
    low, high = np.array(ends).T
    return float(np.mean((low <= BETA) & (high >= BETA))), float(np.median(high - low))


def _holds(found: HalfLife, truth: float) -> bool:
    low, high = found.interval
    return (math.isnan(high) or truth <= high) and low <= truth


def half_life_coverage(task: tuple[Market, int]) -> dict[str, float]:
    """Coverage and median estimate over the truth: a given line and an estimated one."""
    market, count = task
    rng = np.random.default_rng(SEED)
    truth = math.log(2) / (1.0 - market.memory)
    rows: dict[str, list[tuple[bool, bool, float]]] = {"given": [], "estimated": []}
    for _ in range(count):
        y, x, u = draw(rng, market)
        test = engle_granger_test(y, x)
        residual = y - test.alpha - test.beta * x
        for line, spread, pvalue in (
            ("given", u, adf_test(u).pvalue), ("estimated", residual, test.pvalue),
        ):  # fmt: skip
            found = half_life(spread, on_estimated_line=line == "estimated")
            rows[line].append((_holds(found, truth), pvalue < LEVEL, found.half_life / truth))
    answer = {}
    for line, each in rows.items():
        holds, chosen, ratio = np.array(each).T
        picked = chosen == 1
        answer[f"{line}: held"] = float(holds.mean())
        answer[f"{line}: held, p < 5 %"] = float(holds[picked].mean())
        answer[f"{line}: estimate / truth"] = float(np.nanmedian(ratio))
        answer[f"{line}: estimate / truth, p < 5 %"] = float(np.nanmedian(ratio[picked]))
    return answer


def show_betas(found: dict[tuple[str, Market], tuple[float, float]]) -> None:
    """Print a table, a row a method."""
    for market in MARKETS:
        print(f"\n{market}")
        for method in (NEWEY_WEST, *METHODS):
            held, width = found[method, market]
            print(f"  {method:<20} {held * 100:6.1f} %   width {width:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--json", type=Path, help="where to write the shares")
    options = parser.parse_args()
    tasks = [(*each, options.pairs) for each in product((NEWEY_WEST, *METHODS), MARKETS)]
    spreads = [(each, options.pairs) for each in SPREADS]
    with ProcessPoolExecutor(2) as workers:
        betas = list(workers.map(beta_coverage, tasks))
        halves = list(workers.map(half_life_coverage, spreads))
    show_betas(dict(zip([task[:2] for task in tasks], betas, strict=True)))
    for market, each in zip(SPREADS, halves, strict=True):
        print(f"\nhalf-life: {market}")
        for name, value in each.items():
            print(f"  {name:<36} {value:.3f}", flush=True)
    if options.json:
        rows = [
            {"method": method, **asdict(market), "held": held, "width": width}
            for (method, market, _), (held, width) in zip(tasks, betas, strict=True)
        ]
        options.json.write_text(json.dumps({"beta": rows, "half_life": halves}, indent=1) + "\n")


if __name__ == "__main__":
    main()
