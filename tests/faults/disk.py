"""A disk that refuses: every single statement of the writer fails once."""

import random
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from faults.result import Result, equal, holds, told
from ingest.binance import Kline
from ingest.counts import Counts
from ingest.event_queue import Call, Cause, EventQueue, Item
from ingest.recorder.writing import WritingLoop, _steps
from ingest.store import PublishedGaps, TickWriter
from ingest.tick import Event, NonTrade, StreamKey, Tick

T0_US = 1_723_161_300_000_000
BTC: StreamKey = ("spot", "BTCUSDT", "aggTrade")
ETH: StreamKey = ("spot", "ETHUSDT", "aggTrade")
TABLES = {
    "tick": "SELECT * FROM tick ORDER BY 1, 2",
    "non_trade": "SELECT * FROM non_trade ORDER BY 1, 2",
    "bar_1s": "SELECT * FROM bar_1s ORDER BY 1, 2",
    "gap": "SELECT stream_id, first_id, last_id, from_id, to_id, after_us, before_us, cause,"
    " state, reason FROM gap ORDER BY 1, 2, 3, 4, 5, state",
    "kline": "SELECT * FROM kline ORDER BY 1, 2, 3",
    "stream": "SELECT stream_id, market, symbol, kind, first_id, first_us, last_id, last_us"
    " FROM stream ORDER BY 1",
}

# (words of the system, SQLite's code, whether SQLite has rolled back by itself)
ERRORS = {
    "ENOSPC": ("database or disk is full", sqlite3.SQLITE_FULL, True),
    "EIO": ("disk I/O error", sqlite3.SQLITE_IOERR, False),
    "BUSY": ("database is locked", sqlite3.SQLITE_BUSY, False),
}


@dataclass(frozen=True)
class Failure:
    """Statements `first` to `first + length - 1` fail, before or after they were done."""

    first: int
    length: int
    error: str
    afterwards: bool


class FailingConnection:
    """An SQLite connection some of whose statements fail, as told."""

    def __init__(self, connection: sqlite3.Connection, failure: Failure | None) -> None:
        self._connection = connection
        self._failure = failure
        self.statements = 0
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *arguments: Any) -> Any:
        return self._do(self._connection.execute, *arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self._do(self._connection.executemany, *arguments)

    def _do(self, action: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        failure = self._failure
        due = failure and failure.first <= self.statements < failure.first + failure.length
        if failure is None or not due:
            return action(*arguments)
        self.failed += 1
        if failure.afterwards:
            action(*arguments)
        words, code, rolls_back = ERRORS[failure.error]
        if rolls_back and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        error = sqlite3.OperationalError(words)
        error.sqlite_errorcode = code
        raise error


class NoWait(threading.Event):
    """Lets the loop that would wait before it tries again try at once."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def tick(symbol: str, trade_id: int, *, price: float = 100.0) -> Tick:
    """Give a trade; 7 of them to a second."""
    time_us = T0_US + trade_id * 1_000_000 // 7
    return Tick(
        *("spot", symbol, "aggTrade", trade_id, price + trade_id % 5, 0.25 * (1 + trade_id % 3)),
        *(time_us, time_us + 1500, trade_id % 2 == 0),
    )


def writing_loop(path: Path | str, queue: EventQueue | None = None) -> WritingLoop:
    events = EventQueue() if queue is None else queue  # an empty queue is false
    return WritingLoop(Path(path), events, PublishedGaps(), Counts(), lambda: T0_US + 3_600_000_000)


def contents(connection: Any, *, but: Iterable[str] = ()) -> dict[str, list[Any]]:
    """Give every row of the recording's tables but those that count commits."""
    return {
        name: connection.execute(sql).fetchall()
        for name, sql in TABLES.items()
        if name not in set(but)
    }


def script(seed: int, batches: int = 24) -> list[Item]:
    """Give a recorder's life: gaps of several causes, fills, duplicates, markers, repairs."""
    rng = random.Random(seed)
    items: list[Item] = []
    at = {"BTCUSDT": 1, "ETHUSDT": 1000}
    lost: list[tuple[str, int]] = []
    for batch in range(batches):
        items += _live(rng, at, lost)
        kind = batch % 6
        if kind == 1:
            items.append(Cause(f"closed {batch}"))
        elif kind == 2:
            again = [tick(symbol, number) for symbol, number in lost[: len(lost) // 2]]
            items += again + again[:2]
            del lost[: len(lost) // 2]
        elif kind == 3 and lost:
            items.append(_absent(*lost.pop(0)))
        elif kind == 4:
            items.append(_klines(batch))
        elif kind == 5:
            items.append(Call(lambda writer: writer.remember("symbols", "BTCUSDT")))
        items.append(Call(_nothing))  # ends the batch
    return items


def _live(rng: random.Random, at: dict[str, int], lost: list[tuple[str, int]]) -> list[Event]:
    events: list[Event] = []
    for _ in range(rng.randint(3, 12)):
        symbol = rng.choice(sorted(at))
        number, at[symbol] = at[symbol], at[symbol] + 1
        if rng.random() < 0.15:
            lost.append((symbol, number))
        elif rng.random() < 0.1:
            moment_us = tick(symbol, number).time_us
            marker = NonTrade("spot", symbol, "aggTrade", number, moment_us, moment_us, "zero")
            events.append(marker)
        else:
            events.append(tick(symbol, number))
    return events


def _absent(symbol: str, number: int) -> Call:
    key: StreamKey = ("spot", symbol, "aggTrade")
    return Call(lambda writer: _close_if_known(writer, key, number))


def _close_if_known(writer: TickWriter, key: StreamKey, number: int) -> None:
    if key in writer.streams():
        writer.close_gap(key, number, number, "absent", "no such id")


def _klines(batch: int) -> Call:
    opens = [T0_US - 60_000_000 + n * 1_000_000 for n in range(3)]
    bars = [Kline(each, 1.0, 2.0, 1.0, 2.0, 3.5, 4, each + 999_999) for each in opens]
    return Call(lambda writer: writer.add_klines(BTC if batch % 2 else ETH, 1, bars))


def _nothing(_writer: TickWriter) -> None:
    """Change nothing."""


def _play(items: list[Item], failure: Failure | None, path: Path | str) -> FailingConnection:
    """Let the writing loop do the script against a connection that fails as told."""
    loop = writing_loop(path)
    loop._give_up = NoWait()
    connection = FailingConnection(loop.writer._connection, failure)
    loop.writer._connection = connection  # type: ignore[assignment] # stands in for it
    loop._steps.extend(_steps(items))
    while loop._steps:
        try:
            loop._work_off()
        except Exception:  # what the thread's keeper does: the work is taken up again
            if loop._steps and connection.failed == 0:
                raise
    return connection


def fail_at_every_write(
    seed: int = 1, *, steps: int = 200, sampled: bool = False, folder: Path | None = None
) -> Result:
    """Fail statement N of a script, for every N, by each kind of error.

    `sampled` takes one of the ways to fail for each N instead of all of them. With `folder` the
    database lies on the disk, else in memory.
    """
    items = script(seed)
    reference = _play(items, None, _place(folder, 0))
    wanted, total = contents(reference), reference.statements
    reference.close()
    wrong, crashes = [], 0
    failures = list(_failures(min(steps, total), sampled=sampled))
    for run, failure in enumerate(failures, start=1):
        try:
            played = _play(items, failure, _place(folder, run))
        except Exception:  # counted: the bar is none
            crashes += 1
            continue
        if contents(played) != wanted:
            wrong.append(failure)
        played.close()
    return Result(
        f"{len(failures):,} runs of a script of {total} statements, one to four of them failing",
        seed,
        (
            holds("statements of the script", total, total >= steps, f"≥ {steps}"),
            equal("crashes", crashes, 0),
            equal("databases that differ from the undisturbed one", len(wrong), 0),
            told("first that differs", str(wrong[:1])),
        ),
    )


def _failures(steps: int, *, sampled: bool) -> Iterator[Failure]:
    """Give every way to fail at each statement: the error, one or four, before or after it."""
    ways = list(product(ERRORS, (1, 4), (False, True)))
    for first in range(1, steps + 1):
        chosen = [ways[first % len(ways)]] if sampled else ways
        for error, length, afterwards in chosen:
            yield Failure(first, length, error, afterwards)


def _place(folder: Path | None, run: int) -> Path | str:
    return ":memory:" if folder is None else folder / f"run{run}.db"
