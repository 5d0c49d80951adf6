"""What can be made to go wrong at the scripted exchange goes wrong as asked, and nothing else."""

import asyncio
import math
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from exchange.client import BOTH, SYMBOLS, T0_US, ask, client, close_of, get, receive
from exchange.feeds import LiveFeed
from exchange.server import Exchange


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012])
async def test_clients_can_be_closed_with_any_code(code: int) -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        assert await exchange.disconnect_all(code=code) == 1
        error = await close_of(websocket)
        assert exchange.connections == []
    assert error.rcvd is not None
    assert error.rcvd.code == code


@pytest.mark.parametrize("abort", [True, False])
async def test_clients_can_be_cut_off_by_rst_or_fin(abort: bool) -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        await exchange.disconnect_all(abort=abort)
        error = await close_of(websocket)
    assert error.rcvd is None
    assert isinstance(error.__cause__, ConnectionResetError) is abort


async def test_handshakes_can_be_refused_a_number_of_times() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.faults.refuse_handshakes(429, retry_after_s=7, times=2)
        for _ in range(2):
            with pytest.raises(InvalidStatus) as caught:
                await connect(exchange.ws_url + BOTH, proxy=None)
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["Retry-After"] == "7"
        async with client(exchange):
            statuses = [handshake.status for handshake in exchange.handshakes]
    assert statuses == [429, 429, 101]


async def test_connections_can_be_accepted_and_closed() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.faults.close_after_accept(1008)
        exchange.faults.abort_after_accept()
        async with connect(exchange.ws_url + BOTH, proxy=None) as websocket:
            error = await close_of(websocket)
        assert error.rcvd is not None
        assert error.rcvd.code == 1008
        async with connect(exchange.ws_url + BOTH, proxy=None) as websocket:
            assert (await close_of(websocket)).rcvd is None


async def test_a_handshake_can_hang() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.faults.hang_handshakes()
        with pytest.raises(TimeoutError):
            await connect(exchange.ws_url + BOTH, open_timeout=0.05, proxy=None)
        assert exchange.connections == []


async def test_a_stalled_connection_answers_pings_and_carries_nothing() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as stalled:
        exchange.stall_all()
        async with client(exchange) as fresh:
            exchange.push("BTCUSDT", 60000, 1)
            assert (await receive(fresh))["data"]["a"] == 1
        async with asyncio.timeout(10):
            await (await stalled.ping())
        assert (await ask(stalled, method="LIST_SUBSCRIPTIONS", id=9))["id"] == 9


async def test_a_black_hole_answers_nothing_at_all() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as lost:
        exchange.black_hole_all()
        assert exchange.connections == []
        pong = asyncio.ensure_future(await lost.ping())
        async with client(exchange) as fresh:
            exchange.push("BTCUSDT", 60000, 1)
            await receive(fresh)
            async with asyncio.timeout(10):
                await (await fresh.ping())
        assert not pong.done()
        lost.transport.abort()
        with pytest.raises(ConnectionClosed):
            await pong


async def test_a_feed_waits_for_a_slow_reader_and_not_for_a_black_hole() -> None:
    feed = LiveFeed(500.0, duration_s=60, speed=math.inf, after_clients=1)
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        # A client that reads nothing: with a queue of one its socket fills up.
        slow = await connect(exchange.ws_url + BOTH, compression=None, max_queue=1, proxy=None)
        await exchange.wait_for_clients(1)
        writable = exchange.connections[0].connection.writable
        async with asyncio.timeout(10):
            while writable.is_set():
                await asyncio.sleep(0)
        sent = len(exchange.trades("BTCUSDT"))
        exchange.black_hole_all()
        await exchange.wait_fed()
        assert len(exchange.trades("BTCUSDT")) > sent
        slow.transport.abort()
        await slow.wait_closed()


async def test_a_withheld_symbol_is_known_to_rest_alone() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        with exchange.faults.withhold("BTCUSDT"):
            exchange.push("BTCUSDT", 60000, 1)
            exchange.push("ETHUSDT", 2600, 1)
        exchange.push("BTCUSDT", 60000, 1, streamed=False)
        exchange.push("BTCUSDT", 60000, 1)
        streamed = [(await receive(websocket))["data"] for _ in range(2)]
        rows = (await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")).body
    assert [(event["s"], event["a"]) for event in streamed] == [("ETHUSDT", 1), ("BTCUSDT", 3)]
    assert [row["a"] for row in rows] == [1, 2, 3]


async def test_a_trade_can_be_sent_again() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.resend(exchange.push("BTCUSDT", 60000, 1))
        assert await receive(websocket) == await receive(websocket)
        assert len(exchange.trades("BTCUSDT")) == 1


async def test_rest_can_refuse_for_a_while() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.faults.answer_rest(418, retry_after_s=120, path="/aggTrades")
        untouched = await get(exchange, "/api/v3/time")
        banned = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
        after = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    assert [reply.status for reply in (untouched, banned, after)] == [200, 418, 200]
    assert banned.headers["Retry-After"] == "120"
    assert banned.body["code"] == -1003


async def test_rest_can_lag_behind_the_stream() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.faults.rest_lag_s = 3600.0
        exchange.push("BTCUSDT", 60000, 1)
        await receive(websocket)
        behind = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
        bars = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1s")
        exchange.faults.clear()
        caught_up = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    assert (behind.body, bars.body) == ([], [])
    assert [row["a"] for row in caught_up.body] == [1]


async def test_shutdown_is_announced_in_the_form_of_the_stream() -> None:
    async with (
        Exchange(SYMBOLS, clock_us=lambda: T0_US) as exchange,
        client(exchange) as combined,
        client(exchange, "/ws") as raw,
    ):
        exchange.announce_shutdown()
        bare = {"e": "serverShutdown", "E": T0_US // 1000}
        assert await receive(combined) == {"stream": "!serverShutdown", "data": bare}
        assert await receive(raw) == bare


async def test_a_fault_script_runs_beside_the_exchange() -> None:
    async def close_whoever_comes(exchange: Exchange) -> None:
        for code in (1001, 1011):
            await exchange.wait_for_subscribers(1)
            await exchange.disconnect_all(code)

    codes = []
    async with Exchange(SYMBOLS) as exchange:
        script = exchange.run_script(close_whoever_comes)
        for _ in range(2):
            async with connect(exchange.ws_url + BOTH, proxy=None) as websocket:
                error = await close_of(websocket)
                codes.append(error.rcvd.code if error.rcvd else None)
        await script
    assert codes == [1001, 1011]


async def test_a_failed_script_fails_the_test_that_ran_it() -> None:
    async def broken(exchange: Exchange) -> None:
        exchange.push("NOPEUSDT", 1, 1)

    with pytest.raises(ValueError, match="NOPEUSDT is not traded here: BTCUSDT, ETHUSDT"):
        async with Exchange(SYMBOLS) as exchange:
            await asyncio.wait([exchange.run_script(broken)])


async def test_closing_waits_for_nobody_who_cannot_answer() -> None:
    async with Exchange(SYMBOLS) as exchange:
        # Held open: a connection that asks for nothing, and one that went into a black hole.
        _, idle = await asyncio.open_connection("127.0.0.1", exchange.port)
        lost = await connect(exchange.ws_url + BOTH, proxy=None)
        await exchange.wait_for_clients(1)
        exchange.black_hole_all()
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 10  # neither the pong time limit nor for ever
    idle.close()
    lost.transport.abort()
    await lost.wait_closed()
