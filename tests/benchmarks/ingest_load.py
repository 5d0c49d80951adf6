"""A load of trades on the recorder, and what it looks like from outside: from the database's side.

The exchange (`exchange.blaster`), the app with its pages, and whoever looks are three processes;
the pages are opened by Streamlit's own protocol (`page_client`), which costs the app what a browser
does.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from exchange.blaster import SYMBOLS, first_id

from ingest.recorder import Recorder
from ingest.settings import Settings
from ingest.store import TickWriter
from ingest.tick import Tick

if TYPE_CHECKING:
    from desk.app_process import AppProcess

PAGES = (("", ""), ("", "?window=60&interval=5s&spread=log"), ("feed", ""))
POLL_S = 0.005
LOOK_S = 0.5
_DRAIN_S = 10.0  # without another trade stored
# What lies in a gap is not stored, though its stream's last id is beyond it.
_LAST_IDS = (
    "SELECT stream_id, last_id, last_id - first_id + 1 - (SELECT total(to_id - from_id + 1)"
    " FROM gap WHERE gap.stream_id = stream.stream_id AND state <> 'filled')"
    " FROM stream WHERE last_id IS NOT NULL"
)


@dataclass
class Load:
    """What was sent and seen.

    `polls` has (time in µs, last stored id by stream) each few milliseconds, `stored` how many
    trades that were; `depths` and `memories` the queue and the process, each half second.
    """

    database: Path
    sent: int = 0
    sent_until_us: int = 0  # when the last frame had been sent
    polls: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    memories: list[int] = field(default_factory=list)
    refreshes: int = 0

    def rates(self, window_s: float) -> list[float]:
        """Trades stored a second, by windows, from the first to the last stored one."""
        times_s = np.array([at_us for at_us, _ in self.polls]) / 1e6
        stored = np.array(self.stored, float)
        moving = np.flatnonzero(np.diff(stored) > 0)
        times_s, stored = times_s[moving[0] :], stored[moving[0] :]
        end_s = times_s[np.argmax(stored)]
        edges_s = np.arange(times_s[0], end_s, window_s)
        at_edges = stored[np.searchsorted(times_s, edges_s)]
        return list(np.diff(at_edges) / window_s)

    def rate_while_arriving(self) -> float:
        """Trades stored a second from the first stored one until the last frame was sent."""
        moving = int(np.flatnonzero(np.diff(self.stored) > 0)[0])
        until = self._when_all_was_sent()
        passed_s = (self.polls[until][0] - self.polls[moving][0]) / 1e6
        return (self.stored[until] - self.stored[moving]) / passed_s

    def drained(self) -> tuple[int, float]:
        """Trades stored after the last frame was sent, and the seconds that took."""
        until, end = self._when_all_was_sent(), int(np.argmax(self.stored))
        took_s = (self.polls[end][0] - self.polls[until][0]) / 1e6
        return self.stored[end] - self.stored[until], max(0.0, took_s)

    def _when_all_was_sent(self) -> int:
        return next(at for at, (at_us, _) in enumerate(self.polls) if at_us >= self.sent_until_us)

    def named_missing(self) -> dict[str, int]:
        """Ids that the ledger says are missing, by cause."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(
                "SELECT cause, sum(to_id - from_id + 1) FROM gap WHERE state <> 'filled' GROUP BY 1"
            )
            return dict(rows.fetchall())

    def readable_after_ms(self) -> np.ndarray:
        """For each stored trade, how long after its receipt a reader first saw it."""
        seen_us = np.array([at_us for at_us, _ in self.polls])
        delays_ms = []
        with sqlite3.connect(self.database) as connection:
            for stream_id in self.polls[-1][1]:
                rows = connection.execute(
                    "SELECT trade_id, time_us + received_delta_us FROM tick WHERE stream_id = ?",
                    (stream_id,),
                ).fetchall()
                ids, received_us = np.array(rows).T
                last_ids = np.array([each.get(stream_id, -1) for _, each in self.polls])
                places = np.searchsorted(last_ids, ids)
                delays_ms.append((seen_us[places] - received_us) / 1000)
        connection.close()
        return np.concatenate(delays_ms)


@contextmanager
def blaster(
    rate: float, seconds: float, wait_s: float, symbols: Sequence[str] = SYMBOLS
) -> Iterator[tuple[int, Callable[[], int]]]:
    """Start the exchange; gives its port, and what waits until all is sent and says how much."""
    process = subprocess.Popen(
        [
            *(sys.executable, str(Path(__file__).parents[1] / "exchange" / "blaster.py")),
            *("--rate", str(rate), "--seconds", str(seconds), "--wait", str(wait_s)),
            *("--symbols", ",".join(symbols)),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout
    try:
        yield int(output.readline().split()[1]), lambda: int(output.readline().split()[1])
    finally:
        process.stdin.close()
        process.wait(10)
        output.close()


@contextmanager
def market_app(
    folder: Path, symbols: Sequence[str], rate: float, *options: object
) -> "Iterator[AppProcess]":
    """Start the app on a market of many symbols that trades on; `store_past` made its history."""
    from desk.app_process import running_app  # as below

    database = folder / "ticks.db"
    with (
        blaster(rate, 600.0, wait_s=2.0, symbols=symbols) as (port, _),
        running_app(folder, *_options(database, port, symbols), *options) as app,
    ):
        yield app
        app.stop()


def store_past(folder: Path, symbols: Sequence[str], trades: int, every_s: int) -> None:
    """Store trades of each symbol up to now, whose ids go on in what `market_app` sends."""
    database = folder / "ticks.db"
    newest_us = time.time_ns() // 1000
    prices = np.round(np.random.default_rng(1).uniform(61_000, 61_050, (trades, len(symbols))), 2)
    with closing(TickWriter(database)) as writer:
        for row, line in enumerate(prices.tolist()):
            at_us = newest_us - (trades - row) * every_s * 1_000_000
            writer.write(
                [
                    Tick(
                        "spot", symbol, "aggTrade", first_id(place) - trades + row, price, 1.0,
                        at_us, at_us + 1500, buyer_is_maker=True,
                    )
                    for place, (symbol, price) in enumerate(zip(symbols, line, strict=True))
                ]
            )  # fmt: skip


def load_app(folder: Path, rate: float, seconds: float) -> Load:
    """Trade at a rate against the app, with three pages open that refresh each second."""
    # Not above: only this needs Streamlit.
    from desk.app_process import running_app
    from desk.page_client import open_pages

    load = Load(folder / "ticks.db")
    with (
        blaster(rate, seconds, wait_s=8.0) as (port, sent),
        running_app(folder, *_options(load.database, port, SYMBOLS)) as app,
    ):
        with open_pages(app.url, PAGES) as seen:
            _watch(load, sent, lambda: _look(app, load))
        load.refreshes = len(seen.refreshed)
        app.stop()
    assert not seen.failures, seen.failures[:2]
    return load


def load_recorder(folder: Path, rate: float, seconds: float) -> Load:
    """Trade at a rate against the recorder alone, in this process."""
    load = Load(folder / "ticks.db")
    with blaster(rate, seconds, wait_s=0.1) as (port, sent):
        url = f"127.0.0.1:{port}"
        recorder = Recorder(
            Settings(SYMBOLS, db=load.database, ws_url=f"ws://{url}", rest_url=f"http://{url}")
        )
        recorder.start()
        _watch(load, sent, lambda: load.depths.append(recorder.status().queue_depth))
        recorder.stop()
    return load


def _options(database: Path, port: int, symbols: Sequence[str]) -> list[object]:
    url = f"127.0.0.1:{port}"
    return [
        *("--symbols", ",".join(symbols), "--db", database),
        *("--ws-url", f"ws://{url}", "--rest-url", f"http://{url}"),
    ]


def _look(app: "AppProcess", load: Load) -> None:
    with suppress(OSError):  # answered 503 before the first trade
        load.depths.append(int(json.loads(app.answer("healthz"))["queue_depth"]))
    load.memories.append(app.memory_bytes() or 0)


def _watch(load: Load, sent: Callable[[], int], look: Callable[[], None]) -> None:
    """Follow what is stored until all is, and look at the recorder now and then."""
    counted: list[int] = []
    waiting = threading.Thread(target=lambda: counted.append(sent()), daemon=True)
    waiting.start()
    connection = sqlite3.connect(load.database, isolation_level=None)
    looked_s = drain_until_s = 0.0
    while True:
        rows = connection.execute(_LAST_IDS).fetchall()
        load.polls.append((time.time_ns() // 1000, {stream: last for stream, last, _ in rows}))
        load.stored.append(int(sum(stored for *_, stored in rows)))
        if counted:
            load.sent = counted[0]
            load.sent_until_us = load.sent_until_us or load.polls[-1][0]
            if load.stored[-1] > max(load.stored[-2:-1], default=0) or not drain_until_s:
                drain_until_s = time.monotonic() + _DRAIN_S
            if load.stored[-1] >= load.sent or time.monotonic() > drain_until_s:
                break
        if time.monotonic() - looked_s > LOOK_S:
            looked_s = time.monotonic()
            look()
        time.sleep(POLL_S)  # from look to look
    connection.close()
