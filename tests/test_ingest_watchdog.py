"""Dead streams and quiet markets, on virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from virtual_exchange import VirtualExchange
from virtual_time import in_virtual_time

from ingest.event_queue import Item
from ingest.gap_board import GapBoard
from ingest.silence import SilenceLimits, answered, connected, heard, is_dead, is_due
from ingest.tick import StreamKind, Tick
from ingest.watchdog import Watchdog

LIMITS = SilenceLimits()


@dataclass
class FakeLink:
    opened_s: float
    trades: int = 0


@dataclass
class FakeFeed:
    """A connection that can be cut off; a reconnect stands after a second."""

    link: FakeLink | None = None
    reasons: list[tuple[float, str]] = field(default_factory=list)
    mends: bool = True
    carries: set[str] = field(default_factory=lambda: {"BTCUSDT", "ETHUSDT"})

    async def reconnect(self, reason: str) -> None:
        now_s = asyncio.get_running_loop().time()
        self.reasons.append((now_s, reason))
        self.link = FakeLink(now_s)
        if self.mends:
            self.carries = {"BTCUSDT", "ETHUSDT"}


@dataclass
class Scene:
    exchange: VirtualExchange
    feed: FakeFeed
    dog: Watchdog
    board: GapBoard
    puts: list[Item]
    counts: dict[str, tuple[int, int | None]]

    def trade(self, symbol: str) -> None:
        """Let a trade happen; the stream brings it where it carries the symbol."""
        trade = self.exchange.trade(symbol)
        if symbol in self.feed.carries and self.feed.link is not None:
            self.feed.link.trades += 1
            self.counts[symbol] = (self.counts[symbol][0] + 1, trade.trade_id)

    async def trade_on(self, symbol: str, for_s: float, every_s: float) -> None:
        for _ in range(round(for_s / every_s)):
            self.trade(symbol)
            await asyncio.sleep(every_s)


@asynccontextmanager
async def scene(*symbols: str, stream: StreamKind = "aggTrade") -> AsyncIterator[Scene]:
    names = symbols or ("BTCUSDT",)
    exchange = VirtualExchange(*names)
    feed = FakeFeed(FakeLink(exchange.now_s()))
    counts: dict[str, tuple[int, int | None]] = dict.fromkeys(names, (0, None))
    puts: list[Item] = []

    board = GapBoard()

    def put(item: Item) -> bool:
        puts.append(item)
        assert isinstance(item, Tick)
        key = (item.market, item.symbol, item.stream)
        board.publish((), {key: (item.trade_id, item.time_us)})  # as stored
        return True

    dog = Watchdog(
        feed,
        exchange.client(),
        stream,
        symbols=lambda: names,
        heard=lambda symbol: counts[symbol],
        board=board,
        put=put,
    )
    task = asyncio.create_task(dog.run())
    try:
        yield Scene(exchange, feed, dog, board, puts, counts)
        assert not task.done()
    finally:
        task.cancel()


@pytest.mark.parametrize("every_s", [0.1, 3.0, 9.0])
@pytest.mark.parametrize("stream", ["aggTrade", "trade"])
def test_a_stream_that_falls_silent_is_found_within_35_s(every_s: float, stream: str) -> None:
    @in_virtual_time
    async def run() -> None:
        async with scene(stream=stream) as s:  # type: ignore[arg-type]
            await s.trade_on("BTCUSDT", 60, every_s)
            s.feed.carries, dead_s = set(), s.exchange.now_s() - every_s
            await s.trade_on("BTCUSDT", 60, every_s)
            (found_s, reason), *more = s.feed.reasons
            assert 20 <= found_s - dead_s <= 35
            assert reason.startswith("BTCUSDT: silent for 2")
            assert reason.endswith("s while the exchange traded")
            assert more == []
            assert s.dog.no_data is None
            assert s.dog.state("BTCUSDT") == "live"

    run()


@in_virtual_time
async def test_a_quiet_market_is_left_alone_for_an_hour_and_costs_little_weight() -> None:
    async with scene() as s:
        await s.trade_on("BTCUSDT", 5, 1.0)
        before = len(s.exchange.requests)
        await asyncio.sleep(25)
        assert s.dog.state("BTCUSDT") == "quiet"
        await asyncio.sleep(3600)
        assert s.feed.reasons == []
        asked = s.exchange.requests[before:]
        assert 135 <= len(asked) <= 147  # every 25 s
        assert sum(request.weight for request in asked) <= 10 * 60  # of 3,000 a minute
        s.trade("BTCUSDT")
        await asyncio.sleep(1.5)
        assert s.dog.state("BTCUSDT") == "live"


@in_virtual_time
async def test_a_stream_that_dies_after_a_long_quiet_spell_is_found_in_35_s() -> None:
    for quiet_s in (300.0, 307.0, 313.0, 319.0, 3600.0):
        async with scene() as s:
            await s.trade_on("BTCUSDT", 5, 1.0)
            await asyncio.sleep(quiet_s)
            assert s.feed.reasons == []
            s.feed.carries, dead_s = set(), s.exchange.now_s()
            await s.trade_on("BTCUSDT", 80, 0.5)
            (found_s, _), *_ = s.feed.reasons
            assert found_s - dead_s <= 35


@in_virtual_time
async def test_a_market_that_trades_every_40_s_is_left_alone() -> None:
    async with scene() as s:
        await s.trade_on("BTCUSDT", 3600, 40.0)
        assert s.feed.reasons == []


@in_virtual_time
async def test_one_silent_stream_among_busy_ones_is_found() -> None:
    async with scene("BTCUSDT", "ETHUSDT") as s:
        for _ in range(100):
            for symbol in ("BTCUSDT", "ETHUSDT"):
                s.trade(symbol)
            await asyncio.sleep(0.1)
        s.feed.carries, dead_s = {"ETHUSDT"}, s.exchange.now_s()
        while not s.feed.reasons:
            for symbol in ("BTCUSDT", "ETHUSDT"):
                s.trade(symbol)
            await asyncio.sleep(0.1)
        found_s, reason = s.feed.reasons[0]
        assert found_s - dead_s <= 35
        assert reason.startswith("BTCUSDT: silent for")


@in_virtual_time
async def test_subscribed_and_no_data_ever_is_a_state_of_its_own() -> None:
    async with scene() as s:
        s.feed.carries, s.feed.mends, begun_s = set(), False, s.exchange.now_s()
        await s.trade_on("BTCUSDT", 40, 0.5)
        (found_s, reason), *_ = s.feed.reasons
        assert found_s - begun_s <= 35
        assert reason == s.dog.no_data
        assert "no trade came, while the exchange traded BTCUSDT" in reason
        assert "the endpoint or its path is probably wrong" in reason
        await s.trade_on("BTCUSDT", 600, 0.5)
        assert s.dog.no_data
        times = [when for when, _ in s.feed.reasons]
        waits = [after - before for before, after in pairwise(times)]
        assert min(waits[1:]) >= 60  # no storm of reconnects
        s.feed.carries = {"BTCUSDT"}
        await s.trade_on("BTCUSDT", 3, 0.5)
        assert s.dog.no_data is None


@in_virtual_time
async def test_trades_of_before_the_connection_prove_nothing_and_are_handed_on() -> None:
    async with scene() as s:
        s.exchange.history("BTCUSDT", 50, 1_000_000)  # while we were away; quiet since
        s.board.publish((), {("spot", "BTCUSDT", "aggTrade"): (20, 1)})
        await asyncio.sleep(600)
        assert s.feed.reasons == []
        (newest,) = s.puts
        assert isinstance(newest, Tick)
        assert newest.trade_id == 50
        assert s.dog.state("BTCUSDT") == "quiet"


@in_virtual_time
async def test_wall_clocks_have_no_say() -> None:
    async with scene() as s:
        s.exchange.skew_us = -3_600_000_000
        await s.trade_on("BTCUSDT", 60, 0.5)
        s.feed.carries, dead_s = set(), s.exchange.now_s()
        await s.trade_on("BTCUSDT", 40, 0.5)
        assert s.feed.reasons[0][0] - dead_s <= 35
        s.feed.reasons.clear()
        await asyncio.sleep(3600)
        assert s.feed.reasons == []


@in_virtual_time
async def test_rest_that_lags_is_no_proof_of_a_quiet_market() -> None:
    async with scene() as s:
        s.exchange.faults.rest_lag_s = 30.0
        await s.trade_on("BTCUSDT", 60, 0.5)
        s.feed.carries, dead_s = set(), s.exchange.now_s()
        await s.trade_on("BTCUSDT", 60, 0.5)
        assert s.feed.reasons[0][0] - dead_s <= 30 + 35
        assert s.dog.state("BTCUSDT") == "live"


@in_virtual_time
async def test_when_rest_cannot_be_asked_only_long_silence_of_all_ends_a_connection() -> None:
    async with scene("BTCUSDT", "ETHUSDT") as s:
        await s.trade_on("BTCUSDT", 10, 0.5)
        s.exchange.offline = True
        await s.trade_on("ETHUSDT", 300, 5.0)
        assert s.feed.reasons == []  # BTCUSDT alone is silent: that may be the market
        silent_s = s.exchange.now_s() - 5.0
        await asyncio.sleep(1800)
        times = [when for when, _ in s.feed.reasons]
        assert 60 <= times[0] - silent_s <= 75
        assert (
            "REST cannot say whether there were any: REST aggTrades: no network"
            in (s.feed.reasons[0][1])
        )
        assert len(times) <= 6  # patience doubles


@in_virtual_time
async def test_many_quiet_symbols_leave_weight_for_others_and_hide_no_dead_one() -> None:
    names = tuple(f"A{n}USDT" for n in range(200))
    async with scene(*names) as s:
        s.feed.carries = set(names)
        for symbol in names:
            s.trade(symbol)
        await asyncio.sleep(600)
        assert s.feed.reasons == []
        assert {s.dog.state(symbol) for symbol in names} == {"quiet"}
        minute = [r.weight for r in s.exchange.requests if r.at_s > s.exchange.now_s() - 60]
        assert sum(minute) <= 1700
        s.feed.carries, dead_s = set(), s.exchange.now_s()
        await s.trade_on("A7USDT", 80, 0.5)
        found_s, reason = s.feed.reasons[0]
        assert reason.startswith("A7USDT: silent for")
        assert found_s - dead_s <= 45  # 200 share the weight: each is asked about every 35 s


@in_virtual_time
async def test_nobody_is_asked_while_there_is_no_connection() -> None:
    async with scene() as s:
        s.feed.link = None
        await asyncio.sleep(600)
        assert s.exchange.requests == []
        assert s.dog.state("BTCUSDT") == "waiting"


@in_virtual_time
async def test_the_last_trade_before_a_silence_is_handed_on_if_a_full_queue_refused_it() -> None:
    async with scene() as s:
        await s.trade_on("BTCUSDT", 5, 1.0)
        s.board.publish((), {("spot", "BTCUSDT", "aggTrade"): (4, 1)})
        await asyncio.sleep(21)
        assert [item.trade_id for item in s.puts if isinstance(item, Tick)] == [5]
        await asyncio.sleep(300)
        assert len(s.puts) == 1


def test_a_trade_that_is_still_on_its_way_proves_nothing() -> None:
    watch = heard(100.0, 7, LIMITS)
    assert not is_due(watch, 119.9)
    assert is_due(watch, 120.0)
    answered(watch, 9, 120.0, LIMITS)
    assert not is_dead(watch, 124.9, LIMITS)
    assert is_dead(watch, 125.0, LIMITS)
    assert not is_dead(heard(124.0, 9, LIMITS), 125.0, LIMITS)


def test_patience_doubles_with_connections_that_brought_nothing() -> None:
    assert [LIMITS.patience_s(fruitless) for fruitless in (0, 1, 2, 50)] == [20, 40, 60, 60]
    watch = connected(0.0, 1, LIMITS)
    answered(watch, 5, 10.0, LIMITS)
    answered(watch, 6, 20.0, LIMITS)
    assert not is_dead(watch, 39.0, LIMITS)
    assert is_dead(watch, 40.0, LIMITS)


def test_an_exchange_without_any_trade_is_quiet() -> None:
    watch = connected(0.0, 0, LIMITS)
    answered(watch, -1, 10.0, LIMITS)
    answered(watch, -1, 20.0, LIMITS)
    assert watch.confirmed
    assert not is_dead(watch, 1000.0, LIMITS)
