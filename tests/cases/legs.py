"""Two legs of a made-up pair, with holes where a test wants them."""

import numpy as np
import pandas as pd

from analytics.bars import resample_ticks
from analytics.frames import utc_index

START_US = 1_723_161_600_000_000


def leg(prices: np.ndarray, lost: tuple[int, ...] = ()) -> pd.DataFrame:
    seconds = np.arange(len(prices))
    ticks = pd.DataFrame(
        {"symbol": "X", "price": prices, "quantity": 1.0, "trade_id": seconds},
        index=utc_index(START_US + seconds * 1_000_000),
    )
    return resample_ticks(ticks.drop(ticks.index[list(lost)]), "1s")


def legs(
    n: int = 600, seed: int = 1, lost: tuple[int, ...] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    x = 2600 + rng.normal(size=n).cumsum()
    y = 5000 + 2 * x + rng.normal(size=n) * 5
    return leg(np.round(y, 2)), leg(np.round(x, 2), lost)
