"""What happens around the recorder: no disk space, dead threads, damaged files, jumping clocks."""

import sqlite3
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from exchange.server import Exchange, ThreadedExchange

from faults.children import SYMBOLS
from faults.process import examine, stored_ids
from faults.result import Result, at_most, equal, holds
from faults.sockets import recorder_for
from faults.storage import until
from ingest.recorder import Recorder, maintenance
from ingest.store import PAUSE_FREE_BYTES


@contextmanager
def recording(folder: Path) -> Iterator[tuple[ThreadedExchange, Recorder]]:
    """Run a recorder that has stored a first trade of each symbol."""
    with ThreadedExchange(SYMBOLS) as exchange:
        recorder = recorder_for(exchange, folder / "ticks.db")
        recorder.start()
        try:
            exchange.wait_for_subscribers(1)
            push(exchange, 1)
            until(lambda: recorder.status().stored == len(SYMBOLS))
            yield exchange, recorder
        finally:
            recorder.stop()


def push(exchange: ThreadedExchange, count: int) -> None:
    for number in range(count):
        for symbol in SYMBOLS:
            exchange.push(symbol, 100 + number % 7, "0.5")


def missing(exchange: ThreadedExchange, recorder: Recorder) -> int:
    """Count the trades of the exchange that are not stored."""
    found = stored_ids(recorder.settings.db)
    return sum(
        len({trade.trade_id for trade in exchange.trades(each)} - set(found[each]))
        for each in SYMBOLS
    )


def disk_low(folder: Path) -> Result:
    """Let the disk fill up to the limit, trade on, then make room."""
    with recording(folder) as (exchange, recorder):
        free = [PAUSE_FREE_BYTES - 1]
        recorder._maintenance._free = lambda _path: free[0]
        recorder._maintenance.look_at_disk()
        until(lambda: not exchange.call(lambda e: e.connections))
        state, notices = recorder.status().state, recorder.status().notices
        push(exchange, 50)
        free[0] = 10 * PAUSE_FREE_BYTES
        recorder._maintenance.look_at_disk()
        exchange.wait_for_subscribers(1)
        push(exchange, 1)
        back_s = until(lambda: missing(exchange, recorder) == 0, 30.0)
        causes = _causes(recorder.settings.db)
        after = recorder.status().state
    return Result(
        "free space under the limit, 100 trades, then room again",
        None,
        (
            holds("state", state, state == "paused", "paused"),
            holds("says so", len(notices), any("MB free" in each for each in notices)),
            holds("causes of the gaps", sorted(causes), causes == {"disk full"}, "disk full"),
            holds("afterwards", after, after == "live", "live"),
            at_most("whole again after", back_s, 10.0, "s"),
        ),
    )


def _causes(database: Path) -> set[str]:
    with suppress(sqlite3.OperationalError):
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return {cause for (cause,) in connection.execute("SELECT cause FROM gap")}
        finally:
            connection.close()
    return set()


def dead_threads(folder: Path) -> Result:
    """Let each of the three threads die once, by an error and by SystemExit."""
    figures = []
    with recording(folder) as (exchange, recorder):
        for error in (RuntimeError("made to fail"), SystemExit("made to fail")):
            for name, kill in KILLERS.items():
                before = recorder.status().restarts
                handshakes = len(exchange.handshakes()) + (name == "feed")
                works = kill(recorder, error)
                push(exchange, 3)
                _wait_for_restart(recorder, before)
                begun_s = real_time.monotonic()
                exchange.run(partial(_handshakes_are, count=handshakes))
                exchange.run(lambda e: e.wait_until(lambda: len(e.connections) == 1))
                push(exchange, 1)
                works.wait(15.0)
                until(lambda: missing(exchange, recorder) == 0, 30.0)
                back_s = real_time.monotonic() - begun_s
                figures.append(
                    at_most(f"{name} at work again ({type(error).__name__})", back_s, 5.0, "s")
                )
        lost = missing(exchange, recorder)
        told = [each.detail for each in recorder.status().history if each.kind == "restarted"]
    named = all(any(name in each for each in told) for name in KILLERS)
    return Result(
        "each thread killed twice while trades ran",
        None,
        (
            *figures,
            equal("trades lost", lost, 0),
            holds("the history names them", len(told), named and len(told) == 6, "6 restarts"),
        ),
    )


def _once(owner: object, name: str, error: BaseException) -> threading.Event:
    """Make a method fail at its next call; gives the event of its being called after that."""
    method = getattr(owner, name)
    works = threading.Event()

    def fail(*_arguments: object) -> None:
        setattr(owner, name, work)
        raise error

    def work(*arguments: object) -> object:
        setattr(owner, name, method)
        works.set()
        return method(*arguments)

    setattr(owner, name, fail)
    return works


def _wait_for_restart(recorder: Recorder, before: int) -> None:
    until(lambda: recorder.status().restarts > before, 15.0)


async def _handshakes_are(exchange: Exchange, count: int) -> None:
    await exchange.wait_until(lambda: len(exchange.handshakes) == count)


KILLERS: dict[str, Callable[[Recorder, BaseException], threading.Event]] = {
    "writer": lambda recorder, error: _once(recorder._writing, "_persist", error),
    "feed": lambda recorder, error: _once(recorder._receiving, "event", error),
    "maintenance": lambda recorder, error: _once(recorder._maintenance, "_is_due", error),
}


def damaged_at_start(folder: Path) -> Result:
    """Overwrite pages of a database between two runs."""
    with recording(folder) as (exchange, recorder):
        push(exchange, 2000)
        until(lambda: missing(exchange, recorder) == 0)
    database = recorder.settings.db
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 12] = b"\xa5" * (4096 * 9)
    database.write_bytes(content)
    database.with_name(database.name + "-wal").write_bytes(b"left over")
    with recording(folder) as (exchange, recorder):
        notices = recorder.status().notices
        push(exchange, 5)
        until(lambda: missing(exchange, recorder) == 0)
    aside = [each.name for each in folder.iterdir() if ".damaged-" in each.name]
    said = [each for each in notices if "damaged" in each]
    kept = [each for each in folder.iterdir() if each.name.endswith("Z")]
    return Result(
        "nine pages of the database overwritten between two runs",
        None,
        (
            holds("set aside", len(aside), len(kept) == 1, "the database, unchanged"),
            holds("unchanged", len(content), kept[0].read_bytes() == bytes(content)),
            holds("says so", said, len(said) == 1, "one sentence"),
            holds("the new one", "sound", examine(database).sound, "sound"),
        ),
    )


def damaged_while_running(folder: Path) -> Result:
    """Let SQLite say in the middle of a run that the file is damaged."""
    with recording(folder) as (exchange, recorder):
        writer = recorder._writing.writer
        broken = sqlite3.DatabaseError("database disk image is malformed")
        broken.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        _once(writer, "write", broken)
        push(exchange, 20)
        until(lambda: recorder._writing.damage is not None)
        until(lambda: stored_ids(recorder.settings.db)["BTCUSDT"][-1:] == [21])
        # What is still asked of a stream that the new database does not know holds nothing up.
        recorder.repair_now()
        push(exchange, 5)
        until(lambda: stored_ids(recorder.settings.db)["BTCUSDT"][-1:] == [26])
        notices, restarts = recorder.status().notices, recorder.status().restarts
        found = stored_ids(recorder.settings.db)
    said = [each for each in notices if "damaged" in each]
    contiguous = all(ids == list(range(ids[0], ids[-1] + 1)) for ids in found.values())
    aside = [each for each in folder.iterdir() if each.name.endswith("Z")]
    return Result(
        "SQLITE_CORRUPT in the middle of a run",
        None,
        (
            equal("databases set aside", len(aside), 1),
            holds("says so", said, len(said) == 1, "one sentence"),
            holds("ids in the new one", "contiguous", contiguous, "contiguous"),
            equal("threads that failed", restarts, 0),
        ),
    )


def wall_clock_jumps(folder: Path, *, jump_s: float = 3600.0) -> Result:
    """Set the wall clock an hour ahead, then an hour back."""
    offset = [0.0]
    shim = SimpleNamespace(time=lambda: real_time.time() + offset[0], monotonic=real_time.monotonic)
    maintenance.time, original = shim, maintenance.time  # type: ignore[assignment, attr-defined]
    try:
        with recording(folder) as (exchange, recorder):
            offset[0] += jump_s
            until(lambda: any(each.kind == "clock" for each in recorder.status().history))
            until(lambda: recorder.status().reconnects == 1)
            exchange.wait_for_subscribers(1)
            push(exchange, 10)
            offset[0] -= jump_s
            until(lambda: sum(each.kind == "clock" for each in recorder.status().history) == 2)
            push(exchange, 10)
            until(lambda: missing(exchange, recorder) == 0)
            lost, reconnects = missing(exchange, recorder), recorder.status().reconnects
            attempts = len(exchange.handshakes())
    finally:
        maintenance.time = original  # type: ignore[attr-defined]
    return Result(
        f"the wall clock {jump_s:,.0f} s ahead, then back",
        None,
        (
            equal("reconnects", reconnects, 1),
            equal("handshakes in all", attempts, 2),
            equal("trades lost", lost, 0),
        ),
    )


def start_and_stop_at_once(folder: Path, times: int = 10) -> Result:
    """Stop at once after the start: no thread may stay, and no second may pass."""
    longest_s, orderly = 0.0, 0
    with ThreadedExchange(SYMBOLS) as exchange:
        for _ in range(times):
            recorder = recorder_for(exchange, folder / "short.db")
            recorder.start()
            begun_s = real_time.monotonic()
            orderly += recorder.stop()
            longest_s = max(longest_s, real_time.monotonic() - begun_s)
        left = len(exchange.call(lambda e: e.connections))
    return Result(
        f"started and stopped at once, {times} times",
        None,
        (
            equal("stopped in order", orderly, times),
            at_most("longest stop", longest_s, 5.0, "s"),
            equal("connections left", left, 0),
        ),
    )
