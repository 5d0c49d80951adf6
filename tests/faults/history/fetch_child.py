"""Fetches in processes of their own, to be killed: one for each connection to the port it prints.

It imports once and forks: a life then costs milliseconds. A life begins at a line of JSON, the
command line of a fetch, and says its exit status when it is over.
"""

import json
import os
import signal
import socket
from typing import TextIO

import duckdb
import httpx
import pyarrow.parquet

from ingest.binance import REST_WEIGHT_PER_MINUTE
from ingest.history import keeping, paging, run_history
from ingest.settings import parse_settings

LOADED = (duckdb, httpx, pyarrow.parquet)  # which would otherwise be each life's to load
ROWS_A_PAGE = 100


def life(hears: TextIO, says: TextIO) -> int:
    """Fetch what is asked for, in small pages, and write each of them: more to be killed in."""
    print("ready", os.getpid(), file=says, flush=True)
    line = hears.readline()
    if not line:
        return 0
    argv = json.loads(line)
    keeping.LEAST_ROWS = 1
    paging.PAGE_ROWS = ROWS_A_PAGE
    REST_WEIGHT_PER_MINUTE["spot"] = 10**9
    status = run_history(parse_settings(argv, {}), argv)
    print("ended", status, file=says, flush=True)
    return status


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
    nursery()
