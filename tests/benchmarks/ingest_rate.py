"""Trades from the socket to stored rows with their bars: how many a second, how soon readable."""

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import websockets
from bench_row import Row, Samples, ratio_row, value_row
from exchange.blaster import SYMBOLS, Template
from ingest_load import Load, blaster, load_app, load_recorder

OFFERED_PER_S = 44_000
NEEDED_PER_S = 40_000
NEEDED_AT_MOST_PER_S = 90_000
MOST_PER_S = 150_000
QUICK_PER_S = 4_000
FASTER_THAN_COMMITS_PER_S = 30_000
FASTER_THAN_BATCHES_PER_S = 150_000
BATCH = 1_000
MOST_FOR_S = 12.0
WINDOW_S = 5.0


def rows(quick: bool) -> list[Row]:
    for_s = 0.3 if quick else 3.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = _recorders(folder / "before", for_s)
        peak = _loaded(folder / "peak", QUICK_PER_S if quick else OFFERED_PER_S, 60.0, quick=quick)
        most = peak if quick else _most(folder / "most")
        after = _recorders(folder / "after", for_s)
        steady = _loaded(folder / "steady", 5_000 if not quick else 1_000, 8.0, quick=quick)
        usual, bare, batches = (Samples(each) for each in zip(before, after, strict=True))
        return [
            *_peak_rows(peak, quick=quick),
            *_arriving_rows(most, quick=quick),
            *_ratio_rows(most, usual, bare, batches, quick=quick),
            *_steady_rows(steady),
        ]


def _recorders(folder: Path, for_s: float) -> list[float]:
    """Rates of a recorder that commits each trade, of its inserts alone, and of one by batches."""
    folder.mkdir()
    return [
        _socket_rate(folder / "each.db", for_s, 1, FASTER_THAN_COMMITS_PER_S),
        _insert(folder / "bare.db", for_s),
        _socket_rate(folder / "batches.db", for_s, BATCH, FASTER_THAN_BATCHES_PER_S),
    ]


def _socket_rate(path: Path, for_s: float, batch: int, offered_per_s: float) -> float:
    """Rate of a recorder that parses each frame of the socket and commits so many at a time."""
    with blaster(offered_per_s, for_s + 2.0, wait_s=0.1) as (port, _):
        return asyncio.run(_record(port, path, for_s, batch))


async def _record(port: int, path: Path, for_s: float, batch: int) -> float:
    with _table(path) as connection:
        async with websockets.connect(
            f"ws://127.0.0.1:{port}/stream", compression=None, close_timeout=0.1
        ) as client:
            _store(connection, [await client.recv()])
            begun_s, done, took_s = time.perf_counter(), 0, 0.0
            while took_s < for_s:
                _store(connection, [await client.recv() for _ in range(batch)])
                done += batch
                took_s = time.perf_counter() - begun_s
    return done / took_s


def _insert(path: Path, for_s: float) -> float:
    """Rate of the same without its socket: frames that are there already."""
    template = Template(SYMBOLS[0], maker=True)
    block = template.frames(50_000, time.time_ns() // 1_000_000)
    width = len(block) // 50_000
    frames = [block[at + 4 : at + width] for at in range(0, len(block), width)]
    with _table(path) as connection:
        begun_s, done = time.perf_counter(), 0
        for frame in frames:
            _store(connection, [frame])
            done += 1
            if time.perf_counter() - begun_s > for_s:
                break
        return done / (time.perf_counter() - begun_s)


@contextmanager
def _table(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE ticks (symbol, time, price, size, id)")
        yield connection


def _store(connection: sqlite3.Connection, frames: Sequence[str | bytes]) -> None:
    """Parse, insert, commit; no bars, no ledger, nothing checked."""
    rows = [
        (data["s"], data["T"], float(data["p"]), float(data["q"]), data["a"])
        for data in (json.loads(frame)["data"] for frame in frames)
    ]
    connection.executemany("INSERT INTO ticks VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()


def _loaded(folder: Path, rate: float, seconds: float, *, quick: bool) -> Load:
    folder.mkdir()
    load = load_recorder(folder, rate, 1.0) if quick else load_app(folder, rate, seconds)
    assert load.stored[-1] == load.sent, f"{load.stored[-1]:,} of {load.sent:,} were stored"
    return load


def _most(folder: Path) -> Load:
    """More than can be stored, for a while; a slow machine refuses some of it in the end."""
    folder.mkdir()
    return load_app(folder, MOST_PER_S, MOST_FOR_S)


def _peak_rows(load: Load, *, quick: bool) -> list[Row]:
    rates = Samples.of(load.rates(0.2 if quick else WINDOW_S))
    pages = "the recorder alone" if quick else f"three pages open, {load.refreshes} refreshes"
    offered = QUICK_PER_S if quick else OFFERED_PER_S
    note = (
        f"{load.sent:,} trades offered by another process at {offered:,}/s, {pages};"
        f" by windows of {WINDOW_S:g} s, FULL sync"
    )
    # With its write-ahead log, should a reader of the app have kept it from being folded in.
    size = sum(path.stat().st_size for path in load.database.parent.glob("ticks.db*"))
    return [
        value_row(
            "frames to stored rows with bars, pages open", rates, unit="trades/s",
            at_least=NEEDED_PER_S, note=note,
        ),
        value_row(
            "deepest queue at that rate", max(load.depths), unit="trades", at_most=NEEDED_PER_S,
            note="of 200,000; a second of trades",
        ),
        value_row(
            "bytes on disk a tick with bars", size / load.sent, unit="B", at_most=55,
            note=f"{size / 1e6:,.0f} MB after the app ended",
        ),
        *_memory_rows(load),
    ]  # fmt: skip


def _ratio_rows(
    load: Load, usual: Samples, bare: Samples, batches: Samples, *, quick: bool
) -> list[Row]:
    """What is stored at a rate near the most it takes, beside the usual way and a batching one."""
    rates = Samples.of(load.rates(0.2 if quick else 3.0))
    refused = load.sent - load.stored[-1]
    return [
        ratio_row(
            "most stored a second beside a recorder that commits each trade", rates, usual,
            unit="trades/s", more_is_better=True, at_least=20,
            note=(
                f"{load.sent:,} trades with their bars, {refused:,} refused, pages open, deepest"
                f" queue {max(load.depths):,}; the other: websockets, json.loads, INSERT, COMMIT,"
                " without bars and pages; WAL and FULL sync on the same disk, which decides this"
            ),
        ).beside({f"{BATCH:,} trades a commit": batches}, more_is_better=True),
        ratio_row(
            "the same beside commits of frames that lie in memory", rates, bare,
            unit="trades/s", more_is_better=True, note="no socket to read: no recorder",
        ),
    ]  # fmt: skip


def _arriving_rows(load: Load, *, quick: bool) -> list[Row]:
    """More than can be taken: what is stored while it comes, and after; each id is known."""
    offered = QUICK_PER_S if quick else MOST_PER_S
    left, took_s = load.drained()
    missing = load.named_missing()
    return [
        value_row(
            f"stored while {offered:,}/s are offered", load.rate_while_arriving(), unit="trades/s",
            at_least=NEEDED_AT_MOST_PER_S,
            note=(
                f"until the last of {load.sent:,} frames was sent; after it {left:,} in"
                f" {took_s:.1f} s; deepest queue {max(load.depths):,}"
            ),
        ),
        value_row(
            "ids neither stored nor named as missing then",
            load.sent - load.stored[-1] - sum(missing.values()), unit="ids", at_most=0,
            note=", ".join(f"{cause}: {ids:,}" for cause, ids in missing.items()) or "none missing",
        ),
    ]  # fmt: skip


def _memory_rows(load: Load) -> list[Row]:
    if not any(load.memories):
        return []
    third = len(load.memories) // 3
    early, late = max(load.memories[third : 2 * third]), max(load.memories[2 * third :])
    return [
        value_row(
            "memory of the app in that minute", late / 1e6, unit="MB", at_most=600,
            note=f"{(late - early) / 1e6:+.0f} MB from the second third of it to the last",
        )
    ]  # fmt: skip


def _steady_rows(load: Load) -> list[Row]:
    took_ms = load.readable_after_ms()
    p50, p99 = np.quantile(took_ms, (0.5, 0.99))
    return [
        value_row(
            "trade received to readable, p99 at 5,000/s", float(p99), unit="ms", at_most=400,
            note=f"{len(took_ms):,} trades; p50 {p50:.0f} ms; polled every 5 ms",
        )
    ]  # fmt: skip
