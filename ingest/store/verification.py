"""Rebuild the one-second bars from the stored ticks, in bounded memory, and compare to the bit.

Ticks are read in the order of their ids, some hundred thousand at a time, each in a short
transaction: a recorder may write meanwhile. A second that differs, or that a later tick belongs to,
is looked at once more at the end, ticks and bar in one transaction.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.store.connecting import one_transaction, open_for_reading, utc_time
from ingest.store.database_health import is_damage
from ingest.store.schema import UNITS

_TICKS_A_STEP: Final = 200_000
_WAIT_S: Final = 3_600  # a second this much older than the newest gets no more ticks, as a rule
_MOST_DOUBTS: Final = 10_000
_SHOWN: Final = 5

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


def verify(path: Path, say: Callable[[str], None]) -> bool:
    """Compare every stream's bars with its ticks; say a line for each, return whether all agree.

    Raises
    ------
    StoreError
        The file is missing or no Pairdesk database.
    """
    connection = open_for_reading(path)
    # As the writer rounds what has more than eight decimals.
    connection.create_function(
        "in_units", 1, lambda quantity: min(round(quantity * UNITS), 2**63 - 1)
    )
    try:
        streams = connection.execute(
            "SELECT stream_id, symbol || ' (' || market || ' ' || kind || ')' FROM stream"
            " ORDER BY symbol, market, kind"
        ).fetchall()
        agree = True
        for stream_id, name in streams:
            check = _Check(connection, stream_id, name).run()
            say(check.line())
            agree &= not check.differences
    finally:
        connection.close()
    return agree


class _Check:
    """The comparison of one stream."""

    def __init__(self, connection: sqlite3.Connection, stream_id: int, name: str) -> None:
        self._connection, self._stream_id = connection, stream_id
        self._result = Verified(name)
        # Seconds to look at once more, with the ids of the ticks known to belong there.
        self._doubts: dict[int, tuple[int, int]] = {}
        self._compared_to = self._one("SELECT coalesce(min(second), 0) FROM bar_1s", 0) - 1

    def run(self) -> Verified:
        """Compare everything."""
        waiting = np.empty(0, dtype=_BAR)
        for ticks in self._steps():
            self._result.trades += ticks.size
            waiting = rebuilt(np.concatenate([waiting, ticks]))
            ready = int(waiting["second"][-1]) - _WAIT_S
            self._compare(waiting[waiting["second"] <= ready], ready)
            waiting = waiting[waiting["second"] > ready]
            if len(self._doubts) > _MOST_DOUBTS:
                break
        else:
            newest = self._one("SELECT coalesce(max(second), -1) FROM bar_1s", -1)
            last = int(waiting["second"][-1]) if waiting.size else -1
            self._compare(waiting, max(last, newest))
        for second, ids in sorted(self._doubts.items()):
            self._look_again(second, *ids)
        return self._result

    def _steps(self) -> Iterator[Bars]:
        """Read ticks as bars of one trade each, in the order of their ids, up to the last."""
        low = self._one("SELECT coalesce(min(trade_id), 0) FROM tick", 0)
        high = self._one("SELECT coalesce(max(trade_id), -1) FROM tick", -1)
        while low <= high:
            ticks = self._read(_TICKS, low, high, _TICKS_A_STEP)
            if not ticks.size:
                return
            yield ticks
            low = int(ticks["last_id"][-1]) + 1

    def _compare(self, made: Bars, up_to: int) -> None:
        """Compare bars with the stored ones up to a second; doubt what differs or comes late."""
        late = made["second"] <= self._compared_to
        self._doubt(made[late])
        made = made[~late]
        while self._compared_to < up_to and len(self._doubts) <= _MOST_DOUBTS:
            low = self._compared_to + 1
            high = min(self._compared_to + _TICKS_A_STEP, up_to)
            part = made[(made["second"] >= low) & (made["second"] <= high)]
            stored = self._read(_STORED, low, high)
            self._result.bars += stored.size
            seconds = differing(part, stored)
            for bars in (part, stored):
                self._doubt(bars[np.isin(bars["second"], seconds)])
            self._compared_to = high

    def _doubt(self, bars: Bars) -> None:
        named = (bars[name].tolist() for name in ("second", "first_id", "last_id"))
        for second, low, high in zip(*named, strict=True):
            known = self._doubts.get(second, (low, high))
            self._doubts[second] = (min(low, known[0]), max(high, known[1]))

    def _look_again(self, second: int, low: int, high: int) -> None:
        """Compare one second's bar with its ticks, both of one instant."""
        with one_transaction(self._connection):
            stored = self._read(_STORED, second, second)
            if stored.size:
                low = min(low, int(stored["first_id"][0]))
                high = max(high, int(stored["last_id"][0]))
            ticks = self._read(_TICKS, low, high, -1)
            first_kept = self._one("SELECT coalesce(min(first_id), 0) FROM stream", 0)
        made = rebuilt(ticks[ticks["second"] == second])
        if stored.size and stored["first_id"][0] < first_kept:
            return  # some of its ticks were deleted as too old
        if made.tobytes() == stored.tobytes():
            return
        self._result.differences += 1
        if len(self._result.shown) < _SHOWN:
            self._result.shown.append(_difference(second, made, stored))

    def _one(self, select: str, otherwise: int) -> int:
        row = self._connection.execute(f"{select} WHERE stream_id = ?", (self._stream_id,))
        value = row.fetchone()
        return otherwise if value is None else int(value[0])

    def _read(self, sql: str, *bounds: int) -> Bars:
        return np.fromiter(self._connection.execute(sql, (self._stream_id, *bounds)), dtype=_BAR)


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


def differing(made: Bars, stored: Bars) -> list[int]:
    """Seconds whose bars are not the same to the bit, or that only one side has."""
    seconds = np.union1d(made["second"], stored["second"])
    both = [np.zeros(seconds.size, dtype=_BAR) for _ in range(2)]
    for side, bars in zip(both, (made, stored), strict=True):
        side[np.searchsorted(seconds, bars["second"])] = bars
    different: list[int] = seconds[both[0].view("V104") != both[1].view("V104")].tolist()
    return different


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


_LOG: Final = logging.getLogger("pairdesk.store")

_ROWS_A_STEP: Final = 5000


_REST_TIMES: Final = 4.0  # rests so many times as long as it read


_LEAST_REST_S: Final = 0.02


_AGAIN_S: Final = 1.0


# Tables by their key. Trades come last: they are nearly all there is, and give the share.
_KEYS: Final = {
    "bar_1s": ("stream_id", "second"),
    "kline": ("stream_id", "length_s", "second"),
    "non_trade": ("stream_id", "trade_id"),
    "tick": ("stream_id", "trade_id"),
}


_VALUES: Final = {
    "bar_1s": ("open", "high", "low", "close", "volume", "close_id", "last_id"),
    "kline": ("open", "high", "low", "close", "volume", "trades"),
    "non_trade": ("time_us",),
    "tick": ("time_us", "received_delta_us", "price", "quantity", "flags"),
}


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """How far the check is: a share of the trades, 0 to 1; `damage` is what is wrong, or None."""

    share: float = 0.0
    is_done: bool = False
    damage: str | None = None


class LaterCheck:
    """Reads a whole database in small steps, beside whoever writes it.

    Parameters
    ----------
    path
        The database.
    rest_times
        Rests so many times as long as it reads.

    Attributes
    ----------
    progress
        How far it is; may be read from any thread.
    """

    def __init__(self, path: Path, rest_times: float = _REST_TIMES) -> None:
        self.progress = CheckProgress()
        self._path, self._rest_times = path, rest_times
        self._ended = threading.Event()

    def end(self) -> None:
        """Make `run` return."""
        self._ended.set()

    def leave(self) -> None:
        """End it, with nothing to say: another file is the database now."""
        self.end()
        self.progress = CheckProgress(1.0, is_done=True)

    def run(self) -> None:
        """Read to the end, to the first damage, or until `end`."""
        try:
            with closing(open_for_reading(self._path)) as connection:
                for table in _KEYS:
                    self._read(connection, table)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            if not self._ended.is_set():
                self.progress = CheckProgress(self.progress.share, True, str(error))
                _LOG.warning("the check of the database found it damaged: %s", error)
        else:
            if not self._ended.is_set():
                self.progress = CheckProgress(1.0, True)
                _LOG.info("the check of the database found nothing wrong")

    def _read(self, connection: sqlite3.Connection, table: str) -> None:
        after: tuple[int, ...] | None = tuple(-(2**63) for _ in _KEYS[table])
        while after is not None and not self._ended.is_set():
            begun_s = time.monotonic()
            after = self._step(connection, table, after)
            if table == "tick" and after is not None and not self._ended.is_set():
                self.progress = CheckProgress(_share(connection, after[0], after[1]))
            took_s = time.monotonic() - begun_s
            self._ended.wait(max(_LEAST_REST_S, took_s * self._rest_times))

    def _step(
        self, connection: sqlite3.Connection, table: str, after: tuple[int, ...]
    ) -> tuple[int, ...] | None:
        """Read some rows behind a key; returns the last one's, None after the last of all."""
        keys, places = ", ".join(_KEYS[table]), ", ".join("?" * len(after))
        totals = ", ".join(f"total({name})" for name in _VALUES[table])
        last: tuple[int, ...] | None = connection.execute(
            f"SELECT {keys} FROM {table} WHERE ({keys}) > ({places})"  # noqa: S608 - ours
            f" ORDER BY {keys} LIMIT 1 OFFSET {_ROWS_A_STEP - 1}",
            after,
        ).fetchone()
        upper = "" if last is None else f" AND ({keys}) <= ({places})"
        connection.execute(
            f"SELECT {totals} FROM {table} WHERE ({keys}) > ({places}){upper}",  # noqa: S608 - ours
            (*after, *(last or ())),
        ).fetchone()
        return last


def _share(connection: sqlite3.Connection, stream_id: int, trade_id: int) -> float:
    """Share of all ids up to this one, streams in order."""
    before, whole = 0, 0
    for each, first_id, last_id in connection.execute(
        "SELECT stream_id, first_id, last_id FROM stream WHERE first_id IS NOT NULL"
    ):
        whole += last_id - first_id + 1
        if each < stream_id:
            before += last_id - first_id + 1
        elif each == stream_id:
            before += max(0, min(trade_id, last_id) - first_id + 1)
    return before / whole if whole else 0.0
