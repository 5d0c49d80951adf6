"""Trades from the socket to stored rows with their bars: how many a second, how soon readable."""

import json
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_row import Row, Samples, ratio_row, value_row
from ingest_blaster import SYMBOLS, Template
from ingest_load import Load, load_app, load_recorder

OFFERED_PER_S = 44_000
NEEDED_PER_S = 40_000
MOST_PER_S = 150_000
QUICK_PER_S = 4_000
WINDOW_S = 5.0


def rows(quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = one_commit_a_trade(folder / "before.db", 0.3 if quick else 3.0)
        peak = _loaded(folder / "peak", QUICK_PER_S if quick else OFFERED_PER_S, 60.0, quick=quick)
        most = peak if quick else _loaded(folder / "most", MOST_PER_S, 12.0, quick=False)
        after = one_commit_a_trade(folder / "after.db", 0.3 if quick else 3.0)
        steady = _loaded(folder / "steady", 5_000 if not quick else 1_000, 12.0, quick=quick)
        return [
            *_peak_rows(peak, quick=quick),
            _ratio_row(most, Samples((before, after)), quick=quick),
            *_steady_rows(steady),
        ]


def one_commit_a_trade(path: Path, for_s: float) -> float:
    """Rate of a recorder that parses a frame, inserts it, and commits; no socket, no bars."""
    template = Template(SYMBOLS[0], maker=True)
    block = template.frames(50_000, time.time_ns() // 1_000_000)
    width = len(block) // 50_000
    frames = [block[at + 4 : at + width] for at in range(0, len(block), width)]
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE ticks (symbol, time, price, size, id)")
    begun_s, done = time.perf_counter(), 0
    for frame in frames:
        data = json.loads(frame)["data"]
        values = (data["s"], data["T"], float(data["p"]), float(data["q"]), data["a"])
        connection.execute("INSERT INTO ticks VALUES (?, ?, ?, ?, ?)", values)
        connection.commit()
        done += 1
        if time.perf_counter() - begun_s > for_s:
            break
    took_s = time.perf_counter() - begun_s
    connection.close()
    return done / took_s


def _loaded(folder: Path, rate: float, seconds: float, *, quick: bool) -> Load:
    folder.mkdir()
    load = load_recorder(folder, rate, 1.0) if quick else load_app(folder, rate, seconds)
    assert load.stored[-1] == load.sent, f"{load.stored[-1]:,} of {load.sent:,} were stored"
    return load


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


def _ratio_row(load: Load, naive: Samples, *, quick: bool) -> Row:
    """What is stored at a rate near the most it takes, beside the usual way without a socket."""
    return ratio_row(
        "most stored a second beside one commit a trade",
        Samples.of(load.rates(0.2 if quick else 3.0)), naive, unit="trades/s",
        more_is_better=True, at_least=20,
        note=(
            f"{load.sent:,} trades with their bars, pages open, deepest queue"
            f" {max(load.depths):,}; the other: json.loads, INSERT, COMMIT without socket or bars;"
            " WAL and FULL sync on the same disk, whose speed decides this ratio"
        ),
    )  # fmt: skip


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
