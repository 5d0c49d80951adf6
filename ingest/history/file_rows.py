"""Trades of any file the desk reads, in the lake's forms: trades with ids, bars without. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ingest.history.columns import DayTrades, by_days
from ingest.store import SECOND_US, STORED_ROW, UNITS, StoredRows
from ingest.store.lake import TradeColumns

LONGEST_QUIET_S: Final = 60  # without ids: a longer silence may be a recording that stood still
_SAFE_SUM: Final = 2.0**62

IntArray = npt.NDArray[np.int64]


def trades_by_day(ticks: pd.DataFrame, non_trade_ids: list[int]) -> Iterator[DayTrades]:
    """Part the ticks of one symbol, with ids and in order of time, by UTC day.

    An id that is no trade goes, with price 0, to the trade before it by id.
    """
    times_us = times_of(ticks)
    columns = _with_non_trades(ticks, times_us, np.array(sorted(non_trade_ids), np.int64))
    return by_days(columns)


def bars_of(ticks: pd.DataFrame) -> StoredRows:
    """One-second bars of the ticks of one symbol without ids, in order of time.

    The first and the last second may be cut by the recording's ends and are left out. A second
    without a trade carries the close before it where the silence is short; longer ones are holes.
    """
    times_us = times_of(ticks)
    seconds = times_us // SECOND_US
    starts = np.flatnonzero(np.diff(seconds, prepend=-1))
    ends = np.append(starts[1:], seconds.size) - 1
    price = ticks["price"].to_numpy(np.float64)
    rows = np.zeros(starts.size, STORED_ROW)
    rows["at"] = seconds[starts]
    rows["open"], rows["close"] = price[starts], price[ends]
    rows["high"] = np.maximum.reduceat(price, starts)
    rows["low"] = np.minimum.reduceat(price, starts)
    rows["volume"] = _volumes(ticks["quantity"].to_numpy(np.float64), starts)
    rows["trades"] = ends - starts + 1
    return _with_quiet_seconds(rows)[1:-1]


def times_of(ticks: pd.DataFrame) -> IntArray:
    """Times of a ticks frame, µs since the epoch."""
    index = pd.DatetimeIndex(ticks.index).as_unit("us")
    return index.asi8


def _with_non_trades(ticks: pd.DataFrame, times_us: IntArray, others: IntArray) -> TradeColumns:
    ids = ticks["trade_id"].to_numpy(np.int64)
    order = np.argsort(ids, kind="stable")
    place = np.clip(np.searchsorted(ids[order], others) - 1, 0, max(ids.size - 1, 0))
    zeros = np.zeros(others.size)
    makers = _makers(ticks)
    return TradeColumns(
        np.concatenate([ids, others]),
        np.concatenate([times_us, times_us[order][place]]),
        np.concatenate([ticks["price"].to_numpy(np.float64), zeros]),
        np.concatenate([ticks["quantity"].to_numpy(np.float64), zeros]),
        np.concatenate([makers, zeros.astype(np.bool_)]),
        np.zeros(ids.size + others.size, np.int32),  # a frame does not tell
    )


def _makers(ticks: pd.DataFrame) -> npt.NDArray[np.bool_]:
    if "buyer_is_maker" not in ticks:
        return np.zeros(len(ticks), np.bool_)
    return ticks["buyer_is_maker"].to_numpy(np.bool_)


def _volumes(quantities: npt.NDArray[np.float64], starts: IntArray) -> IntArray:
    """Sums in units of 1e-8; −1, which the lake leaves out and counts, where they do not fit."""
    scaled = np.rint(quantities * UNITS)
    sums = np.add.reduceat(scaled, starts)
    if float(sums.max(initial=0.0)) < _SAFE_SUM:
        units: IntArray = np.add.reduceat(scaled.astype(np.int64), starts)
        return units
    fits = scaled < _SAFE_SUM
    units = np.add.reduceat(np.where(fits, scaled, 0.0).astype(np.int64), starts)
    return np.where(sums < _SAFE_SUM, units, -1)


def _with_quiet_seconds(rows: StoredRows) -> StoredRows:
    """Fill short silences with bars of no trade at the close before them."""
    steps = np.diff(rows["at"], append=rows["at"][-1:] + 1)
    repeats = np.where(steps <= LONGEST_QUIET_S, steps, 1)
    filled = np.repeat(rows, repeats)
    first = np.repeat(np.cumsum(repeats) - repeats, repeats)
    after = np.arange(filled.size) - first
    filled["at"] += after
    is_quiet = after > 0
    for name in ("open", "high", "low"):
        filled[name][is_quiet] = filled["close"][is_quiet]
    filled["volume"][is_quiet] = filled["trades"][is_quiet] = 0
    return filled
