"""The fault tests in their long form: what was done, what was measured, against which bar.

    python tests/faults [--only NAME] [--seed N] [--short] [--minutes N] [--list]

Ends with status 1 when a figure misses its bar. A failure names its seed: the same seed does the
same again. Needs the packages of ``tests/requirements.txt``; talks to 127.0.0.1 only.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path[:1] = map(str, Path(__file__).resolve().parents[1:3])

from faults import departure as fault_departure
from faults import disk as fault_disk
from faults import frames as fault_frames
from faults import load as fault_load
from faults import network as fault_network
from faults import outbox as fault_outbox
from faults import process as fault_process
from faults import simulation as fault_simulation
from faults import sockets as fault_sockets
from faults import storage as fault_storage
from faults import supervision as fault_supervision
from faults import venue as fault_venue
from faults.history import fetch_kills as fault_fetch_kills
from faults.history import lake_kills as fault_lake_kills
from faults.history import move_kills as fault_moves
from faults.result import Result
from ingest.recorder.writing import BATCH_WAIT_S

STORMS = (
    "accept and close",
    "accept, one trade, close",
    "refuse with 503",
    "shutdown at once",
    "successor dies",
    "receiving thread fails",
)
STOPS = (
    *("connecting", "waiting to try again", "handing over", "making the next connection"),
    *("in a black hole", "receiving"),
)
SILENCES = ("symbol", "connection", "from the start", "after a quiet hour")


@dataclass(frozen=True)
class Run:
    """How a fault test is to be run."""

    folder: Path
    seed: int
    short: bool
    minutes: float

    def size(self, short: float, long: float) -> int:
        return int(short if self.short else long)

    def place(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder


def sigkill(run: Run) -> Iterator[Result]:
    yield fault_process.kill_at_random(
        run.folder,
        kills=run.size(100, 1000),
        seed=run.seed,
        longest_s=0.2 if run.short else 1.0,
        batch_wait_s=0.02 if run.short else BATCH_WAIT_S,
    )


def disconnects(run: Run) -> Iterator[Result]:
    """Endings by the hundred with quick pings, then black holes with the real time limits."""
    count = run.size(28, 500)
    yield fault_sockets.disconnects(run.place("all"), count=count, seed=run.seed)
    if not run.short:
        yield fault_sockets.disconnects(
            run.place("holes"), count=3, seed=run.seed, ping_s=20.0, endings=("black hole",)
        )


def storms(run: Run) -> Iterator[Result]:
    for kind in STORMS:
        for_s = run.size(420, 3600)
        yield fault_network.attempts_storm(kind, seed=run.seed, for_s=for_s)


def refusals(run: Run) -> Iterator[Result]:
    yield fault_sockets.refused_handshakes(run.folder, retry_after_s=run.size(1, 10))
    for where in ("handshake", "hand-over", "REST"):
        for status, wait_s in ((429, 7), (418, run.size(300, 3 * 86_400))):
            yield fault_network.refused_with_wait(
                where, status, retry_after_s=wait_s, seed=run.seed
            )


def rotation(run: Run) -> Iterator[Result]:
    yield fault_sockets.planned_rotation(run.folder, times=run.size(4, 50), seed=run.seed)
    yield fault_network.rotation(times=run.size(5, 100), seed=run.seed)


def outage(run: Run) -> Iterator[Result]:
    for lag_s in (0.0, 30.0):
        yield fault_network.outage(
            seed=run.seed, for_s=600.0, rate=run.size(10, 40), rest_lag_s=lag_s
        )


def stopping(run: Run) -> Iterator[Result]:
    for doing in STOPS:
        yield fault_network.stop_while(doing, seed=run.seed)


def silence(run: Run) -> Iterator[Result]:
    for kind in SILENCES:
        for seed in range(run.seed, run.seed + run.size(1, 20)):
            yield fault_network.silent_stream(kind, seed=seed)
    yield fault_network.quiet_market(
        seed=run.seed, for_s=run.size(3600, 80_000)
    )  # under a connection's 23 h


def failing_writes(run: Run) -> Iterator[Result]:
    if run.short:
        yield fault_disk.fail_at_every_write(run.seed, sampled=True)
    else:
        yield fault_disk.fail_at_every_write(run.seed)
        yield fault_disk.fail_at_every_write(run.seed + 1, folder=run.place("on-disk"))
    yield fault_storage.full_database(run.folder)


def damaged_log(run: Run) -> Iterator[Result]:
    seeds = range(run.seed, run.seed + run.size(50, 1000))
    yield fault_storage.damaged_log(run.place("prefix"), seeds=seeds)
    seeds = range(run.seed, run.seed + run.size(2, 30))
    yield fault_process.damaged_log_repaired(run.place("repaired"), seeds=seeds)


def long_reader(run: Run) -> Iterator[Result]:
    for quiet_after in (False, True):
        yield fault_storage.long_reader(
            run.place(f"quiet-{quiet_after}"),
            hold_s=run.size(2, 60),
            trades_per_s=run.size(40_000, 5000),
            quiet_after=quiet_after,
        )


def stalled_writer(run: Run) -> Iterator[Result]:
    """Stall the writer for a minute: once within the queue's room, once beyond it."""
    for capacity in (200_000, 2000):
        yield fault_storage.stalled_writer(
            run.place(str(capacity)), stall_s=run.size(1, 60), trades_per_s=2500, capacity=capacity
        )


def mutated_frames(run: Run) -> Iterator[Result]:
    yield fault_frames.mutated_frames(count=run.size(20_000, 1_000_000), seed=run.seed)


def burst(run: Run) -> Iterator[Result]:
    yield fault_load.burst(run.folder, rate_per_s=5000, for_s=run.size(3, 60), seed=run.seed)


def supervision(run: Run) -> Iterator[Result]:
    for scenario in (
        fault_supervision.start_and_stop_at_once,
        fault_supervision.disk_low,
        fault_supervision.dead_threads,
        fault_supervision.damaged_at_start,
        fault_supervision.damaged_while_running,
        fault_supervision.wall_clock_jumps,
        fault_process.second_recorder,
    ):
        yield scenario(run.place(scenario.__name__))


def id_restart(run: Run) -> Iterator[Result]:
    yield fault_venue.id_restart(run.folder, times=run.size(2, 50), seed=run.seed)


def other_venue(run: Run) -> Iterator[Result]:
    yield fault_venue.other_venue(run.folder)


def future_trade(run: Run) -> Iterator[Result]:
    yield fault_venue.future_trade(run.folder, odd=run.size(20, 300), seed=run.seed)


def departure(run: Run) -> Iterator[Result]:
    """Delete, rename or replace the database under the recorder, time and again."""
    times, trades = run.size(1, 10), run.size(100, 2000)
    for scenario in (fault_departure.unlink, fault_departure.rename, fault_departure.replace):
        for number in range(times):
            yield scenario(run.place(f"{scenario.__name__}-{number}"), trades=trades)
    for number in range(times):
        place = run.place(f"all-{number}")
        yield fault_departure.unlink(place, with_log=True, trades=trades)
    yield fault_departure.replace_by_other(run.place("other"))
    yield fault_departure.replace_by_other_venue(run.place("other-venue"))
    yield fault_departure.emptied(run.place("emptied"))
    yield fault_departure.log_deleted(run.place("log"))


def outbox(run: Run) -> Iterator[Result]:
    """Kill what sends alerts, time and again; let their receivers fail for ten minutes."""
    place = run.place("killed")
    yield fault_outbox.kill_while_sending(place, kills=run.size(30, 1000), seed=run.seed)
    watched = run.place("killed-watch")
    yield fault_outbox.kill_while_watching(watched, kills=run.size(20, 1000), seed=run.seed)
    yield fault_outbox.receivers_down(
        run.place("down"),
        for_s=run.size(4, 600),
        alerts=run.size(40, 1200),
        limit_s=run.size(1, 10),
    )


def lake(run: Run) -> Iterator[Result]:
    """Kill an import into the lake, time and again."""
    yield fault_lake_kills.kill_while_importing(
        run.place("lake"), kills=run.size(30, 1000), seed=run.seed
    )


def history(run: Run) -> Iterator[Result]:
    """Kill a fetch of trades and bars, time and again."""
    yield fault_fetch_kills.kill_while_fetching(run.folder, kills=run.size(20, 1000), seed=run.seed)


def moves(run: Run) -> Iterator[Result]:
    """Kill a recorder, time and again, while old days move from its database to the lake."""
    place = run.place("moves")
    yield fault_moves.kill_while_moving(place, kills=run.size(20, 1000), seed=run.seed)


def simulations(run: Run) -> Iterator[Result]:
    yield fault_simulation.simulations(
        run.size(300, 10_000), seed=run.seed, longest_wait_s=run.size(10, 20)
    )


def soak(run: Run) -> Iterator[Result]:
    warm_up = min(10.0, run.minutes / 3)
    yield fault_load.soak(run.folder, minutes=run.minutes, warm_up_minutes=warm_up)


TESTS: dict[str, Callable[[Run], Iterator[Result]]] = {
    each.__name__: each
    for each in (
        *(sigkill, disconnects, storms, refusals, rotation, stopping, outage, silence),
        *(
            failing_writes,
            damaged_log,
            long_reader,
            stalled_writer,
            mutated_frames,
            burst,
            supervision,
            id_restart,
            other_venue,
            future_trade,
            departure,
            outbox,
            history,
            lake,
            moves,
        ),
        *(simulations, soak),
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests asked for and print the table."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(TESTS))
        return 0
    print(f"seed {options.seed}, {'short' if options.short else 'long'} form", flush=True)
    failed = []
    for name in options.only or TESTS:
        if name == "soak" and options.short and not options.only:
            continue
        if not _run(name, options):
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "all bars met")
    return bool(failed)


def _run(name: str, options: argparse.Namespace) -> bool:
    met = True
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = Run(Path(folder), options.seed, options.short, options.minutes)
        for result in TESTS[name](run):
            _print(name, result)
            met = met and result.passed
    print(f"  ({time.monotonic() - begun_s:.0f} s)", flush=True)
    return met


def _print(name: str, result: Result) -> None:
    print(f"{name}: {result.done}" + (f" [seed {result.seed}]" if result.seed is not None else ""))
    for figure in result.figures:
        print(f"  {'ok  ' if figure.met else 'FAIL'} {figure}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="faults.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(TESTS), help="this one; repeatable")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (1)")
    parser.add_argument("--short", action="store_true", help="the form that CI runs")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the soak (60)")
    parser.add_argument("--list", action="store_true", help="name the tests and end")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
