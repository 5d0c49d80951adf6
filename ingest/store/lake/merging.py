"""What is stored and what is given, put together by id or by open: the first one stays. Arrays."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ingest.errors import LakeError
from ingest.store.bars import BoolArray, IntArray, StoredRows
from ingest.store.lake.holding import IdSpan, TradeColumns
from ingest.store.lake.numbers import as_doubles, as_units

_MILLISECOND_US = 1000
_KLINE_VALUES = ("open", "high", "low", "close", "volume", "trades")


class Merged(NamedTuple):
    """Positions of the rows given that are new, those that are stored alike, conflicting keys."""

    new: IntArray
    same: int
    conflicts: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MergedTrades:
    """Trades of a day after others were added; `trades` is None where nothing is new."""

    trades: TradeColumns | None
    merged: Merged


def clean_trades(trades: TradeColumns, low_us: int, high_us: int) -> TradeColumns:
    """Trades in the order of their ids, with exact units where there are any, and checked.

    Raises
    ------
    LakeError
        Columns of several lengths, a negative id or price, a time outside of ``low_us … high_us``.
    """
    sizes = {getattr(trades, name).size for name in TradeColumns.__slots__}
    if len(sizes) > 1:
        raise LakeError(f"columns of trades have different lengths: {sorted(sizes)}")
    if not len(trades):
        return trades
    if trades.trade_id.min() < 0:
        raise LakeError(f"trade id {trades.trade_id.min()} is below 0")
    for name in ("price", "quantity"):
        values = getattr(trades, name)
        if not (np.isfinite(values).all() and values.min() >= 0):
            raise LakeError(f"a {name} is negative or no number")
    first, last = int(trades.time_us.min()), int(trades.time_us.max())
    if first < low_us or last >= high_us:
        odd = first if first < low_us else last
        raise LakeError(f"a trade at {odd} µs is not of the day it was given for")
    if (np.diff(trades.trade_id) < 0).any():
        trades = taken(trades, np.argsort(trades.trade_id, kind="stable"))
    return _without_prices_of_none(trades)


def merge_trades(stored: TradeColumns | None, given: TradeColumns) -> MergedTrades:
    """Add trades to those stored, both in the order of their ids."""
    apart = first_of_each(given.trade_id)
    again = np.flatnonzero(~apart)
    odd: list[int] = []
    same = 0
    if again.size:  # an id that was given twice
        earlier = np.searchsorted(given.trade_id, given.trade_id[again])
        alike = _alike(taken(given, earlier), taken(given, again))
        odd, same = given.trade_id[again[~alike]].tolist(), int(alike.sum())
        given = taken(given, np.flatnonzero(apart))
    if stored is None:
        everything = np.arange(len(given))
        return MergedTrades(given if len(given) else None, Merged(everything, same, tuple(odd)))
    place = np.searchsorted(stored.trade_id, given.trade_id)
    known = given.trade_id == stored.trade_id[np.minimum(place, len(stored) - 1)]
    alike = _alike(taken(stored, place[known]), taken(given, np.flatnonzero(known)))
    odd += given.trade_id[known][~alike].tolist()
    new = np.flatnonzero(~known)
    merged = Merged(new, same + int(alike.sum()), tuple(odd))
    counts = stored.trades.copy()
    # How many raw trades an aggregate is of, a file does not tell; who knows it adds it.
    adds = alike & (counts[place[known]] == 0) & (given.trades[known] > 0)
    counts[place[known][adds]] = given.trades[known][adds]
    if adds.any():
        stored = replace(stored, trades=counts)
    if not new.size:
        return MergedTrades(stored if adds.any() else None, merged)
    both = joined([stored, taken(given, new)])
    return MergedTrades(taken(both, np.argsort(both.trade_id, kind="stable")), merged)


def merge_klines(stored: StoredRows | None, given: StoredRows) -> tuple[StoredRows | None, Merged]:
    """Add klines to those stored, by their open; rows are None where nothing is new."""
    given = given[np.argsort(given["at"], kind="stable")]
    if stored is None:
        stored = given[:0]
    rows = np.concatenate([stored, given])
    order = np.argsort(rows["at"], kind="stable")
    rows = rows[order]
    first = first_of_each(rows["at"])
    kept = np.maximum.accumulate(np.where(first, np.arange(rows.size), 0))
    again = np.flatnonzero(~first)
    alike = np.ones(again.size, dtype=np.bool_)
    for name in _KLINE_VALUES:
        alike &= rows[name][again] == rows[name][kept[again]]
    odd = tuple(rows["at"][again[~alike]].tolist())
    new = order[first & (order >= stored.size)] - stored.size
    return (rows[first] if new.size else None), Merged(new, int(alike.sum()), odd)


def first_of_each(keys: IntArray) -> BoolArray:
    """Which rows, in order of their keys, are the first with their key."""
    first = np.ones(keys.size, dtype=np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    return first


def id_spans_of(trades: TradeColumns) -> tuple[IdSpan, ...]:
    """Ids without a hole, of trades in the order of their ids."""
    ids = trades.trade_id
    if not ids.size:
        return ()
    breaks = np.flatnonzero(np.diff(ids) != 1)
    firsts = np.concatenate([[0], breaks + 1])
    lasts = np.concatenate([breaks, [ids.size - 1]])
    times = trades.time_us
    columns = (ids[firsts], ids[lasts], times[firsts], times[lasts])
    return tuple(IdSpan(*row) for row in zip(*(each.tolist() for each in columns), strict=True))


def taken(trades: TradeColumns, rows: Any) -> TradeColumns:
    """Trades at positions, or of a mask."""
    return TradeColumns(*(getattr(trades, name)[rows] for name in TradeColumns.__slots__))


def joined(parts: list[TradeColumns]) -> TradeColumns:
    """Trades one after the other; units where all have units. Takes the parts out of the list."""
    if len(parts) == 1:
        return parts[0]
    columns = {name: [getattr(each, name) for each in parts] for name in TradeColumns.__slots__}
    parts.clear()
    whole = {}
    for name in list(columns):  # a column at a time: no more than one is there twice
        arrays = columns.pop(name)
        if len({each.dtype for each in arrays}) > 1:
            arrays = [as_doubles(each) for each in arrays]
        whole[name] = np.concatenate(arrays)
    return TradeColumns(**whole)


def _alike(stored: TradeColumns, given: TradeColumns) -> BoolArray:
    """Which trades say the same of time, price and quantity.

    One source says the time in microseconds, another the same one in milliseconds. An id that is no
    trade has no time of its own: each source gives it that of a neighbour.
    """
    finer, coarser = stored.time_us, given.time_us
    whole = (finer % _MILLISECOND_US == 0) | (coarser % _MILLISECOND_US == 0)
    same_ms = finer // _MILLISECOND_US == coarser // _MILLISECOND_US
    alike: BoolArray = (finer == coarser) | (whole & same_ms)
    for one, other in ((stored.price, given.price), (stored.quantity, given.quantity)):
        both_units = one.dtype == other.dtype
        alike &= one == other if both_units else as_doubles(one) == as_doubles(other)
    alike |= (stored.price == 0) & (given.price == 0)
    return alike


def _without_prices_of_none(trades: TradeColumns) -> TradeColumns:
    """Exact units, and price and quantity 0 of what is no trade."""
    price, quantity = as_units(trades.price), as_units(trades.quantity)
    none = (price == 0) | (quantity == 0)
    if none.any():
        price, quantity = price.copy(), quantity.copy()
        price[none], quantity[none] = 0, 0
    return TradeColumns(
        trades.trade_id.astype(np.int64, copy=False),
        trades.time_us.astype(np.int64, copy=False),
        price,
        quantity,
        trades.buyer_is_maker.astype(np.bool_, copy=False),
        trades.trades.astype(np.int32, copy=False),
    )
