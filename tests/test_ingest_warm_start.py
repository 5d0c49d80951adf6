"""Warm start on virtual time: against the scripted exchange's REST and the real writer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from exchange_market import MarketName
from virtual_exchange import T0_US, VirtualDesk, VirtualExchange
from virtual_time import in_virtual_time

from ingest.gap_board import StreamKey
from ingest.warm_start import SPAN_US, WarmStart, seed_for

BTC: StreamKey = ("spot", "BTCUSDT", "aggTrade")
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


@dataclass
class Scene:
    exchange: VirtualExchange
    desk: VirtualDesk
    warm: WarmStart

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> float:
        begun_s = self.exchange.now_s()
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)
        return self.exchange.now_s() - begun_s

    def bars(self, length_s: int = 1) -> list[tuple[str, int, float, int]]:
        rows = self.desk.writer._connection.execute(
            "SELECT symbol, second, close, trades FROM kline JOIN stream USING (stream_id)"
            " WHERE length_s = ? ORDER BY symbol, second",
            (length_s,),
        )
        return list(rows)

    def calls(self, name: str = "klines") -> list[str]:
        asked = (request for request in self.exchange.requests if request.path.endswith(name))
        return [request.query["symbol"] for request in asked]

    def is_done(self) -> bool:
        return not self.warm.progress and not len(self.desk.queue)


@asynccontextmanager
async def scene(
    tmp_path: Path,
    *symbols: str,
    market: MarketName = "spot",
    exchange: VirtualExchange | None = None,
    most_weight: int | None = None,
) -> AsyncIterator[Scene]:
    exchange = exchange or VirtualExchange(*(symbols or ("BTCUSDT",)), market=market)
    desk = VirtualDesk(tmp_path / "ticks.db")
    client = exchange.client(market, most_weight)
    warm = WarmStart(client, desk.queue.put, "aggTrade", now_us=exchange.now_us)
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(warm.run())]
    try:
        yield Scene(exchange, desk, warm)
        assert not any(task.done() for task in tasks), "a task ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        desk.writer.close()


@in_virtual_time
async def test_a_new_symbol_has_its_newest_bars_in_seconds_and_all_of_a_day(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26 * 360, 10 * SECOND_US)  # 26 h, every 10 s
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.bars()) >= 1000, within_s=2)
        newest = s.bars()[-1][1]
        assert (s.exchange.now_us() // SECOND_US) - newest <= 3
        (progress,) = s.warm.progress
        assert progress.what == "1s bars of the last 24 h"
        assert progress.total == 86_400
        assert 0 < progress.done < 86_400
        await s.until(s.is_done)
        bars = s.bars()
        # The exchange prints quiet seconds too, up to its newest trade.
        assert len(bars) == pytest.approx(86_400, abs=5)
        assert [bar[1] for bar in bars] == list(range(bars[0][1], bars[0][1] + len(bars)))
        assert sum(bar[3] for bar in bars) == pytest.approx(8640, abs=2)
        assert len(s.calls()) == 87
        assert s.warm.notices == ()


@in_virtual_time
async def test_futures_are_seeded_with_minutes(tmp_path: Path) -> None:
    async with scene(tmp_path, market="usdm") as s:
        s.exchange.history("BTCUSDT", 30 * 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.bars(60)) == 1440)
        await s.until(s.is_done)
        assert len(s.calls()) == 2


@in_virtual_time
async def test_a_symbol_with_fresh_bars_is_left_alone(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 100, HOUR_US)
        tape = s.exchange.venue.tape("BTCUSDT")
        for index in (0, 98):
            s.desk.receive(tape[index])
        s.warm.add("BTCUSDT")
        await asyncio.sleep(300)
        assert s.exchange.requests == []


@in_virtual_time
async def test_trades_that_come_right_after_the_adding_do_not_make_it_look_recorded(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 1000, 200 * SECOND_US)
        tape = s.exchange.venue.tape("BTCUSDT")
        s.desk.receive(tape[0])  # two days ago
        s.warm.add("BTCUSDT")
        s.desk.receive(tape[999])
        await s.until(lambda: len(s.calls()) > 3)


@in_virtual_time
async def test_it_goes_on_where_it_stopped_after_a_restart(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 26 * 60, 60 * SECOND_US)
    async with scene(tmp_path, exchange=exchange) as s:
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.calls()) == 40)
        s.desk.receive(exchange.trade("BTCUSDT"))
        await asyncio.sleep(0.0)
        s.desk.store()
    stored = len(exchange.requests)
    async with scene(tmp_path, exchange=exchange) as s:
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.calls()) > stored)
        await s.until(s.is_done)
        assert len(s.bars()) == pytest.approx(86_400, abs=90)
        assert 87 <= len(s.calls()) <= 87 + 3  # what was asked and not stored
    async with scene(tmp_path, exchange=exchange) as s:
        asked = len(exchange.requests)
        s.warm.add("BTCUSDT")
        await asyncio.sleep(60)
        assert len(exchange.requests) == asked


@in_virtual_time
async def test_a_removed_symbol_is_left_in_the_midst_of_it(tmp_path: Path) -> None:
    async with scene(tmp_path, "BTCUSDT", "ETHUSDT") as s:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            s.exchange.history(symbol, 26 * 60, 60 * SECOND_US)
            s.warm.add(symbol)
        await s.until(lambda: len(s.calls()) == 20)
        s.warm.remove("BTCUSDT")
        await s.until(s.is_done)
        assert s.calls().count("BTCUSDT") <= 11
        assert s.calls().count("ETHUSDT") == 87


@in_virtual_time
async def test_symbols_take_turns_so_that_each_is_useful_soon(tmp_path: Path) -> None:
    names = tuple(f"A{n}USDT" for n in range(10))
    async with scene(tmp_path, *names) as s:
        for symbol in names:
            s.exchange.history(symbol, 26, HOUR_US)
            s.warm.add(symbol)
        await s.until(lambda: len(s.calls()) >= 20, within_s=10)
        assert set(s.calls()[:10]) == set(names)


@in_virtual_time
async def test_a_symbol_the_exchange_does_not_know_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.warm.add("NOSUCH")
        await s.until(lambda: bool(s.warm.notices))
        assert s.warm.notices == (
            "NOSUCH: no bars of the last 24 h: the exchange does not know this symbol",
        )
        assert s.warm.progress == ()


@in_virtual_time
async def test_a_symbol_younger_than_a_day_gets_what_there_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        await s.until(lambda: bool(s.calls()))
        await s.until(s.is_done)
        assert 3500 < len(s.bars()) <= 3600


@in_virtual_time
async def test_failures_and_refusals_only_delay_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26 * 60, 60 * SECOND_US)
        s.warm.add("BTCUSDT")
        await s.until(lambda: len(s.calls()) == 5)
        s.exchange.faults.answer_rest(429, retry_after_s=100)
        s.exchange.faults.answer_rest(500, times=3)
        await asyncio.sleep(50)
        (progress,) = s.warm.progress
        assert progress.waiting_s == pytest.approx(50, abs=2)
        assert "too many requests" in progress.what
        await s.until(s.is_done, within_s=200)
        assert len(s.bars()) > 86_000


@in_virtual_time
async def test_a_question_lost_with_the_writing_thread_is_asked_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        s.exchange.history("BTCUSDT", 26, HOUR_US)
        s.warm.add("BTCUSDT")
        s.desk.queue.take(10, 0.0)  # gone
        await asyncio.sleep(50)
        assert s.calls() == []
        await s.until(lambda: bool(s.calls()))


NOW = T0_US + 100 * HOUR_US
DONE = f"{NOW - SPAN_US} {NOW} {NOW - SPAN_US}"
HALF = f"{NOW - SPAN_US} {NOW} {NOW - 5 * HOUR_US}"


@pytest.mark.parametrize(
    ("first_us", "last_us", "remembered", "next_us"),
    [
        (0, 0, None, 0),  # never heard of
        (NOW - 50 * HOUR_US, NOW - HOUR_US, None, None),  # recorded
        (NOW - 50 * HOUR_US, NOW - 30 * HOUR_US, None, 0),  # recorded long ago
        (NOW - HOUR_US, NOW, None, 0),  # recorded only since an hour ago, never seeded
        (NOW - HOUR_US, NOW, DONE, None),
        (NOW - HOUR_US, NOW, HALF, NOW - 5 * HOUR_US),
        (0, 0, HALF, NOW - 5 * HOUR_US),
        (NOW - HOUR_US, NOW, "rubbish", 0),
        (NOW - HOUR_US, NOW, "1 2", 0),
        (NOW - HOUR_US, NOW, f"1 {NOW} 7", 0),  # not on the bars' grid
    ],
)
def test_what_a_symbol_needs(
    first_us: int, last_us: int, remembered: str | None, next_us: int | None
) -> None:
    seed = seed_for(first_us, last_us, remembered, NOW, SECOND_US)
    assert (None if seed is None else seed.next_us) == next_us


def test_a_seed_of_yesterday_is_begun_anew() -> None:
    seed = seed_for(0, 0, HALF, NOW + 25 * HOUR_US, SECOND_US)
    assert seed is not None
    assert seed.next_us == 0
