"""The watch killed at random moments while rules fire: what an unbroken run tells, it tells too."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analytics.alerts import AlertRule
from faults.outbox.engine_child import stand_in
from faults.outbox.receivers import Receiver, receiving
from faults.outbox.scenarios import arrival_figures, arrived, lives, nursery
from faults.result import Figure, Result, equal, told
from faults.storage import TESTS, until
from ingest.store import SECOND_US, TickWriter
from ingest.tick import Tick
from ingest.watch import Alert, WatchedPair, WatchList, WatchStore, watch_path
from ingest.watch.board import Board
from ingest.watch.evaluation import Engine
from ingest.watch.pair_link import pair_key

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
PAIRS = tuple(
    WatchedPair(y, x, window=20, spread="log", lookback_s=300)
    for y, x in (("AUSDT", "BUSDT"), ("BUSDT", "CUSDT"), ("CUSDT", "AUSDT"))
)
RULES = tuple(
    AlertRule(f"rule {n}", level=1.0 + n / 20, tells_resolved=n % 2 == 0, channels=("desk",))
    for n in range(50)
)
START_S = 1_790_000_000
HISTORY_S = 400
MARKET_SECOND_S = 0.05
LONGEST_LIFE_S = 0.5
# Of the market in a life, however long that takes on a busy machine: what waits stays bounded.
SECONDS_OF_A_LIFE = 60


def kill_while_watching(folder: Path, kills: int, seed: int) -> Result:
    """Kill the process at random moments while 50 rules fire on three pairs; then let it finish."""
    rng, database, last_bar = random.Random(seed), folder / "ticks.db", folder / "last_bar"
    _choose(database)
    script = TESTS / "faults/outbox/engine_child.py"
    with (
        receiving() as receiver,
        _market(database, seed) as market,
        nursery(script, database, receiver.url(), last_bar) as (begin, said),
    ):
        for number in range(kills):
            pid = int(begin("watch"))
            market.go_on(SECONDS_OF_A_LIFE)
            if number % 2:  # each other one dies while it begins
                _wait_for_alert(watch_path(database))
            time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: not lives(pid))  # type: ignore[misc] # bound at once
        last_bar.write_text(str(market.end()))
        begin("end")
        assert said() == "done"
    return Result(f"{kills} SIGKILLs while rules fire", seed, tuple(_figures(database, receiver)))


def _wait_for_alert(path: Path) -> None:
    store = WatchStore(path)
    newest = store.newest_alert_id()
    until(lambda: store.newest_alert_id() > newest)
    store.close()


def _choose(database: Path) -> None:
    """Choose pairs and rules, and the bar from which on they are evaluated."""
    for path in (watch_path(database), _unbroken(database)):
        store = WatchStore(path)
        store.save_all([WatchList("all", PAIRS)], RULES)
        first_us = (START_S + HISTORY_S - 2) * SECOND_US
        store.record((), {}, {pair_key(pair.params): first_us for pair in PAIRS})
        store.close()


def _unbroken(database: Path) -> Path:
    return database.with_name("unbroken.watch.db")


class _Market:
    """Three walks, a trade a second each, in a thread."""

    def __init__(self, database: Path, seed: int) -> None:
        self._writer, self._rng = TickWriter(database), np.random.default_rng(seed)
        self._prices = np.full(len(SYMBOLS), 100.0)
        self._second = 0
        for _ in range(HISTORY_S):
            self._trade()
        self._ending = threading.Event()
        self._until = self._second
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def go_on(self, seconds: int) -> None:
        """Let it go on for so long from where it is."""
        self._until = self._second + seconds

    def end(self) -> int:
        """Stop; returns the open of the last closed bar, µs."""
        self._ending.set()
        self._thread.join()
        self._writer.close()
        return (START_S + self._second - 2) * SECOND_US

    def _run(self) -> None:
        while not self._ending.wait(MARKET_SECOND_S):
            if self._second < self._until:
                self._trade()

    def _trade(self) -> None:
        self._prices *= np.exp(self._rng.normal(0, 1e-3, len(SYMBOLS)))
        time_us = (START_S + self._second) * SECOND_US
        self._second += 1
        self._writer.write(
            [
                self._tick(*each, time_us)
                for each in zip(SYMBOLS, self._prices.tolist(), strict=True)
            ]
        )

    def _tick(self, symbol: str, price: float, time_us: int) -> Tick:
        number = self._second
        return Tick("spot", symbol, "aggTrade", number, price, 1.0, time_us, time_us, False)


@contextmanager
def _market(database: Path, seed: int) -> Iterator[_Market]:
    market = _Market(database, seed)
    try:
        yield market
    finally:
        market.end()


def _figures(database: Path, receiver: Receiver) -> Iterator[Figure]:
    store = WatchStore(watch_path(database))
    alerts = store.alerts(limit=10**9)
    recorded = [store.public_id(each.alert_id) for each in alerts]
    store.close()
    found, wanted = Counter(_named(alerts)), Counter(_named(_unbroken_run(database)))
    yield told("crossings", len(wanted))
    yield equal("crossings lost", len(wanted - found), 0)
    yield equal("fired twice, or never to be fired", len(found - wanted), 0)
    yield from arrival_figures(recorded, arrived(receiver))


def _named(alerts: Iterable[Alert]) -> list[tuple[str, str, str, str, int]]:
    return [(each.rule, each.kind, each.y, each.x, each.bar_us) for each in alerts]


def _unbroken_run(database: Path) -> tuple[Alert, ...]:
    """Evaluate the same bars from the same beginning, all in one life."""
    store = WatchStore(_unbroken(database))
    engine = Engine(
        store,
        Board(),
        database,
        stand_in(),
        recorded=lambda: None,
        channels=list,
        now_us=lambda: 0,
    )
    engine.run_once()
    while engine.status().behind_s > 0:
        engine.run_once()
    alerts = store.alerts(limit=10**9)
    store.close()
    return alerts
