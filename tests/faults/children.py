"""Recording processes that a test may kill: `faults.child` seen from the other side."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from exchange.server import ThreadedExchange

from faults.storage import TESTS, child_environment, until
from ingest.recorder.writing import BATCH_WAIT_S

SYMBOLS = ("BTCUSDT", "ETHUSDT")
# Elsewhere a process must not go on in a fork of another one, or cannot.
MAY_FORK = sys.platform == "linux"


class Child:
    """One recording process; `process` is None where it is a fork of the nursery's."""

    def __init__(
        self, hears: IO[str], says: IO[str], process: "subprocess.Popen[str] | None" = None
    ) -> None:
        self._hears, self._says, self._process = hears, says, process
        self._is_dead = False
        word, pid = hears.readline().split()
        assert word == "ready"
        self._pid = int(pid)

    def begin(
        self, database: Path, exchange: ThreadedExchange, batch_wait_s: float = BATCH_WAIT_S
    ) -> None:
        """Let it record."""
        told = {"database": str(database), "symbols": SYMBOLS, "batch_wait_s": batch_wait_s}
        told |= {"ws_url": exchange.ws_url, "rest_url": exchange.rest_url}
        print(json.dumps(told), file=self._says, flush=True)

    def wait_recording(self) -> None:
        """Wait until its threads run."""
        assert self._hears.readline().strip() == "recording", "the child did not record"

    def end(self) -> None:
        """Let it stop in order."""
        print(file=self._says, flush=True)
        assert self._hears.readline().strip() == "stopped", "the child did not stop in order"
        self._wait_dead()

    def kill(self) -> None:
        """End it at once, if it lives: SIGKILL, or what the system has in its place."""
        if self._is_dead:
            return  # its number may be another's by now
        if self._process is not None:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._wait_dead()

    def _wait_dead(self) -> None:
        """Wait until the system has taken back all it held, its locks too."""
        if self._process is not None:
            self._process.wait(10)
        else:
            until(lambda: not _lives(self._pid), 10.0, 0.001)
        self._is_dead = True


def _lives(pid: int) -> bool:
    """Tell whether a process is there; the nursery's dead leave nothing behind."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Nursery:
    """Makes children; on Linux by forks of one process that has imported everything."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._port: int | None = None

    def __enter__(self) -> Self:
        if MAY_FORK:
            process = self._stack.enter_context(_spawned("--nursery"))
            assert process.stdout is not None
            self._port = int(process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def child(self) -> Iterator[Child]:
        """Make a child; it is killed at the end, whatever it does then."""
        with ExitStack() as stack:
            if self._port is None:
                process = stack.enter_context(_spawned())
                assert process.stdout is not None
                assert process.stdin is not None
                child = Child(process.stdout, process.stdin, process)
            else:
                line = stack.enter_context(socket.create_connection(("127.0.0.1", self._port)))
                hears = stack.enter_context(line.makefile("r"))
                child = Child(hears, stack.enter_context(line.makefile("w")))
            try:
                yield child
            finally:
                child.kill()


@contextmanager
def _spawned(*options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `faults.child`; killed at the end."""
    with subprocess.Popen(
        [sys.executable, str(TESTS / "faults/child.py"), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()
