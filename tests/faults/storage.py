"""The database under stress, by real means: full, damaged, held by a reader, stalled, set aside."""

import json
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from faults.disk import contents, tick, writing_loop
from faults.result import Result, at_least, at_most, equal, holds, told
from ingest.counts import Counts
from ingest.event_queue import Call, EventQueue
from ingest.recorder.maintenance import Maintenance, Retention
from ingest.recorder.writing import WritingLoop
from ingest.store import TickWriter
from ingest.store.schema import PAGE_BYTES
from ingest.tick import Event

TESTS = Path(__file__).resolve().parents[1]
MB = 1_000_000


def until(condition: Callable[[], bool], timeout_s: float = 20.0, every_s: float = 0.005) -> float:
    """Wait for a condition of another thread that raises no event; gives the seconds it took."""
    begun_s = time.monotonic()
    while not condition():
        if time.monotonic() - begun_s > timeout_s:
            msg = f"did not come true within {timeout_s:g} s"
            raise TimeoutError(msg)
        time.sleep(every_s)
    return time.monotonic() - begun_s


@contextmanager
def running(loop: WritingLoop, queue: EventQueue) -> Iterator[None]:
    """Run a writing loop in its thread, and end it with all it was given stored."""
    thread = threading.Thread(target=loop.run, name="writing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        queue.close()
        thread.join(30)
        assert not thread.is_alive(), "the writing thread did not end"


@contextmanager
def looked_after(path: Path, queue: EventQueue) -> Iterator[None]:
    """Run the maintenance of a database in its thread."""
    maintenance = Maintenance(
        path, queue, Counts(), Retention(), disk_low=_ignore, clock_jumped=_ignore
    )
    thread = threading.Thread(target=maintenance.run, name="maintenance", daemon=True)
    thread.start()
    try:
        yield
    finally:
        maintenance.end()
        thread.join(10)


def _ignore(_what: float) -> None:
    """Hear of it and do nothing."""


def rows(path: Path, symbol: str = "BTCUSDT") -> list[int]:
    """Give the stored ids of a symbol, as another process would see them."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        found = connection.execute(
            "SELECT trade_id FROM tick_data WHERE symbol = ? ORDER BY 1", (symbol,)
        )
        return [number for (number,) in found]


def full_database(folder: Path, trades: int = 3000) -> Result:
    """Let SQLite itself say that the database is full, then give it room."""
    queue = EventQueue()
    loop = writing_loop(folder / "full.db", queue)
    connection = loop.writer._connection
    with running(loop, queue):
        for number in range(1, 11):
            queue.put(tick("BTCUSDT", number))
        until(lambda: len(rows(loop.path)) == 10)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        for number in range(11, trades + 1):
            queue.put(tick("BTCUSDT", number))
        until(lambda: loop.error is not None)
        said, kept = str(loop.error), rows(loop.path)
        connection.execute("PRAGMA max_page_count = 1000000")
        took_s = until(lambda: len(rows(loop.path)) == trades)
        # The rows are there with the commit, the word of it a moment later.
        until(lambda: loop.error is None)
        cleared = loop.error is None
    return Result(
        f"SQLITE_FULL by max_page_count while {trades:,} trades wait, then room again",
        None,
        (
            holds("said", said, "full" in said, "says that it is full"),
            equal("stored rows lost", 10 - len([n for n in kept if n <= 10]), 0),
            equal("trades missing at the end", trades - len(rows(loop.path)), 0),
            at_most("stored after there was room", took_s, 10.0, "s"),
            holds("goes on by itself", cleared, cleared),
        ),
    )


def stalled_writer(folder: Path, *, stall_s: float, trades_per_s: int, capacity: int) -> Result:
    """Hold the writing thread for a while; what the queue cannot take is in the ledger."""
    queue = EventQueue(capacity)
    loop = writing_loop(folder / "stalled.db", queue)
    holding, released = threading.Event(), threading.Event()
    total = int(stall_s * trades_per_s)
    with running(loop, queue):
        queue.put(tick("BTCUSDT", 1))
        until(lambda: len(rows(loop.path)) == 1)
        queue.put(Call(lambda _writer: _hold(holding, released)))
        holding.wait(10)
        longest_put_s, refused = 0.0, 0
        for number in range(2, total + 2):
            begun_s = time.perf_counter()
            refused += not queue.put(tick("BTCUSDT", number))
            longest_put_s = max(longest_put_s, time.perf_counter() - begun_s)
        released.wait(stall_s)
        released.set()
        until(lambda: len(queue) < capacity // 2)
        queue.put(tick("BTCUSDT", total + 2))
        until(lambda: rows(loop.path)[-1] == total + 2)
        stored = rows(loop.path)
        with closing(_reader(loop.path)) as connection:
            gaps = contents(connection)["gap"]
    missing = sum(gap[4] - gap[3] + 1 for gap in gaps)
    causes = {gap[7] for gap in gaps}
    return Result(
        f"writer stalled for {total:,} trades, queue of {capacity:,}",
        None,
        (
            told("events the queue refused", refused),
            equal("ids neither stored nor in the ledger", total + 2 - len(stored) - missing, 0),
            equal("ids in gaps", missing, refused),
            holds("causes", sorted(causes), causes <= {"queue full"}, "queue full"),
            at_most("longest wait of the receiving side", longest_put_s * 1000, 1000.0, "ms"),
        ),
    )


def _hold(holding: threading.Event, released: threading.Event) -> None:
    holding.set()
    released.wait(120)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def long_reader(folder: Path, *, hold_s: float, trades_per_s: int, quiet_after: bool) -> Result:
    """Hold a read transaction under write load; measure the log and how soon it drains.

    With `quiet_after` nothing is written once the reader lets go. A log of under 1,000 pages (8 MB)
    is folded in by the maintenance only: the trades are as many however slow the machine is.
    """
    path = folder / "held.db"
    queue = EventQueue()
    loop = writing_loop(path, queue)
    wal = path.with_name(path.name + "-wal")
    number = peak = 0
    with running(loop, queue), looked_after(path, queue):
        queue.put(tick("BTCUSDT", 0))
        until(lambda: bool(rows(path)))
        with closing(_reader(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM tick").fetchone()
            begun_s = time.monotonic()
            while number < (total := int(hold_s * trades_per_s)):
                passed_s = time.monotonic() - begun_s
                while number < min(passed_s * trades_per_s, total):
                    number += 1
                    queue.put(tick("BTCUSDT", number))
                peak = max(peak, wal.stat().st_size)
                time.sleep(0.01)
            until(lambda: rows(path)[-1] == number, every_s=0.1)
            held = _undrained_bytes(path)
        begun_s = time.monotonic()
        if not quiet_after:
            queue.put(tick("BTCUSDT", number := number + 1))
        until(lambda: _undrained_bytes(path) <= MB, 30.0, every_s=0.05)
        drained_s = time.monotonic() - begun_s
        until(lambda: rows(path)[-1] == number)
        stored = len(rows(path))
    return Result(
        f"a reader held on for {hold_s:g} s at {trades_per_s:,} trades/s",
        None,
        (
            at_most("largest log", peak / MB, 256.0, "MB"),
            at_least("undrained when the reader let go", held / MB, 2.0, "MB"),
            at_most("drained after", drained_s, 10.0, "s"),
            equal("trades lost", number + 1 - stored, 0),
        ),
    )


def _undrained_bytes(path: Path) -> int:
    """Bytes of the log that are not in the database yet, read from SQLite's index of the log.

    By another process: to open these files here would drop SQLite's locks.
    """
    code = (
        "import pathlib, sys\n"
        f"sys.stdout.write(pathlib.Path({str(path)!r} + '-shm').read_bytes()[:136].hex())"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    index = bytes.fromhex(answer.stdout)
    # "The WAL-Index File Format": mxFrame at 16, nBackfill at 96, in the machine's byte order.
    (frames,), (drained,) = struct.unpack_from("=I", index, 16), struct.unpack_from("=I", index, 96)
    return int(max(0, frames - drained)) * PAGE_BYTES


# --- a damaged log ---


def write_and_vanish(path: Path, batches: int, checkpointed: int) -> None:
    """Child process: write batches, print the contents after each, end without closing."""
    writer = TickWriter(path)
    writer._connection.execute("PRAGMA wal_autocheckpoint = 0")
    for batch in range(batches):
        if batch == checkpointed:
            writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        writer.write(batch_events(batch))
        print(json.dumps(contents(writer._connection)), flush=True)
    sys.stdout.flush()
    os._exit(0)  # what SIGKILL leaves: the log as it is, nothing closed


def batch_events(batch: int) -> list[Event]:
    """Give a batch's events: two symbols, a hole in every third batch."""
    first = 1 + batch * 40
    ids = [first + n for n in range(40) if not (batch % 3 == 2 and n in {7, 8})]
    return [tick("BTCUSDT" if number % 3 else "ETHUSDT", number) for number in ids]


def damaged_log(folder: Path, *, seeds: range, batches: int = 30, checkpointed: int = 8) -> Result:
    """Damage copies of a log at random places; each must open to an exact batch prefix."""
    folder.mkdir(exist_ok=True)
    template = folder / "template.db"
    call = f"write_and_vanish(f.Path({str(template)!r}), {batches}, {checkpointed})"
    code = f"import faults.storage as f; f.{call}"
    written = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=child_environment(),
    )
    prefixes = {line: number for number, line in enumerate(written.stdout.splitlines(), start=1)}
    assert len(prefixes) == batches
    prefixes[json.dumps(_empty(folder))] = 0
    wrong = unsound = below = 0
    lengths = []
    for seed in seeds:
        copy = folder / "damaged.db"
        _copy_and_damage(template, copy, random.Random(seed))
        with closing(sqlite3.connect(copy)) as check:
            unsound += check.execute("PRAGMA quick_check").fetchone()[0] != "ok"
        writer = TickWriter(copy)
        found = prefixes.get(json.dumps(contents(writer._connection)))
        wrong += found is None
        lengths.append(found or 0)
        below += found is not None and found < checkpointed
        # It must also be possible to go on from there: what is missing is known to be missing.
        writer.write(batch_events(batches))
        writer.close()
    return Result(
        f"{len(seeds):,} damaged logs (bytes flipped, torn, cut off) of {batches} batches",
        seeds.start,
        (
            equal("not an exact batch prefix", wrong, 0),
            equal("quick_check not ok", unsound, 0),
            equal("batches lost that were in the database itself", below, 0),
            told("batches kept, shortest", min(lengths)),
            told("batches kept, longest", max(lengths)),
            told("batches kept, mean", sum(lengths) / len(lengths)),
        ),
    )


def _empty(folder: Path) -> dict[str, list[object]]:
    writer = TickWriter(folder / "empty.db")
    found = contents(writer._connection)
    writer.close()
    return found


def _copy_and_damage(template: Path, copy: Path, rng: random.Random) -> None:
    """Copy a database nobody has open; change its log at random."""
    copy.with_name(copy.name + "-shm").unlink(missing_ok=True)
    shutil.copyfile(template, copy)
    log = bytearray(template.with_name(template.name + "-wal").read_bytes())
    kind = rng.choice(("flip", "block", "cut", "zeros", "header"))
    at = rng.randrange(len(log))
    if kind == "cut":
        del log[at:]
    elif kind == "flip":
        for _ in range(rng.randint(1, 20)):
            log[rng.randrange(len(log))] ^= rng.randint(1, 255)
    elif kind == "header":
        log[rng.randrange(32)] ^= rng.randint(1, 255)
    else:
        size = min(rng.randint(1, 3 * PAGE_BYTES), len(log) - at)
        log[at : at + size] = rng.randbytes(size) if kind == "block" else bytes(size)
    copy.with_name(copy.name + "-wal").write_bytes(log)


def child_environment() -> dict[str, str]:
    """Give the environment of a child that imports the project and its tests."""
    path = os.pathsep.join((str(TESTS.parent), str(TESTS)))
    return {**os.environ, "PYTHONPATH": path}
