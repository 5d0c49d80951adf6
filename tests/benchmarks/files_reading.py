"""A file of trades to bars: how long and how much memory, beside the usual way and a public engine.

Each way runs in a process of its own, so that its peak of memory is its own. The strongest public
way is the first of DuckDB, polars and pyarrow that is installed; its rows name it.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_row import Row, Samples, ratio_row, value_row

from analytics.bars import resample_ticks
from ingest.files import layout, read_ticks, write_ticks_ndjson

SYMBOLS = ("BTCUSDT", "ETHUSDT")
DUCKDB_COLUMNS = "{'ts': 'TIMESTAMP', 'symbol': 'VARCHAR', 'price': 'DOUBLE', 'size': 'DOUBLE'}"
# Columns of the files and of a ticks frame.
NAMES = {
    "symbol": "symbol",
    "price": "price",
    "size": "quantity",
    "id": "trade_id",
    "m": "buyer_is_maker",
    "s": "symbol",
    "p": "price",
    "q": "quantity",
    "a": "trade_id",
}
SEED = 20240808


def rows(quick: bool) -> list[Row]:
    ticks, times, run = (20_000, 1, measure) if quick else (1_000_000, 3, in_a_process)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        frame = synthetic(ticks)
        paths = {
            "NDJSON": folder / "ticks.ndjson",
            "NDJSON with ids": folder / "ours.ndjson",
            "Binance frames": folder / "frames.ndjson",
            "CSV": folder / "ticks.csv",
        }
        write_ticks_ndjson(frame[["symbol", "price", "quantity"]], paths["NDJSON"])
        write_ticks_ndjson(frame, paths["NDJSON with ids"])
        write_frames(frame, paths["Binance frames"])
        write_csv(frame, paths["CSV"])
        return [
            row
            for name, path in paths.items()
            for row in compared(name, ticks, [run(way, path) for _ in range(times) for way in WAYS])
        ]


def compared(name: str, ticks: int, measures: list[dict[str, float]]) -> list[Row]:
    """Make rows of what was measured by turns: ours, the usual way, ours again."""
    by_way = {way: measures[place :: len(WAYS)] for place, way in enumerate(WAYS)}
    ours, usual, public = (Samples.of(each["cpu_s"] for each in by_way[way]) for way in WAYS)
    peaks = {
        way: Samples.of(
            each["peak_bytes"] / by_way["ours"][0]["frame_bytes"] for each in by_way[way]
        )
        for way in WAYS
    }
    how = "csv.DictReader" if name == "CSV" else "json.loads"
    note = (
        f"{how} line by line into a frame, then the same bars; processor time;"
        " compiled code loaded before"
    )
    required: dict[str, Any] = {"at_least": 5.0} if name == "NDJSON" else {}
    bound: dict[str, Any] = {"at_most": 3.0} if name.startswith("NDJSON") else {}
    measure = f"{name}, {ticks:,} ticks to bars"
    wall = np.median([each["wall_s"] for each in by_way["public"]])
    return [
        ratio_row(measure, ours, usual, unit="s", note=note, **required),
        ratio_row(
            f"{measure}, beside {PUBLIC}", ours, public, unit="s",
            note=f"its own bars of the whole file, {wall:.2f} s on the clock; processor time",
        ),
        value_row(
            f"memory for it, of the frame's own ({name})", peaks["ours"], unit="×", **bound,
            note=(
                f"the process's peak; the usual way takes {peaks['usual'].median:.0f} ×,"
                f" {PUBLIC} {peaks['public'].median:.1f} ×"
            ),
        ),
    ]  # fmt: skip


def in_a_process(way: str, path: Path) -> dict[str, float]:
    """Measure one way in a process of its own."""
    paths = (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH"))
    done = subprocess.run(
        [sys.executable, __file__, way, str(path)],
        capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def measure(way: str, path: Path) -> dict[str, float]:
    """Measure one way here: processor time, the clock's, and what the peak of memory rose by."""
    if way == "ours":
        layout.warm_up()
    read, bars = WAYS[way]
    bars(read(beginning_of(path)))
    # Compiling peaked higher than any reading: only what comes from here on is to count.
    forget_peak()
    before, begun_s, begun_wall_s = peak_bytes(), time.process_time(), time.perf_counter()
    table = read(path)
    rose = peak_bytes() - before
    bars(table)
    is_frame = isinstance(table, pd.DataFrame)
    return {
        "cpu_s": time.process_time() - begun_s,
        "wall_s": time.perf_counter() - begun_wall_s,
        "peak_bytes": float(rose),
        "frame_bytes": float(table.memory_usage(deep=True).sum()) if is_frame else 0.0,
    }


def beginning_of(path: Path) -> Path:
    """A file of the first lines of another, beside it."""
    beginning = path.with_stem(f"{path.stem}-beginning")
    with path.open("rb") as file:
        beginning.write_bytes(b"".join(file.readline() for _ in range(100)))
    return beginning


def usual(path: Path) -> pd.DataFrame:
    """Read line by line into a frame."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            import csv

            records = [
                {**row, "price": float(row["price"]), "size": float(row["size"])}
                for row in csv.DictReader(file)
            ]
        else:
            records = [json.loads(line) for line in file]
    return ticks_of(pd.DataFrame(records))


def ticks_of(table: pd.DataFrame) -> pd.DataFrame:
    """A ticks frame of a file's own columns."""
    if is_frames := "T" in table:
        table[["p", "q"]] = table[["p", "q"]].astype(float)
    time = (
        pd.to_datetime(table["T"], utc=True, unit="ms")
        if is_frames
        else pd.to_datetime(table["ts"], utc=True, format="ISO8601")
    )
    kept = [name for name in NAMES if name in table]
    return table[kept].rename(columns=NAMES).set_index(time.dt.as_unit("us").rename("time"))


def duckdb_bars(path: Path) -> object:
    """DuckDB's own reader and its own bars, in one query."""
    import duckdb

    if path.suffix == ".csv":
        trades = f"read_csv('{path}', columns = {DUCKDB_COLUMNS})"
    elif path.stem.startswith("frames"):
        letters = "{'s': 'VARCHAR', 'T': 'BIGINT', 'p': 'DOUBLE', 'q': 'DOUBLE'}"
        trades = (
            "(SELECT s AS symbol, make_timestamp(T * 1000) AS ts, p AS price, q AS size FROM "
            f"read_json('{path}', format = 'newline_delimited', columns = {letters}))"
        )
    else:
        trades = f"read_json('{path}', format = 'newline_delimited', columns = {DUCKDB_COLUMNS})"
    found = duckdb.sql(
        "SELECT symbol, time_bucket(INTERVAL 1 second, ts) AS open_time, arg_min(price, ts), "
        "max(price), min(price), arg_max(price, ts), sum(size), count(*) "
        f"FROM {trades} GROUP BY ALL ORDER BY ALL"
    )
    assert found is not None
    return found.fetchnumpy()


def polars_bars(path: Path) -> object:
    """Polars' lazy reader and its own bars."""
    import polars as pl

    is_frames = path.stem.startswith("frames")
    names = ("s", "T", "p", "q") if is_frames else ("symbol", "ts", "price", "size")
    types = {"T": pl.Int64, "price": pl.Float64, "size": pl.Float64}
    schema = {name: types.get(name, pl.String) for name in names}
    is_csv = path.suffix == ".csv"
    trades = (
        pl.scan_csv(path, schema_overrides=schema)
        if is_csv
        else pl.scan_ndjson(path, schema=schema)
    )
    text_time = pl.col(names[1]).cast(pl.String).str.to_datetime("%+", time_unit="us")
    time_us = pl.from_epoch("T", "ms") if is_frames else text_time.dt.replace_time_zone(None)
    price, size = (pl.col(name).cast(pl.Float64) for name in names[2:])
    return (
        trades.select(symbol=names[0], time=time_us, price=price, size=size)
        .group_by("symbol", pl.col("time").dt.truncate("1s").alias("open_time"))
        .agg(
            pl.first("price").alias("open"),
            pl.max("price").alias("high"),
            pl.min("price").alias("low"),
            pl.last("price").alias("close"),
            pl.sum("size"),
            pl.len(),
        )
        .sort("symbol", "open_time")
        .collect()
    )


def pyarrow_bars(path: Path) -> object:
    """Pyarrow's reader, and our bars of it."""
    from pyarrow import csv
    from pyarrow import json as arrow_json

    read = csv.read_csv if path.suffix == ".csv" else arrow_json.read_json
    return bars_of(ticks_of(read(path).to_pandas()))


def strongest() -> tuple[str, Callable[[Path], object]]:
    """The strongest public way to bars that is installed, and its name with the version."""
    ways = {"duckdb": duckdb_bars, "polars": polars_bars, "pyarrow": pyarrow_bars}
    name = next(name for name in ways if find_spec(name) is not None)
    return f"{name} {version(name)}", ways[name]


def bars_of(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [resample_ticks(frame[frame["symbol"] == symbol], "1s") for symbol in SYMBOLS]


def forget_peak() -> None:
    """Let the kernel's mark of the most memory start again from what is used now (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Give the most memory used since; since the start, where the system has no such mark."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def synthetic(count: int) -> pd.DataFrame:
    """An hour of trades of two symbols."""
    rng = np.random.default_rng(SEED)
    time_us = 1_760_000_000_000_000 + np.sort(rng.integers(0, 3_600_000, count)) * 1000
    leg = rng.integers(0, 2, count)
    walk = rng.normal(size=count).cumsum() * 0.01
    frame = pd.DataFrame(
        {
            "symbol": pd.Series(np.array(SYMBOLS)[leg], dtype="str"),
            "price": np.round(np.where(leg == 0, 60_000, 2_500) + walk, 2),
            "quantity": rng.integers(1, 10**6, count) / 1e5,
            "trade_id": np.where(leg == 0, np.cumsum(leg == 0), np.cumsum(leg == 1)),
            "buyer_is_maker": rng.random(count) < 0.5,
        }
    )
    frame.index = pd.DatetimeIndex(time_us.view("datetime64[us]"), name="time", tz="UTC")
    return frame


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    written = frame[["symbol", "price", "quantity"]].rename(columns={"quantity": "size"})
    written.index = pd.DatetimeIndex(frame.index).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rename("ts")
    written.to_csv(path)


def write_frames(frame: pd.DataFrame, path: Path) -> None:
    """Write the same trades as the exchange prints them, a message a line."""
    names = ["symbol", "price", "quantity", "trade_id", "buyer_is_maker"]
    time_ms = pd.DatetimeIndex(frame.index).as_unit("ms").asi8.tolist()
    rows = zip(time_ms, *(frame[name].tolist() for name in names), strict=True)
    with path.open("w", encoding="ascii") as file:
        for ms, symbol, price, quantity, number, is_maker in rows:
            maker = "true" if is_maker else "false"
            file.write(
                f'{{"e":"aggTrade","E":{ms + 1},"s":"{symbol}","a":{number},"p":"{price:.8f}",'
                f'"q":"{quantity:.8f}","f":{2 * number},"l":{2 * number + 1},"T":{ms},'
                f'"m":{maker},"M":true}}\n'
            )


PUBLIC, public_bars = strongest()
# How each way reads a file, and how it makes bars of what it read.
WAYS: dict[str, tuple[Callable[[Path], Any], Callable[[Any], object]]] = {
    "ours": (read_ticks, bars_of),
    "usual": (usual, bars_of),
    "public": (public_bars, lambda bars: bars),
}

if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
