"""Stored one-second bars into bars of any interval, on a grid without holes. Arrays only."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.errors import StoreError
from ingest.store.schema import UNITS

SECOND_US = 1_000_000
# Names as `analytics.frames` has them; this room may not import that one.
_LENGTHS = {"s": 1, "S": 1, "min": 60, "T": 60, "h": 3600, "H": 3600}
_INTERVAL_SECONDS = {
    f"{count}{unit}": count * length
    for unit, length in _LENGTHS.items()
    for count in {1: (1, 5, 15, 30), 60: (1, 5, 15), 3600: (1,)}[length]
}
# Codes of the coverage column, in the order of `analytics.frames.COVERAGE`.
TRADED, QUIET, MISSING = range(3)
KINDS: Final = ("traded", "quiet", "missing")

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
# A row of the database: `at` is the second it opens, volume in units of 1e-8.
StoredRows = npt.NDArray[np.void]
Spans = list[tuple[int, int]]
STORED_ROW: Final = np.dtype(
    [
        ("at", "i8"),
        *((name, "f8") for name in ("open", "high", "low", "close")),
        ("volume", "i8"),
        ("trades", "i8"),
    ]
)
_TAKEN = ("open", "high", "low", "close", "trades")
_EXACT = 2**53
_SAFE_SUM = 2.0**62


def interval_seconds(interval: str) -> int:
    """Length of a named interval; `StoreError` for an unknown name."""
    if interval not in _INTERVAL_SECONDS:
        raise StoreError(f"unknown interval {interval!r}: one of {', '.join(_INTERVAL_SECONDS)}")
    return _INTERVAL_SECONDS[interval]


def time_index(times_us: IntArray) -> pd.DatetimeIndex:
    """UTC index of µs since the epoch, named time."""
    return pd.DatetimeIndex(times_us.view("M8[us]"), name="time").tz_localize("UTC")


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """Bars of one symbol on a grid without holes, a column an array. Never changed once made.

    Attributes
    ----------
    first, seconds
        The first bar opens ``first * seconds`` after the epoch; the next ones follow.
    open, high, low, close
        Quote currency; NaN where missing.
    volume, trades
        Base currency; NaN and 0 where missing.
    coverage
        `TRADED`, `QUIET` or `MISSING` (int8).
    has_row
        Whether the database has a bar there, shown or not.
    from_klines
        Whether it is made of the exchange's own bars, at least in part, inside a gap of the trades.
    sources
        Who says what it holds: flags of `sources.origins` (uint8); 0 where missing.
    """

    first: int
    seconds: int
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    trades: IntArray
    coverage: npt.NDArray[np.int8]
    has_row: BoolArray
    from_klines: BoolArray
    sources: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.close)

    @property
    def times_us(self) -> IntArray:
        """Open of each bar, µs since the epoch."""
        step_us = self.seconds * SECOND_US
        return np.arange(self.first, self.first + len(self), dtype=np.int64) * step_us

    def part(self, start: int, stop: int) -> "BarColumns":
        """Rows from `start` to `stop`, as views."""
        rows = slice(start, stop)
        return BarColumns(self.first + start, self.seconds, *[each[rows] for each in self.arrays()])

    def copied(self, start: int, stop: int) -> "BarColumns":
        """Rows from `start` to `stop` in memory of their own."""
        copies = [each[start:stop].copy() for each in self.arrays()]
        return BarColumns(self.first + start, self.seconds, *copies)

    def arrays(self) -> tuple[Any, ...]:
        """The columns in order."""
        return (
            *(self.open, self.high, self.low, self.close),
            *(self.volume, self.trades, self.coverage, self.has_row, self.from_klines),
            self.sources,
        )

    def kline_spans(self) -> Spans:
        """Seconds ``(low, high)``, `high` excluded, of the bars that are `from_klines`."""
        if not self.from_klines.any():
            return []
        edges = np.flatnonzero(np.diff(self.from_klines, prepend=False, append=False))
        at = ((edges + self.first) * self.seconds).tolist()
        return list(zip(at[::2], at[1::2], strict=True))

    def frame(self) -> pd.DataFrame:
        """Copy into a bars frame."""
        names = ("open", "high", "low", "close", "volume", "trades")
        columns = {name: getattr(self, name) for name in names}
        frame = pd.DataFrame(columns, copy=True)
        words = pd.array(list(KINDS), dtype="str").take(self.coverage)
        frame["coverage"] = pd.Series(words, copy=False)
        frame.index = time_index(self.times_us)
        return frame


def new_columns(first: int, seconds: int, size: int) -> BarColumns:
    """Room for `size` bars, not filled."""
    return BarColumns(
        first,
        seconds,
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size),
        np.empty(size, dtype=np.int64),
        np.empty(size, dtype=np.int8),
        np.empty(size, dtype=np.bool_),
        np.zeros(size, dtype=np.bool_),
        np.zeros(size, dtype=np.uint8),
    )


def empty_bars() -> pd.DataFrame:
    """A bars frame without a bar."""
    return new_columns(0, 1, 0).frame()


@dataclass(frozen=True, slots=True, eq=False)
class BarRows:
    """Bars that hold a trade, in order: `at` counts bars since the epoch, volume is in full."""

    at: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    trades: IntArray

    def where(self, chosen: BoolArray) -> "BarRows":
        """Only some of them."""
        return BarRows(
            self.at[chosen],
            self.open[chosen],
            self.high[chosen],
            self.low[chosen],
            self.close[chosen],
            self.volume[chosen],
            self.trades[chosen],
        )


def merge_rows(rows: StoredRows, seconds: int) -> BarRows:
    """Merge stored rows, in order, into bars of `seconds`."""
    at = rows["at"] // seconds
    is_another = at[1:] != at[:-1]
    if is_another.all():  # nothing to merge: columns out of records, contiguous
        o, h, lo, c, trades = (np.ascontiguousarray(rows[name]) for name in _TAKEN)
        return BarRows(at, o, h, lo, c, _in_full(rows["volume"]), trades)
    changes = np.flatnonzero(is_another)
    starts, ends = np.append(0, changes + 1), np.append(changes, at.size - 1)
    return BarRows(
        at[starts],
        rows["open"][starts],
        np.maximum.reduceat(rows["high"], starts),
        np.minimum.reduceat(rows["low"], starts),
        rows["close"][ends],
        _sum_units(rows["volume"], starts),
        np.add.reduceat(rows["trades"], starts),
    )


def _sum_units(units: IntArray, starts: IntArray) -> FloatArray:
    """Sums of volumes in units of 1e-8, in full: the double nearest to the decimal sum."""
    if float(np.abs(units.astype(np.float64)).sum()) < _SAFE_SUM:
        return _in_full(np.add.reduceat(units, starts))
    stops = [*starts[1:].tolist(), units.size]
    groups = zip(starts.tolist(), stops, strict=True)
    return np.array([sum(units[start:stop].tolist()) / UNITS for start, stop in groups])


def _in_full(units: IntArray) -> FloatArray:
    volume: FloatArray = units / UNITS
    is_big = units > _EXACT
    for big in np.flatnonzero(is_big) if is_big.any() else ():
        # numpy rounds to a double before dividing; Python divides integers in one rounding.
        volume[big] = int(units[big]) / UNITS
    return volume


def lay_bars(rows: BarRows, out: BarColumns, missing: BoolArray, before: float) -> None:
    """Lay bars on the grid of `out`, and fill it wholly.

    Parameters
    ----------
    rows
        Bars that hold a trade, inside the grid.
    out
        Filled in place.
    missing
        Which bars of the grid end inside a gap: their close is not known.
    before
        The close before the grid, which quiet bars carry; NaN where it is not known.

    A quiet bar after a missing one is missing: no close is carried across what is not known.
    """
    size = len(out)
    if rows.at.size == size and not missing.any() and not np.isnan(rows.close).any():
        _lay_all(rows, out)
        return
    place = rows.at - out.first
    out.has_row[:] = False
    out.has_row[place] = True
    stated = np.full(size, np.nan)
    stated[place] = rows.close
    stated[missing] = np.nan
    source = np.maximum.accumulate(np.where(out.has_row | missing, np.arange(size), -1))
    out.close[:] = np.where(source >= 0, stated[source], before)
    out.coverage[:] = QUIET
    out.coverage[place] = TRADED
    unknown = np.isnan(out.close)
    out.coverage[unknown] = MISSING
    shown = ~unknown[place]
    at = place[shown]
    for name in ("open", "high", "low"):
        column = getattr(out, name)
        column[:] = out.close
        column[at] = getattr(rows, name)[shown]
    out.volume[:] = np.where(unknown, np.nan, 0.0)
    out.volume[at] = rows.volume[shown]
    out.trades[:] = 0
    out.trades[at] = rows.trades[shown]


def _lay_all(rows: BarRows, out: BarColumns) -> None:
    """Lay bars of which none is quiet or missing."""
    out.has_row[:], out.coverage[:] = True, TRADED
    for name in ("open", "high", "low", "close", "volume", "trades"):
        getattr(out, name)[:] = getattr(rows, name)


def in_gaps(first: int, size: int, seconds: int, gaps: Spans) -> BoolArray:
    """Which bars end inside a gap ``(after_us, before_us]``: their close is not known."""
    missing = np.zeros(size, dtype=np.bool_)
    for after_us, before_us in gaps:
        low, high = gap_bars(after_us, before_us, seconds)
        missing[max(low - first, 0) : max(high - first + 1, 0)] = True
    return missing


def gap_bars(after_us: int, before_us: int, seconds: int) -> tuple[int, int]:
    """First and last bar (both inclusive, counted since the epoch) that end inside a gap."""
    step_us = seconds * SECOND_US
    return after_us // step_us, before_us // step_us - 1


def gap_seconds(gaps: Spans, low: int, high: int) -> Spans:
    """Seconds ``(low, high)`` that lie in gaps, even in part, inside bounds; merged, in order."""
    spans: Spans = []
    for after_us, before_us in sorted(gaps):
        begin, end = max(after_us // SECOND_US, low), min(before_us // SECOND_US + 1, high)
        if begin >= end:
            continue
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans


def runs(rows: StoredRows, length: int) -> Spans:
    """Seconds ``(low, high)`` that rows of `length` seconds each cover, `high` excluded."""
    at = rows["at"]
    if not at.size:
        return []
    breaks = np.flatnonzero(np.diff(at) != length)
    lows = at[np.concatenate([[0], breaks + 1])]
    highs = at[np.concatenate([breaks, [at.size - 1]])] + length
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def merged_spans(spans: Iterable[tuple[int, int]]) -> Spans:
    """Join spans that touch or overlap, in order; the ends ``high`` are excluded."""
    joined: Spans = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def without_spans(spans: Spans, cuts: Spans) -> Spans:
    """Take spans out of others, in order; the ends ``high`` are excluded."""
    remainder: Spans = []
    cuts = sorted(cuts)
    for low, high in spans:
        at = low
        for cut_low, cut_high in cuts[bisect_left(cuts, low, key=lambda cut: cut[1]) :]:
            if cut_low >= high:
                break
            if cut_low > at:
                remainder.append((at, cut_low))
            at = max(at, cut_high)
        if at < high:
            remainder.append((at, high))
    return remainder
