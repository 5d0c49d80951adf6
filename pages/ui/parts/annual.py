"""When a span is long enough for a year's rate to mean anything."""

from typing import Final

import pandas as pd

SHORTEST_ANNUAL: Final = pd.Timedelta(days=2)


def is_too_short(bars: int, step: pd.Timedelta) -> bool:
    """Whether so many bars span too little time for a year's rate to mean anything."""
    return bars * step < SHORTEST_ANNUAL
