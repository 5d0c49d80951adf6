"""The app as its users start it, in a process of its own, looked at from outside."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_usual: list[int] = []  # the port of the app before, if there was one


class AppProcess:
    """A running app.

    Its figures are read from ``/proc``; they are None where the system has none (`is_measurable`).
    """

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log
        self._proc = Path("/proc", str(process.pid))

    def memory_bytes(self) -> int | None:
        """Give its resident memory."""
        pages = self._read("statm", 1)
        return None if pages is None else pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float | None:
        """Give the processor time it has used so far, of user and system."""
        used = self._read("stat", 13), self._read("stat", 14)
        return None if None in used else sum(filter(None, used)) / os.sysconf("SC_CLK_TCK")

    def threads(self) -> int | None:
        """Give how many threads it has."""
        return self._count("task")

    def handles(self) -> int | None:
        """Give how many files and sockets it holds."""
        return self._count("fd")

    def log(self) -> str:
        """Give what it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def answer(self, path: str) -> bytes:
        """Give what it answers to a request."""
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
            return bytes(answer.read())

    def stop(self, within_s: float = 20.0) -> int:
        """Ask it to end, as Ctrl-C does; gives its exit status."""
        self.process.terminate()
        return self.process.wait(within_s)

    def settle(self, within_s: float = 90.0) -> None:
        """Wait until it does next to nothing: what it loads beside its pages is loaded."""
        used_s, quiet = self.cpu_s() or 0.0, 0
        end_s = time.monotonic() + within_s
        while quiet < 3 and time.monotonic() < end_s:
            time.sleep(1.0)  # its processor time is all that tells
            now_s = self.cpu_s() or 0.0
            quiet = quiet + 1 if now_s - used_s < 0.15 else 0
            used_s = now_s

    def _read(self, name: str, column: int) -> int | None:
        try:
            text = (self._proc / name).read_text()
        except OSError:
            return None
        # A process's name may hold anything; what stands behind it is numbers.
        words = text.rpartition(")")[2].split()
        return int(words[column - 2 if name == "stat" else column])

    def _count(self, name: str) -> int | None:
        try:
            return len(list((self._proc / name).iterdir()))
        except OSError:
            return None


@contextmanager
def running_app(
    folder: Path, *options: object, port: int | None = None, base_path: str = "",
    up_within_s: float = 120.0,
) -> Iterator[AppProcess]:  # fmt: skip
    """Start ``python app.py`` with these options; gives it once its pages answer.

    What it prints goes to ``app.log`` in `folder`. It is killed at the end, if it still runs.
    """
    port = port or usual_port()
    url = f"http://127.0.0.1:{port}/{base_path}".rstrip("/")
    if base_path:
        options = ("--base-path", base_path, *options)
    command = [sys.executable, str(ROOT / "app.py"), "--no-browser", "--port", str(port)]
    with _running([*command, *map(str, options)], folder, url, up_within_s) as app:
        yield app


@contextmanager
def running_module(
    folder: Path, module: str, *options: object, up_within_s: float = 120.0
) -> Iterator[AppProcess]:
    """Start an installed Pairdesk as ``python -m`` does; as `running_app` otherwise."""
    port = free_port()
    command = [sys.executable, "-m", module, "--no-browser", "--port", str(port)]
    with _running(
        [*command, *map(str, options)], folder, f"http://127.0.0.1:{port}", up_within_s
    ) as app:
        yield app


@contextmanager
def running_script(folder: Path, script: Path, up_within_s: float = 60.0) -> Iterator[AppProcess]:
    """Serve any page script by Streamlit's own command, as `running_app` does ours."""
    port = free_port()
    options = ("--client.showErrorDetails=full", "--server.headless=true")
    where = ("--server.address=127.0.0.1", f"--server.port={port}")
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options, *where]
    with _running(command, folder, f"http://127.0.0.1:{port}", up_within_s) as app:
        yield app


@contextmanager
def _running(
    command: list[str], folder: Path, url: str, up_within_s: float
) -> Iterator[AppProcess]:
    log = folder / "app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    app = AppProcess(process, url, log)
    try:
        wait_until_up(app, up_within_s)
        yield app
    finally:
        process.kill()
        process.wait(10)


def free_port() -> int:
    """Give a port of the loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def usual_port() -> int:
    """Give the port that the app before had, if it is free again: a browser knows its files."""
    port = _usual[-1] if _usual and _is_free(_usual[-1]) else free_port()
    _usual[:] = [port]
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_up(app: AppProcess, within_s: float) -> None:
    """Wait for the first answer; an app that ended or never answers is an error with its log."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        assert app.process.poll() is None, app.log()
        try:
            app.answer("_stcore/health")
        except OSError:
            time.sleep(0.05)  # the process gives no event before it answers
        else:
            return
    msg = f"the app did not answer within {within_s:g} s: {app.log()}"
    raise AssertionError(msg)
