"""What a scan takes: closes of many symbols on one even grid, missing bars as NaN."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from analytics.errors import FrameError, InvalidSeriesError, NotEnoughDataError, ParameterError
from analytics.frames import FloatArray, bar_times_us, parse_interval, utc_index

ScanOn = Literal["log", "price"]

_MAX_BARS: Final = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Closes by symbol, rows of shape (symbols, bars).

    Attributes
    ----------
    values
        Logarithms or prices, as asked; NaN at missing bars, and all through a symbol that takes no
        part.
    is_log
        Whether these are logarithms.
    unusable
        Why a symbol takes no part; empty for one that does.
    """

    names: tuple[str, ...]
    values: FloatArray
    is_log: bool
    unusable: tuple[str, ...]

    def returns(self) -> FloatArray:
        """Log returns into each bar, NaN where one of the two closes is missing."""
        logs = self.values if self.is_log else np.log(self.values)
        returns = np.full_like(logs, np.nan)
        np.subtract(logs[:, 1:], logs[:, :-1], out=returns[:, 1:])
        return returns


def even_closes(closes: pd.DataFrame) -> pd.DataFrame:
    """Lay closes on an even grid of their smallest step: bars not there become missing (NaN).

    Without a DatetimeIndex the rows are taken as consecutive bars.

    Raises
    ------
    FrameError
        Times that repeat, go back, carry no zone, or fit no grid of a sensible length.
    """
    if not isinstance(closes.index, pd.DatetimeIndex) or len(closes) < 2:
        return closes
    times_us = bar_times_us(closes.index)
    steps = np.diff(times_us)
    step = int(steps.min())
    if step <= 0:
        raise FrameError("the times of closes must increase: sort them and drop repeated ones")
    if (steps == step).all():
        return closes
    count = int((times_us[-1] - times_us[0]) // step) + 1
    if (steps % step).any() or count > _MAX_BARS:
        raise FrameError(
            f"the times of closes lie on no even grid of {step / 1e6:g} s: resample them first"
        )
    grid = times_us[0] + step * np.arange(count, dtype=np.int64)
    return closes.set_axis(utc_index(times_us), axis=0).reindex(utc_index(grid))


def coarser_closes(closes: pd.DataFrame, interval: str) -> pd.DataFrame:
    """Take the closes of longer bars: that of the last short bar in each, or missing with it.

    Nothing is carried into a bar whose end is not known, as in the database's own bars.

    Raises
    ------
    ParameterError
        An interval unknown, or no multiple of the step of `closes`.
    FrameError
        As `even_closes`; closes that carry no times.
    """
    target = parse_interval(interval)
    even = even_closes(closes)
    times_us = bar_times_us(even.index)
    step = int(times_us[1] - times_us[0]) if times_us.size > 1 else target.us
    if target.us % step:
        raise ParameterError("interval", interval, f"a multiple of the closes' {step / 1e6:g} s")
    ends = np.flatnonzero((times_us + step) % target.us == 0)
    index = utc_index(times_us[ends] + step - target.us)
    return even.iloc[ends].set_axis(index, axis=0)


def make_panel(closes: pd.DataFrame, on: ScanOn) -> Panel:
    """Check closes and turn them into rows a symbol.

    Raises
    ------
    FrameError
        No DataFrame, or names that repeat.
    NotEnoughDataError
        Fewer than two symbols.
    InvalidSeriesError
        Values that are no numbers, or infinite ones.
    """
    if not isinstance(closes, pd.DataFrame):
        raise FrameError(f"closes must be a DataFrame, had {type(closes).__name__}")
    names = tuple(str(name) for name in closes.columns)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FrameError(f"closes name {twice} more than once")
    if len(names) < 2:
        raise NotEnoughDataError("a scan", 2, len(names), "symbols")
    try:
        prices = np.array(closes.to_numpy(dtype=np.float64, na_value=np.nan).T, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"closes must hold numbers: {error}") from error
    if np.isinf(prices).any():
        name = names[int(np.argmax(np.isinf(prices).any(axis=1)))]
        raise InvalidSeriesError(f"the closes of {name} hold infinite values")
    unusable = tuple(map(_why_unusable, prices))
    prices[[reason != "" for reason in unusable]] = np.nan
    # In place: of a month of hundreds of symbols each copy counts.
    values = np.log(prices, out=prices) if on == "log" else prices
    return Panel(names, values, on == "log", unusable)


def _why_unusable(prices: FloatArray) -> str:
    known = prices[~np.isnan(prices)]
    if not known.size:
        return "no close is known"
    if (known <= 0).any():
        return f"{int((known <= 0).sum())} closes are 0 or less"
    if known.min() == known.max():
        return f"constant over all {known.size} bars"
    return ""
