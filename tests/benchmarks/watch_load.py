"""What watching costs beside recording: CPU, delay and memory, with and without it by turns.

    python tests/benchmarks/watch_load.py [--pairs 500] [--symbols 60] [--rate 2000] [--seconds 60]
        [--rounds 1]

The scripted exchange trades in a process of its own; the recorder and the watch run in another, as
the app has them, without pages. Each round runs it twice: with the pairs, and with an empty list.
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
sys.path[:0] = [str(ROOT), str(TESTS)]

from analytics.alerts import AlertRule
from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.store import SECOND_US
from ingest.watch import Watch, Watched, WatchedPair, WatchList

WINDOW = 30
RULES = (("outside", 2.0), ("above", 2.5), ("below", -2.5))


@dataclass
class Figures:
    """What one run cost."""

    cores: float
    memory_mb: float
    delays_ms: list[float]
    evaluated: int
    alerts: int
    error: str | None

    @classmethod
    def of(cls, text: str) -> "Figures":
        return cls(**json.loads(text))

    def quantile(self, share: float) -> float:
        ordered = sorted(self.delays_ms)
        return ordered[int(share * (len(ordered) - 1))] if ordered else float("nan")


def main() -> int:
    options = _parser().parse_args()
    if options.child:
        print(json.dumps(vars(_child(options))))
        return 0
    runs: dict[bool, list[Figures]] = {True: [], False: []}
    for watching in [True, False] * options.rounds:
        runs[watching].append(_run(options, watching=watching))
        _say(options, runs[watching][-1], watching=watching)
    more = [a.cores - b.cores for a, b in zip(runs[True], runs[False], strict=True)]
    memory = [a.memory_mb - b.memory_mb for a, b in zip(runs[True], runs[False], strict=True)]
    print(f"watching costs {min(more):.3f} to {max(more):.3f} cores, {max(memory):.0f} MB more")
    return 0


def _say(options: argparse.Namespace, figures: Figures, *, watching: bool) -> None:
    print(
        f"{options.pairs if watching else 0} pairs: {figures.cores:.3f} cores,"
        f" {figures.memory_mb:.0f} MB, {figures.evaluated} bars evaluated,"
        f" bar's end to row p50 {figures.quantile(0.5):.0f} p99 {figures.quantile(0.99):.0f}"
        f" max {figures.quantile(1.0):.0f} ms, {figures.alerts} alerts, error {figures.error}",
        flush=True,
    )


def _run(options: argparse.Namespace, *, watching: bool) -> Figures:
    """Record for a while with an exchange of its own."""
    command = [sys.executable, str(TESTS / "exchange"), "--port", str(options.port)]
    command += ["--symbols", ",".join(_symbols(options))]
    command += ["--rate", str(options.rate / options.symbols)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exchange:
        assert exchange.stdout is not None
        exchange.stdout.readline()
        try:
            child = [sys.executable, *sys.argv, "--child"] + (["--watching"] if watching else [])
            done = subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True)
        finally:
            exchange.terminate()
    return Figures.of(done.stdout.splitlines()[-1])


def _child(options: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            symbols=tuple(_symbols(options)),
            db=Path(folder) / "ticks.db",
            ws_url=f"ws://127.0.0.1:{options.port}",
            rest_url=f"http://127.0.0.1:{options.port}",
        )
        recorder = Recorder(settings)
        watch = Watch(settings, recorder)
        if options.watching:
            _choose_pairs(watch, options)
        recorder.start()
        watch.start()
        figures = _measure(watch, options)
        watch.stop()
        recorder.stop()
    return figures


def _choose_pairs(watch: Watch, options: argparse.Namespace) -> None:
    both = itertools.islice(itertools.combinations(_symbols(options), 2), options.pairs)
    pairs = tuple(WatchedPair(y, x, window=WINDOW, spread="log") for y, x in both)
    watch.store.save_list(WatchList("all", pairs))
    for crosses, level in RULES:
        watch.store.save_rule(
            AlertRule(f"z {crosses}", crosses=crosses, level=level)  # type: ignore[arg-type]
        )


def _measure(watch: Watch, options: argparse.Namespace) -> Figures:
    """Let windows fill, then look at the rows until the time is over."""
    time.sleep(options.warm_up)
    seen: dict[Watched, int] = {}
    delays_ms: list[float] = []
    begun_s, used_s = time.monotonic(), time.process_time()
    while time.monotonic() - begun_s < options.seconds:
        for row in watch.board.rows().get("all", ()):
            if row.reading is None or seen.get(row.pair) == row.reading.time_us:
                continue
            if row.pair in seen:
                end_us = row.reading.time_us + SECOND_US
                delays_ms.append((row.evaluated_us - end_us) / 1000)
            seen[row.pair] = row.reading.time_us
        time.sleep(0.2)
    cores = (time.process_time() - used_s) / (time.monotonic() - begun_s)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    alerts = watch.store.newest_alert_id()
    return Figures(cores, memory_mb, delays_ms, len(delays_ms), alerts, watch.status().last_error)


def _symbols(options: argparse.Namespace) -> list[str]:
    return [f"W{number:03d}USDT" for number in range(options.symbols)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--symbols", type=int, default=60)
    parser.add_argument("--rate", type=float, default=2000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--port", type=int, default=9467)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--watching", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
