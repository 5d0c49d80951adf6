"""A recorder that plays what was recorded: same queue, same writer, a database of its own."""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

import pandas as pd

from ingest.counts import Counts
from ingest.errors import RecorderError, ReplayError
from ingest.event_queue import EventQueue
from ingest.recorder import Recorder, current_recorder
from ingest.repair import KlineName
from ingest.replay.loop import ReplayLoop
from ingest.replay.source import ReplayRequest, check_source
from ingest.settings import Settings
from ingest.status import RecorderState, RecorderStatus, ReplayStatus
from ingest.store import Opening, TickWriter, files_of, lock_database

_LOG: Final = logging.getLogger("pairdesk.replay")

MARK = "replay of"


def replay_request(settings: Settings) -> ReplayRequest:
    """What the options ask to play.

    Raises
    ------
    ReplayError
        They ask for no replay.
    """
    if settings.replay is None:
        raise ReplayError("no file to replay was named: --replay FILE")
    return ReplayRequest(
        path=settings.replay,
        symbols=settings.symbols,
        market=settings.market,
        stream=settings.stream,
        start=_timestamp(settings.replay_from),
        end=_timestamp(settings.replay_to),
    )


def _timestamp(time: datetime | None) -> pd.Timestamp | None:
    return None if time is None else pd.Timestamp(time)


class ReplayRecorder(Recorder):
    """Plays a file or a span of a recording through the recorder's own path.

    The database begins empty at each start. Its clock is the market's: `clock_us` is how far the
    replay is, and ages are measured from there.

    Parameters
    ----------
    settings
        Whose `db` the replay writes.
    request
        What to play.
    speed
        Market seconds a second; infinite is as fast as the disk takes them.

    Raises
    ------
    ReplayError
        The database holds a recording.
    RecorderError
        A recorder or another replay has the database open.
    """

    def __init__(self, settings: Settings, request: ReplayRequest, speed: float = 1.0) -> None:
        check_source(request.path)
        if settings.db.exists() and settings.db.resolve() == request.path.resolve():
            raise ReplayError(f"{settings.db} cannot be replayed into itself: choose another --db")
        self._loops: list[ReplayLoop] = []
        super().__init__(
            replace(settings, keep_days=None, keep_gb=None),
            receiving=self._loop_maker(request, speed),
            now_us=self._market_us,
        )
        self._name = request.path.name
        _LOG.info("replays %s at %g times the market's speed", request.path, speed)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols of the replay; none until its file is read."""
        return self._loop.symbols

    def replay_status(self) -> ReplayStatus:
        """How far the replay is."""
        return self._loop.status()

    def pause(self) -> None:
        """Hold the replay."""
        self._loop.pause()

    def resume(self) -> None:
        """Go on with it."""
        self._loop.resume()

    def step(self, seconds: float) -> None:
        """Play this much of the market's time, and hold there."""
        self._loop.step(seconds)

    def set_speed(self, speed: float) -> None:
        """Go on at another speed."""
        self._loop.set_speed(speed)

    def repair_now(self) -> None:
        """Refuse: there is nobody to ask for what the file lacks."""
        self._refuse("asks no exchange for missing trades")

    def stop_repair(self) -> None:
        """Nothing: none can have been begun."""

    def fetch_klines(self, symbols: Sequence[str], kline: KlineName, span_s: int) -> None:
        """Refuse: there is nobody to ask for what was before the file."""
        request = f"{span_s / 3600:g} h of {kline} bars of {', '.join(symbols)}"
        self._refuse(f"asks no exchange: it has no {request}")

    def add_symbol(self, text: str) -> str:
        """Refuse: the symbols are the file's."""
        self._refuse(f"has the symbols of its file, and {text} cannot be added")

    def remove_symbol(self, symbol: str) -> None:
        """Refuse: the symbols are the file's."""
        self._refuse(f"has the symbols of its file, and {symbol} cannot be removed")

    def status(self) -> RecorderStatus:
        """What is happening; `replay` says how far it is."""
        status = super().status()
        error = self._loop.error
        return replace(status, replay=self.replay_status(), last_error=error or status.last_error)

    def _prepare(self, path: Path) -> Opening:
        _begin_anew(path)
        return Opening()

    @property
    def _loop(self) -> ReplayLoop:
        return self._loops[0]

    def _loop_maker(
        self, request: ReplayRequest, speed: float
    ) -> Callable[[EventQueue, Counts], ReplayLoop]:
        def make(queue: EventQueue, counts: Counts) -> ReplayLoop:
            """Make the loop and keep it: `state` asks it."""
            self._loops.append(ReplayLoop(request, queue, counts, speed))
            return self._loop

        return make

    def _market_us(self) -> int:
        return self._loop.position_us() if self._loops else 0

    @property
    def state(self) -> RecorderState:
        """Where the replay stands, as `status` names it."""
        return "stopped" if self._stopped else self._loop.state()

    def _remember_symbols(self) -> None:
        """Nothing to remember for the next start."""

    def _first_symbols(self, writer: TickWriter) -> tuple[str, ...]:
        writer.remember(MARK, "1")
        return ()

    def _refuse(self, why: str) -> NoReturn:
        raise RecorderError(f"a replay {why}")


def check_replay(settings: Settings, request: ReplayRequest) -> None:
    """Raise what a replay with these options would raise at its start, one line; else nothing."""
    check_source(request.path)
    with lock_database(settings.db):
        _refuse_recording(settings.db)


# Kept where neither a cleared cache nor a reloaded module can make a second one.
_HOLDER = "_pairdesk_replay"
_BEGINNING = threading.Lock()


def current_replay() -> ReplayRecorder | None:
    """Return the replay of this process: the one it was started for, or one begun from a page."""
    started_for = current_recorder()
    replay = started_for if isinstance(started_for, ReplayRecorder) else sys.__dict__.get(_HOLDER)
    return replay if isinstance(replay, ReplayRecorder) else None


def begin_replay(settings: Settings, request: ReplayRequest, speed: float) -> ReplayRecorder:
    """Play something beside the recording; a replay begun before ends.

    Raises
    ------
    ReplayError, RecorderError
        It cannot be played, or its database cannot be written.
    """
    with _BEGINNING:
        check_source(request.path)
        _end()
        recorder = ReplayRecorder(settings, request, speed)
        recorder.start()
        sys.__dict__[_HOLDER] = recorder
    return recorder


def end_replay() -> None:
    """End the replay that was begun from a page; nothing where there is none."""
    with _BEGINNING:
        _end()


def _end() -> None:
    replay = sys.__dict__.pop(_HOLDER, None)
    if isinstance(replay, ReplayRecorder):
        replay.stop()


def _refuse_recording(path: Path) -> None:
    if not path.exists():
        return
    with closing(TickWriter(path)) as writer:
        holds_recording = writer.setting(MARK) is None and bool(writer.streams())
    if holds_recording:
        raise ReplayError(f"{path} holds a recording: a replay needs another --db")


def _begin_anew(path: Path) -> None:
    """Remove an earlier replay's database; one that holds a recording is left and refused."""
    _refuse_recording(path)
    for part in files_of(path):
        part.unlink(missing_ok=True)
