"""Pairdesk starts here: options, the recorder's life, the server.

``python app.py`` and ``streamlit run app.py`` go the same way: Streamlit's own command imports this
file and serves `app`, whose lifespan starts the recorder before the first visitor and drains it at
the end.
"""

import asyncio
import ctypes
import gc
import os
import platform
import signal
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

# Before NumPy is loaded: on a busy machine its threaded BLAS waits for cores it does not get.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nothing of what is imported is garbage: looking for some takes a fifth of a second.
gc.disable()

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config
from streamlit.web import cli

from ingest.errors import IngestError
from ingest.history import JobRunner, install_jobs, run_history
from ingest.log import start_logging
from ingest.recorder import Recorder, install_recorder
from ingest.replay import ReplayRecorder, check_replay, end_replay, replay_request
from ingest.settings import Settings, current_settings, install_settings, parse_settings, say
from ingest.store import back_up, check_start, verify
from ingest.store.lake import check_claim
from ingest.watch import Watch, install_watch, read_watch_file
from pages.ui.server import loading, sign_in
from pages.ui.server.api_stream import STREAM
from pages.ui.server.door import Door, Rules
from pages.ui.server.exposure import check_exposure, is_loopback, under_base_path
from pages.ui.server.routes import routes
from pages.ui.streamlit_private import (
    configure,
    hand_over_in_batches,
    ignore_pages_folder,
    run_all_that_was_changed,
    send_without_delay,
    stay_on_the_page_asked_for,
    tell_theme_once,
)

gc.freeze()  # as `pages.ui.server.loading` does with what comes later
gc.enable()

HERE = Path(__file__).resolve()
STOP_WITHIN_S = 4.0
STOP_WATCH_WITHIN_S = 2.0
STOP_JOBS_WITHIN_S = 2.0
_MOST_NAMES = 5
_M_ARENA_MAX = -8  # malloc.h


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, object]]:
    """Start the recorder and the page machinery; end the watch, drain the recorder at the end."""
    settings = parse_settings(sys.argv[1:])
    _refuse(settings)
    install_settings(settings)
    start_logging(settings.log_level)
    _end_with_status_zero()
    ignore_pages_folder()
    recorder = _recorder_for(settings)
    install_recorder(recorder)
    if recorder is not None:
        recorder.start()
    watch = _watch_for(settings, recorder)
    install_watch(watch)
    jobs = JobRunner(None if recorder is None else settings.db.with_suffix(".jobs.json"))
    install_jobs(jobs)
    loading.begin()
    beside = [_announce(settings, recorder), loading.collect_now_and_then()]
    tasks = [asyncio.create_task(each) for each in beside]
    try:
        yield {}
    finally:
        loading.end()
        for task in tasks:
            task.cancel()
        if not await asyncio.to_thread(jobs.stop, STOP_JOBS_WITHIN_S):
            say("an import or a fetch was cut off: start it again, it goes on where it was")
        await asyncio.to_thread(end_replay)
        if watch is not None and not await asyncio.to_thread(watch.stop, STOP_WATCH_WITHIN_S):
            say(f"the watch did not stop within {STOP_WATCH_WITHIN_S:g} s")
        if recorder is not None and not await asyncio.to_thread(recorder.stop, STOP_WITHIN_S):
            say(f"the recorder did not stop within {STOP_WITHIN_S:g} s")


def main(argv: Sequence[str]) -> int:
    """Check what can be checked, then serve until told to stop."""
    try:
        settings = parse_settings(argv)
        start_logging(settings.log_level)
        if settings.backup is not None:
            say(f"the copy is {back_up(settings.db, settings.backup)}")
            return 0
        if settings.verify:
            return 0 if verify(settings.db, say) else 1
        if settings.imports or settings.fetch is not None:
            return run_history(settings, argv)
        options = _server_options(settings)
        configure(HERE, options)
        if settings.watch is not None:
            read_watch_file(settings.watch)
        check_exposure(settings.host, settings, has_sign_in=sign_in.is_configured())
        _check_history(settings)
        _check_port(settings)
        if settings.replay is not None:
            check_replay(settings, replay_request(settings))
        elif settings.ingest:
            check_start(settings)
    except IngestError as error:
        say(str(error))
        return 2
    given = [f"--{name}={value}" for name, value in options.items()]
    cli.main(["run", str(HERE), *given, "--", *argv], standalone_mode=False)
    return 0


def _server_options(settings: Settings) -> dict[str, object]:
    """Where to serve, as options of Streamlit's own command."""
    options: dict[str, object] = {"server.address": settings.host, "server.port": settings.port}
    if settings.base_path:
        options["server.baseUrlPath"] = settings.base_path
    return options


def _check_history(settings: Settings) -> None:
    """Raise where what is recorded and the history that it is read with are two exchanges'."""
    if settings.read_history is not None:
        check_claim(settings.read_history, settings.market, settings.venue)


def _refuse(settings: Settings) -> None:
    """Under Streamlit's own command its options say where to listen: here they are known."""
    try:
        _check_history(settings)
        address = config.get_option("server.address")
        check_exposure(address, settings, has_sign_in=sign_in.is_configured())
    except IngestError as error:
        say(str(error))
        os._exit(2)  # nothing runs yet; the server would print a traceback around any exception


def _rules() -> Rules:
    """Which names the desk answers to: asked for once it is known what it serves."""
    names = {*current_settings().allow_hosts, sign_in.redirect_host() or ""}
    base_path = (config.get_option("server.baseUrlPath") or "").strip("/")
    return Rules(config.get_option("server.address"), names - {""}, base_path)


def _recorder_for(settings: Settings) -> Recorder | None:
    """What brings the trades: the exchange, a replay, or nothing."""
    if settings.replay is not None:
        return ReplayRecorder(settings, replay_request(settings), settings.speed)
    return Recorder(settings) if settings.ingest else None


def _watch_for(settings: Settings, recorder: Recorder | None) -> Watch | None:
    """Begin to watch the lists' pairs; recording goes on where that cannot be."""
    try:
        watch = Watch(settings, recorder)
        watch.start()
    except Exception as error:  # noqa: BLE001 - whatever it is, trades are recorded
        words = str(error) if isinstance(error, IngestError) else repr(error)
        say(f"no alerts: {' '.join(words.split())}")
        return None
    return watch


async def _announce(settings: Settings, recorder: Recorder | None) -> None:
    """Once the server answers, say what runs, and open the browser."""
    host, port = config.get_option("server.address"), config.get_option("server.port")
    near = host if host and is_loopback(host) else "127.0.0.1"
    while not await asyncio.to_thread(_answers, near, port):
        await asyncio.sleep(0.05)
    what = "showing"
    if settings.replay is not None:
        what = f"replaying {settings.replay.name} into"
    elif recorder is not None:
        names = [each for each in recorder.symbols if recorder.standing(each) != "not listed"]
        names += [recorder.follows] if recorder.follows else []
        what = f"recording {_few(names)} ({settings.market}) into"
    url = f"http://{host or '*'}:{port}/{settings.base_path}".rstrip("/")
    say(f"{url} is up, {what} {settings.db}")
    if settings.browser:
        await asyncio.to_thread(webbrowser.open, url)


def _few(names: Sequence[str]) -> str:
    """Name all where they are few, else the first and how many more there are."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names) or "nothing"
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # there the option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            message = f"cannot serve on {where}: {error.strerror}; choose another --port"
            raise IngestError(message) from error


def _keep_memory_together() -> None:
    """Let all threads share two memory arenas, where the C library is glibc.

    A server that runs each page in a new thread otherwise spreads small blocks over many arenas,
    and its size creeps upwards for hours (mallopt(3), M_ARENA_MAX).
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _end_with_status_zero() -> None:
    """Make Ctrl-C and SIGTERM an orderly end.

    The server's own handler raises the signal again after its shutdown, which would end the
    process by that signal.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        server = getattr(signal.getsignal(number), "__self__", None)
        if hasattr(server, "should_exit"):
            signal.signal(number, lambda *_, server=server: _end(server))


def _end(server: Any) -> None:
    """Have the server end: it waits for open answers, and a stream is one until it is told."""
    STREAM.end()
    server.should_exit = True


if __name__ == "__main__":  # Streamlit's command, run from here, imports this file for what follows
    sys.exit(main(sys.argv[1:]))

_keep_memory_together()
send_without_delay()
hand_over_in_batches()
tell_theme_once()
run_all_that_was_changed()
stay_on_the_page_asked_for()
base = config.get_option("server.baseUrlPath") or ""
app = st.App(
    HERE.parent / "pages" / "router.py",
    lifespan=lifespan,
    routes=under_base_path(routes(), base),
    middleware=[Middleware(Door, rules=_rules, may_ask=sign_in.may_ask)],
)
