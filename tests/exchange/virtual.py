"""The scripted exchange's REST and a desk that records it, in the loop alone: for virtual time."""

import asyncio
import random
from collections import deque
from pathlib import Path

from exchange.faults import Faults
from exchange.market import MarketName, Tape, Trade, Venue, e8
from exchange.rest import Rest, RestRequest, split_target
from ingest.errors import HttpError
from ingest.event_queue import Call, Cause, EventQueue, Item
from ingest.rest import RestClient
from ingest.rest.http import HttpAnswer
from ingest.store import PublishedGaps, TickWriter
from ingest.tick import Event, Market, StreamKey, StreamKind, Tick

T0_US = 1_723_161_300_000_000  # a full minute


class VirtualExchange:
    """Tapes, faults and REST on the loop's clock; `offline` takes the network away."""

    def __init__(
        self, *symbols: str, market: MarketName = "spot", historical_trades: bool = False
    ) -> None:
        self.begun_s = self.now_s()
        self.skew_us = 0  # the exchange's clock minus ours
        self.venue = Venue(symbols, market, lambda: self.now_us() + self.skew_us)
        self.faults = Faults()
        self.requests: list[RestRequest] = []
        self.offline = False
        self.latency_s = 0.05
        self._rest = Rest(self.venue, self.faults, historical_trades=historical_trades)

    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def now_us(self) -> int:
        """Give our wall clock."""
        return T0_US + round((self.now_s() - self.begun_s) * 1e6)

    def trade(self, symbol: str, time_us: int | None = None) -> Trade:
        """Make a trade happen now, or before the recording at a given time."""
        tape = self.venue.tape(symbol)
        moment_us = self.venue.now_us() if time_us is None else time_us
        number = tape.next_id
        price = e8(100 + number % 7)
        trade = Trade(symbol, number, price, e8("0.5"), moment_us, moment_us, number % 2 == 0)
        tape.append(trade, self.now_s() if time_us is None else float("-inf"))
        return trade

    def history(self, symbol: str, count: int, every_us: int, until_us: int = T0_US) -> None:
        """Make trades that happened before, the last one at `until_us`."""
        for back in range(count - 1, -1, -1):
            self.trade(symbol, until_us - back * every_us)

    async def fetch(self, url: str) -> HttpAnswer:
        """Answer as REST does, half the latency after the request came and half before."""
        await asyncio.sleep(self.latency_s / 2)
        if self.offline:
            raise HttpError("no network")
        target = "/" + url.split("/", 3)[3]
        answer = self._rest.answer(target, {}, self.now_s())
        path, query = split_target(target)
        self.requests.append(RestRequest(self.now_s(), path, query, answer.weight, answer.status))
        delay_s = self.latency_s / 2 + self.faults.rest_delay_s
        await asyncio.sleep(delay_s)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status, headers, answer.body)

    def client(self, market: Market = "spot", most_weight: int | None = None) -> RestClient:
        return RestClient(
            "https://rest.invalid",
            market,
            fetch=self.fetch,
            now_us=self.now_us,
            rng=random.Random(1),
            most_weight=most_weight,
        )


class VirtualDesk:
    """A queue and the real writer, which stores every 0.25 s and publishes its ledgers."""

    def __init__(self, path: Path, capacity: int = 200_000) -> None:
        self.board = PublishedGaps()
        self.board.attach()
        self.queue = EventQueue(capacity)
        self.stalled = False
        self.duplicates = 0
        self.writer = TickWriter(path)

    def receive(self, trade: Trade, market: Market = "spot", kind: StreamKind = "aggTrade") -> bool:
        """Take a trade as from the stream."""
        event = Tick(
            market,
            trade.symbol,
            kind,
            trade.trade_id,
            trade.price,
            trade.quantity,
            trade.time_us,
            trade.time_us,
            trade.buyer_is_maker,
        )
        return self.queue.put(event)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            if not self.stalled:
                self.store()

    def store(self) -> None:
        """Store all that is in the queue, as the writing thread does."""
        while len(self.queue):
            self._store(self.queue.take(1000, 0.0))
        self.board.publish(self.writer.open_gaps(), self.writer.edges())

    def _store(self, items: list[Item]) -> None:
        waiting = deque(items)
        while waiting:
            events: list[Event] = []
            while waiting and not isinstance(event := waiting[0], Cause | Call):
                events.append(event)
                waiting.popleft()
            if events:
                self.duplicates += sum(self.writer.write(events).duplicates.values())
            if waiting and isinstance(call := waiting.popleft(), Call):
                call.do(self.writer)

    def stored_ids(self, key: StreamKey) -> list[int]:
        rows = self.writer._connection.execute(
            "SELECT trade_id FROM tick JOIN stream USING (stream_id)"
            " WHERE (market, symbol, kind) = (?, ?, ?) ORDER BY trade_id",
            key,
        )
        return [trade_id for (trade_id,) in rows]

    def gaps(self, state: str) -> list[tuple[int, int, str]]:
        """Give (from, to, reason) of the gaps in a state, in id order."""
        rows = self.writer._connection.execute(
            "SELECT from_id, to_id, reason FROM gap WHERE state = ? ORDER BY from_id", (state,)
        )
        return list(rows)


def tape_ids(tape: Tape) -> list[int]:
    return [trade.trade_id for trade in tape.trades(0, len(tape))]
