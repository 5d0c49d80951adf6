"""Closes and questions for tests of research: walks, one pair that returns, small grids."""

import numpy as np
import pandas as pd

from analytics.research import Closes, ResearchSpec

SYMBOLS = tuple(f"{letter}USDT" for letter in "ABCD")
BARS = 3_000


def walks(bars: int = BARS, seed: int = 1, symbols: tuple[str, ...] = SYMBOLS) -> pd.DataFrame:
    """Unrelated walks, but for the second symbol, which returns to the first."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 4e-3, (bars, len(symbols))).cumsum(axis=0)
    rest = np.zeros(bars)
    for t in range(1, bars):
        rest[t] = 0.85 * rest[t - 1] + rng.normal(0, 8e-3)
    logs[:, 1] = logs[:, 0] + rest
    index = pd.date_range("2024-01-20", periods=bars, freq="5min", tz="UTC", name="time")
    return pd.DataFrame(100.0 * np.exp(logs), columns=list(symbols), index=index)


def closes(bars: int = BARS, seed: int = 1, symbols: tuple[str, ...] = SYMBOLS) -> Closes:
    return Closes.of_frame(walks(bars, seed, symbols))


def spec_of(symbols: tuple[str, ...] = SYMBOLS, **changes: object) -> ResearchSpec:
    asked: dict[str, object] = {
        "interval": "5min", "windows": (60, 120), "entries": (1.0, 1.5, 2.0), "train_bars": 600,
        "test_bars": 200,
    }  # fmt: skip
    return ResearchSpec(symbols, **{**asked, **changes})  # type: ignore[arg-type]
