"""The pair's series thinned for a screen: tables of few rows that stand still under appending."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pages.charts.decimate import (
    Thinned,
    bucket_candles,
    bucket_lengths,
    bucket_rows,
    bucket_size,
    bucket_sums,
)
from pages.charts.frame import Column, Table, coded, fitting_decimals
from pages.charts.pair_series import BUY_HELD, SELL_HELD, Floats, PairLabels, PairSeries

Arrays = dict[str, NDArray]
# Thinning gives more rows than this to a bucket: so few bars are better drawn as they are. A day
# shows its minutes in a chart of 1,100 px.
BARS_A_BUCKET = 4
# Buckets to a triangle, to a stretch of what is held and to a candle: finer ones run together.
MARK_BUCKETS, HELD_BUCKETS, CANDLE_BUCKETS = 8, 2, 3
DRAWN = ("price_y", "price_x", "spread", "mean", "std", "zscore", "correlation", "held")


@dataclass(frozen=True)
class Cut:
    """The rows that are looked at, in buckets of `size` bars; `first` counts from the epoch.

    Attributes
    ----------
    mark_size, held_size, candle_size
        Bars to a triangle of each kind, to a stretch of what is held, to a candle.
    """

    start: int
    end: int
    first: int
    size: int
    mark_size: int = 1
    held_size: int = 1
    candle_size: int = 1

    @property
    def rows(self) -> slice:
        """The rows as a slice."""
        return slice(self.start, self.end)


def cut(series: PairSeries, buckets: int, start_ms: float = -np.inf, end_ms: float = np.inf) -> Cut:
    """Choose the rows of a span and the bucket that brings them down to about `buckets`."""
    start = int(np.searchsorted(series.time_ms, start_ms))
    end = int(np.searchsorted(series.time_ms, end_ms, side="right"))
    first = round(float(series.time_ms[start]) / series.bar_ms) if start < len(series) else 0
    count = end - start
    size = 1 if count <= BARS_A_BUCKET * buckets else bucket_size(count, buckets)
    coarser = (
        bucket_size(max(count, 1), buckets // joined)
        for joined in (MARK_BUCKETS, HELD_BUCKETS, CANDLE_BUCKETS)
    )
    return Cut(start, end, first, size, *coarser)


def pair_arrays(series: PairSeries, seen: Cut, *, with_candles: bool = False) -> dict[str, Arrays]:
    """Thin the series.

    Returns
    -------
    dict
        Tables of columns, each with its `time` (ms), ascending. `bars`: the rows that hold the
        extremes and the gaps of prices, spread and z-score. `volume`: sums of each bucket.
        `marks`: where the rule begins to say SELL or BUY, the first of each in a bucket, with how
        many `entries` of its kind are in there. `held`: stretches by what the rule says during
        most of each bucket, SELL and BUY only. `candles`, where asked for: of the first leg, one a
        bucket from its `time` to its `end`.
    """
    if seen.start >= seen.end:
        return {
            name: _none(columns)
            for name, columns in _COLUMNS.items()
            if with_candles or name != "candles"
        }
    time_ms = series.time_ms[seen.rows]
    drawn = {name: getattr(series, name)[seen.rows] for name in DRAWN}
    leading = [drawn[name] for name in ("price_y", "price_x", "spread", "zscore")]
    moving = series.moving if seen.rows == slice(0, len(series)) and seen.size > 1 else None
    choose = bucket_rows if moving is None else moving.rows
    rows = choose(leading, seen.first, seen.size)
    bars = {"time": time_ms[rows], **{name: drawn[name][rows] for name in DRAWN}}
    tables = {
        "bars": bars,
        "volume": _volume(series, seen, moving),
        "marks": _marks(series, seen),
        "held": _held(time_ms, drawn["held"], seen, series.bar_ms, moving),
    }
    return tables | {"candles": _candles(series, seen)} if with_candles else tables


def pair_tables(
    arrays: dict[str, Arrays], labels: PairLabels, decimals: dict[str, int]
) -> dict[str, Table]:
    """Code the arrays; `decimals` keeps the steps of the series between refreshes."""
    shown = {
        "price_y": labels.price_decimals_y,
        "price_x": labels.price_decimals_x,
        "spread": labels.spread_decimals,
        "mean": labels.spread_decimals,
        "std": labels.spread_decimals,
        "zscore": 2,
        "correlation": 3,
        "volume_y": 0,
        "volume_x": 0,
        **dict.fromkeys(("open", "high", "low", "close"), labels.price_decimals_y),
    }
    exact = {"price_y", "price_x"}
    tables: dict[str, Table] = {}
    for table, columns in arrays.items():
        tables[table] = {}
        for name, values in columns.items():
            if name in exact or name not in shown:
                step = shown.get(name, 0)
            else:
                key = f"{table}.{name}"
                step = fitting_decimals(values, shown[name], decimals.get(key))
                decimals[key] = step
            tables[table][name] = _column(values, step)
    return tables


def _column(values: NDArray, decimals: int) -> Column:
    return coded(values.astype(np.float64, copy=False), decimals)


_COLUMNS = {
    "bars": ("time", *DRAWN),
    "volume": ("time", "volume_y", "volume_x"),
    "marks": ("time", "zscore", "held", "entries"),
    "held": ("time", "end", "held"),
    "candles": ("time", "end", "open", "high", "low", "close"),
}


def _none(columns: tuple[str, ...]) -> Arrays:
    return {name: np.empty(0) for name in columns}


def _volume(series: PairSeries, seen: Cut, moving: Thinned | None) -> Arrays:
    begin = seen.first // seen.size * seen.size

    def summed(values: NDArray) -> Callable[[int, int], NDArray]:
        """Make what sums these values by bucket, for a stretch of bars."""
        return lambda start, stop: bucket_sums(values[start:stop], seen.first + start, seen.size)

    sums = {
        name: _sums_of(name, summed(getattr(series, name)[seen.rows]), seen, seen.size, moving)
        for name in ("volume_y", "volume_x")
    }
    numbers = begin + np.arange(len(sums["volume_y"])) * seen.size
    return {"time": numbers * series.bar_ms, **sums}


def _sums_of(
    name: str,
    sums: Callable[[int, int], NDArray],
    seen: Cut,
    size: int,
    moving: Thinned | None,
) -> NDArray:
    """Sum the buckets of what is seen, those of long ago as they were."""
    count = seen.end - seen.start
    if moving is None:
        return sums(0, count)
    return moving.sums(name, seen.first, seen.first + count, size, sums)


def _candles(series: PairSeries, seen: Cut) -> Arrays:
    """Join the first leg's bars; a bucket without a known bar stays a gap."""
    size = seen.candle_size
    unknown = np.full(len(series), np.nan)
    bars = (series.open_y, series.high_y, series.low_y, series.price_y)
    joined = bucket_candles(
        [(unknown if each is None else each)[seen.rows] for each in bars], seen.first, size
    )
    begin = seen.first // size * size
    starts = (begin + np.arange(len(joined[0])) * size) * series.bar_ms
    names = ("open", "high", "low", "close")
    return {"time": starts, "end": starts + size * series.bar_ms} | dict(
        zip(names, joined, strict=True)
    )


def _marks(series: PairSeries, seen: Cut) -> Arrays:
    """Mark the first entry of each kind in each bucket, and count those it stands for."""
    marked = [_firsts(series, seen, kind) for kind in (SELL_HELD, BUY_HELD)]
    rows, entries = (np.concatenate(each) for each in zip(*marked, strict=True))
    order = np.argsort(rows)
    rows = rows[order]
    return {
        "time": series.time_ms[rows],
        "zscore": series.zscore[rows],
        "held": series.held[rows],
        "entries": entries[order],
    }


def _firsts(series: PairSeries, seen: Cut, kind: int) -> tuple[NDArray, NDArray]:
    """Give the row of the first entry of a kind in each bucket, and how many are in there."""
    start, end = np.searchsorted(series.entered, [seen.start, seen.end])
    rows = series.entered[start:end]
    rows = rows[series.held[rows] == kind]
    buckets = (rows - seen.start + seen.first) // seen.mark_size
    begin = np.flatnonzero(np.diff(buckets, prepend=-1))
    return rows[begin], np.diff(begin, append=len(rows))


def _held(
    time_ms: Floats,
    positions: NDArray[np.int8],
    seen: Cut,
    bar_ms: float,
    moving: Thinned | None,
) -> Arrays:
    """Join the buckets in which the same is held most of the time into stretches."""
    size = seen.held_size

    def counted(position: int) -> Callable[[int, int], NDArray]:
        """Make what counts the bars in this position by bucket, for a stretch of bars."""
        return lambda start, stop: bucket_sums(
            (positions[start:stop] == position).astype(np.int16), seen.first + start, size
        )

    sell, buy = (
        _sums_of(f"held {position}", counted(position), seen, size, moving)
        for position in (SELL_HELD, BUY_HELD)
    )
    bars = bucket_lengths(len(positions), seen.first, size)
    mostly = np.where(sell * 2 > bars, SELL_HELD, np.where(buy * 2 > bars, BUY_HELD, 0))
    changes = np.flatnonzero(np.diff(mostly, prepend=mostly[0] + 1))
    begin = seen.first // size * size
    starts = np.maximum((begin + changes * size) * bar_ms, time_ms[0])
    ends = np.r_[starts[1:], time_ms[-1] + bar_ms]
    is_held = mostly[changes] != 0
    return {"time": starts[is_held], "end": ends[is_held], "held": mostly[changes][is_held]}
