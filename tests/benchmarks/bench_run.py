"""Finds the benchmark modules and runs each in a process of its own, within a time limit."""

import importlib
import json
import os
import platform
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench_row import Row

BENCHMARKS = Path(__file__).resolve().parent
TOTAL_LIMIT_S = 600.0
MODULE_LIMIT_S = 300.0
QUICK_LIMIT_S = 180.0
_HAS_ROWS = re.compile(r"^def rows\(", re.MULTILINE)
_READS_LONG_STORE = re.compile(r"^from long_store import ", re.MULTILINE)


class Outcome(NamedTuple):
    """What a module gave: its rows, or one row that says how it failed."""

    module: str
    rows: list[Row]
    failed: bool
    took_s: float


def module_names(folder: Path = BENCHMARKS) -> list[str]:
    """Names of the modules that have rows, in alphabetical order."""
    return sorted(
        path.stem for path in folder.glob("*.py") if _HAS_ROWS.search(path.read_text("utf-8"))
    )


def make_databases(names: Sequence[str], folder: Path = BENCHMARKS) -> None:
    """Make the databases that the modules read, where they are not there from an earlier run."""
    if any(_READS_LONG_STORE.search((folder / f"{name}.py").read_text("utf-8")) for name in names):
        command = [sys.executable, str(BENCHMARKS / "long_store.py")]
        subprocess.run(command, check=True, stdout=sys.stderr)


def run_all(
    names: Sequence[str], *, quick: bool, folder: Path = BENCHMARKS, limit_s: float | None = None
) -> Iterator[Outcome]:
    """Run the modules, one after the other; quick ones, whose figures mean nothing, abreast."""
    until_s = time.monotonic() + TOTAL_LIMIT_S
    most_s = limit_s or (QUICK_LIMIT_S if quick else MODULE_LIMIT_S)

    def run(name: str) -> Outcome:
        left_s = min(most_s, until_s - time.monotonic())
        return _run_one(name, quick=quick, folder=folder, limit_s=left_s)

    with ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) if quick else 1) as pool:
        yield from pool.map(run, names)


def run_here(name: str, *, quick: bool, folder: Path, target: Path) -> None:
    """Run one module in this process, and write its rows to a file; for the child process."""
    sys.path[:0] = [str(folder), str(BENCHMARKS), *map(str, BENCHMARKS.parents[:2])]
    try:
        rows = importlib.import_module(name).rows(quick)
    except Exception as error:
        traceback.print_exc()
        target.write_text(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        sys.exit(1)
    target.write_text(json.dumps({"rows": [row.to_json() for row in rows]}))


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count() or 1,
        "cpu": _cpu_model(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _run_one(name: str, *, quick: bool, folder: Path, limit_s: float) -> Outcome:
    begun_s = time.monotonic()
    if limit_s <= 0:
        return _failed(name, f"not run: {TOTAL_LIMIT_S:g} s were used up", 0.0)
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "rows.json"
        words = [sys.executable, str(BENCHMARKS), "--run-here", name, str(folder), str(target)]
        status = _status_of([*words, *(["--quick"] if quick else [])], limit_s)
        if status is None:
            return _failed(name, f"ended after {limit_s:.0f} s", time.monotonic() - begun_s)
        took_s = time.monotonic() - begun_s
        answer = json.loads(target.read_text()) if target.exists() else {}
    if "rows" not in answer:
        return _failed(name, answer.get("error", f"ended with status {status}"), took_s)
    return Outcome(name, [Row.from_json(record) for record in answer["rows"]], False, took_s)


def _status_of(words: Sequence[str], limit_s: float) -> int | None:
    """Run to its end and give its status; None where it had to be ended, with what it started."""
    process = subprocess.Popen(words, stdout=sys.stderr, start_new_session=True)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None and hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _failed(name: str, reason: str, took_s: float) -> Outcome:
    return Outcome(name, [Row(f"{name}: FAILED", met=False, note=reason)], True, took_s)


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        model = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if model:
            return model[1]
    return platform.processor() or platform.machine()
