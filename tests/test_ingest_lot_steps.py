"""Lot steps: asked once within the weight, kept with the database, read without a recording."""

import asyncio
import json
from contextlib import closing, suppress
from pathlib import Path

import pytest
from exchange_client import T0_US
from virtual_exchange import VirtualExchange
from virtual_time import in_virtual_time

from ingest.lot_steps import (
    FRESH_US,
    LotKeeper,
    decode_kept,
    fresh_symbols,
    keep_lots,
    read_lots,
    setting_key,
)
from ingest.rest_rows import LotSteps, decode_lot_steps
from ingest.store import StoreError
from ingest.tick import Market, Tick
from ingest.wire import MalformedMessageError
from ingest.writer import TickWriter

BTC = LotSteps("BTC", "USDT", "0.00001000", "0.00001000", "5.00000000")


class Scene:
    """A keeper at a scripted exchange, and what it kept."""

    def __init__(
        self, *listed: str, market: Market = "spot", known: frozenset[str] = frozenset()
    ) -> None:
        self.exchange = VirtualExchange(*listed, market=market)
        self.kept: dict[str, LotSteps] = {}
        self.keeper = LotKeeper(self.exchange.client(market), self.kept.update, known=known)

    async def during(self, seconds: float) -> None:
        work = asyncio.create_task(self.keeper.run())
        await asyncio.sleep(seconds)
        assert not work.done()  # the receiving loop ends with the first of its works
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(each.query["symbols"]) for each in self.exchange.requests]


@in_virtual_time
async def test_all_symbols_are_asked_for_at_once_and_a_new_one_once() -> None:
    s = Scene("BTCUSDT", "ETHUSDT", "BNBUSDT")
    s.keeper.symbols_change(("ETHUSDT", "BTCUSDT"))
    await s.during(5)
    assert s.asked == [["BTCUSDT", "ETHUSDT"]]
    assert s.exchange.requests[0].weight == 20
    assert s.kept["BTCUSDT"] == BTC
    for symbols in (("BTCUSDT",), ("BTCUSDT", "ETHUSDT"), ("BTCUSDT", "BNBUSDT")):
        s.keeper.symbols_change(symbols)
        await s.during(5)
    assert s.asked[1:] == [["BNBUSDT"]]
    assert set(s.kept) == {"BTCUSDT", "ETHUSDT", "BNBUSDT"}


@in_virtual_time
async def test_an_unknown_symbol_does_not_cost_the_others_theirs() -> None:
    s = Scene("BTCUSDT", "ETHUSDT", "BNBUSDT")
    s.keeper.symbols_change(("BNBUSDT", "BTCUSDT", "ETHUSDT", "NOSUCH"))
    await s.during(600)
    assert set(s.kept) == {"BTCUSDT", "ETHUSDT", "BNBUSDT"}
    assert len(s.asked) <= 7  # and then never again


@in_virtual_time
async def test_futures_send_one_list_and_call_the_least_value_otherwise() -> None:
    s = Scene("BTCUSDT", "ETHUSDT", market="usdm")
    s.keeper.symbols_change(("BTCUSDT",))
    await s.during(5)
    assert s.kept == {"BTCUSDT": LotSteps("BTC", "USDT", "0.001", "0.001", "100")}
    assert [request.query for request in s.exchange.requests] == [{}]


@in_virtual_time
async def test_after_a_failure_it_is_asked_again_in_a_minute() -> None:
    s = Scene("BTCUSDT")
    s.exchange.offline = True
    s.keeper.symbols_change(("BTCUSDT",))
    await s.during(30)
    assert s.kept == {}
    s.exchange.offline = False
    s.keeper.symbols_change(("BTCUSDT",))
    await s.during(120)
    assert s.kept == {"BTCUSDT": BTC}


@in_virtual_time
async def test_a_call_that_is_refused_for_good_is_not_repeated() -> None:
    s = Scene("BTCUSDT")
    s.exchange.faults.answer_rest(404, code=-5000, path="/api/v3/exchangeInfo", times=None)
    s.keeper.symbols_change(("BTCUSDT",))
    await s.during(600)
    assert len(s.exchange.requests) == 1


def body(*filters: object) -> bytes:
    symbol = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters}
    return json.dumps({"symbols": [symbol]}).encode()


LOT = {"filterType": "LOT_SIZE", "minQty": "0.1", "stepSize": "0.1", "maxQty": "9"}


@pytest.mark.parametrize(
    ("filters", "steps"),
    [
        ([LOT], ("0.1", "0.1", "0")),
        ([LOT, {"filterType": "MIN_NOTIONAL", "minNotional": "10"}], ("0.1", "0.1", "10")),
        ([LOT, {"filterType": "MIN_NOTIONAL", "notional": "5"}], ("0.1", "0.1", "5")),
        ([], None),
        ([LOT | {"stepSize": "0.000"}], None),
        ([LOT | {"minQty": "nan"}], None),
        ([LOT | {"stepSize": "-1"}], None),
    ],
)
def test_steps_are_read_and_what_is_of_no_use_is_left_out(
    filters: list[object], steps: tuple[str, str, str] | None
) -> None:
    found = decode_lot_steps(body(*filters))
    assert found == ({} if steps is None else {"BTCUSDT": LotSteps("BTC", "USDT", *steps)})


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"symbols": 3}', b'{"symbols": [{"symbol": 1}]}'])
def test_a_body_that_is_none_is_said(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_lot_steps(raw)


def tick(market: Market, time_us: int) -> Tick:
    return Tick(market, "BTCUSDT", "aggTrade", 1, 100.0, 1.0, time_us, time_us, False)


def test_they_come_back_from_the_database_each_market_its_own(tmp_path: Path) -> None:
    futures = LotSteps("BTC", "USDT", "0.001", "0.001", "100")
    path = tmp_path / "ticks.db"
    writer = TickWriter(path)
    keep_lots(writer, "spot", {"BTCUSDT": BTC}, 0)
    keep_lots(writer, "spot", {"ETHUSDT": BTC}, 0)
    keep_lots(writer, "usdm", {"BTCUSDT": futures}, 0)
    writer.write([tick("spot", T0_US)])
    assert read_lots(path) == {"BTCUSDT": BTC}  # no trade of ETHUSDT is here
    writer.write([tick("usdm", T0_US + 1_000_000)])
    assert read_lots(path) == {"BTCUSDT": futures}
    writer.close()
    with pytest.raises(StoreError):
        read_lots(tmp_path / "none.db")


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"BTCUSDT": 3}', '{"A": {"base": "A"}}'])
def test_what_cannot_be_read_is_as_if_nothing_were_kept(text: str | None) -> None:
    assert decode_kept(text) == {}
    assert setting_key("spot") == "lot steps spot"


@in_virtual_time
async def test_a_start_within_a_day_asks_only_for_what_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    assert fresh_symbols(path, "spot", T0_US) == frozenset()  # there is no database yet
    with closing(TickWriter(path)) as writer:
        keep_lots(writer, "spot", {"BTCUSDT": BTC}, T0_US)
    assert fresh_symbols(path, "usdm", T0_US) == frozenset()
    assert fresh_symbols(path, "spot", T0_US + FRESH_US) == frozenset()
    known = fresh_symbols(path, "spot", T0_US + FRESH_US - 1)
    assert known == {"BTCUSDT"}
    s = Scene("BTCUSDT", "ETHUSDT", known=known)
    s.keeper.symbols_change(("ETHUSDT", "BTCUSDT"))
    await s.during(5)
    assert s.asked == [["ETHUSDT"]]
