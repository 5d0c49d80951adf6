"""What a ticks frame and a bars frame are; checks, intervals, pair alignment."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from analytics.errors import FrameError, ParameterError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Coverage = Literal["traded", "quiet", "missing"]
COVERAGE: Final[tuple[Coverage, ...]] = ("traded", "quiet", "missing")
BAR_COLUMNS: Final = ("open", "high", "low", "close", "volume", "trades", "coverage")
TICK_COLUMNS: Final = ("symbol", "price", "quantity")

_SECOND_US = 1_000_000
_UTC: Final = pd.DatetimeTZDtype("us", "UTC")
_YEAR_US = 365 * 24 * 3600 * _SECOND_US


@dataclass(frozen=True, slots=True)
class Interval:
    """The length of a bar.

    Attributes
    ----------
    name
        Canonical name, as in ``PairParams.interval``: ``"1s"``, ``"5min"``.
    us
        Length in microseconds.
    label
        As shown to the user: ``"1S"``, ``"1T"``, ``"5T"``.
    """

    name: str
    us: int
    label: str

    @property
    def timedelta(self) -> pd.Timedelta:
        """Length as a Timedelta of microseconds."""
        return pd.Timedelta(self.us, unit="us").as_unit("us")

    @property
    def bars_per_year(self) -> float:
        """Bars in a year of this market: 365 days of 24 hours."""
        return _YEAR_US / self.us


INTERVALS: Final[tuple[Interval, ...]] = (
    Interval("1s", _SECOND_US, "1S"),
    Interval("5s", 5 * _SECOND_US, "5S"),
    Interval("15s", 15 * _SECOND_US, "15S"),
    Interval("30s", 30 * _SECOND_US, "30S"),
    Interval("1min", 60 * _SECOND_US, "1T"),
    Interval("5min", 300 * _SECOND_US, "5T"),
    Interval("15min", 900 * _SECOND_US, "15T"),
    Interval("1h", 3600 * _SECOND_US, "1H"),
)

_BY_NAME: Final = {
    alias: interval
    for interval in INTERVALS
    for alias in (
        interval.name,
        interval.label,
        # Binance writes minutes as "1m"; "1M" stays unknown: it means a month there.
        interval.name.replace("min", "m"),
    )
}


def parse_interval(name: str | Interval) -> Interval:
    """Find an interval by its canonical name (``1min``), its label (``1T``) or Binance's (``1m``).

    Raises
    ------
    ParameterError
        For any other name; the message lists those known.
    """
    if isinstance(name, Interval):
        return name
    interval = _BY_NAME.get(name)
    if interval is None:
        raise ParameterError("interval", name, f"one of {', '.join(i.name for i in INTERVALS)}")
    return interval


def utc_index(times_us: IntArray) -> pd.DatetimeIndex:
    """Turn microseconds since the epoch into the index of ticks and bars frames, without a copy."""
    return pd.DatetimeIndex(times_us, dtype=_UTC, name="time", copy=False)


def bar_times_us(index: pd.Index) -> IntArray:
    """Microseconds since the epoch of a zone-aware time index.

    Raises
    ------
    FrameError
        When the index is no DatetimeIndex or carries no zone.
    """
    if not isinstance(index, pd.DatetimeIndex):
        raise FrameError(f"the index must be a UTC DatetimeIndex, had {type(index).__name__}")
    if index.tz is None:
        raise FrameError(
            "the index carries no time zone: say which with tz_localize('UTC') or another"
        )
    return index.as_unit("us").asi8


def first_bar(index: pd.Index) -> int:
    """Number of the first of even bars, counted in bars from the epoch; 0 where it has no time."""
    if not isinstance(index, pd.DatetimeIndex) or len(index) < 2:
        return 0
    first_us, next_us = index[:2].as_unit("us").asi8
    return int(first_us // (next_us - first_us))


def _check_columns(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise FrameError(f"{what} must be a DataFrame, had {type(frame).__name__}")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise FrameError(
            f"{what} needs the columns {', '.join(columns)}; missing {', '.join(missing)}"
        )


def _first_bad(ticks: pd.DataFrame, column: str, bad: BoolArray, rule: str) -> FrameError:
    row = int(np.argmax(bad))
    return FrameError(
        f"{column} must be {rule}; {int(bad.sum())} of {len(ticks)} ticks are not, "
        f"first {ticks[column].iloc[row]} at {ticks.index[row]}"
    )


def check_ticks(ticks: pd.DataFrame) -> None:
    """Raise FrameError unless this is a ticks frame with usable prices and quantities.

    A ticks frame has a zone-aware DatetimeIndex and ``symbol``, ``price`` (quote currency, finite,
    > 0) and ``quantity`` (base currency, finite, >= 0); ``trade_id`` (integers) where known.
    """
    _check_columns(ticks, TICK_COLUMNS, "a ticks frame")
    if ticks.empty:
        return
    times_us = bar_times_us(ticks.index)
    if ticks.index.hasnans:
        raise FrameError(f"{int(pd.isna(ticks.index).sum())} of {times_us.size} ticks have no time")
    price = ticks["price"].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~(np.isfinite(price) & (price > 0))
    if bad.any():
        raise _first_bad(ticks, "price", bad, "finite and above 0")
    quantity = ticks["quantity"].to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~(np.isfinite(quantity) & (quantity >= 0))
    if bad.any():
        raise _first_bad(ticks, "quantity", bad, "finite and not negative")
    if "trade_id" in ticks.columns and not pd.api.types.is_integer_dtype(ticks["trade_id"]):
        raise FrameError(f"trade_id must hold integers, had {ticks['trade_id'].dtype}")


def check_bars(bars: pd.DataFrame, what: str = "a bars frame") -> None:
    """Raise FrameError unless this is a bars frame: the columns, and every bar of its span."""
    _check_columns(bars, BAR_COLUMNS, what)
    if len(bars) < 2:
        return
    steps = np.diff(bar_times_us(bars.index))
    if steps[0] <= 0 or (steps != steps[0]).any():
        raise FrameError(
            f"{what} holds every bar of its span, evenly spaced; the spacing here runs from "
            f"{steps.min() / _SECOND_US:g} s to {steps.max() / _SECOND_US:g} s"
        )


def empty_bars() -> pd.DataFrame:
    """Build the bars frame of no ticks: all columns and types, no rows."""
    columns: dict[str, pd.Series] = {
        name: pd.Series([], dtype="float64") for name in BAR_COLUMNS[:5]
    }
    columns["trades"] = pd.Series([], dtype="int64")
    columns["coverage"] = pd.Series([], dtype="str")
    frame = pd.DataFrame(columns)
    frame.index = utc_index(np.empty(0, dtype=np.int64))
    return frame


def closed_bars(bars: pd.DataFrame) -> pd.DataFrame:
    """Drop the bar still forming (``attrs["forming"]``, its open time): closed bars only.

    Without the mark all bars are taken as closed. The frame given is not changed.
    """
    forming = bars.attrs.get("forming")
    if forming is None:
        return bars
    closed: pd.DataFrame = bars.loc[bars.index < forming]
    closed.attrs = {key: value for key, value in bars.attrs.items() if key != "forming"}
    return closed


def align_pair(y_bars: pd.DataFrame, x_bars: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut two bars frames to the intersection of their spans, every bar of it.

    Returns
    -------
    tuple[DataFrame, DataFrame]
        Two frames with the same index; both empty where the spans do not meet. Missing bars stay
        in, as NaN.

    Raises
    ------
    FrameError
        When either is no bars frame, or the two have different intervals.
    """
    check_bars(y_bars, "the bars of y")
    check_bars(x_bars, "the bars of x")
    if y_bars.empty or x_bars.empty:
        return y_bars.iloc[:0], x_bars.iloc[:0]
    start = max(y_bars.index[0], x_bars.index[0])
    end = min(y_bars.index[-1], x_bars.index[-1])
    y_cut, x_cut = y_bars.loc[start:end], x_bars.loc[start:end]
    if not y_cut.index.equals(x_cut.index):
        raise FrameError(
            f"the legs have different bars between {start} and {end}: {len(y_cut)} of y, "
            f"{len(x_cut)} of x. Resample both to one interval"
        )
    return y_cut, x_cut
