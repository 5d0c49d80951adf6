"""What the Kalman hedges leave to trade, and whether their intervals hold beta.

    nice python tests/benchmarks/properties/statistics_kalman.py [--pairs 200] [--json FILE]

Seeded log prices y = 0.5 + beta x + AR(0.9), beta 1.1 or on a walk about it, shocks of both legs
unrelated or correlated 0.5. Break-even: gross profit over money traded, all pairs together, rule
"beyond 2 either way", 2,000 bars. Coverage: the 95 % interval of beta at the last bar, 500 bars.
Two processes.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from analytics.backtest import SYMMETRIC_RULES, sweep_backtest
from analytics.frames import utc_index
from analytics.hedge import fit_hedge
from analytics.pair import PairParams

SEED = 20240808
METHODS = ("expanding_ols", "rolling_ols", "kalman", "kalman_walks")
# Name, drift of beta a bar, correlation of the shocks.
KINDS = {
    "fixed β": (0.0, 0.0),
    "fixed β, shocks 0.5": (0.0, 0.5),
    "slow drift": (2e-5, 0.0),
    "fast drift": (5e-5, 0.0),
    "slow drift, shocks 0.5": (2e-5, 0.5),
}
TRADED, COVERED = 2_000, 500
WINDOW, ENTRY = 60, 2.0
X_STEP, SHOCK, X_START = 1e-3, 3e-4, 4.6


def drawn(rng: np.random.Generator, n: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log prices of both legs, and the truth of beta."""
    drift, together = KINDS[kind]
    moves, own, wander = rng.normal(size=(3, n))
    x = X_START + X_STEP * moves.cumsum()
    shocks = SHOCK * (together * moves + np.sqrt(1 - together**2) * own)
    beta = 1.1 + drift * wander.cumsum()
    return 0.5 + beta * x + lfilter([1.0], [1.0, -0.9], shocks), x, beta


def bars(log_close: np.ndarray) -> pd.DataFrame:
    prices = dict.fromkeys(("open", "high", "low", "close"), np.exp(log_close))
    frame = pd.DataFrame({**prices, "volume": 1.0, "trades": 1, "coverage": "traded"})
    frame.index = utc_index(np.arange(log_close.size) * 60_000_000)
    return frame.astype({"coverage": "str"})


def traded(y: np.ndarray, x: np.ndarray, method: str) -> tuple[float, float, float]:
    """Gross profit, money traded and number of trades."""
    params = PairParams("Y", "X", interval="1min", spread="log", hedge=method, window=WINDOW)
    swept = sweep_backtest(
        bars(y), bars(x), params, SYMMETRIC_RULES, windows=[WINDOW], entries=[ENTRY]
    )
    return float(swept.gross[0, 0]), float(swept.traded[0, 0]), float(swept.trades[0, 0])


def figures(task: tuple[str, int]) -> dict[str, dict[str, float]]:
    """By method: break-even, trades a pair, coverage, and the error of beta, median."""
    kind, pairs = task
    rng = np.random.default_rng(SEED)
    books: dict[str, list[tuple[float, float, float]]] = {method: [] for method in METHODS}
    betas: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    for _ in range(pairs):
        y, x, _ = drawn(rng, TRADED, kind)
        for method in METHODS:
            books[method].append(traded(y, x, method))
        y, x, beta = drawn(rng, COVERED, kind)
        for method in METHODS:
            fit = fit_hedge(y, x, method)
            low, high = fit.beta_interval
            betas[method].append((fit.beta - beta[-1], float(low < beta[-1] < high)))
    answer = {}
    for method in METHODS:
        gross, money, trades = np.sum(books[method], axis=0)
        error, held = np.array(betas[method]).T
        answer[method] = {
            "break_even_bps": 1e4 * gross / money if money else float("nan"),
            "trades": trades / pairs,
            "coverage": float(held.mean()),
            "median_error": float(np.median(np.abs(error))),
        }
    return answer


def show(kind: str, by_method: dict[str, dict[str, float]]) -> None:
    """Print a table, a row a method."""
    usual = by_method["expanding_ols"]["break_even_bps"]
    print(f"\n{kind}\n{'':<16}break-even bps  of OLS's  trades  coverage  median |error|")
    for method, each in by_method.items():
        share = each["break_even_bps"] / usual
        print(
            f"{method:<16}{each['break_even_bps']:>14.2f}{share:>10.0%}{each['trades']:>8.1f}"
            f"{each['coverage']:>10.1%}{each['median_error']:>16.4f}", flush=True,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as workers:
        found = list(workers.map(figures, [(kind, options.pairs) for kind in KINDS]))
    table = dict(zip(KINDS, found, strict=True))
    for kind, by_method in table.items():
        show(kind, by_method)
    if options.json:
        answer = {"pairs": options.pairs, "figures": table}
        options.json.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
