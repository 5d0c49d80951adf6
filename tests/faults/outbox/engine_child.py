"""A watch in a process of its own, to be killed while its rules fire and alerts go out.

    python tests/faults/outbox/engine_child.py FOLDER ADDRESS LAST_BAR_US_FILE

For each line on its input it forks a life and prints its number. A life told ``watch`` goes on
until it is killed; one told ``end`` says ``done`` once the last bar is evaluated and all is sent.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.watch import Watch
from ingest.watch.sending import kind_of_address


def stand_in() -> Recorder:
    """Stand for the recorder, of which the engine wants its state and its clock."""
    disk = SimpleNamespace(free=10**12)
    status = SimpleNamespace(state="live", replay=None, skew_ms=None, per_symbol={}, disk=disk)
    told: Any = SimpleNamespace(status=lambda: status, clock_us=lambda: time.time_ns() // 1000)
    return cast(Recorder, told)


def life(database: Path, address: str, last_bar: Path, *, ends: bool) -> None:
    """Watch until killed, or until nothing is left to do."""
    watch = Watch(Settings(db=database), stand_in())
    watch.addresses.take_up({"desk": address})
    watch.start()
    while not (ends and _is_done(watch, int(last_bar.read_text()) if ends else 0)):
        time.sleep(0.02)
    assert watch.stop()
    print("done", flush=True)


def _is_done(watch: Watch, last_us: int) -> bool:
    rows = [row for each in watch.board.rows().values() for row in each]
    is_there = all(row.reading is not None and row.reading.time_us >= last_us for row in rows)
    return is_there and not watch.store.waiting_channels()


def main() -> None:
    """Fork a life a line. It has no threads, so that it may."""
    database, address, last_bar = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    kind_of_address(address)  # what is imported once need not be in each life
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            life(database, address, last_bar, ends=line.strip() == "end")
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
