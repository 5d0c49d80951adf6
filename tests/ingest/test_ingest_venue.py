"""Another exchange, or ids that start over, on the database of a recording: nothing is mixed."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from exchange.server import ThreadedExchange

from ingest.counts import SymbolCounts
from ingest.errors import SettingsError
from ingest.feed import FeedLimits
from ingest.recorder import Recorder
from ingest.settings import Settings, parse_settings
from ingest.store import TickWriter
from ingest.store.ledger import ORDER_SLACK_US
from ingest.tick import StreamKey, Tick
from ingest.venue import venue_of
from pages.ui.parts.status import pill_of
from pages.ui.server.health import health

T0_US = 1_723_161_300_000_000
BTC: StreamKey = ("spot", "BTCUSDT", "aggTrade")


def tick(trade_id: int, time_us: int, price: float = 100.0, symbol: str = "BTCUSDT") -> Tick:
    return Tick("spot", symbol, "aggTrade", trade_id, price, 0.5, time_us, time_us, False)


def run_of(first_id: int, count: int, from_us: int) -> list[Tick]:
    return [tick(first_id + n, from_us + n * 1_000_000) for n in range(count)]


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.005)


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything that is kept of the market."""
    tables = ("stream", "tick", "non_trade", "bar_1s", "gap")
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


@pytest.mark.parametrize(
    ("url", "venue"),
    [
        ("wss://data-stream.binance.vision", "binance.com"),
        ("wss://stream.binance.com:9443", "binance.com"),
        ("wss://fstream.binance.com/market", "binance.com"),
        ("wss://stream.testnet.binance.vision", "binance-testnet"),
        ("wss://testnet.binance.vision/ws", "binance-testnet"),
        ("wss://stream.binancefuture.com", "binance-testnet"),
        ("wss://demo-stream.binance.com", "binance-demo"),
        ("wss://stream.binance.us:9443", "binance.us"),
        ("ws://127.0.0.1:9001", "loopback"),
        ("ws://localhost:9002", "loopback"),
        ("ws://[::1]:9003", "loopback"),
        ("ws://gateway.lan:9000", "gateway.lan"),
        ("ws://GATEWAY.lan:9001", "gateway.lan"),
        ("wss://notbinance.com", "notbinance.com"),
        ("wss://binance.com.evil.example", "binance.com.evil.example"),
    ],
)
def test_hosts_with_the_same_ids_are_one_venue_whatever_the_port(url: str, venue: str) -> None:
    assert venue_of(url) == venue


def test_repairs_are_asked_of_the_exchange_that_streams() -> None:
    assert Settings(ws_url="wss://stream.binance.us:9443").rest_base == "https://api.binance.us"
    assert Settings(ws_url="ws://127.0.0.1:1").rest_base == Settings().rest_base
    named = parse_settings(["--ws-url", "ws://gate:1", "--venue", "Binance.com"], {})
    assert named.venue == "binance.com"
    with pytest.raises(SettingsError, match="not a name like"):
        parse_settings(["--venue", "a b"], {})


def test_ids_that_start_over_touch_nothing_that_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    with closing(TickWriter(path)) as writer:
        writer.write([*run_of(5_000, 20, T0_US), *run_of(5_040, 20, T0_US + 60_000_000)])
    before = content(path)
    later_us = T0_US + 86_400_000_000
    with closing(TickWriter(path)) as writer:
        written = writer.write(run_of(1, 9, later_us))
        assert not writer.restarted  # a bad frame or two are no other numbering
        written = writer.write(run_of(10, 200, later_us))
        assert not written.stored
        assert writer.restarted[BTC].last_id == 5_059
        writer.write(run_of(5_030, 5, later_us))  # inside the old gap
        writer.write(run_of(6_000, 5, later_us))  # beyond the last one, at last
        rows = content(path)
        assert [(*row[:4], *row[5:]) for row in rows.pop("stream")] == [
            (*row[:4], *row[5:]) for row in before.pop("stream")
        ]  # but for the revision
        assert rows == before
        writer.accept_again()
        assert writer.write(run_of(5_060, 1, later_us)).stored == {BTC: 1}


def test_a_gap_filled_late_and_a_stray_frame_are_no_new_numbering(tmp_path: Path) -> None:
    with closing(TickWriter(tmp_path / "ticks.db")) as writer:
        writer.write([tick(100, T0_US), tick(120, T0_US + 20_000_000)])
        writer.write([tick(100 + n, T0_US + n * 1_000_000) for n in range(1, 20)])
        for n in range(30):
            writer.write([tick(121 + n, T0_US + (21 + n) * 1_000_000)])
            writer.write([tick(3, T0_US + 1_000_000_000)])
        assert not writer.restarted
        assert writer.streams()[BTC].first_id == 100


@contextmanager
def recording(exchange: ThreadedExchange, db: Path, **more) -> Iterator[Recorder]:
    settings = Settings(
        symbols=("BTCUSDT", "ETHUSDT"),
        db=db,
        ws_url=exchange.ws_url,
        rest_url=exchange.rest_url,
        **more,
    )
    recorder = Recorder(settings, feed_limits=FeedLimits())
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.stop()


def push(exchange: ThreadedExchange, count: int) -> None:
    for n in range(count):
        exchange.push("BTCUSDT", 100 + n % 5, "0.5")
        exchange.push("ETHUSDT", 50 + n % 5, "0.5")


def test_an_exchange_that_was_reset_is_refused_and_named(tmp_path: Path, capsys) -> None:
    db = tmp_path / "ticks.db"
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        exchange.call(lambda e: [tape.skip_ids(5_000) for tape in e.venue.tapes.values()])
        with recording(exchange, db) as recorder:
            exchange.wait_for_subscribers(1)
            push(exchange, 20)
            until(lambda: recorder.status().stored == 40)
    before, ended_us = content(db), time.time_ns() // 1000
    # Trades as near as that may have overtaken each other, and contradict nothing.
    until(lambda: time.time_ns() // 1000 > ended_us + ORDER_SLACK_US)
    with (
        ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as reset,  # on another port: the same venue
        recording(reset, db) as recorder,
    ):
        reset.wait_for_subscribers(1)
        push(reset, 30)
        until(lambda: recorder.status().state == "refused")
        status = recorder.status()
        code, told = health(status, time.time_ns() // 1000, 0)
        assert (code, told["state"]) == (503, "refused")
        assert "ids start over" in str(told["cause"])
        assert "another --db" in str(told["cause"])
        assert pill_of(status, time.time_ns() // 1000).word == "IDS START OVER"
        assert any("trade ids start over" in notice for notice in status.notices)
        assert "trade ids start over" in capsys.readouterr().err
        assert status.stored == 0
        until(lambda: not reset.call(lambda e: e.connections))  # nothing more is asked for
        recorder.remove_symbol("ETHUSDT")
        recorder.resume()
        reset.wait_for_subscribers(1)  # looked at anew
        push(reset, 30)
        until(lambda: recorder.status().state == "refused")
    after = content(db)
    assert {name: after[name] for name in ("tick", "bar_1s", "non_trade", "gap")} == {
        name: before[name] for name in ("tick", "bar_1s", "non_trade", "gap")
    }
    assert [row[5:] for row in after["stream"]] == [row[5:] for row in before["stream"]]


def test_another_venue_on_the_database_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    db = tmp_path / "ticks.db"
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange:
        with recording(exchange, db, venue_name="binance.com") as recorder:
            exchange.wait_for_subscribers(1)
            push(exchange, 3)
            until(lambda: recorder.status().stored == 6)
        before = content(db)
        shaken = len(exchange.handshakes())
        with recording(exchange, db) as recorder:
            status = recorder.status()
            assert status.state == "refused"
            assert status.refusal is not None
            assert "add --venue binance.com" in status.refusal.sentence
            code, told = health(status, time.time_ns() // 1000, 0)
            assert (code, str(told["cause"]).partition(":")[0]) == (503, "other venue")
            assert pill_of(status, time.time_ns() // 1000).word == "OTHER EXCHANGE"
            recorder.resume()  # asks nothing all the same
        assert len(exchange.handshakes()) == shaken
        assert content(db) == before
        with recording(exchange, db, market="usdm") as recorder:  # a market of its own
            assert recorder.status().refusal is None


def test_only_what_is_stored_makes_a_recording_live() -> None:
    counts = SymbolCounts(received=5, last_received_us=1, last_stored_us=1)

    def unstored_since_us() -> int | None:
        return counts.unstored_since_us

    counts.tick_second(1_000_000)
    assert unstored_since_us() is None
    counts.tick_second(2_000_000)
    assert unstored_since_us() is None  # quiet: nothing came
    counts.received = 9
    counts.tick_second(3_000_000)
    counts.received, counts.last_received_us = 12, 59_000_000
    counts.tick_second(60_000_000)
    assert unstored_since_us() == 3_000_000
    counts.last_stored_us = 60_500_000
    counts.tick_second(61_000_000)
    assert unstored_since_us() is None
    counts.received, counts.last_received_us = 13, 62_000_000
    counts.tick_second(62_000_000)
    assert unstored_since_us() == 62_000_000
    counts.tick_second(123_000_000)
    assert unstored_since_us() is None  # nothing comes any more: that is another matter


def test_trades_that_come_and_are_not_stored_are_no_live_feed(tmp_path: Path) -> None:
    db = tmp_path / "ticks.db"
    with (
        ThreadedExchange(["BTCUSDT", "ETHUSDT"]) as exchange,
        recording(exchange, db) as recorder,
    ):
        exchange.wait_for_subscribers(1)
        push(exchange, 1)
        until(lambda: recorder.status().stored == 2)
        trade = exchange.trades("BTCUSDT")[0]
        exchange.call(lambda e: e.resend(trade))
        until(lambda: recorder.status().per_symbol["BTCUSDT"].duplicates == 1)
        status, now_us = recorder.status(), time.time_ns() // 1000
        each = replace(status.per_symbol["BTCUSDT"], unstored_since_us=now_us - 31_000_000)
        status = replace(status, per_symbol={**status.per_symbol, "BTCUSDT": each})
    assert pill_of(status, now_us).word == "NOT STORED"
    assert health(status, now_us, 0)[1]["cause"] == (
        "trades of BTCUSDT come, and none was stored for 31 s"
    )
