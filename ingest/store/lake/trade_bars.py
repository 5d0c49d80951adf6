"""Bars of trades, as the database makes them: to the bit. Arrays only."""

from typing import NamedTuple

import numpy as np

from ingest.store.bars import SECOND_US, STORED_ROW, FloatArray, IntArray, StoredRows
from ingest.store.lake.holding import TradeColumns
from ingest.store.lake.numbers import are_doubles, as_doubles, fits, volume_units


class MadeBars(NamedTuple):
    """Bars that hold a trade, in order, and the opens of those whose volume is beyond BIGINT."""

    rows: StoredRows
    lacking: tuple[int, ...] = ()


def bars_of_trades(trades: TradeColumns) -> MadeBars:
    """One-second bars of trades in the order of their ids; ids that are no trades are left out.

    Open and close belong to the least and greatest (time, id), volume is the exact sum.
    """
    order = _by_time(trades)
    time_us, price = trades.time_us[order], as_doubles(trades.price[order])
    second = time_us // SECOND_US
    starts = np.flatnonzero(np.diff(second, prepend=-1))
    ends = np.append(starts[1:], second.size)[: starts.size]
    rows = np.empty(starts.size, dtype=STORED_ROW)
    rows["at"] = second[starts]
    rows["open"], rows["close"] = price[starts], price[ends - 1]
    rows["trades"] = ends - starts
    if starts.size:
        rows["high"] = np.maximum.reduceat(price, starts)
        rows["low"] = np.minimum.reduceat(price, starts)
    return _with_volume(rows, volume_units(trades.quantity[order]), starts)


def coarser_bars(made: MadeBars, length: int) -> MadeBars:
    """Bars of `length` seconds from finer ones that divide it."""
    rows = made.rows
    at = rows["at"] // length * length
    starts = np.flatnonzero(np.diff(at, prepend=-1))
    merged = np.empty(starts.size, dtype=STORED_ROW)
    merged["at"] = at[starts]
    if starts.size:
        merged["open"] = rows["open"][starts]
        merged["close"] = rows["close"][np.append(starts[1:], at.size) - 1]
        merged["high"] = np.maximum.reduceat(rows["high"], starts)
        merged["low"] = np.minimum.reduceat(rows["low"], starts)
        merged["trades"] = np.add.reduceat(rows["trades"], starts)
    coarse = _with_volume(merged, np.ascontiguousarray(rows["volume"]), starts)
    # A piece of which a part is lacking is lacking too.
    parts = {open_s // length * length for open_s in made.lacking}
    keep = ~np.isin(coarse.rows["at"], sorted(parts))
    return MadeBars(coarse.rows[keep], tuple(sorted(parts.union(coarse.lacking))))


def _by_time(trades: TradeColumns) -> IntArray | slice:
    """Positions of the trades in order of (time, id); all as they are where they are in order."""
    is_trade = trades.price > 0
    taken = slice(None) if is_trade.all() else np.flatnonzero(is_trade)
    times = trades.time_us[taken]
    if (times[1:] >= times[:-1]).all():
        return taken
    order = np.argsort(times, kind="stable")
    return order if isinstance(taken, slice) else taken[order]


def _with_volume(rows: StoredRows, units: IntArray | FloatArray, starts: IntArray) -> MadeBars:
    """Fill in the volumes; leave rows out whose sum is beyond BIGINT."""
    if not starts.size:
        return MadeBars(rows)
    rough = np.add.reduceat(units.astype(np.float64), starts)
    # In doubles the sum may round up to the bound: what is near it is left out as well.
    keep = fits(rough * (1 + 1e-9))
    if are_doubles(units):
        units = np.where(fits(units), units, 0.0).astype(np.int64)
    rows["volume"] = np.add.reduceat(units, starts)
    return MadeBars(rows[keep], tuple(rows["at"][~keep].tolist()))
