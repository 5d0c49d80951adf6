"""Where the scripted exchange's trades come from: recorded frames, or a market made up as it goes.

A feed prepares the tapes before the exchange opens and then runs beside it. A test that wants
neither pushes its own trades.
"""

import asyncio
import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exchange.market import BEFORE_THE_STREAM, Trade, e8
from exchange.past import Past
from exchange.synthetic import SyntheticMarket, SyntheticTrades, default_symbols

if TYPE_CHECKING:
    from exchange.server import Exchange

FRAMES_PER_FLUSH = 256
STEP_S = 0.01  # live trades leave in steps of this length


class Feed(Protocol):
    """What the exchange asks of a source of trades."""

    def prepare(self, exchange: "Exchange") -> None:
        """Fill the tapes with what happened before the exchange opens."""

    async def run(self, exchange: "Exchange") -> None:
        """Stream; returns when there is no more."""


class Pace:
    """Lets events pass when their time has come, and what was published leave in batches."""

    def __init__(self, exchange: "Exchange", begin_us: int, speed: float) -> None:
        self._exchange = exchange
        self._begin_us = begin_us
        self._begin_s = exchange.now_s()
        self._speed = speed
        self._passed = 0

    async def wait(self, moment_us: int) -> None:
        """Wait until an event of this time is due; one that is late passes at once."""
        due_s = (moment_us - self._begin_us) / 1e6 / self._speed
        wait_s = due_s - (self._exchange.now_s() - self._begin_s)
        if wait_s > 0:
            self._exchange.hub.flush()
            await asyncio.sleep(max(wait_s, STEP_S))
        elif self._passed % FRAMES_PER_FLUSH == 0:
            await self.finish()
        self._passed += 1

    async def finish(self) -> None:
        """Send what is left: a market waits for nobody, a replay at any speed for its readers."""
        if math.isinf(self._speed):
            await self._exchange.drain()
        else:
            self._exchange.hub.flush()
            await asyncio.sleep(0)


class LiveFeed:
    """Generated trades from the opening on, without end or for `duration_s`.

    `rate_per_s` is of each symbol. `history_s` seconds before the opening are known to REST and
    were never streamed. At `speed` 1 a trade leaves when the exchange's clock has come to its
    time; at more the trades run ahead of the clock, at ``inf`` as fast as the clients read.
    Nothing is sent before `after_clients` of them are subscribed. Of `past_days` before a
    history REST knows bars, and no trades.
    """

    def __init__(
        self,
        rate_per_s: float = 20.0,
        *,
        seed: int = 1,
        history_s: int = 0,
        duration_s: int | None = None,
        speed: float = 1.0,
        after_clients: int = 0,
        past_days: float = 0.0,
    ) -> None:
        self._past_days = past_days
        self._rate_per_s = rate_per_s
        self._seed = seed
        self._history_s = history_s
        self._duration_s = duration_s
        self._speed = speed
        self._after_clients = after_clients
        self._market: SyntheticMarket | None = None

    def prepare(self, exchange: "Exchange") -> None:
        names = list(exchange.venue.tapes)
        begin_us = exchange.venue.now_us() - self._history_s * 1_000_000
        symbols = default_symbols(names, self._rate_per_s, exchange.venue.market)
        for symbol in symbols:
            tape = exchange.venue.tapes[symbol.name]
            tape.tick_e8, tape.lot_e8 = symbol.tick_e8, symbol.lot_e8
        self._market = SyntheticMarket(symbols, seed=self._seed, start_us=begin_us)
        if self._history_s:
            for trade in numbered(exchange, names, self._market.advance(self._history_s)):
                exchange.venue.tapes[trade.symbol].append(trade, BEFORE_THE_STREAM)
        for number, symbol in enumerate(symbols if self._past_days else ()):
            tape = exchange.venue.tapes[symbol.name]
            begins_s = tape[0].time_us // 1_000_000  # there is a history: the past ends in it
            tape.past = Past(symbol, number, seed=self._seed, end_s=begins_s, days=self._past_days)

    async def run(self, exchange: "Exchange") -> None:
        assert self._market is not None, "prepare comes first"
        names = [symbol.name for symbol in self._market.symbols]
        await exchange.wait_for_subscribers(self._after_clients, timeout_s=None)
        self._market.resume_at(exchange.venue.now_us())
        pace = Pace(exchange, self._market.now_us, self._speed)
        streamed_s = 0
        while self._duration_s is None or streamed_s < self._duration_s:
            for trade in numbered(exchange, names, self._market.advance(1)):
                await pace.wait(trade.time_us)
                exchange.publish(trade)
            streamed_s += 1
        await pace.finish()


def numbered(exchange: "Exchange", names: list[str], trades: SyntheticTrades) -> Iterator[Trade]:
    """Give generated trades the ids their tapes have next, one at a time as they are taken."""
    columns = zip(
        trades.symbol.tolist(),
        trades.time_us.tolist(),
        trades.price_e8.tolist(),
        trades.quantity_e8.tolist(),
        trades.buyer_is_maker.tolist(),
        strict=True,
    )
    for leg, time_us, price_e8, quantity_e8, maker in columns:
        tape = exchange.venue.tapes.get(names[leg])
        if tape is None or tape.status != "TRADING":
            continue
        yield Trade(
            tape.symbol, tape.next_id, price_e8, quantity_e8, time_us, time_us + 1000, maker
        )


class ReplayFeed:
    """Recorded frames, one ``<receive time, ns> <frame>`` to a line, ``.gz`` too.

    `speed` is a multiple of the recorded pace; ``inf`` means in order and as fast as the clients
    read. Nothing is sent before `after_clients` of them are subscribed.
    """

    def __init__(
        self, path: str | Path, *, speed: float = math.inf, after_clients: int = 1
    ) -> None:
        self._path = Path(path)
        self._speed = speed
        self._after_clients = after_clients

    def prepare(self, exchange: "Exchange") -> None:
        """Check that the file can be read: what it holds is streamed, none of it is history."""
        with self._path.open("rb"):
            return

    async def run(self, exchange: "Exchange") -> None:
        await exchange.wait_for_subscribers(self._after_clients, timeout_s=None)
        pace = None
        for received_ns, frame in recorded_frames(self._path):
            if pace is None:
                pace = Pace(exchange, received_ns // 1000, self._speed)
            await pace.wait(received_ns // 1000)
            _publish_recorded(exchange, frame)
        if pace is not None:
            await pace.finish()


def recorded_frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Give receive time and frame of each line."""
    opener: Any = gzip.open if path.suffix == ".gz" else Path.open
    with opener(path, "rb") as lines:
        for line in lines:
            received_ns, _, frame = line.rstrip().partition(b" ")
            yield int(received_ns), frame


def _publish_recorded(exchange: "Exchange", frame: bytes) -> None:
    """Publish a combined-stream frame of a symbol traded here."""
    if not frame.startswith(b'{"stream":"'):
        return  # a REST answer that was recorded among the frames
    stream = frame[11 : frame.index(b'"', 11)].decode()
    if stream.partition("@")[0].upper() not in exchange.venue.tapes:
        return
    payload = frame[frame.index(b'"data":') + 7 : -1]
    if stream.endswith("@trade"):
        exchange.publish(_recorded_trade(json.loads(payload)), printed=payload)
    else:
        exchange.hub.publish(stream, payload)


def _recorded_trade(event: dict[str, Any]) -> Trade:
    return Trade(
        symbol=event["s"],
        trade_id=event["t"],
        price_e8=e8(event["p"]),
        quantity_e8=e8(event["q"]),
        time_us=_as_us(event["T"]),
        event_us=_as_us(event["E"]),
        buyer_is_maker=event["m"],
    )


def _as_us(moment: int) -> int:
    return moment if moment > 10**14 else moment * 1000
