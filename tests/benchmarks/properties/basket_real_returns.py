"""How often the baskets page says "more of a return" of legs of real returns that nothing ties.

    nice python tests/benchmarks/properties/basket_real_returns.py
        [--samples 400] [--draws 199] [--closes FILE]

Legs are pieces of the recorded minute returns of 20 symbols of 2021 from unrelated places, some
upside down. Prints the table of pages/ui/baskets/README.md: with 400 samples a share of 10 % is
known to within 3 points (two standard errors).
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from analytics.baskets import METHODS, BasketMethod, fit_basket, wild_basket_test
from analytics.baskets.judge import basket_adf, basket_test

ROOT = Path(__file__).resolve().parents[4]
CLOSES = ROOT / "shared/data/binance_spot_closes_1m_20symbols_202104.csv.gz"
LEVEL, SEED = 0.05, 7
# Bars of a sample, and minutes of each.
SPANS = {"1,440 bars of 1 min": (1_440, 1), "400 bars of 15 min": (400, 15)}
SYMBOLS = (3, 5, 8)


def main() -> None:
    """Print a row for each kind of sample."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--draws", type=int, default=0, help="of the wild bootstrap, 0 for none")
    parser.add_argument("--closes", type=Path, default=CLOSES)
    options = parser.parse_args()
    closes = pd.read_csv(options.closes, index_col=0).select_dtypes("number").ffill().dropna()
    returns = np.diff(np.log(closes.to_numpy()), axis=0)
    rng = np.random.default_rng(SEED)
    print("| sample | symbols |", " | ".join(METHODS), "|")
    print("|---|---|---|---|---|")
    for span, (bars, minutes) in SPANS.items():
        for symbols in SYMBOLS:
            drawn = [legs(returns, rng, symbols, bars, minutes) for _ in range(options.samples)]
            shares = [f"{share(drawn, method, options.draws):.1%}" for method in METHODS]
            print(f"| {span} | {symbols} |", " | ".join(shares), "|", flush=True)


def legs(
    returns: np.ndarray, rng: np.random.Generator, symbols: int, bars: int, minutes: int
) -> pd.DataFrame:
    """Log prices of as many unrelated pieces, shape (bars, symbols)."""
    length = bars * minutes
    pieces = []
    for _ in range(symbols):
        start = rng.integers(len(returns) - length)
        piece = returns[start : start + length, rng.integers(returns.shape[1])]
        pieces.append((piece * rng.choice([-1.0, 1.0])).cumsum()[minutes - 1 :: minutes])
    return pd.DataFrame(np.column_stack(pieces), columns=list("ABCDEFGH"[:symbols]))


def share(drawn: list[pd.DataFrame], method: BasketMethod, draws: int) -> float:
    """Share of the samples whose p-value, the larger of both, is below the level."""
    return float(np.mean([is_below(logs, method, draws) for logs in drawn]))


def is_below(logs: pd.DataFrame, method: BasketMethod, draws: int) -> bool:
    """Whether the table's p-value is below the level, and that of draws too where there are any."""
    fit = fit_basket(logs, method)
    if basket_test(basket_adf(fit.spread(logs), fit), fit).pvalue >= LEVEL:
        return False
    return not draws or wild_basket_test(logs, method, draws).pvalue < LEVEL


if __name__ == "__main__":
    main()
