"""A file of trades to bars: how long beside the usual way, and how much memory.

Each way runs in a process of its own, so that its peak of memory is its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_row import Row, Samples, ratio_row, value_row

from analytics.bars import resample_ticks
from ingest.files import layout, read_ticks, write_ticks_ndjson

SYMBOLS = ("BTCUSDT", "ETHUSDT")
WAYS = ("ours", "usual")
SEED = 20240808


def rows(quick: bool) -> list[Row]:
    ticks, times, run = (20_000, 1, measure) if quick else (1_000_000, 3, in_a_process)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        frame = synthetic(ticks)
        paths = {
            "NDJSON": folder / "ticks.ndjson",
            "NDJSON with ids": folder / "ours.ndjson",
            "CSV": folder / "ticks.csv",
        }
        write_ticks_ndjson(frame[["symbol", "price", "quantity"]], paths["NDJSON"])
        write_ticks_ndjson(frame, paths["NDJSON with ids"])
        write_csv(frame, paths["CSV"])
        warm_up = folder / "small.ndjson"
        write_ticks_ndjson(frame.iloc[:100], warm_up)
        return [
            row
            for name, path in paths.items()
            for row in compared(
                name, ticks, [run(way, path, warm_up) for _ in range(times) for way in WAYS]
            )
        ]


def compared(name: str, ticks: int, measures: list[dict[str, float]]) -> list[Row]:
    """Make rows of what was measured by turns: ours, the usual way, ours again."""
    found = {way: measures[place :: len(WAYS)] for place, way in enumerate(WAYS)}
    ours, usual = (Samples.of(each["cpu_s"] for each in found[way]) for way in WAYS)
    peaks = [each["peak_bytes"] / each["frame_bytes"] for each in found["ours"]]
    usual_peaks = [each["peak_bytes"] / each["frame_bytes"] for each in found["usual"]]
    how = "json.loads" if name.startswith("NDJSON") else "csv.DictReader"
    note = (
        f"{how} line by line into a frame, then the same bars; processor time;"
        " compiled code loaded before"
    )
    required: dict[str, Any] = {"at_least": 5.0} if name == "NDJSON" else {}
    bound: dict[str, Any] = {"at_most": 3.0} if name.startswith("NDJSON") else {}
    measure = f"{name}, {ticks:,} ticks to bars"
    return [
        ratio_row(measure, ours, usual, unit="s", note=note, **required),
        value_row(
            f"memory for it, of the frame's own ({name})", Samples.of(peaks), unit="×", **bound,
            note=f"the process's peak; the usual way takes {np.median(usual_peaks):.0f} ×",
        ),
    ]  # fmt: skip


def in_a_process(way: str, path: Path, warm_up: Path) -> dict[str, float]:
    """Measure one way in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, way, str(path), str(warm_up)],
        capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def measure(way: str, path: Path, warm_up: Path) -> dict[str, float]:
    """Measure one way here: processor time, and what the peak of memory rose by."""
    frames: dict[str, Callable[[Path], pd.DataFrame]] = {"ours": read_ticks, "usual": usual}
    if way == "ours":
        layout.warm_up()
    bars_of(frames[way](warm_up))
    # Compiling peaked higher than any reading: only what comes from here on is to count.
    forget_peak()
    before, begun_s = peak_bytes(), time.process_time()
    frame = frames[way](path)
    rose = peak_bytes() - before
    bars_of(frame)
    return {
        "cpu_s": time.process_time() - begun_s,
        "peak_bytes": float(rose),
        "frame_bytes": float(frame.memory_usage(deep=True).sum()),
    }


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
    frame = pd.DataFrame(records)
    frame["time"] = pd.to_datetime(frame["ts"], utc=True, format="ISO8601").dt.as_unit("us")
    names = {"size": "quantity", "id": "trade_id", "m": "buyer_is_maker"}
    return frame.drop(columns="ts").rename(columns=names).set_index("time")


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


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(Path, sys.argv[2:]))))
