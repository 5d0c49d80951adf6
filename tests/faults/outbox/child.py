"""An outbox in a process of its own, to be killed while alerts go out.

    python tests/faults/outbox/child.py DATABASE ADDRESS

For each line on its input it forks a life and prints its number. A life told ``fire`` records
alerts and delivers them until it is killed; one told ``end`` delivers what is left and says
``done``.
"""

import os
import signal
import sys
import time
from pathlib import Path

from ingest.watch import Alert, WatchStore
from ingest.watch.addresses import Addresses, Secrets
from ingest.watch.outbox import Outbox
from ingest.watch.sending import kind_of_address

EVERY_S = 0.004


def life(database: Path, address: str, *, fires: bool) -> None:
    """Deliver, and record alerts to deliver, until killed or nothing waits."""
    store = WatchStore(database)
    outbox = Outbox(store, Addresses({"desk": address}, Secrets([]), {}))
    outbox.start()
    while fires:
        now_us = time.time_ns() // 1000
        store.record([Alert("wide", "fired", now_us, now_us, "z", channels=("desk",))], {}, {})
        outbox.wake()
        time.sleep(EVERY_S)
    while store.waiting_channels():
        time.sleep(0.02)
    assert outbox.stop()
    print("done", flush=True)


def main() -> None:
    """Fork a life a line. It has no threads, so that it may."""
    database, address = Path(sys.argv[1]), sys.argv[2]
    kind_of_address(address)  # what is imported once need not be in each life
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            life(database, address, fires=line.strip() == "fire")
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
