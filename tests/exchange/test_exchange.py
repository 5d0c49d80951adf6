"""The scripted exchange itself, seen by the plain websockets client and urllib."""

import asyncio
import contextlib
import csv
import gc
import json
import math
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from exchange.client import BOTH, SYMBOLS, T0_US, ask, client, close_of, fetch, get, receive
from exchange.feeds import LiveFeed, ReplayFeed, recorded_frames
from exchange.market import MarketName, Trade, decimal_text, e8, trade_payload
from exchange.server import Exchange, ThreadedExchange

EXCHANGE = Path(__file__).resolve().parent
FRAMES = "binance_spot_frames_20240808.txt.gz"


async def test_a_combined_stream_carries_aggregates_in_envelopes() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push("BTCUSDT", "61837.63", "0.02", time_us=T0_US, buyer_is_maker=True)
        message = await receive(websocket)
    assert message == {
        "stream": "btcusdt@aggTrade",
        "data": {
            "e": "aggTrade",
            "E": T0_US // 1000 + 1,
            "s": "BTCUSDT",
            "a": 1,
            "p": "61837.63000000",
            "q": "0.02000000",
            "f": 1,
            "l": 1,
            "T": T0_US // 1000,
            "m": True,
            "M": True,
        },
    }


async def test_a_raw_stream_carries_bare_events() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/ws/btcusdt@trade") as websocket:
        exchange.push("ETHUSDT", 2600, 1)
        exchange.push("BTCUSDT", 60000, 1, trade_id=77)
        message = await receive(websocket)
    assert (message["e"], message["s"], message["t"]) == ("trade", "BTCUSDT", 77)


async def test_microseconds_are_given_where_they_are_asked_for() -> None:
    path = BOTH + "&timeUnit=MICROSECOND"
    async with (
        Exchange(SYMBOLS) as exchange,
        client(exchange, path) as micro,
        client(exchange) as milli,
    ):
        exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + 123_456)
        assert (await receive(micro))["data"]["T"] == T0_US + 123_456
        assert (await receive(milli))["data"]["T"] == T0_US // 1000 + 123


async def test_subscriptions_can_be_changed_and_listed() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        streams = ["btcusdt@aggTrade", "ethusdt@trade"]
        assert await ask(websocket, method="SUBSCRIBE", params=streams, id=1) == {
            "result": None,
            "id": 1,
        }
        exchange.push("ETHUSDT", 2600, 1)
        assert (await receive(websocket))["stream"] == "ethusdt@trade"
        await ask(websocket, method="UNSUBSCRIBE", params=streams[1:], id="two")
        assert await ask(websocket, method="LIST_SUBSCRIPTIONS", id=3) == {
            "result": streams[:1],
            "id": 3,
        }
        exchange.push("ETHUSDT", 2600, 1)
        exchange.push("BTCUSDT", 60000, 1)
        assert (await receive(websocket))["stream"] == "btcusdt@aggTrade"


async def test_one_trade_reaches_a_client_once_however_often_it_subscribed() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        await ask(websocket, method="SUBSCRIBE", params=["btcusdt@aggTrade"], id=1)
        exchange.push("BTCUSDT", 60000, 1)
        exchange.push("BTCUSDT", 60001, 1)
        ids = [(await receive(websocket))["data"]["a"] for _ in range(2)]
    assert ids == [1, 2]


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("{", 3, "Invalid JSON"),
        ("[]", 2, "expected an object"),
        ('{"id":1}', 2, "missing field `method`"),
        ('{"method":"SING","id":1}', 2, "unknown variant `SING`"),
        ('{"method":"SUBSCRIBE","params":"a@trade","id":1}', 2, "list of strings"),
        ('{"method":"SUBSCRIBE","params":["nothing"],"id":1}', 2, "unknown stream"),
        ('{"method":"SUBSCRIBE","params":["a@trade"],"id":1.5}', 2, "request ID"),
    ],
)
async def test_a_bad_request_is_answered_with_its_error(
    message: str, code: int, words: str
) -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/ws") as websocket:
        await websocket.send(message)
        answer = await receive(websocket)
    assert answer["error"]["code"] == code
    assert words in answer["error"]["msg"]


async def test_the_1025th_stream_is_refused() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        streams = [f"s{number}@trade" for number in range(1024)]
        assert (await ask(websocket, method="SUBSCRIBE", params=streams, id=1))["result"] is None
        answer = await ask(websocket, method="SUBSCRIBE", params=["more@trade"], id=2)
    assert answer["error"]["msg"] == "Invalid request: too many parameters"


async def test_a_client_that_talks_too_much_is_disconnected() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange, "/stream") as websocket:
        for number in range(12):  # more than 5 in a second, wherever a second begins
            await websocket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        error = await close_of(websocket)
    assert error.rcvd is not None
    assert error.rcvd.code == 1008


async def test_the_server_pings_and_a_client_that_answers_stays() -> None:
    async with Exchange(SYMBOLS, ping_interval_s=0.01) as exchange, client(exchange) as websocket:
        connection = exchange.connections[0].connection
        async with asyncio.timeout(10):
            while connection.latency == 0:
                exchange.push("BTCUSDT", 60000, 1)
                await receive(websocket)
        assert exchange.connections


async def test_an_unknown_path_is_not_found() -> None:
    async with Exchange(SYMBOLS) as exchange:
        with pytest.raises(InvalidStatus) as caught:
            await connect(exchange.ws_url + "/nowhere", proxy=None)
    assert caught.value.response.status_code == 404


async def test_futures_stream_on_the_market_path_in_their_own_shape() -> None:
    path = "/market" + BOTH
    async with Exchange(SYMBOLS, market="usdm") as exchange, client(exchange, path) as websocket:
        exchange.push("BTCUSDT", "64346.7", "0.02", time_us=T0_US)
        data = (await receive(websocket))["data"]
    assert (data["p"], data["q"], data["nq"], data["st"]) == ("64346.7", "0.02", "0.02", 1)
    assert "M" not in data


async def test_futures_old_path_acknowledges_and_stays_silent() -> None:
    async with (
        Exchange(SYMBOLS, market="usdm") as exchange,
        client(exchange, BOTH) as old,
        client(exchange, "/market" + BOTH) as new,
    ):
        answer = await ask(old, method="SUBSCRIBE", params=["btcusdt@trade"], id=1)
        assert answer == {"result": None, "id": 1}
        exchange.push("BTCUSDT", 60000, 1)
        assert (await receive(new))["data"]["a"] == 1
        # The next thing the old path says is an answer: the trade never came.
        assert (await ask(old, method="LIST_SUBSCRIPTIONS", id=2))["id"] == 2


async def test_a_non_trade_takes_up_an_id_and_is_no_aggregate() -> None:
    path = "/market/ws/btcusdt@trade"
    async with Exchange(SYMBOLS, market="usdm") as exchange, client(exchange, path) as websocket:
        exchange.push("BTCUSDT", 60000, 1)
        exchange.push_non_trade("BTCUSDT")
        exchange.push("BTCUSDT", 60000, 1)
        events = [await receive(websocket) for _ in range(3)]
        rows = (await get(exchange, "/fapi/v1/aggTrades?symbol=BTCUSDT")).body
    assert [(event["t"], event["X"]) for event in events] == [
        (1, "MARKET"),
        (2, "NA"),
        (3, "MARKET"),
    ]
    assert [row["a"] for row in rows] == [1, 3]


async def test_any_bytes_can_be_sent() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push_raw(b'{"p":NaN}')
        exchange.push_raw(b"\x00\xff", binary=True)
        assert await websocket.recv() == '{"p":NaN}'
        assert await websocket.recv() == b"\x00\xff"
        exchange.push_raw(b"\xff")
        error = await close_of(websocket)
    assert error.sent is not None
    assert error.sent.code == 1007


async def test_time_is_the_clock_the_exchange_was_given() -> None:
    async with Exchange(SYMBOLS, clock_us=lambda: T0_US) as exchange:
        reply = await get(exchange, "/api/v3/time")
        micro = await get(exchange, "/api/v3/time", **{"X-MBX-TIME-UNIT": "MICROSECOND"})
    assert reply.body == {"serverTime": T0_US // 1000}
    assert micro.body == {"serverTime": T0_US}


async def test_exchange_info_lists_what_was_asked_for() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.venue.tape("ETHUSDT").status = "HALT"
        everything = await get(exchange, "/api/v3/exchangeInfo")
        one = await get(exchange, "/api/v3/exchangeInfo?symbol=ETHUSDT")
        some = await get(exchange, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D")
        none = await get(exchange, "/api/v3/exchangeInfo?symbol=NOPEUSDT")
    assert [item["symbol"] for item in everything.body["symbols"]] == list(SYMBOLS)
    assert [(item["symbol"], item["status"]) for item in one.body["symbols"]] == [
        ("ETHUSDT", "HALT")
    ]
    assert [item["baseAsset"] for item in some.body["symbols"]] == ["BTC"]
    assert (none.status, none.body["code"]) == (400, -1121)


SPOT_FILTERS = {
    "PRICE_FILTER", "LOT_SIZE", "ICEBERG_PARTS", "MARKET_LOT_SIZE", "TRAILING_DELTA",
    "PERCENT_PRICE_BY_SIDE", "NOTIONAL", "MAX_NUM_ORDERS", "MAX_NUM_ORDER_LISTS",
    "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ORDER_AMENDS",
}  # fmt: skip
FUTURES_FILTERS = {
    "PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS",
    "MIN_NOTIONAL", "PERCENT_PRICE", "POSITION_RISK_CONTROL",
}  # fmt: skip


async def test_spot_and_futures_tell_of_a_symbol_in_forms_of_their_own() -> None:
    async with Exchange(["BTCUSDT"]) as exchange:
        (spot,) = (await get(exchange, "/api/v3/exchangeInfo")).body["symbols"]
        halted = await get(exchange, "/api/v3/exchangeInfo?symbolStatus=HALT")
    async with Exchange(["ADAUSDT", "BTCUSDT_260327"], market="usdm") as exchange:
        told = (await get(exchange, "/fapi/v1/exchangeInfo")).body
    ada, quarter = told["symbols"]
    assert halted.body["symbols"] == []
    assert {each["filterType"] for each in spot["filters"]} == SPOT_FILTERS
    assert {"baseAssetPrecision", "orderTypes", "permissionSets"} <= spot.keys()
    assert "contractType" not in spot
    assert {each["filterType"] for each in ada["filters"]} == FUTURES_FILTERS
    assert (ada["contractType"], ada["marginAsset"]) == ("PERPETUAL", "USDT")
    assert (ada["pricePrecision"], ada["quantityPrecision"]) == (4, 0)
    assert "permissions" not in ada
    assert (quarter["pair"], quarter["baseAsset"]) == ("BTCUSDT", "BTC")
    assert quarter["contractType"] == "CURRENT_QUARTER"
    assert quarter["deliveryDate"] == 1_774_598_400_000  # 2026-03-27 08:00 UTC
    assert told["futuresType"] == "U_MARGINED"


LEVELS = {
    "ADAUSDT": 0.38,
    "BNBUSDT": 590,
    "ETHBTC": 0.0406,
    "BTCUSDT": 64_000,
    "币安人生USDT": 0.2,
}


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_well_known_symbol_trades_at_its_own_level_in_the_steps_it_is_listed_with(
    market: MarketName,
) -> None:
    feed = LiveFeed(10, history_s=60, after_clients=1)
    async with Exchange(LEVELS, market=market, feed=feed) as exchange:
        prefix = "/api/v3" if market == "spot" else "/fapi/v1"
        for symbol in (await get(exchange, f"{prefix}/exchangeInfo")).body["symbols"]:
            name, filters = (
                symbol["symbol"],
                {each["filterType"]: each for each in symbol["filters"]},
            )
            tick, lot = filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]
            for trade in exchange.trades(name, history=True):
                assert trade.price == pytest.approx(LEVELS[name], rel=0.02)
                assert trade.price_e8 % e8(tick) == trade.quantity_e8 % e8(lot) == 0


TICKER_FIELDS = {
    "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "lastPrice", "lastQty",
    "openPrice", "highPrice", "lowPrice", "volume", "quoteVolume", "openTime", "closeTime",
    "firstId", "lastId", "count",
}  # fmt: skip
NOT_IN_MINI = {"priceChange", "priceChangePercent", "weightedAvgPrice", "lastQty"}
SPOT_TICKER_FIELDS = {"prevClosePrice", "bidPrice", "bidQty", "askPrice", "askQty"}


async def test_a_ticker_is_complete_and_a_mini_one_small() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for price, quantity in ((100, 1), (90, 2), (120, "0.5"), (99, 1)):
            exchange.push("BTCUSDT", price, quantity)
        full = (await get(exchange, "/api/v3/ticker/24hr?symbol=BTCUSDT")).body
        mini = (await get(exchange, "/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI")).body
        quiet = (await get(exchange, "/api/v3/ticker/24hr?symbol=ETHUSDT")).body
    assert full.keys() == quiet.keys() == TICKER_FIELDS | SPOT_TICKER_FIELDS
    assert mini.keys() == TICKER_FIELDS - NOT_IN_MINI
    numbers = ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")
    assert [float(full[name]) for name in numbers] == [100, 120, 90, 99, 4.5, 439]
    assert (full["priceChange"], full["priceChangePercent"]) == ("-1.00000000", "-1.000")
    assert (full["count"], quiet["count"], quiet["lastId"]) == (4, 0, -1)
    async with Exchange(SYMBOLS, market="usdm") as exchange:
        exchange.push("BTCUSDT", 100, 1)
        futures = (await get(exchange, "/fapi/v1/ticker/24hr?symbol=BTCUSDT")).body
    assert futures.keys() == TICKER_FIELDS


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v3/klines?symbol=NOPEUSDT&interval=1m", 400, -1121),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", 400, -1120),
        ("/api/v3/aggTrades", 400, -1102),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=-1", 400, -1100),
        ("/api/v3/aggTrades?symbol=BTCUSDT&limit=0", 400, -1130),
        ("/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", 400, -1128),
        ("/api/v3/historicalTrades?symbol=BTCUSDT", 404, -5000),
        ("/fapi/v1/time", 404, -5000),
        ("/", 404, -5000),
    ],
)
async def test_a_bad_rest_request_is_refused(path: str, status: int, code: int) -> None:
    async with Exchange(SYMBOLS) as exchange:
        reply = await get(exchange, path)
    assert (reply.status, reply.body["code"]) == (status, code)


async def test_futures_have_no_second_bars() -> None:
    async with Exchange(SYMBOLS, market="usdm") as exchange:
        reply = await get(exchange, "/fapi/v1/klines?symbol=BTCUSDT&interval=1s")
    assert (reply.status, reply.body["code"]) == (400, -1120)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3, 6, 7]),
        ("&limit=2", [6, 7]),
        ("&fromId=2", [2, 3, 6, 7]),
        ("&fromId=4&limit=1", [6]),
        ("&fromId=8", []),
        (f"&startTime={T0_US // 1000 + 2000}", [3, 6, 7]),
        (f"&startTime={T0_US // 1000}&endTime={T0_US // 1000 + 2000}", [1, 2, 3]),
        (f"&endTime={T0_US // 1000 + 1000}&limit=1", [2]),
        (f"&startTime={T0_US + 2_000_000}&limit=1", [3]),
    ],
)
async def test_agg_trades_are_chosen_by_id_time_and_limit(query: str, ids: list[int]) -> None:
    async with Exchange(SYMBOLS) as exchange:
        for second in range(3):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + second * 1_000_000)
        assert exchange.skip_ids("BTCUSDT", 2) == range(4, 6)
        for second in range(3, 5):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US + second * 1_000_000)
        reply = await get(exchange, f"/api/v3/aggTrades?symbol=BTCUSDT{query}")
    assert [row["a"] for row in reply.body] == ids


async def test_agg_trades_give_at_most_1000_rows() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for _ in range(1001):
            exchange.push("BTCUSDT", 60000, 1)
        reply = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&limit=5000")
        default = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    assert (len(reply.body), len(default.body)) == (1000, 500)


async def test_streams_and_rest_tell_the_same_trades() -> None:
    async with Exchange(SYMBOLS) as exchange, client(exchange) as websocket:
        exchange.push("BTCUSDT", "61837.63", "0.02", buyer_is_maker=True)
        exchange.push("BTCUSDT", "61837.64", "0.00001")
        streamed = [(await receive(websocket))["data"] for _ in range(2)]
        rows = (await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")).body
    seen = [{name: event[name] for name in rows[0]} for event in streamed]
    assert rows == seen


async def test_raw_trades_by_id_where_the_host_has_them() -> None:
    async with Exchange(SYMBOLS, historical_trades=True) as exchange:
        for price in ("1", "2", "3"):
            exchange.push("BTCUSDT", price, 1)
        reply = await get(exchange, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=2")
    assert [(row["id"], row["price"]) for row in reply.body] == [
        (2, "2.00000000"),
        (3, "3.00000000"),
    ]


async def test_klines_hold_their_trades_and_carry_the_close_through_quiet() -> None:
    async with Exchange(SYMBOLS) as exchange:
        exchange.push("BTCUSDT", "100.5", "1", time_us=T0_US, buyer_is_maker=True)
        exchange.push("BTCUSDT", "99", "2", time_us=T0_US + 500_000)
        exchange.push("BTCUSDT", "101", "0.25", time_us=T0_US + 999_999)
        exchange.push("BTCUSDT", "102", "4", time_us=T0_US + 2_000_000)
        seconds = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1s")
        minutes = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m")
        ethereum = await get(exchange, "/api/v3/klines?symbol=ETHUSDT&interval=1m")
    open_ms = T0_US // 1000
    d = "{:.8f}".format
    first = [d(100.5), d(101), d(99), d(101), d(3.25)]
    assert seconds.body[0][:7] == [open_ms, *first, open_ms + 999]
    assert seconds.body[0][7:] == [d(323.75), 3, d(2.25), d(223.25), "0"]
    assert seconds.body[1][1:6] == [d(101)] * 4 + [d(0)]
    assert seconds.body[1][8] == 0
    assert seconds.body[2][0] == open_ms + 2000
    assert len(minutes.body) == 1
    assert minutes.body[0][1:6] == [d(100.5), d(102), d(99), d(102), d(7.25)]
    assert ethereum.body == []


async def test_bars_of_days_before_the_tape_agree_whatever_their_length() -> None:
    feed = LiveFeed(5, history_s=200, past_days=2, after_clients=1)
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        tape = exchange.venue.tape("BTCUSDT")
        begins_ms = tape[0].time_us // 1_000_000 * 1000

        async def rows(interval: str, start_ms: int, end_ms: int) -> list[list[Any]]:
            query = f"interval={interval}&startTime={start_ms}&endTime={end_ms}&limit=1000"
            reply = await get(exchange, f"/api/v3/klines?symbol=BTCUSDT&{query}")
            return [[*row[:1], *map(float, row[1:6]), row[8]] for row in reply.body]

        start_ms = begins_ms // 300_000 * 300_000 - 300_000
        end_ms = start_ms + 900_000 - 1  # over the beginning of the tape
        seconds = await rows("1s", start_ms, end_ms)
        for interval, length_ms in (("1m", 60_000), ("5m", 300_000)):
            bars = await rows(interval, start_ms, end_ms)
            assert bars[0][0] == start_ms
            for opens, *prices, volume, count in bars:
                inside = [b for b in seconds if opens <= b[0] < opens + length_ms and b[6]]
                assert prices[0] == inside[0][1]
                assert prices[1:3] == [max(b[2] for b in inside), min(b[3] for b in inside)]
                assert prices[3] == inside[-1][4]
                assert volume == pytest.approx(sum(b[5] for b in inside))
                assert count == sum(b[6] for b in inside)
        long_ago_ms = begins_ms - 86_400_000 - 12_345_000
        page = await rows("1s", long_ago_ms, long_ago_ms + 59_999)
        assert [row[0] for row in page] == [long_ago_ms + 1000 * n for n in range(60)]
        assert page == await rows("1s", long_ago_ms, long_ago_ms + 59_999)
        assert page[7:9] == await rows("1s", long_ago_ms + 7000, long_ago_ms + 8999)
        assert any(row[6] == 0 for row in page + seconds[:90])
        days = await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1d&startTime=0")
        assert len(days.body) in {3, 4}  # no more than two whole days before
        assert seconds[0][4] == pytest.approx(tape[0].price, rel=0.02)


async def test_long_bars_open_as_binances_do_and_hold_their_days() -> None:
    feed = LiveFeed(1, history_s=60, past_days=35, after_clients=1)
    now_us = 1_764_720_000_000_000  # Wednesday, 2025-12-03
    async with Exchange(["BTCUSDT"], feed=feed, clock_us=lambda: now_us) as exchange:

        async def bars(interval: str) -> pd.DataFrame:
            target = f"/api/v3/klines?symbol=BTCUSDT&interval={interval}&limit=1000"
            found = pd.DataFrame((await get(exchange, target)).body).iloc[:, [0, 2, 5, 6]]
            found.columns = ["opens", "high", "volume", "closes"]
            for name in ("opens", "closes"):
                found[name] = pd.to_datetime(found[name], unit="ms")
            return found.astype({"high": float, "volume": float})

        days, long = await bars("1d"), {name: await bars(name) for name in ("3d", "1w", "1M")}
    assert set((long["3d"].opens - pd.Timestamp(0)).dt.days % 3) == {0}
    assert set(long["1w"].opens.dt.day_name()) == {"Monday"}
    assert long["1M"].opens.dt.strftime("%Y-%m-%d").tolist()[-2:] == ["2025-11-01", "2025-12-01"]
    for each in long.values():
        ends = each.opens.iloc[1:] - pd.Timedelta("1ms")
        assert each.closes.iloc[:-1].tolist() == ends.tolist()
        for bar in each.itertuples():
            inside = days[(days.opens >= bar.opens) & (days.opens <= bar.closes)]
            assert bar.high == inside.high.max()
            assert bar.volume == pytest.approx(inside.volume.sum())


async def test_klines_are_chosen_by_open_time_and_limit() -> None:
    async with Exchange(SYMBOLS) as exchange:
        for second in range(10):
            exchange.push("BTCUSDT", 100 + second, 1, time_us=T0_US + second * 1_000_000)

        async def opens(query: str) -> list[int]:
            reply = await get(exchange, f"/api/v3/klines?symbol=BTCUSDT&interval=1s{query}")
            return [row[0] - T0_US // 1000 for row in reply.body]

        start_ms = T0_US // 1000
        assert await opens("&limit=2") == [8000, 9000]
        assert await opens(f"&startTime={start_ms + 3500}&limit=2") == [4000, 5000]
        assert await opens(f"&startTime={start_ms + 7000}&endTime={start_ms + 8000}") == [
            7000,
            8000,
        ]
        assert await opens(f"&endTime={start_ms + 1000}") == [0, 1000]
        assert await opens(f"&startTime={start_ms + 60_000}") == []


async def test_weight_is_counted_and_the_budget_ends() -> None:
    async with Exchange(SYMBOLS, clock_us=lambda: T0_US + 17_000_000) as exchange:
        first = await get(exchange, "/api/v3/time")
        second = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
        exchange._rest._used_weight = 5999
        third = await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT")
    used = [reply.headers["X-MBX-USED-WEIGHT-1M"] for reply in (first, second, third)]
    assert used == ["1", "5", "6003"]
    assert (third.status, third.headers["Retry-After"]) == (429, "43")


async def test_requests_are_recorded() -> None:
    async with Exchange(SYMBOLS) as exchange:
        await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1m")
        await exchange.wait_for_requests(1, "/klines")
        (request,) = exchange.requests
        assert request.path == "/api/v3/klines"
        assert request.query == {"symbol": "BTCUSDT", "interval": "1m"}
        assert (request.weight, request.status) == (2, 200)
        assert request.at_s <= exchange.now_s()


def test_ids_and_times_never_go_back() -> None:
    with ThreadedExchange(SYMBOLS) as exchange:
        exchange.push("BTCUSDT", 60000, 1, trade_id=10, time_us=T0_US)
        with pytest.raises(ValueError, match="BTCUSDT trade 10 comes after 10"):
            exchange.push("BTCUSDT", 60000, 1, trade_id=10, time_us=T0_US)
        with pytest.raises(ValueError, match="earlier than the one before"):
            exchange.push("BTCUSDT", 60000, 1, time_us=T0_US - 1)


def test_decimals_are_exact() -> None:
    assert e8("0.1") + e8("0.2") == e8("0.3")
    assert decimal_text(e8("0.00000001"), "spot") == "0.00000001"
    assert decimal_text(e8(83680), "usdm") == "83680"
    with pytest.raises(ValueError, match="more than 8 decimals"):
        e8("0.000000001")


async def test_live_trades_carry_the_real_clock() -> None:
    feed = LiveFeed(500.0, seed=5)
    async with Exchange(SYMBOLS, feed=feed) as exchange, client(exchange) as websocket:
        seen: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}
        while min(len(ids) for ids in seen.values()) < 20:
            data = (await receive(websocket))["data"]
            seen[data["s"]].append(data["a"])
            assert abs(time.time() * 1000 - data["T"]) < 60_000
    for ids in seen.values():
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_history_is_known_to_rest_and_was_never_streamed() -> None:
    feed = LiveFeed(50.0, seed=5, history_s=120, duration_s=0)
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        bars = (await get(exchange, "/api/v3/klines?symbol=BTCUSDT&interval=1s")).body
        rows = (await get(exchange, "/api/v3/aggTrades?symbol=BTCUSDT&fromId=1")).body
        assert exchange.trades("BTCUSDT") == []
        history = exchange.trades("BTCUSDT", history=True)
    assert 115 <= len(bars) <= 121
    assert sum(bar[8] for bar in bars) == len(history)
    assert [row["a"] for row in rows] == [trade.trade_id for trade in history[:500]]


async def test_a_finite_feed_at_full_speed_loses_nothing() -> None:
    feed = LiveFeed(400.0, seed=2, duration_s=10, speed=math.inf, after_clients=1)
    async with Exchange(SYMBOLS, feed=feed) as exchange, client(exchange) as websocket:
        received: dict[str, list[int]] = {symbol: [] for symbol in SYMBOLS}

        async def read() -> None:
            async for message in websocket:
                data = json.loads(message)["data"]
                received[data["s"]].append(data["a"])

        reading = asyncio.create_task(read())
        await exchange.wait_fed()
        await exchange.disconnect_all(code=1000)
        await reading
        for symbol in SYMBOLS:
            expected = [trade.trade_id for trade in exchange.trades(symbol)]
            assert len(expected) > 3000
            assert received[symbol] == expected


async def replayed(path: str, feed: ReplayFeed) -> tuple[list[bytes], dict[str, Any]]:
    """Replay to one client; give what it got and the minute bars REST then has."""
    async with Exchange(SYMBOLS, feed=feed) as exchange:
        async with client(exchange, path) as websocket:
            messages: list[bytes] = []

            async def read() -> None:
                while True:
                    messages.append(await websocket.recv(decode=False))

            reading = asyncio.create_task(read())
            await exchange.wait_fed()
            await exchange.disconnect_all(code=1000)
            with pytest.raises(ConnectionClosed):
                await reading
        bars = {
            symbol: (await get(exchange, f"/api/v3/klines?symbol={symbol}&interval=1m")).body
            for symbol in SYMBOLS
        }
        return messages, bars


@pytest.mark.real_data
async def test_recorded_frames_arrive_as_they_were_and_make_binances_own_bars(
    shared_data: Path,
) -> None:
    path = "/stream?streams=" + "/".join(
        f"{symbol.lower()}@{kind}" for symbol in SYMBOLS for kind in ("trade", "bookTicker")
    )
    messages, bars = await replayed(path, ReplayFeed(shared_data / FRAMES))
    recorded = [frame for _, frame in recorded_frames(shared_data / FRAMES)]
    assert messages == [
        frame for frame in recorded if b"@trade" in frame[:30] or b"@bookTicker" in frame[:30]
    ]
    for symbol in SYMBOLS:
        ours = {row[0]: row for row in bars[symbol]}
        with (shared_data / f"binance_spot_klines_1m_{symbol}.csv").open() as lines:
            for kline in csv.DictReader(lines):
                row = ours[int(kline["open_time_ms"])]
                names = ("open", "high", "low", "close", "volume")
                assert [float(text) for text in row[1:6]] == [float(kline[n]) for n in names]
                assert row[8] == int(kline["trades_in_frames"])


@pytest.mark.real_data
def test_built_events_equal_recorded_ones(shared_data: Path) -> None:
    checked = 0
    for _, frame in recorded_frames(shared_data / FRAMES):
        if b"@trade" not in frame[:30]:
            continue
        printed = frame[frame.index(b'"data":') + 7 : -1]
        event = json.loads(printed)
        trade = Trade(
            event["s"],
            event["t"],
            e8(event["p"]),
            e8(event["q"]),
            event["T"] * 1000,
            event["E"] * 1000,
            event["m"],
        )
        assert trade_payload(trade, "trade", "spot", 1000) == printed
        assert trade.price == float(event["p"])
        checked += 1
        if checked == 2000:
            return
    pytest.fail("the recording holds fewer than 2,000 trades")


async def test_a_replay_keeps_to_its_pace(tmp_path: Path) -> None:
    lines = [
        f'{second * 10**9} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":{second},'
        f'"s":"BTCUSDT","t":{second + 1},"p":"1.0","q":"1.0","T":{second},"m":true,"M":true}}}}'
        for second in range(4)
    ]
    path = tmp_path / "frames.txt"
    path.write_text("\n".join(lines) + "\n")
    begun_s = time.monotonic()
    messages, _ = await replayed("/ws/btcusdt@trade", ReplayFeed(path, speed=20.0))
    assert [json.loads(message)["t"] for message in messages] == [1, 2, 3, 4]
    assert time.monotonic() - begun_s >= 3 / 20


def test_a_threaded_exchange_serves_synchronous_code() -> None:
    with ThreadedExchange(SYMBOLS, feed=LiveFeed(100.0, history_s=5)) as exchange:
        exchange.faults.refuse_handshakes(503)
        assert fetch(exchange.rest_url + "/api/v3/ping").body == {}
        assert [request.path for request in exchange.requests()] == ["/api/v3/ping"]
        history = exchange.call(lambda inner: len(inner.trades("BTCUSDT", history=True)))
        assert history > 0


@pytest.mark.parametrize("steps", range(5))
def test_who_comes_as_the_exchange_closes_is_cut_off(steps: int) -> None:
    async def scenario() -> socket.socket:
        async with Exchange(SYMBOLS) as exchange:
            late = socket.create_connection(("127.0.0.1", exchange.port), timeout=10)
            for _ in range(steps):
                await asyncio.sleep(0)
        return late

    with asyncio.run(scenario()) as late, contextlib.suppress(ConnectionResetError):
        assert late.recv(1) == b""
    gc.collect()  # an open socket left behind would fail this test


def test_a_threaded_exchange_reports_a_port_that_is_taken() -> None:
    with (
        ThreadedExchange(SYMBOLS) as exchange,
        pytest.raises(OSError, match="address"),
        ThreadedExchange(port=exchange.port),
    ):
        pytest.fail("two exchanges on one port")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_the_command_line_serves_until_ctrl_c() -> None:
    command = [sys.executable, str(EXCHANGE), "--port", "0", "--history", "5"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.readline().split()
        assert printed[:2] == ["python", "app.py"]
        rest_url = printed[printed.index("--rest-url") + 1]
        assert fetch(rest_url + "/api/v3/time").status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_the_command_line_refuses_bad_options_in_one_line() -> None:
    from exchange.cli import main

    with ThreadedExchange(SYMBOLS) as exchange:
        assert main(["--port", str(exchange.port)]) == 2
    assert main(["--port", "0", "--frames", "no_such_file.gz"]) == 2
    with pytest.raises(SystemExit) as caught:
        main(["--symbols", "BTC/USDT"])
    assert caught.value.code == 2
