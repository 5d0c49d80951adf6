"""A desk for tests of the API: a watch whose rows a test publishes, served on the loopback."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from analytics.pair import PairReading, PairTestsReading
from analytics.signals import Signal
from ingest.settings import Settings, install_settings
from ingest.watch import Alert, Watch, WatchedPair, WatchRow, install_watch
from pages.ui.server.api import api_routes

BAR_US = 1_700_000_000_000_000
NAN = float("nan")
PAIR = WatchedPair("ETHUSDT", "BTCUSDT", spread="log", group="majors")
READING = PairReading(
    time_us=BAR_US,
    y=2_000.5,
    x=40_000.0,
    beta=0.8,
    alpha=-1.5,
    beta_stderr=0.01,
    spread=0.25,
    mean=0.2,
    std=0.02,
    zscore=2.5,
    correlation=0.9,
    signal="SELL",
    reason="z is above 2",
    gate="",
    y_coverage=1,
    x_coverage=1,
)
TESTS = PairTestsReading(BAR_US - 90_000_000, 0.03, "Engle-Granger", 12.5, returns=True)
ROW = WatchRow(PAIR, READING, BAR_US, BAR_US - 5_000_000, (2.0, 2.5), TESTS, 0.5, 1.5)


def row_at(signal: Signal, pair: WatchedPair = PAIR) -> WatchRow:
    """A row with this signal."""
    return replace(ROW, pair=pair, reading=replace(READING, signal=signal))


def alert_of(words: str = "ETHUSDT/BTCUSDT is wide", **changes: Any) -> Alert:
    """An alert that is not recorded yet."""
    alert = Alert("wide", "fired", BAR_US, BAR_US + 1_200_000, words, "ETHUSDT", "BTCUSDT", "1s")
    figures = {"zscore": 2.5, "value": 2.5, "level": 2.0, "signal": "SELL", "channels": ("desk",)}
    return replace(alert, **{**figures, **changes})


def record(watch: Watch, *alerts: Alert) -> None:
    """Record alerts as the engine does."""
    watch.store.record(alerts, {}, {})


@contextmanager
def desk(folder: Path) -> Iterator[Watch]:
    """This process's watch for a while: of an empty database, and evaluating nothing."""
    settings = Settings(db=folder / "t.db", ingest=False)
    install_settings(settings)
    watch = Watch(settings, None)
    install_watch(watch)
    try:
        yield watch
    finally:
        install_watch(None)
        watch.stop()


@contextmanager
def served() -> Iterator[int]:
    """The API alone on a port of the loopback."""
    app = Starlette(routes=api_routes())
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def asked(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Status, body and headers of an answer in JSON."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, f"/api/v1/{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait until it holds."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "did not come to be within the time"
        time.sleep(0.005)
