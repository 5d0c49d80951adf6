"""The exchange's list: asked once a day, kept, and what it says of a symbol."""

import asyncio
import time
from contextlib import closing, suppress
from pathlib import Path

import msgspec
import pytest
from exchange.client import T0_US
from exchange.server import ThreadedExchange
from exchange.virtual import VirtualExchange
from exchange.virtual_time import in_virtual_time

from ingest.binance import LotSteps
from ingest.errors import RecorderError
from ingest.recorder import Recorder
from ingest.recorder.listing import (
    FRESH_US,
    Listing,
    ListKeeper,
    Standing,
    fresh_listing,
    sentence,
    setting_key,
)
from ingest.settings import Settings
from ingest.store import LotsBySymbol, TickWriter
from ingest.tick import Market

REST = "https://rest.invalid"
DAY_S = FRESH_US // 1_000_000
WITHIN_S = 10.0


class Scene:
    """A keeper at a scripted exchange, and what it kept and told."""

    def __init__(
        self,
        *listed: str,
        market: Market = "spot",
        listing: Listing | None = None,
        known: frozenset[str] = frozenset(),
    ) -> None:
        self.exchange = VirtualExchange(*listed, market=market)
        self.lists: list[Listing] = []
        self.lots: LotsBySymbol = {}
        self.missing: list[str] = []
        self.keeper = ListKeeper(
            self.exchange.client(market),
            self.lists.append,
            self.lots.update,
            self.missing.append,
            listing=listing,
            known=known,
            now_us=self.exchange.now_us,
        )

    async def during(self, seconds: float, *symbols: str) -> None:
        self.keeper.symbols_change(symbols)
        work = asyncio.create_task(self.keeper.run())
        await asyncio.sleep(seconds)
        assert not work.done()  # the receiving loop ends with the first of its works
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    @property
    def asked(self) -> list[str]:
        return [request.query.get("symbol", "all") for request in self.exchange.requests]


@in_virtual_time
async def test_one_request_a_day_serves_list_and_lot_steps() -> None:
    s = Scene("ETHUSDT", "BTCUSDT", "币安人生USDT")
    await s.during(5, "ETHUSDT", "BTCUSDT")
    assert (s.asked, s.exchange.requests[0].weight) == (["all"], 20)
    assert [each.symbols for each in s.lists] == [("BTCUSDT", "ETHUSDT", "币安人生USDT")]
    assert s.lots["BTCUSDT"] == LotSteps("BTC", "USDT", "0.00001000", "0.00001000", "5.00000000")
    await s.during(DAY_S / 2, "ETHUSDT", "BTCUSDT", "币安人生USDT")
    assert (s.asked, set(s.lots)) == (["all"], {"BTCUSDT", "ETHUSDT", "币安人生USDT"})
    await s.during(DAY_S, "BTCUSDT")
    assert s.asked == ["all", "all"]


@in_virtual_time
async def test_futures_send_their_list_whole_and_its_lot_steps_are_theirs() -> None:
    s = Scene("BTCUSDT", "ETHUSDT", market="usdm")
    s.exchange.venue.tape("ETHUSDT").status = "SETTLING"
    await s.during(5, "BTCUSDT", "ETHUSDT", "NOSUCH")
    assert [request.query for request in s.exchange.requests[:1]] == [{}]
    assert s.lists[0].symbols == ("BTCUSDT",)
    assert s.lots["BTCUSDT"] == LotSteps("BTC", "USDT", "0.001", "0.001", "100")
    standings = [s.keeper.standing(each) for each in ("BTCUSDT", "ETHUSDT", "NOSUCH")]
    assert standings == ["traded", "not traded", "not listed"]


@in_virtual_time
async def test_a_recorded_symbol_that_is_not_traded_is_told_once() -> None:
    s = Scene("BTCUSDT", "LUNAUSDT")
    s.exchange.venue.tape("LUNAUSDT").status = "BREAK"
    assert s.keeper.standing("ZZZZUSDT") == "not known"
    await s.during(60, "BTCUSDT", "LUNAUSDT", "ZZZZUSDT")
    assert s.missing == ["LUNAUSDT", "ZZZZUSDT"]
    assert s.keeper.standing("LUNAUSDT") == "not traded"
    assert s.keeper.standing("ZZZZUSDT") == "not listed"
    await s.during(60, "BTCUSDT", "LUNAUSDT", "ZZZZUSDT")
    assert len(s.missing) == 2
    assert s.asked == ["all", "LUNAUSDT", "ZZZZUSDT"]


@in_virtual_time
async def test_a_symbol_younger_than_the_list_is_asked_for_by_name() -> None:
    young = Listing(REST, T0_US, ("BTCUSDT",))
    s = Scene("BTCUSDT", "NEWUSDT", listing=young, known=frozenset({"BTCUSDT"}))
    await s.during(5, "BTCUSDT")
    assert s.asked == []
    assert await s.keeper.look_up("BTCUSDT") == "traded"
    assert await s.keeper.look_up("NEWUSDT") == "traded"
    assert await s.keeper.look_up("NOUSDT") == "not listed"
    assert s.asked == ["NEWUSDT", "NOUSDT"]
    await s.during(5, "BTCUSDT", "NEWUSDT")
    assert set(s.lots) == {"BTCUSDT", "NEWUSDT"}


@in_virtual_time
async def test_while_the_exchange_cannot_be_reached_nothing_is_known() -> None:
    s = Scene("BTCUSDT")
    s.exchange.offline = True
    await s.during(30, "BTCUSDT")
    assert (s.lists, await s.keeper.look_up("ZZZZUSDT")) == ([], "not known")
    s.exchange.offline = False
    await s.during(120, "BTCUSDT")
    assert s.lists[0].symbols == ("BTCUSDT",)


@in_virtual_time
async def test_a_host_that_does_not_know_the_filter_is_asked_without_it() -> None:
    s = Scene("BTCUSDT")
    path = "/api/v3/exchangeInfo"
    s.exchange.faults.answer_rest(400, code=-1101, path=path, times=1)
    await s.during(5, "BTCUSDT")
    assert [dict(request.query) for request in s.exchange.requests[1:]] == [{}]
    assert s.lists[0].symbols == ("BTCUSDT",)


@in_virtual_time
async def test_a_host_that_gives_no_list_is_asked_once_a_day() -> None:
    s = Scene("BTCUSDT")
    s.exchange.faults.answer_rest(404, code=-5000, path="/api/v3/exchangeInfo", times=None)
    await s.during(600, "BTCUSDT", "ZZZZUSDT")
    assert len(s.exchange.requests) == 1
    assert s.keeper.standing("ZZZZUSDT") == "not known"
    assert s.missing == []


def test_a_list_is_kept_for_a_day_and_for_its_host(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    kept = Listing(REST, T0_US, ("BTCUSDT", "币安人生USDT"))
    assert fresh_listing(path, "spot", REST, T0_US) is None  # there is no database yet
    with closing(TickWriter(path)) as writer:
        assert fresh_listing(path, "spot", REST, T0_US) is None
        writer.remember(setting_key("spot"), msgspec.json.encode(kept).decode())
    assert fresh_listing(path, "spot", REST, T0_US + FRESH_US - 1) == kept
    assert fresh_listing(path, "spot", REST, T0_US + FRESH_US) is None
    assert fresh_listing(path, "spot", REST, T0_US - 1) is None  # our clock was set back
    assert fresh_listing(path, "spot", "https://api.binance.us", T0_US) is None
    assert fresh_listing(path, "usdm", REST, T0_US) is None


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("not listed", "ZZZZUSDT is not listed on Binance spot"),
        ("not traded", "ZZZZUSDT is listed on Binance spot, but not traded at present"),
        ("traded", ""),
        ("not known", ""),
    ],
)
def test_what_is_not_traded_is_a_sentence(standing: Standing, words: str) -> None:
    assert sentence("ZZZZUSDT", standing, "Binance spot") == words


@pytest.fixture
def exchange():
    with ThreadedExchange(["BTCUSDT", "SOLUSDT"]) as running:
        yield running


def recorder_at(exchange: ThreadedExchange, path: Path, *symbols: str) -> Recorder:
    db, ws_url, rest_url = path / "ticks.db", exchange.ws_url, exchange.rest_url
    return Recorder(Settings(symbols=symbols, db=db, ws_url=ws_url, rest_url=rest_url))


def until(condition) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_an_unknown_symbol_is_refused_at_once_and_nothing_of_it_is_remembered(
    exchange, tmp_path
) -> None:
    recorder = recorder_at(exchange, tmp_path, "BTCUSDT")
    recorder.start()
    try:
        until(lambda: recorder.listed() == ("BTCUSDT", "SOLUSDT"))
        with pytest.raises(RecorderError, match=r"ZZZZUSDT is not listed on Binance spot \(127"):
            recorder.add_symbol("zzzz/usdt")
        assert recorder.add_symbol("SOL/USDT:USDT") == "SOLUSDT"
        assert recorder.symbols == ("BTCUSDT", "SOLUSDT")
        assert recorder.standing("SOLUSDT") == "traded"
        db, url, now_us = recorder.settings.db, exchange.rest_url, time.time_ns() // 1000
        until(lambda: fresh_listing(db, "spot", url, now_us) is not None)
    finally:
        assert recorder.stop()


def test_an_unknown_symbol_of_the_options_is_in_the_notices(exchange, tmp_path, capsys) -> None:
    recorder = recorder_at(exchange, tmp_path, "BTCUSDT", "ZZZZUSDT")
    recorder.start()
    try:
        until(lambda: recorder.standing("ZZZZUSDT") == "not listed")
        (told,) = recorder.status().notices
    finally:
        assert recorder.stop()
    where = f"Binance spot (127.0.0.1:{exchange.port})"
    assert told == f"ZZZZUSDT is not listed on {where}: nothing of it is recorded."
    assert f"ZZZZUSDT is not listed on {where}\n" in capsys.readouterr().err


def test_a_name_outside_ascii_is_recorded_from_an_address_and_a_message(tmp_path) -> None:
    names = ("BTCUSDT", "币安人生USDT", "我踏马来了USDT")
    with ThreadedExchange(names) as exchange:
        recorder = recorder_at(exchange, tmp_path, *names[:2])
        recorder.start()
        try:
            exchange.wait_for_subscribers(1)
            assert recorder.add_symbol("我踏马来了/usdt") == names[2]
            until(
                lambda: (
                    len(exchange.call(lambda e: dict(e.connections[0].subscriptions))) == len(names)
                )
            )
            for name in names[1:]:
                exchange.push(name, "0.2", 100)
            until(lambda: recorder.status().stored == 2)
            assert recorder.status().rejected == 0
        finally:
            assert recorder.stop()


def test_without_a_network_a_symbol_is_taken_and_not_known(exchange, tmp_path) -> None:
    exchange.faults.answer_rest(503, path="/api/v3/exchangeInfo", times=None)
    recorder = recorder_at(exchange, tmp_path, "BTCUSDT")
    recorder.start()
    try:
        until(lambda: recorder.status().state == "live")
        assert recorder.add_symbol("SOLUSDT") == "SOLUSDT"
        assert (recorder.standing("SOLUSDT"), recorder.listed()) == ("not known", ())
    finally:
        assert recorder.stop()
