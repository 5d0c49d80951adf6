"""Symbols over several connections: who carries what, in batches that the exchange takes."""

import asyncio
from collections.abc import Sequence

import pytest
from exchange.server import Exchange
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import MAX_URL_STREAMS, BarUpdate
from ingest.clock import now_us
from ingest.errors import MalformedMessageError
from ingest.feed import Address, BarFeed, FeedGroup
from ingest.feed.group import spread

SYMBOLS = st.integers(0, 40).map(lambda number: f"S{number}USDT")


class Bars:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.closed: list[tuple[str, int]] = []
        self.losses: list[str] = []
        self.came = asyncio.Event()

    def event(self, event: BarUpdate) -> None:
        if event.kline is not None:
            self.closed.append((event.symbol, event.kline.open_us))
            self.came.set()

    def reject(self, error: MalformedMessageError) -> None:
        raise error

    async def room(self) -> None:
        return

    def connected(self, where: str) -> None:
        return

    def lost(self, reason: str) -> None:
        self.losses.append(reason)


@given(st.lists(st.sets(SYMBOLS, max_size=5), max_size=4), st.sets(SYMBOLS), st.integers(1, 5))
def test_each_symbol_is_carried_once_and_stays_where_it_is(
    shares: Sequence[set[str]], wanted: set[str], most: int
) -> None:
    seen: set[str] = set()
    carried = []
    for share in shares:
        carried.append(tuple(sorted(share - seen))[:most])
        seen |= set(carried[-1])
    after = spread(carried, sorted(wanted), most)
    together = [symbol for share in after for symbol in share]
    assert sorted(together) == sorted(wanted)
    assert all(len(share) <= most for share in after)
    for before, now in zip(carried, after, strict=False):
        assert set(before) & wanted <= set(now)


async def test_five_hundred_streams_come_over_two_connections_in_batches() -> None:
    names = [f"S{number:03d}USDT" for number in range(500)]
    async with Exchange(names) as exchange:
        for name in names:
            exchange.push(name, "10", "1")
        bars = Bars()
        address = Address(exchange.ws_url, "spot", "kline_1s")
        group = FeedGroup[BarUpdate](lambda: BarFeed(address, bars, now_us=now_us), 300)
        running = asyncio.create_task(group.run())
        await group.set_symbols(names, "")
        async with asyncio.timeout(15):
            while len({symbol for symbol, _ in bars.closed}) < len(names):
                bars.came.clear()
                await bars.came.wait()
            assert group.connected == (2, 2)
            asked = [session.target.count("@kline_1s") for session in exchange.connections]
            assert sorted(asked) == [200, 200]  # the rest in messages
            assert MAX_URL_STREAMS == 200
            carried = sorted(len(session.subscriptions) for session in exchange.connections)
            assert carried == [200, 300]
            await group.set_symbols(names[:300], "no symbols to record in bars")
            await exchange.wait_until(lambda: len(exchange.connections) == 1)
            await group.drain()
        running.cancel()
        assert bars.losses == ["no symbols to record in bars", "stopped"]


async def test_each_connection_comes_back_by_itself() -> None:
    names = ["AUSDT", "BUSDT"]
    async with Exchange(names) as exchange:
        bars = Bars()
        address = Address(exchange.ws_url, "spot", "kline_1s")
        group = FeedGroup[BarUpdate](lambda: BarFeed(address, bars, now_us=now_us), 1)
        running = asyncio.create_task(group.run())
        await group.set_symbols(names, "")
        await exchange.wait_for_subscribers(2)
        (first, _) = exchange.connections
        first.connection.reset()
        await exchange.wait_until(lambda: len(exchange.handshakes) == 3)
        await exchange.wait_for_subscribers(2)
        assert len(bars.losses) == 1
        await group.drain()
        running.cancel()


@pytest.mark.parametrize(
    ("carried", "wanted", "shares"),
    [
        ([], "", []),
        ([], "ABC", [("A", "B"), ("C",)]),
        ([("A", "B"), ("C",)], "BCD", [("B", "D"), ("C",)]),
        ([("A", "B"), ("C",)], "C", [(), ("C",)]),
    ],
    ids=["nothing", "new ones", "one goes and one comes", "a connection without any"],
)
def test_shares(carried, wanted: str, shares) -> None:
    assert spread(carried, wanted, 2) == shares
