"""What the pages show of unrelated walks, by the hedge that draws the spread: 5 % is right.

    nice python tests/benchmarks/properties/statistics_size_by_hedge.py
        [--pairs 1000] [--bars 120 500] [--hedges ols kalman]

Each verdict at 5 %, and the share of bars at which the gates on statistics are open. KPSS, whose
null is a stationary residual, is asked on y = 1.5 x + AR(0.5). Of all hedges, then how far the two
orderings of Engle-Granger agree, and the power at the bars that `bars_for_power` names. With 1,000
pairs a share of 5 % is known to within 1.4 points (two standard errors). Two processes.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from statistics_draws import BETA, SEED, returning, unrelated

from analytics.hedge import HEDGE_METHODS
from analytics.leg import Leg
from analytics.outcome import Degenerate, NotEnough
from analytics.pair import NO_GATES, PairAnalytics, PairParams, analyse_pair, judged
from analytics.stationarity import (
    ADFResult,
    EngleGrangerResult,
    HalfLife,
    SpreadTest,
    adf_test,
    engle_granger_test,
    hurst_exponent,
    kpss_test,
    phillips_perron_test,
    variance_ratio_test,
)

LEVEL = 0.05
LENGTHS = (120, 500)
# Bars before the range: a Kalman filter starts up on them, a gate's test has its ten windows.
BEFORE, WINDOW = 660, 60
# n (1 - φ) at which `bars_for_power` sees 80 %: ADF and Engle-Granger at 1, 5 and 10 %.
POWER = {"ADF": (27.6, 19.3, 15.4), "Engle-Granger": (32.8, 23.7, 19.3)}

Test = ADFResult | EngleGrangerResult | HalfLife | SpreadTest | NotEnough | Degenerate


def plain_leg(close: np.ndarray) -> Leg:
    """Bars of a second, each of one trade."""
    ones = np.ones(close.size)
    return Leg(0, 1_000_000, close.copy(), ones, ones.astype(np.int64), ones.astype(np.int8) * 0)


def rejects(test: Test) -> bool:
    """Whether the test rejects as the pages show it."""
    if isinstance(test, NotEnough | Degenerate):
        raise TypeError(test.reason)
    return test.pvalue < LEVEL if isinstance(test, SpreadTest) else test.rejects(LEVEL)


def analysed(y: np.ndarray, x: np.ndarray, hedge: str, n: int, gate: str) -> PairAnalytics:
    """A pair as Live analyses it, with one gate on."""
    params = PairParams(
        "y", "x", lookback=n, window=WINDOW, spread="hedged", hedge=hedge,
        gates=replace(NO_GATES, **{gate: True}),
    )  # fmt: skip
    return analyse_pair(plain_leg(y + 1_000), plain_leg(x + 1_000), params)


def shown_verdicts(y: np.ndarray, x: np.ndarray, hedge: str, n: int) -> dict[str, float]:
    """Each verdict that the pages show of this pair, and how often its gates are open."""
    result, slow = (analysed(y, x, hedge, n, gate) for gate in ("pvalue", "half_life"))
    residual, params = result.residual, result.params
    return {
        "Engle-Granger": rejects(result.engle_granger),
        "ADF": rejects(result.adf),
        "half-life": rejects(result.half_life),
        "Phillips-Perron": rejects(judged("", phillips_perron_test, residual, params)),
        "variance ratio": rejects(judged("", variance_ratio_test, residual, params)),
        "Hurst": rejects(judged("", hurst_exponent, residual, params)),
        "p gate open": float(result.gate.eq("").mean()),
        "half-life gate open": float(slow.gate.eq("").mean()),
    }


def by_hedge(task: tuple[str, int, int]) -> tuple[str, dict[str, float]]:
    """Share of pairs in which each is shown; `task` is hedge, bars, pairs."""
    hedge, n, count = task
    pairs = unrelated(n + BEFORE, count)
    table = pd.DataFrame([shown_verdicts(draw.y, draw.x, hedge, n) for draw in pairs])
    return hedge, {
        **{str(name): float(share) for name, share in table.mean().items()},
        "KPSS": kpss_size(hedge, n, count),
    }


def kpss_size(hedge: str, n: int, count: int) -> float:
    """Share of stationary residuals that KPSS calls wandering."""
    rng, wrong = np.random.default_rng(SEED), 0
    for _ in range(count):
        x = rng.normal(size=n + BEFORE).cumsum()
        result = analysed(BETA * x + returning(rng, x.size, 0.5), x, hedge, n, "enough_bars")
        wrong += rejects(judged("", kpss_test, result.residual, result.params))
    return wrong / count


def orderings(n: int, count: int) -> dict[str, float]:
    """How far the two orderings of Engle-Granger agree on unrelated walks, one lag."""
    pvalues = np.array([
        [engle_granger_test(*legs, max_lags=1, autolag=None).pvalue
         for legs in ((draw.y, draw.x), (draw.x, draw.y))]
        for draw in unrelated(n, count)
    ])  # fmt: skip
    smaller = pvalues.min(axis=1)
    return {
        "rank correlation of their p-values": float(spearmanr(*pvalues.T).statistic),
        "share with the smaller one below 5 %": float(np.mean(smaller < LEVEL)),
        "share with twice the smaller one below 5 %": float(np.mean(2 * smaller < LEVEL)),
    }


def power(name: str, c: float, level: float, n: int, count: int) -> float:
    """Share of samples of n bars in which the test finds a residual AR(1 - c / n)."""
    rng, found = np.random.default_rng(SEED), 0
    for _ in range(count):
        rest, x = returning(rng, n, 1 - c / n), rng.normal(size=n).cumsum()
        test = adf_test(rest) if name == "ADF" else engle_granger_test(BETA * x + rest, x)
        found += test.rejects(level)
    return found / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--bars", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--hedges", nargs="+", choices=HEDGE_METHODS, default=[*HEDGE_METHODS])
    options = parser.parse_args()
    for n in options.bars:
        show_hedges(options.hedges, n, options.pairs)
    if options.hedges == [*HEDGE_METHODS]:
        show_tests(options.pairs)


def show_hedges(hedges: list[str], n: int, pairs: int) -> None:
    """Print a row a hedge."""
    with ProcessPoolExecutor(2) as workers:
        shown = dict(workers.map(by_hedge, [(hedge, n, pairs) for hedge in hedges]))
    print(f"\nSHOWN of unrelated walks, the spread drawn by each hedge, {n} bars, {pairs:,} pairs")
    print(pd.DataFrame(shown).T.map("{:.1%}".format).to_string(), flush=True)


def show_tests(pairs: int) -> None:
    """Print how the two orderings agree, and the power at the bars that the pages name."""
    for name, value in orderings(500, 2 * pairs).items():
        print(f"two orderings of unrelated walks, 500 bars: {name} {value:.3f}")
    for name, constants in POWER.items():
        for level, c in zip((0.01, 0.05, 0.10), constants, strict=True):
            shares = [power(name, c, level, n, 2 * pairs) for n in (300, 1_000)]
            print(f"power of {name} at {level:.0%}, c = {c}: {shares[0]:.1%} {shares[1]:.1%}")


if __name__ == "__main__":
    main()
