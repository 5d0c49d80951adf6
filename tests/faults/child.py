"""A recorder in a process of its own, to be killed; imports no more than it needs.

    python tests/faults/child.py            one recorder, spoken to over standard input and output
    python tests/faults/child.py --nursery  one for each connection to the port it prints

It says ``ready PID`` when all is imported, begins at a line of JSON (database, ws_url, rest_url,
symbols, batch_wait_s), says ``recording`` when its threads run, and goes on until it is killed or
the line to it ends; then it stops in order and says ``stopped``. A nursery imports once and forks:
a life then costs milliseconds.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TextIO

from ingest.feed import FeedLimits
from ingest.feed.link import LinkLimits
from ingest.recorder import Recorder, writing
from ingest.settings import Settings


def life(hears: TextIO, says: TextIO) -> int:
    """Record when told to, stop when nobody is there any more; gives the exit status."""
    print("ready", os.getpid(), file=says, flush=True)
    line = hears.readline()
    if not line:
        return 0
    told = json.loads(line)
    writing.BATCH_WAIT_S = told["batch_wait_s"]  # small: more commits to be killed in
    settings = Settings(
        symbols=tuple(told["symbols"]),
        db=Path(told["database"]),
        ws_url=told["ws_url"],
        rest_url=told["rest_url"],
    )
    recorder = Recorder(settings, feed_limits=FeedLimits(link=LinkLimits(close_s=0.5)))
    recorder.start()
    print("recording", file=says, flush=True)
    hears.readline()
    if not recorder.stop():
        return 1
    print("stopped", file=says, flush=True)
    return 0


def nursery() -> None:
    """Begin a life for each connection, until killed. It has no threads, so that it may fork."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    server = socket.create_server(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with connection.makefile("r") as hears, connection.makefile("w") as says:
                os._exit(life(hears, says))
        connection.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--nursery"]:
        nursery()
    raise SystemExit(life(sys.stdin, sys.stdout))
