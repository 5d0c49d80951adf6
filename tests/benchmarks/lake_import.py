"""History in files: import of a month's dump, and bars read back, cold, beside DuckDB's bare read.

    python tests/benchmarks --only lake_import [--quick]

The dump is of the exchange's form: 20 million aggTrades of a month, in a zip. It is made once and
kept for the next run (two minutes). Import and reads are in processes of their own.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

import numpy as np
from bench_row import Row, Samples, value_row
from cases import dump_files
from cases.dump_files import DAY_S, OCTOBER_S

from ingest.history.dumps import import_dump
from ingest.store.bars import STORED_ROW, StoredRows
from ingest.store.lake import Lake, LakeWriter, Source
from ingest.store.pieces import LakeStream

DUMP_ROWS = 20_000_000
YEAR_MINUTES = 366 * 1_440
EVER = (0, 2**40)
STREAM = LakeStream("spot", "BTCUSDT", "aggTrade")
KEPT = Path(tempfile.gettempdir()) / f"pairdesk-benchmarks-{os.getuid()}"
DUCKDB_READS = """
import sys, time
begun = time.perf_counter()
import duckdb
duckdb.execute("SET threads = 2")
for symbol in ("BTCUSDT", "ETHUSDT"):
    columns = "epoch_us(time) AS opened, open, high, low, close, volume_e8, trades"
    files = f"{sys.argv[1]}/{symbol}/*/*.parquet"
    duckdb.sql(f"SELECT {columns} FROM '{files}' ORDER BY opened").fetchnumpy()
print(time.perf_counter() - begun)
"""


def rows(quick: bool) -> list[Row]:
    """Measure the import, and reads of a pair."""
    dump = _dump(20_000 if quick else DUMP_ROWS)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        wall_s, cpu_s, memory_mb, count = _child("import", root / "import", dump)
        size = sum(each.stat().st_size for each in (root / "import").rglob("*.parquet"))
        lake = pair_lake(root / "lake", quick)
        times = 1 if quick else 5
        reads = {
            (length, way): Samples.of(_read(lake, length, way) for _ in range(times))
            for length in (60, 1)
            for way in ("ours", "DuckDB")
        }
    note = f"{cpu_s / count * 1e6:.2f} s CPU a million rows, {count:,.0f} rows"
    names = {60: "a year of 1-min klines of a pair", 1: "30 days of 1-s klines of a pair"}
    return [
        value_row(
            "import of a month's aggTrades dump", count / wall_s / 1e6, unit="M rows/s",
            at_least=1.5, note=note,
        ),
        value_row("memory of that import", memory_mb, unit="MB", at_most=600),
        value_row("bytes a trade in the lake, bars included", size / count, unit="B", at_most=14),
        *(
            value_row(
                f"{names[length]} out of the lake into arrays, in a new process",
                reads[length, "ours"], unit="s", at_most=bar,
            ).beside({"DuckDB, sorted, into arrays": reads[length, "DuckDB"]})
            for length, bar in ((60, 0.25), (1, 1.0))
        ),
    ]  # fmt: skip


def _dump(count: int) -> Path:
    path = KEPT / f"dump-{count}" / "BTCUSDT-aggTrades-2024-10.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name("making.zip")
        dump_files.write_agg_dump(made, dump_files.walk(count, days=31.0), checksum=False)
        made.rename(path)
        dump_files.write_checksum(path)
    return path


def pair_lake(root: Path, quick: bool) -> Path:
    """A lake of two symbols' klines: a year of minutes, 30 days of seconds."""
    with LakeWriter(root) as writer:
        for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
            for length, count in ((60, YEAR_MINUTES), (1, 30 * DAY_S)):
                rows_ = _klines(count // (100 if quick else 1), length, seed)
                writer.put_klines("spot", symbol, length, rows_, Source("rest", "made up"))
    return root


def _klines(count: int, length: int, seed: int) -> StoredRows:
    rng = np.random.default_rng(seed)
    close = 60_000 + np.round(np.cumsum(rng.normal(0, 1, count)), 2)
    made = np.zeros(count, dtype=STORED_ROW)
    made["at"] = OCTOBER_S + np.arange(count) * length
    made["open"], made["close"] = np.concatenate([close[:1], close[:-1]]), close
    made["high"], made["low"] = np.maximum(made["open"], close), np.minimum(made["open"], close)
    made["volume"], made["trades"] = rng.integers(0, 10**10, count), rng.integers(1, 99, count)
    return made


def _read(root: Path, length: int, way: str) -> float:
    return _child("read", root, length)[0] if way == "ours" else duckdb_reads_s(root, length)


def duckdb_reads_s(root: Path, length: int) -> float:
    """Seconds of DuckDB's bare read of both symbols' klines, in a process of its own."""
    kind = "kline_1min" if length == 60 else "kline_1s"
    command = [sys.executable, "-c", DUCKDB_READS, str(root / "spot" / kind)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _child(*words: object) -> list[float]:
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(each) for each in done.stdout.split()]


def _main(words: Sequence[str]) -> None:
    what, root, which = words
    begun_s = time.perf_counter()
    if what == "read":
        for symbol in ("BTCUSDT", "ETHUSDT"):
            Lake(root).pieces(STREAM._replace(symbol=symbol)).read(int(which), *EVER)
        print(time.perf_counter() - begun_s)
        return
    report = import_dump(Path(root), Path(which))
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - begun_s, time.process_time(), memory_mb, report.rows)


if __name__ == "__main__":
    _main(sys.argv[1:])
