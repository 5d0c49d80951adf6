"""How often residuals with nothing to return to look like ones that do, and what is found of those.

    nice python tests/benchmarks/properties/factor_residuals.py [--families 100]

Families of 20 symbols with one common factor, β from 0.5 to 2, twice as many bars as the regression
window. The residual returns: Gaussian, one volatility step of 4 in the middle of the window, GARCH;
pieces of the recorded one-minute returns of 2021 less their share of BTC's, from unrelated places,
with a random sign at each bar (no memory) and as they were (which may well return). A share among
2,000 symbols is known to within 1 point (two standard errors), one among 100 families to within 4.
Then residuals that do return, one in four symbols; then factors counted where none is. Two
processes.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

# As app.py sets it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from analytics.factors import OPEN_AT, factor_scores
from analytics.frames import FloatArray

SHARED = Path(__file__).resolve().parents[4] / "shared/data"
CLOSES = SHARED / "binance_spot_closes_1m_20symbols_202104.csv.gz"
SEED, SYMBOLS, LEVEL = 20100, 20, 0.05
WINDOWS = (60, 200, 500)
HALF_LIVES = (5, 15, 40)
RETURNING = 5

Residuals = Callable[[np.random.Generator, int], FloatArray]


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=100)
    families = parser.parse_args().families
    with ProcessPoolExecutor(2) as workers:
        white = [(kind, window, families) for kind in KINDS for window in WINDOWS]
        show("Nothing to return to, one factor", workers.map(unrelated, white))
        true = [(life, window, families) for window in WINDOWS for life in HALF_LIVES]
        show("One symbol in four returns", workers.map(returning, true))
        counted = [(kind, window, families) for kind in KINDS for window in WINDOWS]
        show("No factor at all", workers.map(factorless, counted))


def show(title: str, rows: Iterable[dict[str, object]]) -> None:
    """Print rows of figures as a table."""
    print(f"\n{title}\n{pd.DataFrame(list(rows)).to_string(index=False)}", flush=True)


def gauss(rng: np.random.Generator, bars: int) -> FloatArray:
    """Shocks of one size."""
    return rng.normal(size=(bars, SYMBOLS))


def step(rng: np.random.Generator, bars: int) -> FloatArray:
    """Volatility times four in the last quarter of the bars, half of the window."""
    return (
        rng.normal(size=(bars, SYMBOLS))
        * np.where(np.arange(bars) < bars * 3 // 4, 1, 4)[:, np.newaxis]
    )


def garch(rng: np.random.Generator, bars: int) -> FloatArray:
    """GARCH(0.13, 0.85) of variance 1, each symbol its own."""
    shocks = rng.normal(size=(300 + bars, SYMBOLS))
    variance = np.ones(SYMBOLS)
    for bar in range(len(shocks)):
        shocks[bar] *= np.sqrt(variance)
        variance = 0.02 + 0.13 * shocks[bar] ** 2 + 0.85 * variance
    return shocks[300:]


def recorded(rng: np.random.Generator, bars: int) -> FloatArray:
    """Pieces of recorded returns less their share of BTC's, from unrelated places."""
    pieces: list[FloatArray] = []
    returns, bitcoin = minute_returns()
    while len(pieces) < SYMBOLS:
        column, begin = rng.integers(returns.shape[1]), rng.integers(len(returns) - bars)
        piece, market = returns[begin : begin + bars, column], bitcoin[begin : begin + bars]
        if np.isfinite(piece).all() and np.isfinite(market).all() and piece.std() > 0:
            rest = piece - np.polyval(np.polyfit(market, piece, 1), market)
            pieces.append(rng.choice([-1.0, 1.0]) * rest / rest.std())
    return np.column_stack(pieces)


def signed(rng: np.random.Generator, bars: int) -> FloatArray:
    """Those pieces with a random sign for each bar: their volatility, and no memory."""
    pieces = recorded(rng, bars)
    flipped: FloatArray = pieces * rng.choice([-1.0, 1.0], pieces.shape)
    return flipped


@cache
def minute_returns() -> tuple[FloatArray, FloatArray]:
    """Log returns of all symbols but BTC, and of BTC."""
    closes = pd.read_csv(CLOSES, index_col=0)
    returns = closes.apply(np.log).diff().iloc[1:]
    market = next(name for name in closes.columns if "BTC" in name)
    return returns.drop(columns=market).to_numpy(), returns[market].to_numpy()


KINDS: dict[str, Residuals] = {
    "gauss": gauss, "step": step, "garch": garch, "signed": signed, "recorded": recorded,
}  # fmt: skip


def closes_of(rng: np.random.Generator, residuals: FloatArray, market: float) -> pd.DataFrame:
    """Closes whose returns are a common factor and these residuals."""
    bars, symbols = residuals.shape
    common = rng.normal(size=(bars, 1)) * rng.uniform(0.5, 2.0, symbols) * market
    returns = np.vstack([np.zeros((1, symbols)), (common + residuals) * 1e-3])
    return pd.DataFrame(np.exp(returns.cumsum(axis=0)), columns=[f"S{n}" for n in range(symbols)])


def unrelated(task: tuple[str, int, int]) -> dict[str, object]:
    """What is said of symbols of which nothing should be said."""
    kind, window, families = task
    rng = np.random.default_rng(SEED)
    rows = []
    for _ in range(families):
        found = factor_scores(
            closes_of(rng, KINDS[kind](rng, 2 * window), 1.0), window=window, factors=1
        )
        table = found.table
        extreme = table["passes"] & (table["s_score"].abs() > OPEN_AT)
        rows.append((
            (table["pvalue"] < LEVEL).mean(), float((table["qvalue"] < LEVEL).any()),
            table["passes"].mean(), found.white.passing / SYMBOLS, extreme.mean(),
            found.white.extreme / SYMBOLS, np.isfinite(table["half_life"]).mean(),
        ))  # fmt: skip
    names = ("p < 5 %", "a q < 5 %", "filter", "expected", "open", "expected open", "a half-life")
    return {"kind": kind, "window": window} | percents(names, rows)


def returning(task: tuple[int, int, int]) -> dict[str, object]:
    """What is found of residuals that return, and how far off their half-lives read."""
    life, window, families = task
    rng = np.random.default_rng(SEED)
    phi, rows = 0.5 ** (1.0 / life), []
    plain: list[float] = []
    corrected: list[float] = []
    for _ in range(families):
        walk = rng.normal(size=(2 * window + 301, RETURNING))
        for bar in range(1, len(walk)):
            walk[bar] += phi * walk[bar - 1]
        residuals = gauss(rng, 2 * window)
        residuals[:, :RETURNING] = np.diff(walk[300:], axis=0)
        table = factor_scores(closes_of(rng, residuals, 1.0), window=window, factors=1).table
        true = table[table["symbol"].isin([f"S{n}" for n in range(RETURNING)])]
        holds = (true["half_life_low"] <= life) & (life <= true["half_life_high"])
        rows.append((
            (true["pvalue"] < LEVEL).mean(), (true["qvalue"] < LEVEL).mean(),
            true["passes"].mean(), holds.mean(),
        ))  # fmt: skip
        plain.extend(true["half_life_plain"] / life)
        corrected.extend(true["half_life"] / life)
    names = ("p < 5 %", "q < 5 %", "filter", "interval holds")
    return {
        "half-life": life, "window": window, **percents(names, rows),
        "ln 2 / kappa over the truth": round(float(np.nanmedian(plain)), 2),
        "median-unbiased": round(float(np.nanmedian(corrected)), 2),
    }  # fmt: skip


def factorless(task: tuple[str, int, int]) -> dict[str, object]:
    """How often a factor is counted among returns that nothing ties."""
    kind, window, families = task
    rng = np.random.default_rng(SEED)
    rows = []
    for _ in range(families):
        found = factor_scores(closes_of(rng, KINDS[kind](rng, window), 0.0), window=window)
        rows.append((found.eigenvalues[0] > found.edge, found.standing_out > 0))
    return {"kind": kind, "bars": window} | percents(("above the edge", "sign flips"), rows)


def percents(names: tuple[str, ...], rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Mean of each column in percent."""
    return dict(zip(names, np.round(100 * np.mean(rows, axis=0), 1).tolist(), strict=True))


if __name__ == "__main__":
    main()
