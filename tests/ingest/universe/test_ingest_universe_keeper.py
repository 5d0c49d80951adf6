"""The hourly look at the exchange's list, on virtual time against the scripted REST."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import msgspec
from exchange.market import Tape
from exchange.virtual import T0_US, VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.recorder.universe_keeper import LOOK_EVERY_S, UniverseKeeper, first_state
from ingest.settings import parse_settings
from ingest.universe import UniverseRules, UniverseState

RULES = UniverseRules("USDT")


@dataclass
class Scene:
    exchange: VirtualExchange
    keeper: UniverseKeeper
    kept: list[UniverseState]

    def asked(self, call: str) -> int:
        return sum(each.path.endswith(call) for each in self.exchange.requests)


@asynccontextmanager
async def scene(
    *symbols: str, rules: UniverseRules = RULES, state: UniverseState | None = None
) -> AsyncIterator[Scene]:
    exchange = VirtualExchange(*symbols)
    kept: list[UniverseState] = []
    for place, symbol in enumerate(symbols):
        for _ in range(len(symbols) - place):  # the first has the highest volume
            exchange.trade(symbol)
    keeper = UniverseKeeper(
        *(exchange.client(), state or UniverseState(rules, T0_US)),
        *(kept.append, exchange.now_us),
    )
    task = asyncio.create_task(keeper.run())
    try:
        yield Scene(exchange, keeper, kept)
        assert not task.done(), "it ended by itself"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@in_virtual_time
async def test_it_looks_once_an_hour_and_names_who_is_left_out() -> None:
    async with scene("BTCUSDT", "ETHUSDT", "SOLUSDT", "USDCUSDT", "ETHBTC") as at:
        await asyncio.sleep(10)
        assert at.keeper.state.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
        assert at.keeper.state.left_out == (("USDCUSDT", "a stablecoin against a stablecoin"),)
        assert at.kept == [at.keeper.state]
        await asyncio.sleep(3 * LOOK_EVERY_S)
        assert (at.asked("exchangeInfo"), at.asked("ticker/24hr"), len(at.kept)) == (4, 4, 4)
        assert at.keeper.state.changes == ()


@in_virtual_time
async def test_who_is_not_traded_any_more_leaves_with_its_status_and_who_is_new_joins() -> None:
    async with scene("BTCUSDT", "ETHUSDT", "SOLUSDT") as at:
        await asyncio.sleep(10)
        at.exchange.venue.tapes["SOLUSDT"].status = "BREAK"
        at.exchange.venue.tapes["APTUSDT"] = Tape("APTUSDT")
        await asyncio.sleep(LOOK_EVERY_S)
        assert [(each.symbol, each.kind, each.reason) for each in at.keeper.state.changes] == [
            ("SOLUSDT", "left", "not trading (BREAK); what is stored of it stays"),
            ("APTUSDT", "joined", "newly listed"),
        ]
        del at.exchange.venue.tapes["ETHUSDT"]
        await asyncio.sleep(LOOK_EVERY_S)
        assert at.keeper.state.changes[-1].reason == (
            "not listed any more; what is stored of it stays"
        )
        assert set(at.keeper.state.symbols) == {"BTCUSDT", "APTUSDT"}


@in_virtual_time
async def test_an_exchange_that_is_being_mended_makes_nobody_leave() -> None:
    async with scene("BTCUSDT", "ETHUSDT", "SOLUSDT") as at:
        await asyncio.sleep(10)
        for tape in at.exchange.venue.tapes.values():
            tape.status = "BREAK"
        await asyncio.sleep(LOOK_EVERY_S)
        assert len(at.keeper.state.symbols) == 3
        assert "lists 0 symbols of the universe just now: nothing is changed" in at.keeper.note
        for tape in at.exchange.venue.tapes.values():
            tape.status = "TRADING"
        await asyncio.sleep(60)
        assert (at.keeper.note, at.keeper.state.changes) == ("", ())


@in_virtual_time
async def test_a_list_that_cannot_be_had_is_asked_for_again() -> None:
    async with scene("BTCUSDT", "ETHUSDT") as at:
        at.exchange.offline = True
        await asyncio.sleep(100)
        assert at.keeper.note == (
            "the exchange's list could not be had: REST exchangeInfo: no network"
        )
        at.exchange.offline = False
        await asyncio.sleep(60)
        assert (at.keeper.note, len(at.keeper.state.symbols)) == ("", 2)


@in_virtual_time
async def test_an_age_is_that_of_the_first_bar_and_asked_for_once() -> None:
    rules = replace(RULES, least_days=2)
    async with scene("BTCUSDT", "ETHUSDT", rules=rules) as at:
        old = at.exchange.venue.tapes["OLDUSDT"] = Tape("OLDUSDT")
        at.exchange.history("OLDUSDT", 4, 86_400_000_000)
        await asyncio.sleep(2 * LOOK_EVERY_S + 10)
        assert at.keeper.state.symbols == (old.symbol,)
        assert dict(at.keeper.state.left_out)["BTCUSDT"].startswith("listed for 1.")
        assert at.asked("klines") == 3


@in_virtual_time
async def test_what_was_looked_up_lately_is_not_looked_up_again() -> None:
    state = UniverseState(RULES, T0_US, T0_US - 1_800_000_000, ("BTCUSDT",))
    async with scene("BTCUSDT", "ETHUSDT", state=state) as at:
        await asyncio.sleep(1790)
        assert not at.exchange.requests
        await asyncio.sleep(20)
        assert set(at.keeper.state.symbols) == {"BTCUSDT", "ETHUSDT"}


def test_the_options_come_before_what_is_remembered() -> None:
    old = UniverseState(RULES, T0_US, T0_US + 1, ("BTCUSDT",))
    text = msgspec.json.encode(old).decode()

    def first(*options: str, remembered: str | None = text) -> UniverseState | None:
        return first_state(parse_settings(options, {}), remembered, T0_US + 9)

    assert first() == first("--universe", "USDT") == old
    assert first(remembered=None) is None
    assert first(remembered="{}") is None
    assert first("--universe", "none") is None
    assert first("--universe", "BTC") == UniverseState(UniverseRules("BTC"), T0_US + 9)
    fewer = first("--universe", "USDT:50")
    assert fewer is not None
    assert (fewer.symbols, fewer.rules.top, fewer.asked_us) == (("BTCUSDT",), 50, 0)
