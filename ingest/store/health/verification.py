"""Compare the one-second bars with the stored ticks, and minutes and hours with these, to the bit.

A stream is divided into parts of some hours. SQLite compares a part by itself, bars and ticks of
one instant, so a recorder may write meanwhile; it lets go of the interpreter as it does, so that
two threads compare two parts at a time. What differs is looked at once more, and said.
"""

import os
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from ingest.store.connecting import EVER_S, one_transaction, open_for_reading
from ingest.store.health.rollup_check import WrongRollup, wrong_rollups
from ingest.store.health.second_bars import add_units, difference_of

_BARS_A_PART: Final = 20_000
_THREADS: Final = 2
_MOST_DOUBTS: Final = 10_000
_SHOWN: Final = 5
_ALL_IDS: Final = (-(2**62), 2**62)

_NAMES = (
    "SELECT stream_id, symbol || ' (' || market || ' ' || kind || ')' FROM stream"
    " ORDER BY symbol, market, kind"
)
_NEXT_PART = (
    "SELECT second, first_id FROM bar_1s WHERE stream_id = ? AND second >= ?"
    " ORDER BY second LIMIT 1 OFFSET ?"
)
_TICKS = (
    "SELECT count(*), total(typeof(price) = 'real' OR typeof(quantity) = 'real'),"
    " coalesce(max(quantity), 0) FROM tick WHERE stream_id = ? AND trade_id BETWEEN ? AND ?"
)
_BARS = (
    "SELECT count(*), coalesce(sum(trades), 0), coalesce(min(first_id), 0),"
    " coalesce(max(last_id), 0) FROM bar_1s WHERE stream_id = ? AND second BETWEEN ? AND ?"
)
# Open and close are those of the least and greatest (time, id): both in one number, since an id is
# counted from the bar's first one. A bar whose ids are 2**40 apart is looked at by other means.
_DIFFERING = """
SELECT b.second, b.first_id, b.last_id
FROM bar_1s AS b LEFT JOIN tick AS t ON t.stream_id = b.stream_id
     AND t.trade_id BETWEEN b.first_id AND b.last_id AND t.time_us / 1000000 = b.second
WHERE b.stream_id = ? AND b.second BETWEEN ? AND ?
GROUP BY b.second
HAVING NOT coalesce(
    count(t.trade_id) = b.trades AND b.last_id - b.first_id < 1 << 40
    AND max({price}) {units} = b.high AND min({price}) {units} = b.low AND {volume}
    AND min(t.trade_id) = b.first_id AND max(t.trade_id) = b.last_id
    AND min((t.time_us % 1000000 << 40) + t.trade_id - b.first_id)
        = (b.open_us % 1000000 << 40) + b.open_id - b.first_id
    AND max((t.time_us % 1000000 << 40) + t.trade_id - b.first_id)
        = (b.close_us % 1000000 << 40) + b.close_id - b.first_id
    AND b.open_us / 1000000 = b.second AND b.close_us / 1000000 = b.second
    AND max(CASE t.trade_id WHEN b.open_id THEN {price} END) {units} = b.open
    AND max(CASE t.trade_id WHEN b.close_id THEN {price} END) {units} = b.close, 0)
"""
_OF_UNITS = _DIFFERING.format(
    price="t.price", units="/ 1e8", volume="sum(t.quantity) = CAST(b.volume AS INTEGER)"
)
# Floats among them, or a sum past 2**63, where the stored one is a float and read as 2**63 - 1.
# Half sums cannot overflow; a product past 2**53 is whole already.
_QUANTITY = (
    "CASE WHEN t.quantity IS NULL OR typeof(t.quantity) = 'integer' THEN t.quantity"
    " WHEN t.quantity * 1e8 >= 9007199254740992.0 THEN CAST(t.quantity * 1e8 AS INTEGER)"
    " ELSE in_units(t.quantity) END"
)
_UPPER = f"(sum({_QUANTITY} >> 32) + (sum({_QUANTITY} & 0xFFFFFFFF) >> 32))"
_OF_FLOATS = _DIFFERING.format(
    price="CASE typeof(t.price) WHEN 'integer' THEN t.price / 1e8 ELSE t.price END",
    units="",
    volume=f"CASE WHEN {_UPPER} < 1 << 31"
    f" THEN ({_UPPER} << 32) + (sum({_QUANTITY} & 0xFFFFFFFF) & 0xFFFFFFFF)"
    " ELSE 0x7FFFFFFFFFFFFFFF END = CAST(b.volume AS INTEGER)",
)
_WITHOUT_BAR = """
SELECT t.time_us / 1000000, t.trade_id, t.trade_id
FROM tick AS t LEFT JOIN bar_1s AS b ON b.stream_id = t.stream_id
     AND b.second = t.time_us / 1000000 AND t.trade_id BETWEEN b.first_id AND b.last_id
WHERE t.stream_id = ? AND t.trade_id BETWEEN ? AND ? AND b.second IS NULL
"""

_Doubt = tuple[int, int, int]  # a second, and ids between which ticks of it are


@dataclass(slots=True)
class Verified:
    """What was compared of one stream.

    Attributes
    ----------
    name
        Symbol, market and kind.
    trades, bars
        How many were read.
    differences
        How many bars differ; `shown` says the first few in words.
    """

    name: str
    trades: int = 0
    bars: int = 0
    differences: int = 0
    shown: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Say it in a line."""
        summary = f"{self.name}: {self.bars:,} bars of {self.trades:,} trades"
        if not self.differences:
            return f"{summary}, all equal"
        return f"{summary}, {self.differences:,} differ: {'; '.join(self.shown)}"

    def add(self, difference: str) -> None:
        """Count a bar that differs."""
        self.differences += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(difference)


class _Part(NamedTuple):
    """A part of a stream: seconds and ids, both ends inclusive, that no other part has."""

    stream_id: int
    seconds: tuple[int, int]
    ids: tuple[int, int]


class _Compared(NamedTuple):
    """What a part has, what is to be looked at once more, and which rollups are wrong."""

    trades: int
    bars: int
    doubts: list[_Doubt]
    rollups: list[WrongRollup]


def verify(path: Path, say: Callable[[str], None]) -> bool:
    """Compare every stream's bars with its ticks; say a line for each, return whether all agree.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    connections = _Connections(path)
    threads = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1))
    try:
        connection = connections.own()
        agree = True
        streams = [
            (Verified(name), stream_id, _begin(threads, connections, connection, stream_id))
            for stream_id, name in connection.execute(_NAMES).fetchall()
        ]
        for result, stream_id, parts in streams:
            _gather(result, connection, stream_id, (part.result() for part in parts))
            say(result.line())
            agree &= not result.differences
    finally:
        threads.shutdown(cancel_futures=True)
        connections.close()
    return agree


class _Connections:
    """A connection for each thread, all closed at the end."""

    def __init__(self, path: Path) -> None:
        self._path, self._local = path, threading.local()
        self._all: list[sqlite3.Connection] = []

    def own(self) -> sqlite3.Connection:
        """Give the calling thread's, opened when it first asks."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_for_reading(self._path)
            add_units(connection)
            self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close those of all threads, which have ended."""
        for connection in self._all:
            connection.close()


def _begin(
    threads: ThreadPoolExecutor,
    connections: _Connections,
    connection: sqlite3.Connection,
    stream_id: int,
) -> list[Future[_Compared]]:
    return [
        threads.submit(lambda part: _compare(connections.own(), part), part)
        for part in _parts(connection, stream_id)
    ]


def _parts(connection: sqlite3.Connection, stream_id: int) -> list[_Part]:
    """Divide a stream: all seconds there can be, and all ids, each in one part."""
    edges = [(EVER_S[0], _ALL_IDS[0])]
    while True:
        row = connection.execute(_NEXT_PART, (stream_id, edges[-1][0], _BARS_A_PART)).fetchone()
        if row is None:
            break
        edges.append((row[0], max(row[1], edges[-1][1])))
    edges.append((EVER_S[1], _ALL_IDS[1]))
    return [
        _Part(stream_id, (low[0], high[0] - 1), (low[1], high[1] - 1))
        for low, high in pairwise(edges)
    ]


def _compare(connection: sqlite3.Connection, part: _Part) -> _Compared:
    """Compare a part's bars with their ticks, and find ticks that no bar has."""
    seconds, ids = (part.stream_id, *part.seconds), (part.stream_id, *part.ids)
    with one_transaction(connection):
        trades, floats, greatest = connection.execute(_TICKS, ids).fetchone()
        bars, counted, first_id, last_id = connection.execute(_BARS, seconds).fetchone()
        are_small = not floats and greatest * max(counted, 1) < 2**63
        doubts = connection.execute(_OF_UNITS if are_small else _OF_FLOATS, seconds).fetchall()
        # Bars that equal their ticks have no tick in common: as many ticks are then all of them.
        is_inside = not bars or part.ids[0] <= first_id <= last_id <= part.ids[1]
        if doubts or counted != trades or not is_inside:
            doubts += connection.execute(_WITHOUT_BAR, ids).fetchmany(_MOST_DOUBTS)
        rollups = wrong_rollups(connection, *seconds)
    return _Compared(trades, bars, doubts, rollups)


def _gather(
    result: Verified, connection: sqlite3.Connection, stream_id: int, parts: Iterable[_Compared]
) -> None:
    """Put the parts of a stream together, and look once more at what is in doubt."""
    doubts: dict[int, tuple[int, int]] = {}
    rollups: list[WrongRollup] = []
    for part in parts:
        result.trades += part.trades
        result.bars += part.bars
        rollups += part.rollups
        for second, low, high in part.doubts:
            known = doubts.get(second, (low, high))
            doubts[second] = (min(low, known[0]), max(high, known[1]))
        if len(doubts) > _MOST_DOUBTS:
            break
    wrong = []
    for second, ids in sorted(doubts.items()):
        difference = difference_of(connection, stream_id, second, *ids)
        if difference is not None:
            result.add(difference)
            wrong.append(second)
    for each in sorted(set(rollups)):  # an hour may be in two parts
        if bisect_left(wrong, each.second) == bisect_left(wrong, each.second + each.length):
            result.add(each.line())
