"""The scripted exchange itself, seen by the plain websockets client and urllib."""

import asyncio
import contextlib
import csv
import gc
import json
import math
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from exchange.client import BOTH, SYMBOLS, T0_US, ask, client, close_of, fetch, get, receive
from exchange.feeds import LiveFeed, ReplayFeed, recorded_frames
from exchange.market import Trade, decimal_text, e8, trade_payload
from exchange.server import Exchange, ThreadedExchange

EXCHANGE = Path(__file__).resolve().parent
FRAMES = "binance_spot_frames_20240808.txt.gz"


async def test_a_combined_stream_carries_aggregates_in_envelopes() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push("BTCUSDT", "61837.63", "0.02", time_us=T0_US, buyer_is_maker=True)
        message = await receive(websocket)
    assert message == {
        "stream": "btcusdt@aggTrade",
        "data": {
            "e": "aggTrade",
            "E": T0_US // 1000 + 1,
            "s": "BTCUSDT",
            "a": 1,
            "p": "61837.63000000",
            "q": "0.02000000",
            "f": 1,
            "l": 1,
            "T": T0_US // 1000,
            "m": True,
            "M": True,
        },
    }


async def test_a_raw_stream_carries_bare_events() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/ws/btcusdt@trade") as websocket:
        exchange.push("ETHUSDT", 2600, 1)
        exchange.push("BTCUSDT", 60000, 1, trade_id=77)
        message = await receive(websocket)
    assert (message["e"], message["s"], message["t"]) == ("trade", "BTCUSDT", 77)


async def test_microseconds_are_given_where_they_are_asked_for() -> None:
    path = BOTH + "&timeUnit=MICROSECOND"
    async with (
        Exchange(SYMBOLS) as exchange,
        client(exchange, path) as micro,
        client(exchange) as milli,
    ):
        exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + 123_456)
        assert (await receive(micro))["data"]["T"] == T0_US + 123_456
        assert (await receive(milli))["data"]["T"] == T0_US // 1000 + 123


async def test_subscriptions_can_be_changed_and_listed() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        streams = ["btcusdt@aggTrade", "ethusdt@trade"]
        assert await ask(websocket, method="SUBSCRIBE", params=streams, id=1) == {
            "result": None,
            "id": 1,
        }
        exchange.push("ETHUSDT", 2600, 1)
        assert (await receive(websocket))["stream"] == "ethusdt@trade"
        await ask(websocket, method="UNSUBSCRIBE", params=streams[1:], id="two")
        assert await ask(websocket, method="LIST_SUBSCRIPTIONS", id=3) == {
            "result": streams[:1],
            "id": 3,
        }
        exchange.push("ETHUSDT", 2600, 1)
        exchange.push("BTCUSDT", 60000, 1)
        assert (await receive(websocket))["stream"] == "btcusdt@aggTrade"


async def test_one_trade_reaches_a_client_once_however_often_it_subscribed() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        await ask(websocket, method="SUBSCRIBE", params=["btcusdt@aggTrade"], id=1)
        exchange.push("BTCUSDT", 60000, 1)
        exchange.push("BTCUSDT", 60001, 1)
        ids = [(await receive(websocket))["data"]["a"] for _ in range(2)]
    assert ids == [1, 2]


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("{", 3, "Invalid JSON"),
        ("[]", 2, "expected an object"),
        ('{"id":1}', 2, "missing field `method`"),
        ('{"method":"SING","id":1}', 2, "unknown variant `SING`"),
        ('{"method":"SUBSCRIBE","params":"a@trade","id":1}', 2, "list of strings"),
        ('{"method":"SUBSCRIBE","params":["nothing"],"id":1}', 2, "unknown stream"),
        ('{"method":"SUBSCRIBE","params":["a@trade"],"id":1.5}', 2, "request ID"),
    ],
)
async def test_a_bad_request_is_answered_with_its_error(
    message: str, code: int, words: str
) -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/ws") as websocket:
        await websocket.send(message)
        answer = await receive(websocket)
    assert answer["error"]["code"] == code
    assert words in answer["error"]["msg"]


async def test_the_1025th_stream_is_refused() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        streams = [f"s{number}@trade" for number in range(1024)]
        assert (await ask(websocket, method="SUBSCRIBE", params=streams, id=1))["result"] is None
        answer = await ask(websocket, method="SUBSCRIBE", params=["more@trade"], id=2)
    assert answer["error"]["msg"] == "Invalid request: too many parameters"


async def test_a_client_that_talks_too_much_is_disconnected() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        for number in range(12):  # more than 5 in a second, wherever a second begins
            await websocket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        error = await close_of(websocket)
    assert error.rcvd is not None
    assert error.rcvd.code == 1008


async def test_the_server_pings_and_a_client_that_answers_stays() -> None:
    async with Exchange(SYMBOLS, ping_interval_s=0.01) as exchange, client(exchange) as websocket:
        connection = exchange.connections[0].connection
        async with asyncio.timeout(10):
            while connection.latency == 0:
                exchange.push("BTCUSDT", 60000, 1)
                await receive(websocket)
        assert exchange.connections


async def test_an_unknown_path_is_not_found() -> None:
    async with Exchange(SYMBOLS) as exchange:
        with pytest.raises(InvalidStatus) as caught:
            await connect(exchange.ws_url + "/nowhere", proxy=None)
    assert caught.value.response.status_code == 404


async def test_futures_stream_on_the_market_path_in_their_own_shape() -> None:
    path = "/market" + BOTH
    async with Exchange(SYMBOLS, market="usdm") as exchange, client(exchange, path) as websocket:
        exchange.push("BTCUSDT", "64346.7", "0.02", time_us=T0_US)
        data = (await receive(websocket))["data"]
    assert (data["p"], data["q"], data["nq"], data["st"]) == ("64346.7", "0.02", "0.02", 1)
    assert "M" not in data


async def test_futures_old_path_acknowledges_and_stays_silent() -> None:
    async with (
        Exchange(SYMBOLS, market="usdm") as exchange,
        client(exchange, BOTH) as old,
        client(exchange, "/market" + BOTH) as new,
    ):
        answer = await ask(old, method="SUBSCRIBE", params=["btcusdt@trade"], id=1)
        assert answer == {"result": None, "id": 1}
        exchange.push("BTCUSDT", 60000, 1)
        assert (await receive(new))["data"]["a"] == 1
        # The next thing the old path says is an answer: the trade never came.
        assert (await ask(old, method="LIST_SUBSCRIPTIONS", id=2))["id"] == 2


async def test_a_non_trade_takes_up_an_id_and_is_no_aggregate() -> None:
    path = "/market/ws/btcusdt@trade"
    async with Exchange(SYMBOLS, market="usdm") as exchange, client(exchange, path) as websocket:
        exchange.push("BTCUSDT", 60000, 1)
        exchange.push_non_trade("BTCUSDT")
        exchange.push("BTCUSDT", 60000, 1)
        events = [await receive(websocket) for _ in range(3)]
        rows = (await get(exchange, "/fapi/v1/aggTrades?symbol=BTCUSDT")).body
    assert [(event["t"], event["X"]) for event in events] == [
        (1, "MARKET"),
        (2, "NA"),
        (3, "MARKET"),
    ]
    assert [row["a"] for row in rows] == [1, 3]


async def test_any_bytes_can_be_sent() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push_raw(b'{"p":NaN}')
        exchange.push_raw(b"\x00\xff", binary=True)
        assert await websocket.recv() == '{"p":NaN}'
        assert await websocket.recv() == b"\x00\xff"
        exchange.push_raw(b"\xff")
        error = await close_of(websocket)
    assert error.sent is not None
    assert error.sent.code == 1007


async def test_time_is_the_clock_the_exchange_was_given() -> None:
    async with Exchange(SYMBOLS, clock_us=lambda: T0_US) as exchange:
        reply = await get(exchange, "/api/v3/time")
        micro = await get(exchange, "/api/v3/time", **{"X-MBX-TIME-UNIT": "MICROSECOND"})
    assert reply.body == {"serverTime": T0_US // 1000}
    assert micro.body == {"serverTime": T0_US}


def test_ids_and_times_never_go_back() -> None:
    with ThreadedExchange(SYMBOLS) as exchange:
        exchange.push("BTCUSDT", 60000, 1, trade_id=10, time_us=T0_US)
        with pytest.raises(ValueError, match="BTCUSDT trade 10 comes after 10"):
            exchange.push("BTCUSDT", 60000, 1, trade_id=10, time_us=T0_US)
        with pytest.raises(ValueError, match="earlier than the one before"):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US - 1)


def test_decimals_are_exact() -> None:
    assert e8("0.1") + e8("0.2") == e8("0.3")
    assert decimal_text(e8("0.00000001"), "spot") == "0.00000001"
    assert decimal_text(e8(83680), "usdm") == "83680"
    with pytest.raises(ValueError, match="more than 8 decimals"):
        e8("0.000000001")


async def test_live_trades_carry_the_real_clock() -> None:
    feed = LiveFeed(500.0, seed=5)
    async with Exchange(SYMBOLS, feed=feed) as exchange, client(exchange) as websocket:
        seen: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
        while min(len(ids) for ids in seen.values()) < 20:
            data = (await receive(websocket))["data"]
            seen[data["s"]].append(data["a"])
            assert abs(time.time() * 1000 - data["T"]) < 60_000
    for ids in seen.values():
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_history_is_known_to_rest_and_was_never_streamed() -> None:
    feed = LiveFeed(50.0, seed=5, history_s=120, duration_s=0)
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        bars = (await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1s")).body
        rows = (await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT&fromId=1")).body
        assert exchange.trades("BTCUSDT") == []
        history = exchange.trades("BTCUSDT", history=True)
    assert 115 <= len(bars) <= 121
    assert sum(bar[8] for bar in bars) == len(history)
    assert [row["a"] for row in rows] == [trade.trade_id for trade in history[:500]]


async def test_a_finite_feed_at_full_speed_loses_nothing() -> None:
    feed = LiveFeed(400.0, seed=2, duration_s=10, speed=math.inf, after_clients=1)
    async with Exchange(SYMBOLS, feed=feed) as exchange, client(exchange) as websocket:
        received: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}

        async def read() -> None:
            async for message in websocket:
                data = json.loads(message)["data"]
                received[data["s"]].append(data["a"])

        reading = asyncio.create_task(read())
        await exchange.wait_fed()
        await exchange.disconnect_all(code=1000)
        await reading
        for symbol in SYMBOLS:
            expected = [trade.trade_id for trade in exchange.trades(symbol)]
            assert len(expected) > 3000
            assert received[symbol] == expected


async def replayed(path: str, feed: ReplayFeed) -> tuple[list[bytes], dict[str, Any]]:
    """Replay to one client; give what it got and the minute bars REST then has."""
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        async with client(exchange, path) as websocket:
            messages: list[bytes] = []

            async def read() -> None:
                while True:
                    messages.append(await websocket.recv(decode=False))

            reading = asyncio.create_task(read())
            await exchange.wait_fed()
            await exchange.disconnect_all(code=1000)
            with pytest.raises(ConnectionClosed):
                await reading
        bars = {
            symbol: (await get(exchange, f"/api/v3/klines?symbol={symbol}&interval=1m")).body
            for symbol in SYMBOLS
        }
        return messages, bars


@pytest.mark.real_data
async def test_recorded_frames_arrive_as_they_were_and_make_binances_own_bars(
    shared_data: Path,
) -> None:
    path = "/stream?streams=" + "/".join(
        f"{symbol.lower()}@{kind}" for symbol in SYMBOLS for kind in ("trade", "bookTicker")
    )
    messages, bars = await replayed(path, ReplayFeed(shared_data / FRAMES))
    recorded = [frame for _, frame in recorded_frames(shared_data / FRAMES)]
    assert messages == [
        frame for frame in recorded if b"@trade" in frame[:30] or b"@bookTicker" in frame[:30]
    ]
    for symbol in SYMBOLS:
        ours = {row[0]: row for row in bars[symbol]}
        with (shared_data / f"binance_spot_klines_1m_{symbol}.csv").open() as lines:
            for kline in csv.DictReader(lines):
                row = ours[int(kline["open_time_ms"])]
                names = ("open", "high", "low", "close", "volume")
                assert [float(text) for text in row[1:6]] == [float(kline[n]) for n in names]
                assert row[8] == int(kline["trades_in_frames"])


@pytest.mark.real_data
def test_built_events_equal_recorded_ones(shared_data: Path) -> None:
    checked = 0
    for _, frame in recorded_frames(shared_data / FRAMES):
        if b"@trade" not in frame[:30]:
            continue
        printed = frame[frame.index(b'"data":') + 7 : -1]
        event = json.loads(printed)
        trade = Trade(
            event["s"],
            event["t"],
            e8(event["p"]),
            e8(event["q"]),
            event["T"] * 1000,
            event["E"] * 1000,
            event["m"],
        )
        assert trade_payload(trade, "trade", "spot", 1000) == printed
        assert trade.price == float(event["p"])
        checked += 1
        if checked == 2000:
            return
    pytest.fail("the recording holds fewer than 2,000 trades")


async def test_a_replay_keeps_to_its_pace(tmp_path: Path) -> None:
    lines = [
        f'{second * 10**9} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":{second},'
        f'"s":"BTCUSDT","t":{second + 1},"p":"1.0","q":"1.0","T":{second},"m":true,"M":true}}}}'
        for second in range(4)
    ]
    path = tmp_path / "frames.txt"
    path.write_text("\n".join(lines) + "\n")
    begun_s = time.monotonic()
    messages, _ = await replayed("/ws/btcusdt@trade", ReplayFeed(path, speed=20.0))
    assert [json.loads(message)["t"] for message in messages] == [1, 2, 3, 4]
    assert time.monotonic() - begun_s >= 3 / 20


def test_a_threaded_exchange_serves_synchronous_code() -> None:
    with ThreadedExchange(SYMBOLS, feed=LiveFeed(100.0, history_s=5)) as exchange:
        exchange.faults.refuse_handshakes(503)
        assert fetch(exchange.rest_url + "/api/v3/ping").body == {}
        assert [request.path for request in exchange.requests()] == ["/api/v3/ping"]
        history = exchange.call(lambda inner: len(inner.trades("BTCUSDT", history=True)))
        assert history > 0


@pytest.mark.parametrize("steps", range(5))
def test_who_comes_as_the_exchange_closes_is_cut_off(steps: int) -> None:
    async def scenario() -> socket.socket:
        async with Exchange(SYMBOLS) as exchange:
            late = socket.create_connection(("127.0.0.1", exchange.port), timeout=10)
            for _ in range(steps):
                await asyncio.sleep(0)
        return late

    with asyncio.run(scenario()) as late, contextlib.suppress(ConnectionResetError):
        assert late.recv(1) == b""
    gc.collect()  # an open socket left behind would fail this test


def test_a_threaded_exchange_reports_a_port_that_is_taken() -> None:
    with (
        ThreadedExchange(SYMBOLS) as exchange,
        pytest.raises(OSError, match="address"),
        ThreadedExchange(port=exchange.port),
    ):
        pytest.fail("two exchanges on one port")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_the_command_line_serves_until_ctrl_c() -> None:
    command = [sys.executable, str(EXCHANGE), "--port", "0", "--history", "5"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.readline().split()
        assert printed[:2] == ["python", "app.py"]
        rest_url = printed[printed.index("--rest-url") + 1]
        assert fetch(rest_url + "/api/v3/time").status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_the_command_line_refuses_bad_options_in_one_line() -> None:
    from exchange.cli import main

    with ThreadedExchange(SYMBOLS) as exchange:
        assert main(["--port", str(exchange.port)]) == 2
    assert main(["--port", "0", "--frames", "no_such_file.gz"]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["--symbols", "BTC/USDT"])
    assert caught.value.code == 2
