"""The recorder against the scripted exchange: everything received is stored, whatever happens."""

import random
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from exchange.faults import HandshakeFault
from exchange.feeds import LiveFeed, ReplayFeed
from exchange.server import ThreadedExchange

from analytics.bars import resample_ticks
from ingest.errors import IngestError, RecorderError
from ingest.feed import FeedLimits
from ingest.files import read_ticks
from ingest.recorder import Recorder
from ingest.recorder.threads import FailureLog
from ingest.retry import AttemptBudget, Backoff, refusal_wait_s
from ingest.settings import Settings
from ingest.store import TickReader, TickWriter
from ingest.tick import Tick
from pages.ui.server.health import health

FAST = FeedLimits(overlap_s=1.0)


def settings_for(exchange: ThreadedExchange, tmp_path: Path, **more) -> Settings:
    return Settings(
        symbols=("BTCUSDT", "ETHUSDT"),
        db=tmp_path / "ticks.db",
        ws_url=exchange.ws_url,
        rest_url=exchange.rest_url,
        **more,
    )


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for a condition of another thread that raises no event."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "did not come true in time"
        time.sleep(0.005)


def wait_for_streams(exchange: ThreadedExchange, count: int) -> None:
    """Wait until some client is subscribed to `count` streams."""
    exchange.run(
        lambda e: e.wait_until(
            lambda: any(len(client.subscriptions) == count for client in e.connections), 10.0
        )
    )


@pytest.fixture
def exchange():
    with ThreadedExchange(["BTCUSDT", "ETHUSDT", "SOLUSDT"]) as running:
        yield running


@pytest.fixture
def recorder(exchange, tmp_path):
    running = Recorder(settings_for(exchange, tmp_path), feed_limits=FAST)
    running.start()
    exchange.wait_for_subscribers(1)
    yield running
    assert running.stop()


def stored_ids(recorder: Recorder, symbol: str) -> list[int]:
    with TickReader(recorder.settings.db) as reader:
        return list(reader.ticks(symbol).trade_id)


def sent_ids(exchange: ThreadedExchange, symbol: str) -> list[int]:
    return [trade.trade_id for trade in exchange.trades(symbol)]


def test_trades_are_stored_within_a_batch_wait_and_the_status_tells(exchange, recorder) -> None:
    for n in range(5):
        exchange.push("BTCUSDT", 100 + n, "0.5")
    until(lambda: recorder.status().stored == 5)
    status = recorder.status()
    assert status.state == "live"
    assert (status.received, status.duplicates, status.rejected) == (5, 0, 0)
    assert status.per_symbol["BTCUSDT"].last_price == 104
    assert status.per_symbol["ETHUSDT"].received == 0
    assert stored_ids(recorder, "BTCUSDT") == sent_ids(exchange, "BTCUSDT")


def test_symbols_can_be_added_and_removed_while_it_runs_and_are_remembered(
    exchange, recorder, tmp_path
) -> None:
    assert recorder.add_symbol(" solusdt ") == "SOLUSDT"
    wait_for_streams(exchange, 3)
    exchange.push("SOLUSDT", 20, 1)
    until(lambda: recorder.status().per_symbol["SOLUSDT"].stored == 1)
    recorder.remove_symbol("ETHUSDT")
    assert recorder.symbols == ("BTCUSDT", "SOLUSDT")
    with pytest.raises(IngestError, match="not a symbol"):
        recorder.add_symbol("no such thing")
    recorder.stop()
    again = Recorder(replace(settings_for(exchange, tmp_path), symbols=None))
    again.stop()
    assert again.symbols == ("BTCUSDT", "SOLUSDT")


def test_a_lost_connection_comes_back_and_the_loss_is_in_the_ledger(exchange, recorder) -> None:
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: recorder.status().stored == 1)
    exchange.disconnect_all(abort=True)
    until(lambda: recorder.status().reconnects == 1)
    exchange.wait_for_subscribers(1)
    exchange.push("BTCUSDT", 101, 1)
    until(lambda: recorder.status().stored == 2)
    status = recorder.status()
    assert status.last_error is None  # it is over, and stands in the history
    assert [each.detail for each in status.history if each.kind == "lost"] != []
    code, told = health(status, status.last_received_us or 0, 0)
    assert (code, told["last_error"]) == (200, None)


def test_the_last_error_is_told_while_it_lasts(exchange, recorder) -> None:
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: recorder.status().stored == 1)
    exchange.call(lambda e: e.faults.handshakes.add(HandshakeFault("refuse", 503), None))
    exchange.disconnect_all(abort=True)
    until(lambda: "503" in (recorder.status().last_error or ""))
    assert recorder.status().state == "reconnecting"


def test_recording_goes_on_at_once_after_each_of_many_pauses(exchange, recorder) -> None:
    until(lambda: recorder.state == "live")
    for _ in range(10):
        recorder.pause()
        exchange.run(lambda e: e.wait_until(lambda: not e.connections, 10.0))
        recorder.resume()
        exchange.run(lambda e: e.wait_until(lambda: bool(e.connections), 2.0))
    assert recorder.status().last_error is None


def test_after_a_pause_a_wait_that_the_exchange_asks_for_is_said(exchange, recorder) -> None:
    until(lambda: recorder.state == "live")
    recorder.pause()
    exchange.run(lambda e: e.wait_until(lambda: not e.connections, 10.0))
    recorder._receiving.feed._refused_until_s = time.monotonic() + 60.0  # as a 418 does
    recorder.resume()
    until(lambda: recorder.state == "reconnecting")
    assert (recorder.status().retry_in_s or 0.0) > 50.0
    recorder.pause()


def test_a_bad_frame_is_counted_and_ends_nothing(exchange, recorder) -> None:
    for frame in (b"{", b"[" * 100_000, b'{"e":"aggTrade","p":"NaN"}', b"\xff\xfe"):
        exchange.call(lambda e, frame=frame: e.push_raw(frame, binary=True))
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: recorder.status().stored == 1)
    assert recorder.status().rejected == 4
    assert recorder.status().reconnects == 0


def test_stopping_stores_what_was_received_and_frees_the_database(exchange, tmp_path) -> None:
    recorder = Recorder(settings_for(exchange, tmp_path))
    recorder.start()
    exchange.wait_for_subscribers(1)
    with pytest.raises(RecorderError, match="another recorder"):
        Recorder(settings_for(exchange, tmp_path))
    for n in range(5000):
        exchange.push("ETHUSDT", 100 + n % 7, 1)
    until(lambda: recorder.status().received > 0)
    assert recorder.stop()
    assert recorder.stop()
    status = recorder.status()
    assert (status.state, status.stored) == ("stopped", status.received)
    assert stored_ids(recorder, "ETHUSDT") == sent_ids(exchange, "ETHUSDT")[: status.received]


def test_a_database_that_refuses_writes_delays_but_loses_nothing(exchange, recorder) -> None:
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: recorder.status().stored == 1)
    other = sqlite3.connect(recorder.settings.db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for n in range(10):
        exchange.push("BTCUSDT", 101 + n, 1)
    until(lambda: recorder.status().last_error is not None, timeout_s=15)
    assert "refuses writes" in str(recorder.status().last_error)
    assert recorder.status().write_error is not None
    other.execute("ROLLBACK")
    other.close()
    until(lambda: recorder.status().stored == 11, timeout_s=15)
    assert recorder.status().last_error is None
    assert stored_ids(recorder, "BTCUSDT") == sent_ids(exchange, "BTCUSDT")


def test_a_server_about_to_go_is_left_without_a_gap(exchange, recorder) -> None:
    """The successor stands before the old connection ends, and the overlap is removed by id."""
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: recorder.status().stored == 1)
    exchange.call(lambda e: e.announce_shutdown())
    exchange.wait_for_clients(2)
    for n in range(20):
        exchange.push("BTCUSDT", 101 + n, 1)
    until(lambda: recorder.status().rotations == 1)
    exchange.push("BTCUSDT", 200, 1)
    until(lambda: recorder.status().stored == 22)
    assert stored_ids(recorder, "BTCUSDT") == sent_ids(exchange, "BTCUSDT")
    assert recorder.status().reconnects == 0
    with sqlite3.connect(recorder.settings.db) as database:
        assert database.execute("SELECT count(*) FROM gap").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize(("market", "stream"), [("usdm", "aggTrade"), ("spot", "trade")])
def test_the_other_market_and_the_other_stream_record_as_well(tmp_path, market, stream) -> None:
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"], market=market) as exchange:
        recorder = Recorder(settings_for(exchange, tmp_path, market=market, stream=stream))
        recorder.start()
        exchange.wait_for_subscribers(1)
        exchange.push("BTCUSDT", "64346.70", "0.02")
        exchange.call(lambda e: e.push_non_trade("BTCUSDT"))
        exchange.push("BTCUSDT", "64346.80", "0.02")
        until(lambda: recorder.status().stored == 2)
        recorder.stop()
        with TickReader(recorder.settings.db, market=market, stream=stream) as reader:
            assert list(reader.ticks("BTCUSDT").price) == [64346.7, 64346.8]


@pytest.mark.real_data
def test_recorded_frames_through_the_real_socket_and_database(shared_data, tmp_path) -> None:
    """19,904 and 14,515 trades, none lost or doubled; bars equal the exchange's klines."""
    frames = shared_data / "binance_spot_frames_20240808.txt.gz"
    feed = ReplayFeed(frames, speed=float("inf"))
    with ThreadedExchange(["BTCUSDT", "ETHUSDT"], feed=feed) as exchange:
        recorder = Recorder(settings_for(exchange, tmp_path, stream="trade"))
        recorder.start()
        until(lambda: recorder.status().stored == 34_419, timeout_s=60)
        status = recorder.status()
        recorder.stop()
    assert (status.duplicates, status.rejected, status.reconnects) == (0, 0, 0)
    from_file = read_ticks(frames)
    with TickReader(recorder.settings.db) as reader:
        for symbol, count in {"BTCUSDT": 19_904, "ETHUSDT": 14_515}.items():
            ticks = reader.ticks(symbol)
            assert len(ticks) == count
            assert ticks.trade_id.diff().dropna().eq(1).all()
            bars = reader.bars(symbol, "1min")
            klines = pd.read_csv(shared_data / f"binance_spot_klines_1m_{symbol}.csv")
            times = pd.DatetimeIndex(klines.open_time_ms.to_numpy("M8[ms]")).tz_localize("UTC")
            ours = bars.loc[times, ["open", "high", "low", "close", "volume"]]
            assert ours.to_numpy().tolist() == klines[list(ours.columns)].to_numpy().tolist()
            assert list(bars.loc[times].trades) == list(klines.trades_in_frames)
            of_file = from_file[from_file.symbol == symbol]
            for interval in ("1s", "1min", "5min"):
                pd.testing.assert_frame_equal(
                    reader.bars(symbol, interval),
                    resample_ticks(of_file, interval),
                    check_exact=True,
                )


def test_backoff_grows_with_jitter_above_a_floor_and_resets() -> None:
    class Most(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return max(a, b)

    backoff = Backoff(base_s=0.25, cap_s=30, floor_s=0.1)
    waits = [backoff.next_wait_s(Most()) for _ in range(10)]
    assert waits[:3] == [0.35, 0.6, 1.1]
    assert waits[-1] == 30.1
    backoff.reset()
    assert backoff.next_wait_s(Most()) == 0.35


def test_no_more_than_sixty_attempts_in_five_minutes() -> None:
    budget, now_s, times = AttemptBudget(), 0.0, []
    while now_s < 3600:
        now_s += budget.wait_s(now_s)
        budget.note(now_s)
        times.append(now_s)
        now_s += 0.01
    for first in times:
        assert sum(first <= each < first + 300 for each in times) <= 60


@pytest.mark.parametrize(
    ("status", "header", "wait_s"),
    [
        *((429, "7", 7), (418, None, 120), (429, None, 60), (403, None, 300), (451, None, 3600)),
        *((503, None, 0), (503, "12", 12), (418, "soon", 120)),
    ],
)
def test_a_refusal_is_obeyed_for_as_long_as_it_asks(status, header, wait_s) -> None:
    assert refusal_wait_s(status, header) == wait_s


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:30 -0000", 30.0),
        ("soon", 60.0),
    ],
)
def test_a_refusal_may_name_a_date(header, wait_s) -> None:
    now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)
    assert refusal_wait_s(429, header, lambda: now) == wait_s


def test_a_thread_that_only_fails_is_said_to_have_failed(tmp_path) -> None:
    recorder = Recorder(Settings(symbols=("BTCUSDT",), db=tmp_path / "ticks.db"))
    for _ in range(4):
        recorder._failed("writer", TypeError("ours"))
        recorder._failed("feed", TypeError("ours"))
    assert recorder.status().state == "connecting"
    recorder._failed("writer", TypeError("ours"))
    assert recorder.status().state == "failed"
    assert "the writer thread failed" in str(recorder.status().last_error)
    assert recorder.stop()


def test_failures_are_forgotten_after_half_a_minute() -> None:
    now_s = 0.0
    log = FailureLog(lambda: now_s)
    for _ in range(5):
        log.note("writer", TypeError("ours"))
    assert "the writer thread failed" in str(log.lasting())
    now_s = 30.0
    assert log.lasting() is None


def test_more_symbols_than_an_option_may_name_are_taken_up_again(tmp_path) -> None:
    path = tmp_path / "ticks.db"
    names = tuple(f"A{n}USDT" for n in range(300))
    writer = TickWriter(path)
    writer.remember("symbols spot aggTrade", ",".join(names))
    writer.close()
    recorder = Recorder(Settings(db=path))
    recorder.stop()
    assert recorder.symbols == names


def test_a_start_that_fails_frees_the_database(tmp_path) -> None:
    path = tmp_path / "ticks.db"
    writer = TickWriter(path)
    writer.remember("symbols spot aggTrade", "no symbol!")
    with pytest.raises(IngestError, match="not a symbol"):
        Recorder(Settings(db=path))
    writer.remember("symbols spot aggTrade", "BTCUSDT")
    writer.close()
    assert Recorder(Settings(db=path)).stop()


def test_given_up_trades_are_fetched_when_the_reader_asks_and_the_status_tells(
    exchange, tmp_path
) -> None:
    settings = settings_for(exchange, tmp_path, backfill_requests=1)
    for n in range(2500):
        exchange.push("BTCUSDT", 100 + n % 7, 1)
    writer = TickWriter(settings.db)
    writer.write([tick_of(exchange.trades("BTCUSDT")[0])])
    writer.close()
    recorder = Recorder(settings, feed_limits=FAST)
    recorder.start()
    exchange.wait_for_subscribers(1)
    exchange.push("BTCUSDT", 100, 1)
    until(lambda: len(gap_states(recorder)) == 1 and gap_states(recorder)[0] == "expired")
    assert recorder.status().requested_repair is None
    recorder.repair_now()
    sent = sent_ids(exchange, "BTCUSDT")
    until(lambda: gap_states(recorder) == [])
    assert sorted(stored_ids(recorder, "BTCUSDT")) == sent  # by time the first may not be the first
    until(lambda: recorder.status().requested_repair is None)
    assert any("given-up trades are asked for" in e.detail for e in recorder.status().history)
    recorder.stop_repair()
    until(lambda: any("0 trades left" in each.detail for each in recorder.status().history))
    assert recorder.stop()


def test_bars_from_further_back_are_fetched_when_the_reader_asks(tmp_path) -> None:
    symbols = ["BTCUSDT", "ETHUSDT"]
    feed = LiveFeed(20, history_s=60, past_days=12)
    with ThreadedExchange(symbols, feed=feed) as exchange:
        recorder = Recorder(settings_for(exchange, tmp_path), feed_limits=FAST)
        recorder.start()
        try:
            until(lambda: minutes_back(recorder) >= 7 * 1440, timeout_s=60)
            with pytest.raises(RecorderError, match="SOLUSDT is not recorded"):
                recorder.fetch_klines(["BTCUSDT", "SOLUSDT"], "1m", 10 * 86_400)
            for _ in range(2):
                recorder.fetch_klines(symbols, "1m", 10 * 86_400)
            until(lambda: minutes_back(recorder) >= 10 * 1440, timeout_s=60)
            assert minutes_back(recorder) <= 10 * 1440 + 1
        finally:
            assert recorder.stop()


def test_futures_have_no_bars_of_seconds(tmp_path) -> None:
    settings = Settings(symbols=("BTCUSDT",), market="usdm", db=tmp_path / "ticks.db")
    recorder = Recorder(settings)
    with pytest.raises(RecorderError, match="usdm has no 1s bars"):
        recorder.fetch_klines(["BTCUSDT"], "1s", 86_400)
    recorder.stop()


def minutes_back(recorder: Recorder) -> int:
    """How many minutes of bars each of the two symbols has before its first trade."""
    found = []
    with TickReader(recorder.settings.db) as reader:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            bars, span = reader.bars(symbol, "1min"), reader.span(symbol)
            found.append(0 if span is None else int((bars.index < span[0]).sum()))
    return min(found)


def gap_states(recorder: Recorder) -> list[str]:
    with TickReader(recorder.settings.db) as reader:
        gaps = reader.gaps()
    return list(gaps[gaps.state != "filled"].state)


def tick_of(trade) -> Tick:
    return Tick(
        "spot", trade.symbol, "aggTrade", trade.trade_id, trade.price, trade.quantity,
        trade.time_us, trade.time_us, trade.buyer_is_maker,
    )  # fmt: skip


def test_a_refused_subscription_is_shown_to_the_reader(exchange, recorder) -> None:
    refusal = b'{"error":{"code":2,"msg":"Invalid request: no such stream"},"id":7}'
    exchange.call(lambda e: e.push_raw(refusal))
    until(lambda: any("no such stream" in each for each in recorder.status().notices))
