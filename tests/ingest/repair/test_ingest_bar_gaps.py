"""Bars of symbols in bars only, fetched on virtual time: the scripted REST and the real writer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.market import INTERVALS
from exchange.virtual import T0_US, VirtualDesk, VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.repair.bar_gaps import BarGaps
from ingest.rest import REPAIR_SHARE

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US


@dataclass
class Scene:
    exchange: VirtualExchange
    desk: VirtualDesk
    gaps: BarGaps

    def stored(self, symbol: str = "BTCUSDT") -> list[tuple[int, float, int]]:
        rows = self.desk.writer._connection.execute(
            "SELECT second, close, trades FROM kline JOIN stream USING (stream_id)"
            " WHERE symbol = ? AND length_s = 60 ORDER BY second",
            (symbol,),
        )
        return list(rows)

    def at_the_exchange(self, symbol: str = "BTCUSDT") -> list[tuple[int, float, int]]:
        """Minutes that are over for long enough to be asked for, of the trades themselves."""
        tape = self.exchange.venue.tape(symbol)
        until_us = self.exchange.now_us() - 10_000_000
        bars = tape.klines(INTERVALS["1m"], 0, None, 10**9, len(tape))
        return [
            (bar.open_us // 1_000_000, bar.close_e8 / 1e8, bar.trades)
            for bar in bars
            if bar.close_us < until_us
        ]

    def requests(self) -> int:
        return sum(each.path.endswith("klines") for each in self.exchange.requests)

    async def trade_for(self, minutes: int, symbol: str = "BTCUSDT") -> None:
        for _ in range(6 * minutes):
            self.exchange.trade(symbol)
            await asyncio.sleep(10)


@asynccontextmanager
async def scene(
    path: Path, exchange: VirtualExchange, most_weight: int | None = None
) -> AsyncIterator[Scene]:
    desk = VirtualDesk(path / "ticks.db")
    client = exchange.client(most_weight=most_weight)
    gaps = BarGaps(client, desk.queue.put, "aggTrade", now_us=exchange.now_us)
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(gaps.run())]
    try:
        yield Scene(exchange, desk, gaps)
        assert not any(task.done() for task in tasks), "a task ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        desk.store()
        desk.writer.close()


@in_virtual_time
async def test_a_new_symbol_gets_all_the_exchange_has_of_a_week(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 3000, 2 * MINUTE_US)  # 4 days, each other minute a quiet one
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m")
        await at.trade_for(4)
        assert at.stored() == at.at_the_exchange()
        assert len(at.stored()) > 6000
        assert at.gaps.missing == 0
        assert not at.gaps.behind("BTCUSDT", "1m")


@in_virtual_time
async def test_closes_that_never_came_are_there_soon_after(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 60, MINUTE_US)
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m")
        await at.trade_for(3)
        before = at.requests()
        at.gaps.is_paused = True
        await at.trade_for(20)
        assert at.requests() == before  # as if there were no network: nothing is asked
        assert at.gaps.behind("BTCUSDT", "1m")
        at.gaps.is_paused = False
        await asyncio.sleep(15)
        assert at.stored() == at.at_the_exchange()
        assert at.requests() <= before + 2  # one page for all of them, and the minute that closes


@in_virtual_time
async def test_a_bar_that_the_stream_brought_is_not_asked_for(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 60, MINUTE_US)
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m", 30 * MINUTE_US)
        await asyncio.sleep(30)
        before = at.requests()
        for number in range(5):  # the minutes that close while we look
            await asyncio.sleep(60 if number else 31)
            assert at.gaps.closed("BTCUSDT", "1m", T0_US + number * MINUTE_US)
            assert not at.gaps.closed("BTCUSDT", "1m", T0_US + number * MINUTE_US)
        assert at.requests() == before
        assert not at.gaps.closed("ETHUSDT", "1m", T0_US)  # nobody wants it


@in_virtual_time
async def test_a_restart_asks_for_what_is_missing_and_a_young_symbol_is_no_endless_task(
    tmp_path: Path,
) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 300, MINUTE_US)  # 5 hours old
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m")
        await at.trade_for(2)
        assert at.gaps.missing == 0
        assert at.requests() <= 5
    await asyncio.sleep(600)
    exchange.requests.clear()
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m")
        await at.trade_for(2)
        assert at.stored() == at.at_the_exchange()
        assert at.requests() <= 5


@in_virtual_time
async def test_many_symbols_keep_within_the_weight_and_none_waits_for_the_others(
    tmp_path: Path,
) -> None:
    names = [f"S{number}USDT" for number in range(8)]
    exchange = VirtualExchange(*names)
    for name in names:
        exchange.history(name, 21, 100 * MINUTE_US)  # 2,000 minutes: 3 pages each
    async with scene(tmp_path, exchange, most_weight=30) as at:
        for name in names:
            at.gaps.add(name, "1m")
        async with asyncio.timeout(600):
            while any(len(at.stored(name)) < 2000 for name in names):
                await asyncio.sleep(5)
        spent = [(each.at_s, each.weight) for each in exchange.requests]
        for at_s, _ in spent:
            used = sum(weight for when, weight in spent if at_s - 60 < when <= at_s)
            assert used <= 30 * REPAIR_SHARE
        first = [each.query["symbol"] for each in exchange.requests if "symbol" in each.query][:8]
        assert set(first) == set(names)


@in_virtual_time
async def test_another_database_is_filled_again(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 60, MINUTE_US)
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m")
        await at.trade_for(2)
        at.desk.writer._connection.execute("DELETE FROM kline")
        at.gaps.look_again()
        await asyncio.sleep(15)
        assert at.stored() == at.at_the_exchange()


@in_virtual_time
async def test_longer_bars_are_fetched_when_they_are_asked_for(tmp_path: Path) -> None:
    exchange = VirtualExchange("BTCUSDT")
    exchange.history("BTCUSDT", 600, MINUTE_US)
    async with scene(tmp_path, exchange) as at:
        at.gaps.add("BTCUSDT", "1m", HOUR_US)
        at.gaps.fetch("BTCUSDT", "1m", 5 * HOUR_US)
        at.gaps.fetch("BTCUSDT", "5m", 8 * HOUR_US)
        await asyncio.sleep(20)
        lengths = at.desk.writer._connection.execute(
            "SELECT length_s, count(*) FROM kline GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert lengths == [(60, 300), (300, 96)]
