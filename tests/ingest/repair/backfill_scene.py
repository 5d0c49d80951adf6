"""A backfill on virtual time: the scripted exchange's REST, the real writer."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.market import MarketName
from exchange.virtual import VirtualDesk, VirtualExchange

from ingest.event_queue import Item
from ingest.repair.backfill import Backfill
from ingest.repair.limits import BackfillLimits
from ingest.tick import StreamKey, StreamKind

BTC: StreamKey = ("spot", "BTCUSDT", "aggTrade")


ETH: StreamKey = ("spot", "ETHUSDT", "aggTrade")


HOUR_US = 3_600_000_000


@dataclass
class Scene:
    exchange: VirtualExchange
    desk: VirtualDesk
    backfill: Backfill
    puts: list[Item]

    async def trade(self, symbol: str, count: int, every_s: float, *, heard: bool) -> None:
        """Let trades happen, one every `every_s`; the stream brings them where `heard`."""
        for _ in range(count):
            trade = self.exchange.trade(symbol)
            if heard:
                self.desk.receive(trade)
            await asyncio.sleep(every_s)

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> float:
        """Wait for a condition; returns how long it took."""
        begun_s = self.exchange.now_s()
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)
        return self.exchange.now_s() - begun_s

    def is_whole(self) -> bool:
        return not self.desk.board.gaps and not len(self.desk.queue)

    def calls(self, name: str = "aggTrades") -> int:
        return sum(request.path.endswith(name) for request in self.exchange.requests)


@asynccontextmanager
async def scene(
    tmp_path: Path,
    *symbols: str,
    market: MarketName = "spot",
    stream: StreamKind = "aggTrade",
    limits: BackfillLimits | None = None,
    capacity: int = 200_000,
    historical_trades: bool = False,
    wanted: Callable[[str], bool] = lambda _symbol: True,
) -> AsyncIterator[Scene]:
    names = symbols or ("BTCUSDT",)
    exchange = VirtualExchange(*names, market=market, historical_trades=historical_trades)
    desk = VirtualDesk(tmp_path / "ticks.db", capacity)
    puts: list[Item] = []

    def put(item: Item) -> bool:
        taken = desk.queue.put(item)
        if taken:
            puts.append(item)
        return taken

    backfill = Backfill(
        desk.board,
        exchange.client(market),
        put,
        stream,
        wanted=wanted,
        limits=limits,
        now_us=exchange.now_us,
        rng=random.Random(2),
    )
    tasks = [asyncio.create_task(desk.run()), asyncio.create_task(backfill.run())]
    try:
        yield Scene(exchange, desk, backfill, puts)
        assert not any(task.done() for task in tasks), "a task ended by itself"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        desk.writer.close()
