"""One second's bar out of its ticks, and how the stored one differs from it."""

import sqlite3
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.store.connecting import one_transaction, utc_time
from ingest.store.schema import UNITS

_PRICES = ("open", "high", "low", "close")
_COUNTS = ("volume", "trades", "open_us", "open_id", "close_us", "close_id", "first_id", "last_id")
_BAR: Final = np.dtype(
    [("second", "i8"), *((name, "f8") for name in _PRICES), *((name, "i8") for name in _COUNTS)]
)
Bars = npt.NDArray[np.void]

_TICKS = """
SELECT time_us / 1000000, price, price, price, price, quantity, 1,
       time_us, trade_id, time_us, trade_id, trade_id, trade_id
FROM (SELECT time_us, trade_id,
             CASE typeof(price) WHEN 'integer' THEN price / 1e8 ELSE price END AS price,
             CASE typeof(quantity) WHEN 'integer' THEN quantity
                  ELSE in_units(quantity) END AS quantity
      FROM tick WHERE stream_id = ? AND trade_id BETWEEN ? AND ? ORDER BY trade_id LIMIT ?)
"""
_STORED = """
SELECT second, open, high, low, close, CAST(volume AS INTEGER), trades,
       open_us, open_id, close_us, close_id, first_id, last_id
FROM bar_1s WHERE stream_id = ? AND second BETWEEN ? AND ? ORDER BY second
"""


def add_units(connection: sqlite3.Connection) -> None:
    """Give a connection what rounds a quantity of more than eight decimals, as the writer does."""
    connection.create_function(
        "in_units", 1, lambda quantity: min(round(quantity * UNITS), 2**63 - 1), deterministic=True
    )


def difference_of(
    connection: sqlite3.Connection, stream_id: int, second: int, low: int, high: int
) -> str | None:
    """Compare one second's bar with its ticks, both of one instant; None where they are the same.

    Parameters
    ----------
    connection, stream_id, second
        Which; `add_units` was called on it.
    low, high
        Ids that ticks of the second are known to have, if it has no bar that names others.
    """
    with one_transaction(connection):
        stored = _read(connection, _STORED, stream_id, second, second)
        if stored.size:
            low = min(low, int(stored["first_id"][0]))
            high = max(high, int(stored["last_id"][0]))
        ticks = _read(connection, _TICKS, stream_id, low, high, -1)
        kept = "SELECT coalesce(min(first_id), 0) FROM stream WHERE stream_id = ?"
        first_kept = connection.execute(kept, (stream_id,)).fetchone()[0]
    made = rebuilt(ticks[ticks["second"] == second])
    if stored.size and stored["first_id"][0] < first_kept:
        return None  # some of its ticks were deleted as too old
    return None if made.tobytes() == stored.tobytes() else _difference(second, made, stored)


def rebuilt(parts: Bars) -> Bars:
    """Join bars of the same second, in whatever order: one each, in order of time."""
    if not parts.size:
        return parts
    by_open = parts[np.lexsort((parts["open_id"], parts["open_us"], parts["second"]))]
    starts = np.flatnonzero(np.diff(by_open["second"], prepend=-1))
    if starts.size == parts.size:
        return by_open
    by_close = parts[np.lexsort((parts["close_id"], parts["close_us"], parts["second"]))]
    ends = np.append(starts[1:], parts.size) - 1
    made = by_open[starts]
    for name in ("close", "close_us", "close_id"):
        made[name] = by_close[name][ends]
    joined: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (np.maximum, ("high", "last_id")),
        (np.minimum, ("low", "first_id")),
        (np.add, ("volume", "trades")),
    )
    for join, names in joined:
        for name in names:
            made[name] = join.reduceat(by_open[name], starts)
    return made


def _difference(second: int, bar: Bars, stored: Bars) -> str:
    when = f"{utc_time(second * 1_000_000):%Y-%m-%d %H:%M:%S}"
    if not stored.size:
        return f"{when} no bar for {bar['trades'][0]} trades"
    if not bar.size:
        return f"{when} a bar without trades"
    names = [name for name in _BAR.names or () if bar[name][0] != stored[name][0]]
    differences = [
        f"{name} {stored[name][0]} stored, {bar[name][0]} of the ticks" for name in names
    ]
    return f"{when} {', '.join(differences)}"


def _read(connection: sqlite3.Connection, sql: str, *bounds: int) -> Bars:
    return np.fromiter(connection.execute(sql, bounds), dtype=_BAR)
