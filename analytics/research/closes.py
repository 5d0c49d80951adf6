"""Closes of many symbols on one even grid, as plain arrays: what a task works on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analytics.errors import FrameError
from analytics.frames import FloatArray, bar_times_us, utc_index
from analytics.scanner import even_closes

COVERAGES: Final = pd.Index(["traded", "missing"])


@dataclass(frozen=True, slots=True)
class Grid:
    """Bars that follow each other without a hole.

    Attributes
    ----------
    start_us
        Open of the first, µs since 1970, UTC.
    step_us
        Length of each.
    bars
        How many.
    """

    start_us: int
    step_us: int
    bars: int

    def index(self, low: int = 0, high: int | None = None) -> pd.DatetimeIndex:
        """Open times of the bars ``low`` to ``high`` (not included)."""
        places = np.arange(low, self.bars if high is None else high, dtype=np.int64)
        return utc_index(self.start_us + self.step_us * places)


@dataclass(frozen=True, slots=True, eq=False)
class Closes:
    """Closes by symbol, each of shape (bars,), float64; NaN where a bar is missing."""

    grid: Grid
    by_symbol: Mapping[str, FloatArray]

    @classmethod
    def of_frame(cls, closes: pd.DataFrame) -> "Closes":
        """Take a frame with a column a symbol and a UTC index; bars not there become missing.

        Raises
        ------
        FrameError
            Times that repeat, go back or fit no grid; fewer than two bars; closes that are
            infinite, 0 or less.
        """
        even = even_closes(closes)
        if not isinstance(even.index, pd.DatetimeIndex) or len(even) < 2:
            raise FrameError(f"research needs two bars with their times or more, had {len(even)}")
        times = bar_times_us(even.index)
        columns = {}
        for name in even.columns:
            values = np.ascontiguousarray(even[name].to_numpy(dtype=np.float64, na_value=np.nan))
            if not (np.isnan(values) | (np.isfinite(values) & (values > 0))).all():
                raise FrameError(f"closes of {name} that are 0, negative or infinite")
            columns[str(name)] = values
        return cls(Grid(int(times[0]), int(times[1] - times[0]), len(even)), columns)

    def frame(self, symbols: tuple[str, ...], low: int, high: int) -> pd.DataFrame:
        """Lay the bars ``low`` to ``high`` (not included) of some symbols out, a column each."""
        columns = {name: self.by_symbol[name][low:high] for name in symbols}
        return pd.DataFrame(columns, index=self.grid.index(low, high))

    def bars(self, symbol: str) -> pd.DataFrame:
        """Return the bars frame of closes alone: an order is filled at the close of a bar.

        A position decided at a close is thus taken a whole bar later, at the next close.
        """
        close = self.by_symbol[symbol]
        # Codes, not a text a bar: a column of texts takes longer to make than all the rest.
        coverage = pd.Categorical.from_codes(np.isnan(close).astype(np.int8), COVERAGES)
        return pd.DataFrame(
            {
                **dict.fromkeys(("open", "high", "low", "close"), close),
                "volume": np.nan,
                "trades": 0,
                "coverage": coverage,
            },
            index=self.grid.index(),
        )


def digest_of(values: FloatArray) -> str:
    """Name a column of closes by its bits."""
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()
