"""The watch beside a real recorder: it sees each commit, and a replay tells what live told."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from exchange.server import ThreadedExchange
from market_cases import walk

from analytics.alerts import AlertRule
from ingest.feed import FeedLimits
from ingest.recorder import Recorder
from ingest.replay import ReplayRecorder, ReplayRequest
from ingest.settings import Settings
from ingest.store import SECOND_US
from ingest.watch import Alert, Watch, WatchedPair, WatchList

PAIR = WatchedPair("ETHUSDT", "BTCUSDT", window=10)
RULES = (
    AlertRule("wide", level=1.2, rearm=0.3, tells_resolved=True),
    AlertRule("turns", when="signal", to=("BUY", "SELL")),
)
SECONDS = 120


def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    """Wait for what another thread does without an event."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.01)


def choose(watch: Watch) -> None:
    watch.store.save_list(WatchList("one", (PAIR,)))
    for rule in RULES:
        watch.store.save_rule(rule)


def newest_us(watch: Watch) -> int:
    reading = watch.board.rows()["one"][0].reading
    return 0 if reading is None else reading.time_us


def told(alerts: tuple[Alert, ...]) -> list[tuple[str, str, int, float, str]]:
    return [(a.rule, a.kind, a.bar_us, round(a.zscore, 9), a.words) for a in alerts]


@pytest.fixture
def exchange():
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as running:
        yield running


def record(exchange: ThreadedExchange, settings: Settings, seconds: int) -> tuple[Alert, ...]:
    """Record a trade a second of each symbol while it is watched; returns the alerts."""
    recorder = Recorder(settings, feed_limits=FeedLimits(overlap_s=1.0))
    watch = Watch(settings, recorder)
    choose(watch)
    recorder.start()
    watch.start()
    exchange.wait_for_subscribers(1)
    begin_us = (time.time_ns() // 1000 // SECOND_US - seconds) * SECOND_US
    for n, (y, x) in enumerate(zip(walk(seconds, 1), walk(seconds, 2), strict=True)):
        for symbol, price in (("ETHUSDT", y), ("BTCUSDT", x)):
            exchange.push(symbol, f"{price:.6f}", "1", time_us=begin_us + n * SECOND_US)
        if n % 10 == 1:
            until(lambda n=n: newest_us(watch) >= begin_us + (n - 1) * SECOND_US)  # type: ignore[misc] # bound at once
    until(lambda: newest_us(watch) >= begin_us + (seconds - 2) * SECOND_US)
    assert watch.status().behind_s == 0.0
    assert watch.stop()
    assert recorder.stop()
    watch = Watch(settings, None)
    alerts = watch.store.alerts()
    watch.store.close()
    return alerts


def test_a_replay_of_what_was_recorded_tells_what_live_told(exchange, tmp_path) -> None:
    db = tmp_path / "ticks.db"
    live = Settings(
        symbols=("BTCUSDT", "ETHUSDT"), db=db, ws_url=exchange.ws_url, rest_url=exchange.rest_url
    )
    recorded = record(exchange, live, SECONDS)
    assert len(recorded) > 8
    assert {each.kind for each in recorded} == {"fired", "resolved"}
    played = replace(live, db=tmp_path / "replay.db", replay=db, speed=math.inf)
    recorder = ReplayRecorder(played, ReplayRequest(db), math.inf)
    watch = Watch(played, recorder)
    choose(watch)
    recorder.start()
    watch.start()
    until(lambda: newest_us(watch) >= max(each.bar_us for each in recorded))
    until(lambda: len(watch.store.alerts()) >= len(recorded))
    assert told(watch.store.alerts()) == told(recorded)
    assert watch.stop()
    assert recorder.stop()
