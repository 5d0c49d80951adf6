"""Baskets for the tests: log prices with one relation, or with none."""

import numpy as np
import pandas as pd

from cases.backtest import bars

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")


def walks(bars_: int, symbols: int, seed: int) -> np.ndarray:
    """Unrelated log prices."""
    rng = np.random.default_rng(seed)
    return 5.0 + 1e-3 * rng.standard_normal((bars_, symbols)).cumsum(axis=0)


def related(bars_: int, symbols: int, seed: int, keep: float = 0.8) -> np.ndarray:
    """Log prices of which the first is half of the second, less the third, and what returns."""
    values = walks(bars_, symbols, seed)
    rng = np.random.default_rng(seed + 1_000)
    rest = np.zeros(bars_)
    for t in range(1, bars_):
        rest[t] = keep * rest[t - 1] + 1e-3 * rng.standard_normal()
    values[:, 0] = 0.5 * values[:, 1] - values[:, 2] + rest
    return values


def logs_frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=list(NAMES[: values.shape[1]]))


def frames(
    values: np.ndarray,
    missing: dict[int, tuple[tuple[int, int], ...]] | None = None,
    quiet: dict[int, tuple[int, ...]] | None = None,
) -> list[pd.DataFrame]:
    """Bars of one minute, a frame a column, with holes by column."""
    return [
        bars(
            np.exp(column),
            missing=(missing or {}).get(place, ()),
            quiet=(quiet or {}).get(place, ()),
        )
        for place, column in enumerate(values.T)
    ]
