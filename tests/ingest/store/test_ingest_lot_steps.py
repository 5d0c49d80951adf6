"""Lot steps: read from the exchange's list, kept with the database, read without a recording."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from exchange.client import T0_US

from ingest.binance import Listed, LotSteps, decode_exchange_info
from ingest.errors import MalformedMessageError, StoreError
from ingest.store import TickWriter, fresh_symbols, keep_lots, read_lots
from ingest.store.lot_steps import FRESH_US, decode_lots, setting_key
from ingest.tick import Market, Tick

BTC = LotSteps("BTC", "USDT", "0.00001000", "0.00001000", "5.00000000")


def body(*filters: object) -> bytes:
    symbol = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT"}
    return json.dumps({"symbols": [symbol | {"filters": filters}]}).encode()


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
    lots = None if steps is None else LotSteps("BTC", "USDT", *steps)
    assert decode_exchange_info(body(*filters)) == {
        "BTCUSDT": Listed("TRADING", lots, "BTC", "USDT")
    }


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"symbols": 3}', b'{"symbols": [{"symbol": 1}]}'])
def test_a_body_that_is_none_is_said(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode_exchange_info(raw)


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
    assert decode_lots(text) == {}
    assert setting_key("spot") == "lot steps spot"


def test_what_was_kept_within_a_day_is_known_at_a_start(tmp_path: Path) -> None:
    path = tmp_path / "ticks.db"
    assert fresh_symbols(path, "spot", T0_US) == frozenset()  # there is no database yet
    with closing(TickWriter(path)) as writer:
        keep_lots(writer, "spot", {"BTCUSDT": BTC}, T0_US)
    assert fresh_symbols(path, "usdm", T0_US) == frozenset()
    assert fresh_symbols(path, "spot", T0_US + FRESH_US) == frozenset()
    assert fresh_symbols(path, "spot", T0_US + FRESH_US - 1) == {"BTCUSDT"}
