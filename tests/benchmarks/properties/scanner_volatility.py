"""How often a scan has a discovery among legs that nothing ties, whatever their volatility does.

    nice python tests/benchmarks/properties/scanner_volatility.py
        [--families 500] [--pairs 2000] [--json FILE]

Families of 20 legs: pieces of the recorded 2021 returns from unrelated places, some upside down
(400 bars of 15 minutes, 1,440 of one minute), and made ones. With 500 families a share of 5 % is
known to within 2 points (two standard errors). Then, of the same legs, how often what a
chance find held out is found again; and single pairs: the size of the wild bootstrap on Gaussian
walks and its power beside MacKinnon's table, and what 199 draws cost. Two processes.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# As app.py sets it: the scan has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from statistics_draws import SEED, Draw, cointegrated, unrelated

from analytics.scanner import scan_pairs
from analytics.scanner.multiple_testing import benjamini_hochberg
from analytics.stationarity import (
    WildDraws,
    engle_granger_test,
    graded_pvalues,
    wild_bootstrap_test,
)

SHARED = Path(__file__).resolve().parents[4] / "shared/data"
CLOSES = SHARED / "binance_spot_closes_1m_20symbols_202104.csv.gz"
LEVEL, SYMBOLS = 0.05, 20
# One volatility step of this size.
STEP = 4.0
# GARCH(1, 1) of minute returns: weights of the last square and of the last variance.
ARCH, GARCH, START = 0.13, 0.85, 500

Family = Callable[[np.random.Generator, int], np.ndarray]


def main() -> None:
    """Print the four tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as workers:
        shares = list(workers.map(discoveries, [(kind, options.families) for kind in KINDS]))
        tests = list(workers.map(rejections, [(*each, options.pairs) for each in SINGLE]))
        held = list(workers.map(held_out, [(kind, options.families // 2) for kind in KINDS]))
    show_discoveries(shares)
    show_held_out(held)
    show_rejections(tests)
    seconds = cost()
    print(f"\n199 draws for 50 rows of 1,440 bars, two threads: {seconds:.3f} s")
    if options.json:
        answer = {"discoveries": shares, "held out": held, "rejections": tests, "seconds": seconds}
        options.json.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


def discoveries(task: tuple[str, int]) -> dict[str, object]:
    """Share of families with a discovery, by MacKinnon's table alone and by the scan."""
    kind, families = task
    make, bars = KINDS[kind]
    rng = np.random.default_rng(SEED)
    by_table, by_scan, rows = [], [], []
    for _ in range(families):
        closes = pd.DataFrame(np.exp(make(rng, bars)).T)
        table = scan_pairs(closes, train_share=1.0, workers=1)
        by_table.append((benjamini_hochberg(table["pvalue"].to_numpy()) < LEVEL).any())
        by_scan.append((table["qvalue"] < LEVEL).any())
        rows.append(table["pvalue_wild"].notna().sum())
    return {
        "kind": kind, "bars": bars, "by_table": float(np.mean(by_table)),
        "by_scan": float(np.mean(by_scan)), "rows": float(np.mean(rows)),
    }  # fmt: skip


def held_out(task: tuple[str, int]) -> dict[str, object]:
    """Share of the pairs below 5 %, uncorrected, in which the held-out 30 % return as well."""
    kind, families = task
    make, bars = KINDS[kind]
    rng = np.random.default_rng(SEED)
    plain: list[bool] = []
    both: list[bool] = []
    for _ in range(families):
        table = scan_pairs(pd.DataFrame(np.exp(make(rng, bars)).T), workers=1)
        small = table[table["pvalue_ordered"] < LEVEL]
        plain.extend(small["holdout_pvalue"] < LEVEL)
        both.extend(small[["holdout_pvalue", "holdout_pvalue_wild"]].max(axis=1) < LEVEL)
    return {"kind": kind, "bars": bars, "pairs": len(plain), "by_table": float(np.mean(plain)),
            "by_scan": float(np.mean(both))}  # fmt: skip


def gauss(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Shocks of one size."""
    return _paths(rng.normal(size=(SYMBOLS, bars)))


def student(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Student's t with three degrees of freedom."""
    return _paths(rng.standard_t(3, size=(SYMBOLS, bars)))


def garch(rng: np.random.Generator, bars: int) -> np.ndarray:
    """GARCH(1, 1) of variance 1, each leg its own."""
    shocks = rng.normal(size=(SYMBOLS, START + bars))
    variance = np.ones(SYMBOLS)
    for t in range(shocks.shape[1]):
        shocks[:, t] *= np.sqrt(variance)
        variance = 1.0 - ARCH - GARCH + ARCH * shocks[:, t] ** 2 + GARCH * variance
    return _paths(shocks[:, START:])


def own_step(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Volatility times four from a bar on, another bar for each leg."""
    at = rng.integers(bars // 5, bars - bars // 5, size=(SYMBOLS, 1))
    return _paths(rng.normal(size=(SYMBOLS, bars)) * np.where(np.arange(bars) < at, 1.0, STEP))


def common_step(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Volatility times four from one bar on, the same for all legs."""
    at = rng.integers(bars // 5, bars - bars // 5)
    return _paths(rng.normal(size=(SYMBOLS, bars)) * np.where(np.arange(bars) < at, 1.0, STEP))


def cut_15min(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Pieces of recorded 15-minute returns."""
    return _cut(rng, bars, 15)


def cut_1min(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Pieces of recorded one-minute returns."""
    return _cut(rng, bars, 1)


def _cut(rng: np.random.Generator, bars: int, minutes: int) -> np.ndarray:
    """Take a piece of each symbol from a place of its own, upside down or not."""
    returns = _recorded_returns(minutes)
    begins = rng.integers(0, len(returns) - bars + 1, SYMBOLS)
    signs = rng.choice([-1.0, 1.0], SYMBOLS)
    pieces = [returns[begin : begin + bars, leg] for leg, begin in enumerate(begins)]
    return np.asarray((np.array(pieces) * signs[:, np.newaxis]).cumsum(axis=1))


@cache
def _recorded_returns(minutes: int) -> np.ndarray:
    """Log returns of whole bars, none over the exchange's outage."""
    table = pd.read_csv(CLOSES)
    bars = table.pop("open_time_ms").to_numpy() // (60_000 * minutes)
    last = np.flatnonzero(np.diff(bars, append=bars[-1] + 1))
    returns = np.diff(np.log(table.to_numpy()[last]), axis=0)
    return np.asarray(returns[np.diff(bars[last]) == 1])


def _paths(shocks: np.ndarray) -> np.ndarray:
    """Sum shocks to logarithms of prices, their size that of a minute."""
    return np.asarray(1e-3 * shocks.cumsum(axis=1))


KINDS: dict[str, tuple[Family, int]] = {
    "2021 closes, cut and flipped, 15 min": (cut_15min, 400),
    "2021 closes, cut and flipped, 1 min": (cut_1min, 1_440),
    "Gaussian": (gauss, 500),
    "t(3)": (student, 500),
    "GARCH(0.13, 0.85)": (garch, 500),
    "volatility step of 4, each leg's own": (own_step, 500),
    "volatility step of 4, all at once": (common_step, 500),
}


SINGLE = (("size", 500), ("power", 500), ("power", 200))


def rejections(task: tuple[str, int, int]) -> dict[str, object]:
    """Share of single pairs that each test rejects at 5 %; `task` is kind, bars, pairs."""
    kind, bars, count = task
    pairs = unrelated(bars, count) if kind == "size" else cointegrated(bars, count)
    rejected = pd.DataFrame([_of_pair(draw) for draw in pairs]).mean()
    return {"kind": f"{kind}, {bars}", **{str(name): float(x) for name, x in rejected.items()}}


def _of_pair(draw: Draw) -> dict[str, bool]:
    closes = pd.DataFrame({"y": draw.y, "x": draw.x}) + 10_000.0
    both = scan_pairs(closes, on="price", train_share=1.0, workers=1).iloc[0]
    wild = wild_bootstrap_test(draw.y, draw.x, draws=999).pvalue
    return {
        "y on x, MacKinnon": engle_granger_test(draw.y, draw.x).pvalue < LEVEL,
        "y on x, wild bootstrap": wild < LEVEL,
        "a scan's pair, MacKinnon": both["pvalue"] < LEVEL,
        "a scan's pair, both": both["qvalue"] < LEVEL,
    }


def cost(rows: int = 50, bars: int = 1_440, repeats: int = 5) -> float:
    """Median seconds of 199 draws of so many rows, from closes to p-values."""
    walks = np.random.default_rng(SEED).normal(size=(2, rows, bars)).cumsum(axis=2)
    draws = WildDraws.exactly(199, bars)

    def pvalues(row: int) -> np.ndarray:
        drawn = draws.null_stats(walks[0, row], walks[1, row], 24, "aic")
        return graded_pvalues(np.full(2, -3.0), drawn)

    times = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(repeats + 1):
            begun = time.perf_counter()
            list(pool.map(pvalues, range(rows)))
            times.append(time.perf_counter() - begun)
    return median(times[1:])


def show_discoveries(shares: list[dict[str, object]]) -> None:
    """Print families with a discovery, a row a kind."""
    print(f"{'families with a discovery at 5 %':<40}{'bars':>6}{'MacKinnon':>12}{'scan':>8}"
          f"{'rows drawn for':>16}")  # fmt: skip
    for each in shares:
        print(f"{each['kind']:<40}{each['bars']:>6}{each['by_table']:>12.1%}"
              f"{each['by_scan']:>8.1%}{each['rows']:>16.1f}")  # fmt: skip


def show_held_out(held: list[dict[str, object]]) -> None:
    """Print how often a chance find is found again, a row a kind."""
    print(f"\n{'of pairs below 5 %, held out below 5 %':<40}{'bars':>6}{'MacKinnon':>12}{'scan':>8}"
          f"{'pairs':>16}")  # fmt: skip
    for each in held:
        print(f"{each['kind']:<40}{each['bars']:>6}{each['by_table']:>12.1%}"
              f"{each['by_scan']:>8.1%}{each['pairs']:>16,}")  # fmt: skip


def show_rejections(tests: list[dict[str, object]]) -> None:
    """Print size and power of single pairs."""
    names = [name for name in tests[0] if name != "kind"]
    print(f"\n{'rejected at 5 %, bars':<40}" + "".join(f"{t['kind']:>14}" for t in tests))
    for name in names:
        print(f"{name:<40}" + "".join(f"{test[name]:>14.1%}" for test in tests))


if __name__ == "__main__":
    main()
