"""What a kept connection saves: REST calls, and the repair of a gap, through 80 ms round trips.

    python tests/benchmarks --only rest_calls [--quick]

The exchange is scripted, and its distance simulated on the loopback (`far_exchange.py`): a new
connection costs one round trip more, over the internet two or three.
"""

import asyncio
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_row import Row, Samples, ratio_row
from exchange.far import far_exchange
from exchange.server import Exchange
from exchange.virtual import VirtualDesk

from ingest.repair.backfill import Backfill
from ingest.repair.limits import BackfillLimits
from ingest.rest import Fetch, HttpClient, RestClient
from ingest.rest.http import HttpAnswer
from ingest.tick import StreamKey

SYMBOL = "BTCUSDT"
KEY: StreamKey = ("spot", SYMBOL, "aggTrade")
STORE_EVERY_S = 0.02


def rows(quick: bool) -> list[Row]:
    """Measure calls and a repair."""
    round_trip_s = 0.02 if quick else 0.08
    calls, trades, times = (5, 2000, 1) if quick else (25, 10_000, 3)
    return asyncio.run(_rows(calls, trades, times, round_trip_s))


async def _rows(calls: int, trades: int, times: int, round_trip_s: float) -> list[Row]:
    rates: tuple[list[float], list[float]] = ([], [])
    repairs: tuple[list[float], list[float]] = ([], [])
    async with Exchange([SYMBOL]) as exchange:
        for _ in range(trades + 2):
            exchange.push(SYMBOL, "61837.63", "0.02")
        async with aclosing(HttpClient()) as http:
            await http.get(f"{exchange.rest_url}/api/v3/time")  # loads the library
        for _ in range(times):
            async with far_exchange(exchange.port, round_trip_s) as far:
                async with aclosing(HttpClient()) as http:
                    rates[0].append(await _calls_a_second(far.url, http.get, calls))
                async with aclosing(HttpClient()) as http:
                    repairs[0].append(await _repair_s(exchange, far.url, http.get, 4))
                rates[1].append(await _calls_a_second(far.url, _one_connection_a_call, calls))
                repairs[1].append(await _repair_s(exchange, far.url, _one_connection_a_call, 1))
    trip = f"{round_trip_s * 1e3:g} ms round trips"
    return [
        ratio_row(
            f"REST calls one after the other, {trip}", Samples.of(rates[0]), Samples.of(rates[1]),
            unit="/s", more_is_better=True, at_least=1.8,
            note="`urllib` in a thread, a connection for each call, which costs one round trip"
            " more; over the internet TCP and TLS cost two. Ours opens its one within the measure",
            floor="1 / round trip",
        ),
        ratio_row(
            f"repair of a gap of {trades:,} trades, {trip}",
            Samples.of(repairs[0]), Samples.of(repairs[1]), unit="s", at_least=2,
            note="the same repair, a page of 1,000 at a time, a connection for each; until all"
            " is stored", floor="four round trips: a connection, three rounds of four pages",
        ),
    ]  # fmt: skip


async def _calls_a_second(url: str, fetch: Fetch, count: int) -> float:
    begun_s = time.perf_counter()
    for _ in range(count):
        answer = await fetch(f"{url}/api/v3/time")
        assert answer.status == 200, answer
    return count / (time.perf_counter() - begun_s)


async def _repair_s(exchange: Exchange, url: str, fetch: Fetch, pages_at_once: int) -> float:
    """Seconds from a gap on the board until every trade is stored."""
    trades = exchange.trades(SYMBOL)
    with tempfile.TemporaryDirectory() as folder:
        desk = VirtualDesk(Path(folder, "ticks.db"))
        rest = RestClient(url, "spot", fetch=fetch)
        limits = BackfillLimits(pages_at_once=pages_at_once)
        backfill = Backfill(desk.board, rest, desk.queue.put, "aggTrade", limits=limits)
        desk.receive(trades[0])
        desk.receive(trades[-1])
        desk.store()
        begun_s = time.perf_counter()
        task = asyncio.create_task(backfill.run())
        while desk.board.gaps:
            await asyncio.sleep(STORE_EVERY_S)
            desk.store()
        took_s = time.perf_counter() - begun_s
        task.cancel()
        await asyncio.wait([task])
        assert len(desk.stored_ids(KEY)) == len(trades)
        desk.writer.close()
    return took_s


async def _one_connection_a_call(url: str) -> HttpAnswer:
    """Ask as is usual without a client that keeps connections."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[HttpAnswer] = loop.create_future()

    def ask() -> None:
        with urllib.request.urlopen(url, timeout=10) as response:
            received = HttpAnswer(response.status, dict(response.headers), response.read())
        loop.call_soon_threadsafe(answer.set_result, received)

    threading.Thread(target=ask, daemon=True).start()
    return await answer
