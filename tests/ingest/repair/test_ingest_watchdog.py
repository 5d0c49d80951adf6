"""Dead streams and quiet markets, on virtual time."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from exchange.market import MarketName
from exchange.virtual import VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.event_queue import Item
from ingest.repair.silence import (
    SilenceLimits,
    is_dead,
    is_silent,
    is_to_be_confirmed,
    note_rest_id,
    note_ticker_id,
    watch_after_connecting,
    watch_after_trade,
)
from ingest.repair.watchdog import Received, Watchdog
from ingest.rest import REPAIR_SHARE
from ingest.store import PublishedGaps
from ingest.tick import StreamKind, Tick

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
    carries: set[str] = field(default_factory=set)
    all: frozenset[str] = frozenset()

    async def reconnect(self, reason: str) -> None:
        now_s = asyncio.get_running_loop().time()
        self.reasons.append((now_s, reason))
        self.link = FakeLink(now_s)
        if self.mends:
            self.carries = set(self.all)


@dataclass
class Scene:
    exchange: VirtualExchange
    feed: FakeFeed
    dog: Watchdog
    board: PublishedGaps
    puts: list[Item]
    counts: dict[str, Received]
    refusals: int = 0  # of the queue, to come

    def trade(self, symbol: str) -> None:
        """Let a trade happen; the stream brings it where it carries the symbol."""
        trade = self.exchange.trade(symbol)
        if symbol in self.feed.carries and self.feed.link is not None:
            self.feed.link.trades += 1
            events = self.counts[symbol].events + 1
            self.counts[symbol] = Received(events, trade.trade_id, trade.trade_id)

    def hold(self) -> None:
        """Take note that all that was heard is stored."""
        edges = {
            (self.exchange.venue.market, symbol, "aggTrade"): (each.newest_id, 1)
            for symbol, each in self.counts.items()
            if each.newest_id is not None
        }
        self.board.publish((), edges)  # type: ignore[arg-type] # literals

    def weight(self, last_s: float = 60.0) -> int:
        """Weight of the requests of the last seconds."""
        since_s = self.exchange.now_s() - last_s
        return sum(request.weight for request in self.exchange.requests if request.at_s > since_s)

    async def trade_on(self, symbol: str, for_s: float, every_s: float) -> None:
        for _ in range(round(for_s / every_s)):
            self.trade(symbol)
            self.hold()
            await asyncio.sleep(every_s)


@asynccontextmanager
async def scene(
    *symbols: str, stream: StreamKind = "aggTrade", market: MarketName = "spot"
) -> AsyncIterator[Scene]:
    names = symbols or ("BTCUSDT",)
    exchange = VirtualExchange(*names, market=market)
    feed = FakeFeed(FakeLink(exchange.now_s()), carries=set(names), all=frozenset(names))
    counts: dict[str, Received] = dict.fromkeys(names, Received())
    puts: list[Item] = []

    board = PublishedGaps()

    def put(item: Item) -> bool:
        if made.refusals:
            made.refusals -= 1
            return False
        puts.append(item)
        assert isinstance(item, Tick)
        key = (item.market, item.symbol, item.stream)
        board.publish((), board._edges | {key: (item.trade_id, item.time_us)})  # as stored
        return True

    dog = Watchdog(
        feed,
        exchange.client(market),
        stream,
        symbols=lambda: names,
        received=lambda symbol: counts[symbol],
        published=board,
        put=put,
    )
    made = Scene(exchange, feed, dog, board, puts, counts)
    task = asyncio.create_task(dog.run())
    try:
        yield made
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
            (detected_s, reason), *more = s.feed.reasons
            assert 20 <= detected_s - dead_s <= 35
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
        assert 270 <= len(asked) <= 303  # every 12 to 13 s
        assert sum(request.weight for request in asked) <= 11 * 60  # of 3,000 a minute
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
            (detected_s, _), *_ = s.feed.reasons
            assert detected_s - dead_s <= 35


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
        detected_s, reason = s.feed.reasons[0]
        assert detected_s - dead_s <= 35
        assert reason.startswith("BTCUSDT: silent for")


@in_virtual_time
async def test_subscribed_and_no_data_ever_is_a_state_of_its_own() -> None:
    async with scene() as s:
        s.feed.carries, s.feed.mends, begun_s = set(), False, s.exchange.now_s()
        await s.trade_on("BTCUSDT", 40, 0.5)
        (detected_s, reason), *_ = s.feed.reasons
        assert detected_s - begun_s <= 35
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
            "REST cannot say whether there were any: REST ticker/24hr: no network"
            in (s.feed.reasons[0][1])
        )
        assert len(times) <= 6  # patience doubles


def many(count: int) -> tuple[str, ...]:
    return tuple(f"A{number}USDT" for number in range(count))


@pytest.mark.parametrize(
    ("market", "count", "most_weight"),
    [
        *(("spot", 200, 100), ("spot", 500, 250), ("spot", 1000, 500)),
        *(("usdm", 20, 100), ("usdm", 200, 200)),
    ],
)
def test_a_stream_that_dies_among_hundreds_of_quiet_ones_is_found_within_35_s(
    market: MarketName, count: int, most_weight: int
) -> None:
    @in_virtual_time
    async def run() -> None:
        names = many(count)
        async with scene(*names, market=market) as s:
            for symbol in names:
                s.trade(symbol)
            s.hold()
            await asyncio.sleep(300)
            assert s.feed.reasons == []
            assert {s.dog.state(symbol) for symbol in names} == {"quiet"}
            assert s.weight() <= most_weight
            s.feed.carries.discard("A7USDT")
            dead_s = s.exchange.now_s()
            await s.trade_on("A7USDT", 40, 0.5)
            detected_s, reason = s.feed.reasons[0]
            assert reason.startswith("A7USDT: silent for")
            assert detected_s - dead_s <= 20

    run()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "backfill takes its share"])
@pytest.mark.parametrize("dead_after_s", [341.0, 347.0, 353.0])
def test_a_stream_that_dies_among_hundreds_that_trade_seldom_is_found_within_35_s(
    busy: bool, dead_after_s: float
) -> None:
    async def backfill(s: Scene) -> None:
        while True:
            await s.dog._rest.agg_trades("A0USDT", from_id=1, share=REPAIR_SHARE)

    @in_virtual_time
    async def run() -> None:
        names, rng = many(500), random.Random(3)
        async with scene(*names) as s:
            tasks = [asyncio.create_task(backfill(s))] if busy else []

            async def trade_seldom(symbol: str) -> None:
                while True:
                    await asyncio.sleep(rng.expovariate(1 / 30))
                    s.trade(symbol)

            tasks += [asyncio.create_task(trade_seldom(name)) for name in names if name != "A7USDT"]
            holding = asyncio.create_task(hold_each_second(s))
            going = asyncio.create_task(s.trade_on("A7USDT", 420, 2.0))
            await asyncio.sleep(dead_after_s)
            assert s.feed.reasons == []
            s.feed.carries.discard("A7USDT")
            dead_s = s.exchange.now_s()
            while not s.feed.reasons:
                await asyncio.sleep(0.5)
            detected_s, reason = s.feed.reasons[0]
            assert detected_s - dead_s <= 35
            assert reason.startswith("A7USDT: silent for")
            assert s.weight() <= (2900 if busy else 450)
            for task in (*tasks, going, holding):
                task.cancel()

    run()


async def hold_each_second(s: Scene) -> None:
    while True:
        await asyncio.sleep(1.0)
        s.hold()


@in_virtual_time
async def test_hundreds_never_heard_are_asked_for_once_and_leave_weight_for_others() -> None:
    names = many(500)
    async with scene(*names) as s:
        for symbol in names:
            s.exchange.history(symbol, 3, 1_000_000)
        spent = []
        for _ in range(300):
            await asyncio.sleep(1.0)
            spent.append(s.weight())
        assert max(spent) <= 1600  # half of ours, and what is asked beside
        assert s.feed.reasons == []
        assert {item.symbol for item in s.puts if isinstance(item, Tick)} == set(names)
        assert len(s.puts) == 500
        assert {s.dog.state(symbol) for symbol in names} == {"quiet"}


@in_virtual_time
async def test_after_a_reconnect_only_what_has_traded_meanwhile_is_asked_for() -> None:
    names = many(300)
    async with scene(*names) as s:
        for symbol in names:
            s.trade(symbol)
        s.hold()
        await asyncio.sleep(60)
        s.feed.carries = set()
        s.trade("A5USDT")  # while there is no connection
        await s.feed.reconnect("test")
        s.feed.reasons.clear()
        s.exchange.requests.clear()
        await asyncio.sleep(120)
        rows = [r.query["symbol"] for r in s.exchange.requests if r.path.endswith("aggTrades")]
        assert rows == ["A5USDT"]
        assert [item.trade_id for item in s.puts if isinstance(item, Tick)] == [2]
        assert s.feed.reasons == []


@in_virtual_time
async def test_a_symbol_the_exchange_does_not_know_hides_no_dead_stream_beside_it() -> None:
    names = many(40)
    async with scene(*names) as s:
        for symbol in names:
            s.trade(symbol)
        s.hold()
        del s.exchange.venue.tapes["A3USDT"]
        await asyncio.sleep(120)
        assert s.dog.state("A7USDT") == "quiet"
        assert s.dog.state("A3USDT") == "silent"
        assert s.weight() <= 120
        s.feed.carries.discard("A7USDT")
        dead_s = s.exchange.now_s()
        await s.trade_on("A7USDT", 40, 0.5)
        assert s.feed.reasons[0][0] - dead_s <= 35
        assert s.feed.reasons[0][1].startswith("A7USDT")


@in_virtual_time
async def test_where_there_is_no_ticker_the_trades_themselves_are_asked_for() -> None:
    async with scene("BTCUSDT", "ETHUSDT") as s:
        s.exchange.faults.answer_rest(404, times=None, path="ticker", code=-5000, msg="not found")
        await s.trade_on("BTCUSDT", 60, 3.0)
        await asyncio.sleep(60)
        assert s.feed.reasons == []
        assert s.dog.state("BTCUSDT") == "quiet"
        s.feed.carries, dead_s = set(), s.exchange.now_s()
        await s.trade_on("BTCUSDT", 40, 0.5)
        assert s.feed.reasons[0][0] - dead_s <= 35


@in_virtual_time
async def test_an_id_that_no_trade_has_taken_up_is_asked_for_a_few_times_and_then_known() -> None:
    async with scene() as s:
        await s.trade_on("BTCUSDT", 5, 1.0)
        last_ids = s.dog._rest.last_ids

        async def one_ahead(symbols: Sequence[str] | None) -> dict[str, int]:
            return {symbol: each + 1 for symbol, each in (await last_ids(symbols)).items()}

        s.dog._rest.last_ids = one_ahead  # type: ignore[method-assign] # as futures' NA rows do
        await asyncio.sleep(120)
        assert s.feed.reasons == []
        assert s.dog.state("BTCUSDT") == "quiet"
        rows = [r for r in s.exchange.requests if r.path.endswith("aggTrades")]
        assert len(rows) <= 4
        s.feed.carries, dead_s = set(), s.exchange.now_s()
        await s.trade_on("BTCUSDT", 40, 0.5)
        assert s.feed.reasons[0][0] - dead_s <= 35


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


@in_virtual_time
async def test_what_a_full_queue_refuses_is_handed_on_again() -> None:
    async with scene() as s:
        s.exchange.history("BTCUSDT", 50, 1_000_000)
        s.refusals = 2
        await asyncio.sleep(60)
        assert [item.trade_id for item in s.puts if isinstance(item, Tick)] == [50]
        assert s.refusals == 0


@in_virtual_time
async def test_a_trade_refused_before_a_reconnect_is_handed_on_after_it() -> None:
    async with scene() as s:
        await s.trade_on("BTCUSDT", 5, 1.0)
        s.board.publish((), {("spot", "BTCUSDT", "aggTrade"): (4, 1)})
        await s.feed.reconnect("test")
        await asyncio.sleep(60)
        assert [item.trade_id for item in s.puts if isinstance(item, Tick)] == [5]


@in_virtual_time
async def test_what_was_handed_on_and_lost_with_the_writing_thread_is_handed_on_again() -> None:
    async with scene() as s:
        s.exchange.history("BTCUSDT", 50, 1_000_000)
        await asyncio.sleep(20)
        s.board.publish((), {})  # not stored after all
        await asyncio.sleep(60)
        assert [item.trade_id for item in s.puts if isinstance(item, Tick)] == [50, 50]


def test_a_trade_that_is_still_on_its_way_proves_nothing() -> None:
    watch = watch_after_trade(100.0, 7, LIMITS)
    assert not is_silent(watch, 109.9, LIMITS)
    assert is_silent(watch, 110.0, LIMITS)
    note_ticker_id(watch, 9, 119.0, LIMITS)
    assert not is_to_be_confirmed(watch, 119.9)
    assert is_to_be_confirmed(watch, 120.0)
    assert not is_dead(watch, 1000.0, LIMITS)  # the ticker alone proves nothing
    note_rest_id(watch, 9, 120.0, LIMITS)
    assert not is_dead(watch, 124.9, LIMITS)
    assert is_dead(watch, 125.0, LIMITS)
    assert not is_dead(watch_after_trade(124.0, 9, LIMITS), 125.0, LIMITS)


def test_patience_doubles_with_connections_that_brought_nothing() -> None:
    assert [LIMITS.patience_s(fruitless) for fruitless in (0, 1, 2, 50)] == [20, 40, 60, 60]
    watch = watch_after_connecting(0.0, 1, LIMITS)
    note_ticker_id(watch, 5, 10.0, LIMITS)
    note_ticker_id(watch, 6, 20.0, LIMITS)
    note_rest_id(watch, 6, 21.0, LIMITS)
    assert not is_dead(watch, 39.0, LIMITS)
    assert is_dead(watch, 40.0, LIMITS)


@pytest.mark.parametrize("known", [None, 5])
def test_an_exchange_without_any_trade_in_a_day_is_quiet(known: int | None) -> None:
    watch = (
        watch_after_connecting(0.0, 0, LIMITS)
        if known is None
        else watch_after_trade(0.0, known, LIMITS)
    )
    note_ticker_id(watch, -1, 10.0, LIMITS)
    note_ticker_id(watch, -1, 22.0, LIMITS)
    assert watch.confirmed
    assert not is_dead(watch, 1000.0, LIMITS)


def test_a_ticker_that_lags_cannot_say_that_the_market_is_quiet() -> None:
    watch = watch_after_trade(0.0, 7, LIMITS)
    note_ticker_id(watch, 6, 10.0, LIMITS)
    assert not watch.confirmed
    assert watch.ticker_id is None
