"""What the pages say of entries that pay: how often of unrelated walks, and how truly of a return.

    nice python tests/benchmarks/properties/statistics_entries.py [--pairs 1000] [--runs 60]

Log prices that move by 10 bps a bar, 500 bars: how often Live says that a trade pays at a cost of a
fill, with its test and without; of y = 1.5 x + AR(φ), what it says a year brings against what the
true process would. Then the rule in Backtest over 3,000 bars beside the fixed ±2. Two processes.
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
from statistics_draws import SEED, returning

from analytics.backtest import (
    PAYING_RULES,
    SYMMETRIC_RULES,
    Costs,
    best_entry,
    levels_that_pay,
    profit_a_bar,
    round_trip,
    run_backtest,
)
from analytics.frames import utc_index
from analytics.pair import PairParams
from analytics.stationarity import engle_granger_test, half_life

LEVEL, BARS, SIZE, BETA = 0.05, 500, 1e-3, 1.5
COSTS = (1.0, 7.5)
ARCH, GARCH, START = 0.13, 0.85, 300
# Memory of the residual; None for unrelated walks, and for those with GARCH shocks.
KINDS: dict[str, float | None] = {
    "unrelated walks": None, "unrelated walks, GARCH(0.13, 0.85)": None,
    "y = 1.5 x + AR(0.9)": 0.9, "y = 1.5 x + AR(0.97)": 0.97,
}  # fmt: skip


def legs(kind: str, rng: np.random.Generator, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of two prices."""
    memory = KINDS[kind]
    shocks = garch(rng, bars) if "GARCH" in kind else rng.normal(size=(2, bars))
    x = SIZE * shocks[0].cumsum()
    if memory is None:
        return SIZE * shocks[1].cumsum(), x
    return BETA * x + SIZE * returning(rng, bars, memory), x


def garch(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Shocks of variance 1 that come in clusters, each leg its own."""
    shocks, variance = rng.normal(size=(2, START + bars)), np.ones(2)
    for t in range(shocks.shape[1]):
        shocks[:, t] *= np.sqrt(variance)
        variance = 1.0 - ARCH - GARCH + ARCH * shocks[:, t] ** 2 + GARCH * variance
    return np.asarray(shocks[:, START:])


def said(task: tuple[str, int]) -> dict[str, float | str]:
    """What Live says of pairs of a kind; shares, and medians of said over true return."""
    kind, pairs = task
    rng = np.random.default_rng(SEED)
    table = pd.DataFrame([_of_pair(*legs(kind, rng, BARS), KINDS[kind]) for _ in range(pairs)])
    answer: dict[str, float | str] = {"kind": kind, "test": float(table["test"].mean())}
    for bps in COSTS:
        pays, shown = table[f"pays {bps}"], table["test"]
        answer[f"no test, {bps} bps"] = float(pays.mean())
        answer[f"said, {bps} bps"] = float((pays & shown).mean())
        ratio = table[f"ratio {bps}"]
        answer[f"said / true, all, {bps}"] = float(ratio[pays].median())
        answer[f"said / true, shown, {bps}"] = float(ratio[pays & shown].median())
    return answer


def _of_pair(y: np.ndarray, x: np.ndarray, memory: float | None) -> dict[str, float | bool]:
    line = engle_granger_test(y, x)
    rest = y - line.alpha - line.beta * x
    decay = half_life(rest, on_estimated_line=True).median_unbiased
    row: dict[str, float | bool] = {"test": line.rejects(LEVEL)}
    for bps in COSTS:
        speed, deviation = (np.array([each]) for each in (decay, rest.std()))
        cost = round_trip(np.array([1 + abs(line.beta)]), bps)
        level = levels_that_pay(speed, deviation, cost, np.array([float(y.size)]))
        row[f"pays {bps}"] = bool(np.isfinite(level[0]))
        earned = profit_a_bar(level, speed, deviation, cost)[0] / (1 + abs(line.beta))
        row[f"ratio {bps}"] = earned / _true(memory, bps) if memory else np.nan
    return row


def _true(memory: float, bps: float) -> float:
    """Profit a bar of the process itself, of the money in both legs."""
    deviation, worth = SIZE / np.sqrt(1 - memory**2), 1 + BETA
    cost = float(round_trip(np.array([worth]), bps)[0])
    return best_entry(np.log(0.5) / np.log(memory), deviation, cost).mean / worth


def traded(task: tuple[str, int]) -> dict[str, float | str]:
    """Net of the capital over 3,000 bars of the rule and of the fixed one, mean and its error."""
    kind, runs = task
    rng = np.random.default_rng(SEED)
    params = PairParams("y", "x", "1min", spread="log", hedge="rolling_ols", window=60)
    nets: dict[str, list[float]] = {}
    for _ in range(runs):
        y, x = (bars_of(100 * np.exp(leg)) for leg in legs(kind, rng, 3_000))
        for bps in COSTS:
            for name, rules in (("pays", PAYING_RULES), ("±2", SYMMETRIC_RULES)):
                rule = replace(rules, costs=Costs(bps))
                told = run_backtest(y, x, params, rule, draws=0).performance
                nets.setdefault(f"{name}, {bps} bps", []).append(told.total_return)
                nets.setdefault(f"trades {name}, {bps} bps", []).append(told.trades)
    answer: dict[str, float | str] = {"kind": kind}
    for name, values in nets.items():
        answer[name] = float(np.mean(values))
        answer[f"error {name}"] = float(np.std(values, ddof=1) / np.sqrt(runs))
    return answer


def bars_of(close: np.ndarray) -> pd.DataFrame:
    """Minutes that open where the one before closed."""
    opened = np.r_[close[:1], close[:-1]]
    columns = {"open": opened, "high": np.maximum(opened, close), "low": np.minimum(opened, close)}
    frame = pd.DataFrame(
        {**columns, "close": close, "volume": 1.0, "trades": 1, "coverage": "traded"},
        index=utc_index(np.arange(close.size) * 60_000_000),
    )
    return frame.astype({"coverage": "str"})


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as workers:
        answers = list(workers.map(said, [(kind, options.pairs) for kind in KINDS]))
        nets = list(workers.map(traded, [(kind, options.runs) for kind in KINDS]))
    for each in (*answers, *nets):
        words = [f"{name} {value:.4f}" for name, value in each.items() if name != "kind"]
        print(f"\n{each['kind']}\n  " + "\n  ".join(words))


if __name__ == "__main__":
    main()
