"""How often z is said to foretell the spread: of unrelated walks 5 % is right.

    nice python tests/benchmarks/properties/statistics_zscore_forecast.py [--pairs 600]

Beside the page's verdict stand a t-test with Newey-West errors (lags of the horizon) and Hodrick's
by the normal table, on the same held-out regression. The last rows, where the data is there, are of
real one-minute closes, cut at unrelated places and signs. Two processes, ten minutes.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pandas as pd
from scipy.stats import norm
from statistics_draws import BETA, SEED, returning
from statsmodels.api import OLS, add_constant

from analytics.evidence.zscore_forecast import zscore_forecast
from analytics.spread import zscore

LEVEL = 0.05
# Half as many as the page takes: a p-value is as right, and the table takes half the time.
DRAWS = 199
SAMPLES = ((240, 60), (500, 60), (1_800, 60), (1_800, 300))
SHARED = Path(__file__).resolve().parents[4] / "shared/data"
RECORDED = SHARED / "binance_spot_closes_1m_20symbols_202104.csv.gz"
REAL = {"2021, 15 min": 15, "2021, 1 min": 1}
Moves = Callable[[np.random.Generator, int], np.ndarray]


def garch(rng: np.random.Generator, n: int) -> np.ndarray:
    """Moves of GARCH(0.13, 0.85), variance 1 in the long run; the first 200 are left out."""
    shocks, moves, variance = rng.normal(size=n + 200), np.empty(n + 200), 1.0
    for bar, shock in enumerate(shocks):
        moves[bar] = np.sqrt(variance) * shock
        variance = 0.02 + 0.13 * moves[bar] ** 2 + 0.85 * variance
    return moves[200:]


def step(rng: np.random.Generator, n: int) -> np.ndarray:
    """Moves that are four times as large from two thirds of the sample on."""
    return rng.normal(size=n) * np.where(np.arange(n) < 2 * n // 3, 1.0, 4.0)


MOVES: dict[str, Moves] = {
    "Gaussian": lambda rng, n: rng.normal(size=n),
    "t(3)": lambda rng, n: rng.standard_t(3, n),
    "GARCH": garch,
    "volatility step": step,
    "drift 0.1": lambda rng, n: rng.normal(size=n) + 0.1,
}


@cache
def closes(minutes: int) -> np.ndarray:
    """Log closes of 20 symbols in April and May 2021, every so many minutes."""
    return np.asarray(np.log(pd.read_csv(RECORDED, index_col=0).to_numpy(dtype=float))[::minutes])


def cut(rng: np.random.Generator, prices: np.ndarray, n: int) -> np.ndarray:
    """Closes of any symbol from anywhere, as they were or upside down: real and unrelated."""
    symbol, first = rng.integers(prices.shape[1]), rng.integers(len(prices) - n)
    return np.asarray(prices[first : first + n, symbol] * rng.choice([-1.0, 1.0]))


def draw(kind: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two unrelated legs of a kind of moves or of real ones, or y = 1.5 x + AR of a memory."""
    if kind in REAL:
        return cut(rng, closes(REAL[kind]), n), cut(rng, closes(REAL[kind]), n)
    if kind in MOVES:
        return MOVES[kind](rng, n).cumsum(), MOVES[kind](rng, n).cumsum()
    x = rng.normal(size=n).cumsum()
    return BETA * x + returning(rng, n, float(kind.removeprefix("AR "))), x


def newey_west(y: np.ndarray, x: np.ndarray, window: int, horizon: int) -> float:
    """p-value of the usual test, with as many lags as the change has bars."""
    half = y.size // 2
    beta = np.cov(y[:half], x[:half])[0, 1] / np.var(x[:half], ddof=1)
    spread = y - beta * x
    z = zscore(spread, window).to_numpy()
    bars = np.arange(half, y.size - horizon)
    fit = OLS(spread[bars + horizon] - spread[bars], add_constant(z[bars]))
    found = fit.fit(cov_type="HAC", cov_kwds={"maxlags": max(1, horizon)})
    return float(found.pvalues[1])


def shares(task: tuple[str, str, int, int, int]) -> dict[str, object]:
    """Share of pairs in which each says that z foretells; `task` is kind, spread, n, window."""
    kind, spread, n, window, count = task
    rng = np.random.default_rng([SEED, n, window, len(kind)])
    rows = []
    for number in range(count):
        y, x = draw(kind, rng, n)
        legs = (y, x) if spread == "one line" else (y - (BETA if kind[:2] == "AR" else 1.0) * x,)
        found = zscore_forecast(*legs, window=window, draws=DRAWS, seed=number)
        naive = newey_west(y, x, window, found.horizon) if spread == "one line" else np.nan
        rows.append((
            found.predicts(LEVEL), found.predicts(LEVEL) and found.slope < 0,
            2 * norm.sf(abs(found.slope / found.stderr)) < LEVEL, naive, found.slope < 0,
            found.horizon,
        ))  # fmt: skip
    table = np.array(rows, dtype=float)
    return {
        "moves": kind, "spread": spread, "n": n, "window": window,
        "z foretells": f"{table[:, 0].mean():.1%}", "of them back": f"{table[:, 1].mean():.1%}",
        "Hodrick, normal": f"{table[:, 2].mean():.1%}",
        "Newey-West": "" if spread != "one line" else f"{(table[:, 3] < LEVEL).mean():.1%}",
        "slope < 0": f"{table[:, 4].mean():.1%}", "horizon": f"{np.median(table[:, 5]):.0f}",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=600)
    pairs = parser.parse_args().pairs
    tasks = [
        *(("Gaussian", spread, *at, pairs) for at in SAMPLES for spread in ("one line", "given β")),
        *((kind, "one line", 500, 60, pairs) for kind in list(MOVES)[1:]),
        *((kind, "one line", *at, pairs // 4) for kind in ("AR 0.9", "AR 0.97") for at in SAMPLES),
    ]
    if RECORDED.exists():
        tasks += [
            (kind, "one line", n, 60, pairs) for kind, n in zip(REAL, (400, 1_440), strict=True)
        ]
    print(
        f"Z FORETELLS at {LEVEL:.0%}, {pairs:,} pairs a row, a quarter of them where it does (AR)"
    )
    with ProcessPoolExecutor(2) as workers:
        for number, row in enumerate(workers.map(shares, tasks)):
            table = pd.DataFrame([row]).to_csv(index=False, header=not number, sep="|")
            print(table.strip(), flush=True)


if __name__ == "__main__":
    main()
