"""How fast research is: all pairs of 20 symbols, against its kernels, and on Dask workers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from bench_row import Row, Samples, measured, ratio_row, value_row

from analytics.research import Closes, Grid, ResearchSpec, run_task, tasks
from analytics.research import grid as grid_module
from analytics.research.search import Search
from ingest.research import OnCluster, begin, run_research

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = tuple(f"S{number:02d}USDT" for number in range(20))
YEAR = 525_600
DAY = 1_440


def rows(quick: bool) -> list[Row]:
    """Measure a few pairs of a year and scale; and two workers against one, by turns."""
    bars, times, pairs = (6_000, 1, 1) if quick else (YEAR, 3, 3)
    closes, spec = _closes(bars), _spec(quick)
    seconds, floors = [], []
    one = replace(tasks(spec, closes.grid)[0], pairs=((0, 1),))
    run_task(one, spec, closes)  # compiled and loaded
    for place in range(pairs):
        task = replace(one, pairs=((place, place + 1),))
        walk = partial(run_task, task, spec, closes)
        seconds.append(measured(walk, time.process_time)[0])
        floors.append(_kernels_s(spec, closes, SYMBOLS[place], SYMBOLS[place + 1]))
    whole = Samples.of(190 * each for each in seconds)
    floor = Samples.of(190 * each for each in floors)
    first = replace(
        ratio_row(
            f"Walk-forward of 190 pairs × 25 settings, {bars:,} bars, CPU", whole, floor, unit="s",
            note=f"{pairs} pairs measured, times 190 / {pairs}; null and scan left out",
        ),
        floor="the alternative: β, z, quantities, the sweeps and the settling alone, one thread",
    )  # fmt: skip
    return [first, *_cluster_rows(quick, times)]


def _spec(quick: bool) -> ResearchSpec:
    train, test = (2_000, 500) if quick else (28 * DAY, 7 * DAY)
    return ResearchSpec(
        SYMBOLS, "1min", (60, 120, 240, 480, 960), (1.5, 2.0, 2.5, 3.0, 3.5), train, test,
        null_runs=0, scan=False,
    )  # fmt: skip


def _closes(bars: int) -> Closes:
    steps = np.random.default_rng(4).normal(0, 1e-3, (len(SYMBOLS) + 1, bars)).cumsum(axis=1)
    paths = 100.0 * np.exp(steps[:-1] + steps[-1])
    grid = Grid(1_704_067_200_000_000, 60_000_000, bars)
    return Closes(grid, dict(zip(SYMBOLS, paths, strict=True)))


def _kernels_s(spec: ResearchSpec, closes: Closes, y: str, x: str) -> float:
    """CPU of the compiled steps of one pair, on what is laid out for them already."""
    from analytics.backtest import block_spans, sweep_stretches
    from analytics.kernels.sweep import sweep_cells

    search = Search.of(spec, closes.bars(y), closes.bars(x), (y, x))
    (prepared,) = search.prepared
    starts = [low - spec.train_bars
              for low, _ in block_spans(spec.train_bars, search.size, spec.test_bars)]  # fmt: skip
    chosen = search.walk()
    assert chosen.trades > 0

    def kernels() -> None:
        sweep_cells(prepared.market.paths)
        for window in spec.windows:
            prepared.grid.maker.at(window)
        sweep_stretches(prepared, starts, spec.train_bars, 1)

    return measured(kernels, time.process_time)[0]


def _cluster_rows(quick: bool, times: int) -> list[Row]:
    bars = 4_000 if quick else 60 * DAY
    closes, spec = _closes(bars), replace(_spec(quick=True), symbols=SYMBOLS[: 3 if quick else 8])
    took: dict[tuple[int, str], list[float]] = {}
    # A pair a task, so that the end of the work is even.
    steps = grid_module._STEPS_A_TASK
    vars(grid_module)["_STEPS_A_TASK"] = 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            shared = Path(folder) / "shared"
            with _cluster(1) as one, _cluster(2) as two:
                for run in range(-1, times):
                    for workers, address in ((1, one), (2, two)):
                        for way in ("", str(shared)):
                            name = f"{workers}-{run}-{'shared' if way else 'sent'}"
                            saved = begin(name, spec, closes, "made", folder=Path(folder) / "kept")
                            executor = OnCluster(address, way)
                            work = partial(run_research, saved, executor, _Quiet())
                            spent, _ = measured(work)
                            if run >= 0:  # the first compiles and loads
                                took.setdefault((workers, way and "shared"), []).append(spent)
    finally:
        vars(grid_module)["_STEPS_A_TASK"] = steps
    single, double, read = (Samples.of(took[key]) for key in ((1, ""), (2, ""), (2, "shared")))
    what = f"{spec.pairs} pairs × 25 settings, {bars:,} bars"
    return [
        ratio_row(
            f"Two Dask workers against one, {what}", double, single, unit="s", at_least=1.7,
            note="a thread each, on this machine's two cores, desk and scheduler beside them; "
            "alternating",
        ),
        value_row(
            f"Closes read from a shared folder by two workers, {what}", read, unit="s",
            note=f"sent through the scheduler {double.median:.3g} s",
        ),
    ]  # fmt: skip


class _Quiet:
    def update(self, *_: object, **__: object) -> None:
        """Nobody looks."""

    def check(self) -> None:
        """Nobody cancels."""


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        at = str(Path(folder) / "scheduler.json")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}

        def dask(*words: str) -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *words, "--scheduler-file", at, "--no-dashboard",
                 "--host", "127.0.0.1"],
                env=environment, cwd=folder, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        there = [dask("scheduler", "--port", "0")]
        there += [
            dask("worker", "--nthreads", "1", "--no-nanny", "--memory-limit", "0")
            for _ in range(workers)
        ]
        try:
            from distributed import Client

            with Client(scheduler_file=at, timeout=60) as client:
                client.wait_for_workers(workers, timeout=60)
                address = str(client.scheduler_info()["address"])
            yield address
        finally:
            for process in there:
                process.kill()
                process.wait()
