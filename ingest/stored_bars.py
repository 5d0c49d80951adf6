"""Rows of one-second bars, as the database keeps them, into a bars frame."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.schema import UNITS, StoreError

SECOND_US = 1_000_000
# Names as `analytics.frames` has them; this room may not import that one.
_LENGTHS = {"s": 1, "S": 1, "min": 60, "T": 60, "h": 3600, "H": 3600}
_INTERVAL_SECONDS = {
    f"{count}{unit}": count * length
    for unit, length in _LENGTHS.items()
    for count in {1: (1, 5, 15, 30), 60: (1, 5, 15), 3600: (1,)}[length]
}


class BarRow(NamedTuple):
    """A stored bar: `second` of its open, prices, volume in units of 1e-8, trades."""

    second: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


def interval_seconds(interval: str) -> int:
    """Length of a named interval; `StoreError` for a name that is none."""
    if interval not in _INTERVAL_SECONDS:
        raise StoreError(f"unknown interval {interval!r}: one of {', '.join(_INTERVAL_SECONDS)}")
    return _INTERVAL_SECONDS[interval]


def time_index(times_us: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    """UTC index of µs since the epoch, named time."""
    return pd.DatetimeIndex(times_us.view("M8[us]"), name="time").tz_localize("UTC")


def empty_bars() -> pd.DataFrame:
    """A bars frame without a bar."""
    return _bars_frame(
        np.empty(0, np.int64),
        np.empty((4, 0)),
        np.empty(0),
        np.empty(0, np.int64),
        np.empty(0, "U7"),
    )


def _bars_frame(
    times_us: npt.NDArray[np.int64],
    prices: npt.NDArray[np.float64],
    volume: npt.NDArray[np.float64],
    trades: npt.NDArray[np.int64],
    coverage: npt.NDArray[np.str_],
) -> pd.DataFrame:
    columns = dict(zip(("open", "high", "low", "close"), prices, strict=True))
    frame = pd.DataFrame({**columns, "volume": volume, "trades": trades})
    frame["coverage"] = pd.Series(coverage.astype(object), dtype="str")
    frame.index = time_index(times_us)
    return frame


def aggregate(
    rows: list[BarRow],
    seconds: int,
    gaps: list[tuple[int, int]],
) -> pd.DataFrame:
    """One-second rows to bars of `seconds`, on a grid without holes, with their coverage."""
    second, opens, highs, lows, closes, volumes, trades = zip(*rows, strict=True)
    bucket = np.array(second, dtype=np.int64) // seconds
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[starts[1:], len(bucket)] - 1
    at = bucket[starts] - bucket[0]
    size = int(at[-1]) + 1

    prices = np.full((4, size), np.nan)
    prices[0, at] = np.array(opens)[starts]
    prices[1, at] = np.maximum.reduceat(np.array(highs), starts)
    prices[2, at] = np.minimum.reduceat(np.array(lows), starts)
    prices[3, at] = np.array(closes)[ends]
    volume = np.zeros(size)
    volume[at] = _sum_units(volumes, starts)
    counts = np.zeros(size, dtype=np.int64)
    counts[at] = np.add.reduceat(np.array(trades, dtype=np.int64), starts)

    times_us = (bucket[0] + np.arange(size)) * seconds * SECOND_US
    coverage = np.where(counts > 0, "traded", "quiet").astype("U7")  # room for "missing"
    missing = _in_gaps(times_us + seconds * SECOND_US, gaps)
    missing |= _carry_close(prices, counts, missing)
    coverage[missing] = "missing"
    prices[:, missing], volume[missing], counts[missing] = np.nan, np.nan, 0
    return _bars_frame(times_us, prices, volume, counts, coverage)


def _sum_units(
    volumes: tuple[float, ...], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Sums of volumes in units of 1e-8, in base currency: exact while they are integers."""
    if not all(isinstance(volume, int) for volume in volumes):
        return np.add.reduceat(np.array(volumes, dtype=np.float64), starts) / UNITS
    units, scale = np.array(volumes, dtype=np.int64), UNITS
    while scale > 1 and not np.any(units % 10):
        units, scale = units // 10, scale // 10
    return np.asarray(np.add.reduceat(units, starts) / scale)


def join_klines(
    klines: list[BarRow], length_s: int, ticks: list[BarRow], first_us: int | None
) -> tuple[list[BarRow], list[tuple[int, int]], int | None]:
    """Put the exchange's own bars before the first tick's.

    Parameters
    ----------
    klines
        Bars of `length_s` seconds that open no later than the first tick, in order.
    ticks
        One-second bars from ticks, in order.
    first_us
        Time of the stream's first tick; None without any.

    Returns
    -------
    rows
        Klines, then those tick bars they do not cover: a kline replaces the second in which the
        recording began, of which the ticks know only a part.
    gaps
        ``(after_us, before_us)`` of what neither knows.
    until
        Second at which the klines end; None without klines.
    """
    if not klines:
        return ticks, [], None
    ends = [row.second + length_s for row in klines]
    begins = [row.second for row in klines[1:]]
    gaps = [
        (end * SECOND_US, begin * SECOND_US)
        for end, begin in zip(ends, begins, strict=False)
        if begin > end
    ]
    if first_us is not None and first_us > ends[-1] * SECOND_US:
        gaps.append((ends[-1] * SECOND_US, first_us))
    return klines + [row for row in ticks if row.second >= ends[-1]], gaps, ends[-1]


def _in_gaps(
    bar_ends_us: npt.NDArray[np.int64], gaps: list[tuple[int, int]]
) -> npt.NDArray[np.bool_]:
    """Which bars end inside a gap ``(after, before]``: their close is not known."""
    missing = np.zeros(len(bar_ends_us), dtype=bool)
    for after_us, before_us in gaps:
        low, high = np.searchsorted(bar_ends_us, [after_us, before_us], side="right")
        missing[low:high] = True
    return missing


def _carry_close(
    prices: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    missing: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Give quiet bars the close before them, in place. Returns those that have none to carry.

    A bar has none when a missing bar is the nearest one before it: a close is never carried
    across what is not known.
    """
    known = counts > 0
    source = np.maximum.accumulate(np.where(known | missing, np.arange(len(counts)), 0))
    quiet = ~known & ~missing
    prices[:, quiet] = prices[3, source[quiet]]
    return np.asarray(quiet & missing[source])
